import { describe, expect, test } from "bun:test";
import { processesKeptMs, sessionsKeptMs } from "../../src/domain/retention.ts";
import type { Store } from "../../src/store/store.ts";
import {
  answered,
  atMs,
  begun,
  id,
  openTestStore,
  running,
  settings,
  settlement,
  starting,
  type TestStore,
} from "./fixture.ts";

const hourMs = 3_600_000;
const note = { sessionBegun: { cliSessionId: "s-1", fingerprint: "f" } };

function count(at: TestStore, table: string): number {
  const reader = at.store.openReader();
  const row = reader.query<{ n: number }, []>(`select count(*) as n from ${table}`).get()!;
  reader.close();
  return row.n;
}

/** Removes batch after batch; answers with what each removed. */
async function untilNone(removeBatch: () => Promise<number>): Promise<number[]> {
  const batches: number[] = [];
  for (let removed = -1; removed !== 0; batches.push(removed)) removed = await removeBatch();
  return batches;
}

describe("records of processes", () => {
  test("go a while after their end, and leave their runs as they were", async () => {
    await using at = openTestStore();
    await at.store.createAgent(settings());
    const first = await answered(at.store);
    await answered(at.store);
    const before = at.store.getRun(first.id);

    const early = await at.store.sweepProcesses(atMs + processesKeptMs);
    const late = await at.store.sweepProcesses(atMs + processesKeptMs + 1);

    expect([early, late]).toEqual([0, 1]);
    expect(at.store.getRun(first.id)).toEqual(before);
    expect(count(at, "processes")).toBe(1);
    expect(at.violations()).toEqual([]);
  });

  test("stay for as long as the process lives", async () => {
    await using at = openTestStore();
    await at.store.createAgent(settings());
    await running(at.store);

    expect(await at.store.sweepProcesses(atMs + 10 * processesKeptMs)).toBe(0);
  });

  test("stay while their run is in progress, however long ago they ended", async () => {
    await using at = openTestStore();
    await at.store.createAgent(settings());
    const run = await starting(at.store);
    const processId = await begun(at.store, run);
    await at.store.recordProcessEnd(processId, { reason: "replaced", exitCode: 1, signal: null, atMs });

    const during = await at.store.sweepProcesses(atMs + 2 * processesKeptMs);
    await at.store.settle(settlement(run));
    const after = await at.store.sweepProcesses(atMs + 2 * processesKeptMs);

    expect([during, after]).toEqual([0, 1]);
    expect(at.violations()).toEqual([]);
  });

  test("go in bounded transactions", async () => {
    await using at = openTestStore();
    await at.store.createAgent(settings());
    const run = await starting(at.store);
    const ended = { reason: "replaced", exitCode: 1, signal: null, atMs };
    for (let index = 0; index < 1_100; index += 1) {
      const processId = id("proc");
      void recordProcess(at.store, run.conversationId, processId);
      void at.store.recordProcessEnd(processId, ended);
    }

    expect(await untilNone(() => at.store.sweepProcesses(atMs + 2 * processesKeptMs))).toEqual([
      500, 500, 100, 0,
    ]);
  });
});

function recordProcess(store: Store, conversationId: string, processId: string) {
  const identity = { pid: 4242, pidStart: "99", bootId: "boot", marker: processId };
  return store.recordProcess({
    processId,
    agentId: "ada",
    conversationId,
    identity,
    containment: "bwrap",
    atMs,
  });
}

describe("sessions", () => {
  test("of conversations that ended are let go after a while, and those go on in a fresh one", async () => {
    await using at = openTestStore();
    await at.store.createAgent(settings());
    const { conversationId } = await answered(at.store, {}, { note });
    await at.store.endActiveConversation("ada", atMs + hourMs);

    const early = await at.store.sweepSessions(atMs + hourMs + sessionsKeptMs);
    const late = await untilNone(() => at.store.sweepSessions(atMs + hourMs + sessionsKeptMs + 1));
    const again = await starting(at.store, { conversationId });

    expect(early).toBe(0);
    expect(late).toEqual([1, 0]);
    expect(again).toMatchObject({ cliSessionId: null, sessionBegun: false, answeredBefore: true });
    expect(at.violations()).toEqual([]);
  });

  test("of conversations that are talked in are kept for ever", async () => {
    await using at = openTestStore();
    await at.store.createAgent(settings());
    await answered(at.store, {}, { note });

    const swept = await at.store.sweepSessions(atMs + 10 * sessionsKeptMs);

    expect(swept).toBe(0);
    expect(await starting(at.store)).toMatchObject({ cliSessionId: "s-1", sessionBegun: true });
  });

  test("of a deleted agent are let go at once: nobody can take its conversations up again", async () => {
    await using at = openTestStore();
    await at.store.createAgent(settings());
    const { conversationId } = await answered(at.store, {}, { note });
    await at.store.removeAgent("ada", atMs);

    const swept = await at.store.sweepSessions(atMs);

    expect(swept).toBe(1);
    expect(at.store.findConversation(conversationId)).toMatchObject({ cliSessionId: null, turnCount: 2 });
  });
});

test("logins that nobody can use any more go", async () => {
  await using at = openTestStore();
  const login = { secretHash: "old", tokenHash: "t", atMs, idleMsMax: 12 * hourMs };
  await at.store.createLogin(login);
  await at.store.createLogin({ ...login, secretHash: "new", atMs: atMs + hourMs });

  const early = await at.store.sweepLogins(atMs + 12 * hourMs);
  const late = await at.store.sweepLogins(atMs + 12 * hourMs + 1);

  expect([early, late]).toEqual([0, 1]);
  expect(count(at, "logins")).toBe(1);
});

test("HTML of other versions of the renderer goes, older and newer, in small transactions", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const { conversationId } = await answered(at.store);
  for (let index = 0; index < 30; index += 1) {
    // Newer ones first: whoever keeps HTML sweeps some of the older.
    await at.store.keepAnswerHtml({
      key: `run_${index}`,
      conversationId,
      rendererVersion: index < 10 ? 2 : 3,
      html: "x",
    });
  }
  await at.store.keepAnswerHtml({ key: "now", conversationId, rendererVersion: 1, html: "x" });

  const batches = await untilNone(() => at.store.sweepAnswerHtml(1));

  expect(Math.max(...batches)).toBe(20);
  expect(count(at, "answer_html")).toBe(1);
  expect(at.store.findAnswerHtml(["now"], 1).get("now")).toBe("x");
});

test("runs that are not there are told from those that are", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const run = await answered(at.store);

  expect(at.store.listMissingRuns([run.id, "run_gone", "run_neither"])).toEqual(["run_gone", "run_neither"]);
});
