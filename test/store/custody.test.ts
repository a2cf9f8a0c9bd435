import { expect, test } from "bun:test";
import { StoreUnavailable, type ClaimedRun, type Custody } from "../../src/domain/ports.ts";
import { createCustody } from "../../src/store/custody.ts";
import { createCommitQueue } from "../../src/store/commit-queue.ts";
import { openDatabase } from "../../src/store/database.ts";
import { systemClock } from "../../src/domain/clock.ts";
import {
  answered,
  atMs,
  begun,
  errorOf,
  id,
  openTestStore,
  reapStrays,
  settings,
  settlement,
  starting,
  type TestStore,
} from "./fixture.ts";

const end = { reason: "turn_over", exitCode: 0, signal: null, atMs: atMs + 1 };

function record(custody: Pick<Custody, "recordProcess">, run: ClaimedRun, processId = id("proc")) {
  const identity = { pid: 4242, pidStart: "99", bootId: "boot", marker: processId };
  const { conversationId } = run;
  const where = { processId, agentId: run.agent.id, conversationId, containment: "bwrap", atMs };
  return custody.recordProcess({ ...where, identity });
}

function processesOf(at: TestStore): Record<string, unknown>[] {
  const reader = at.store.openReader();
  const rows = reader.query("select id, ended_at as endedAt, end_reason as reason from processes").all();
  reader.close();
  return rows as Record<string, unknown>[];
}

test("a conversation has one process at a time", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const run = await starting(at.store);
  await record(at.store, run, "proc_1");

  const beside = await record(at.store, run, "proc_2");
  await at.store.recordProcessEnd("proc_1", end);
  const after = await record(at.store, run, "proc_3");

  expect([beside, after]).toEqual(["occupied", "ok"]);
  expect(processesOf(at).map(({ id: processId }) => processId)).toEqual(["proc_1", "proc_3"]);
  expect(at.violations()).toEqual([]);
});

test("of many that are recorded at once one is let in", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const run = await starting(at.store);

  const outcomes: string[] = await Promise.all(Array.from({ length: 20 }, () => record(at.store, run)));

  expect(outcomes.toSorted()).toEqual([...Array.from({ length: 19 }, () => "occupied"), "ok"]);
  expect(at.violations()).toEqual([]);
});

test("other conversations have theirs", async () => {
  await using at = openTestStore();
  for (const agentId of ["ada", "bob"]) await at.store.createAgent(settings({ id: agentId }));
  const first = await starting(at.store);
  const outcomes: string[] = [await record(at.store, first)];

  outcomes.push(await record(at.store, await starting(at.store, { agentId: "bob" })));
  await at.store.requestCancel(first.runId, atMs);
  await at.store.settle(settlement(first, { state: "cancelled", contentFinal: false }));
  await at.store.endActiveConversation("ada", atMs);
  outcomes.push(await record(at.store, await starting(at.store)));

  expect(outcomes).toEqual(["ok", "ok", "ok"]);
});

test("a process of an earlier server is in the way until it is proven dead", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const run = await starting(at.store);
  await record(at.store, run);
  await at.reopen();

  const before = await record(at.store, run);
  await reapStrays(at.store);
  const after = await record(at.store, run);

  expect([before, after]).toEqual(["occupied", "ok"]);
});

test("an end that the store could not take is written with the next process", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const run = await starting(at.store);
  using failing = openFailingCustody(at);
  const { custody, fail } = failing;
  await record(custody, run, "proc_1");
  fail(true);
  const refused = await errorOf(custody.recordProcessEnd("proc_1", end));
  fail(false);

  const next = await record(custody, run, "proc_2");

  expect(refused).toBeInstanceOf(StoreUnavailable);
  expect(next).toBe("ok");
  expect(processesOf(at)).toEqual([
    { id: "proc_1", endedAt: end.atMs, reason: "turn_over" },
    { id: "proc_2", endedAt: null, reason: null },
  ]);
});

test("an end stays untold while the store takes nothing, and is not lost", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const run = await starting(at.store);
  using failing = openFailingCustody(at);
  const { custody, fail } = failing;
  await record(custody, run, "proc_1");
  fail(true);
  await errorOf(custody.recordProcessEnd("proc_1", end));
  const whileFull = await errorOf(record(custody, run, "proc_2"));
  fail(false);

  const next = await record(custody, run, "proc_3");

  expect(whileFull).toBeInstanceOf(StoreUnavailable);
  expect(next).toBe("ok");
});

test("the records of a deleted conversation's processes go with it", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const { conversationId } = await answered(at.store);
  await answered(at.store);
  await at.store.recordProcessEnd(String(processesOf(at).at(-1)!["id"]), end);

  await at.store.removeConversation(conversationId);

  expect(processesOf(at)).toEqual([]);
  expect(at.violations()).toEqual([]);
});

test("the record of a process that outlives its conversation goes when the process is dead", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const run = await starting(at.store);
  const processId = await begun(at.store, run);
  await at.store.settle(settlement(run));

  await at.store.removeConversation(run.conversationId);
  const whileItLives = processesOf(at).map((row) => row["id"]);
  await at.store.recordProcessEnd(processId, end);

  expect(whileItLives).toEqual([processId]);
  expect(processesOf(at)).toEqual([]);
  expect(at.violations()).toEqual([]);
});

/** Custody over a second connection to the same file, whose writes can be made to fail as on a full disk. */
function openFailingCustody(at: TestStore) {
  const opened = openDatabase(at.dataDir);
  if (opened.kind === "refused") throw new Error(opened.message);
  const { database } = opened.opened;
  let isFull = false;
  const queue = createCommitQueue({
    database,
    clock: systemClock,
    publish: () => undefined,
    checkFile: () => (isFull ? new StoreUnavailable("SQLITE_FULL", "the disk is full") : null),
    probe: () => undefined,
  });
  const fail = (full: boolean) => void (isFull = full);
  return {
    custody: createCustody(database, queue, at.store.epoch),
    fail,
    [Symbol.dispose]() {
      queue.stop();
      database.close();
    },
  };
}
