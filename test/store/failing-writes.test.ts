import { expect, test } from "bun:test";
import type { Database } from "bun:sqlite";
import { checkIntegrity } from "../../src/integrity/check.ts";
import { systemClock } from "../../src/domain/clock.ts";
import { StoreUnavailable } from "../../src/domain/ports.ts";
import { createAgentStore } from "../../src/store/agent-store.ts";
import { createCommitQueue } from "../../src/store/commit-queue.ts";
import { createCustody } from "../../src/store/custody.ts";
import { neverWaitLong, openDatabase } from "../../src/store/database.ts";
import { insertEpoch } from "../../src/store/epochs.ts";
import { migrate, readMigrations } from "../../src/store/migrate.ts";
import { createRunLog } from "../../src/store/run-log.ts";
import {
  admission,
  begun,
  errorOf,
  migrationsDir,
  settings,
  settlement,
  starting,
  temporaryDir,
  type TestStore,
} from "./fixture.ts";

type Write = (sql: string) => void;

/** The database with something in front of every statement that writes. */
function intercepted(database: Database, onWrite: Write): Database {
  return new Proxy(database, {
    get(target, key) {
      const value = Reflect.get(target, key, target) as unknown;
      if (key !== "query") return typeof value === "function" ? value.bind(target) : value;
      return (sql: string) => {
        if (/^\s*(insert|update|delete|begin|commit)/i.test(sql)) onWrite(sql);
        return target.query(sql);
      };
    },
  });
}

/** A store on a real file, put together from its parts so that its writes can be made to fail. */
function openParts(onWrite: Write) {
  const dir = temporaryDir();
  const result = openDatabase(dir.path);
  if (result.kind === "refused") throw new Error(result.message);
  const { database } = result.opened;
  migrate(database, readMigrations(migrationsDir), { backupsDir: dir.path, atMs: 1 });
  const epoch = insertEpoch(database, { bootId: "boot", pid: 1, atMs: 1 });
  neverWaitLong(database);
  const failing = intercepted(database, onWrite);
  const queue = createCommitQueue({
    database: failing,
    clock: systemClock,
    publish: () => {},
    checkFile: () => null,
    probe: () => {},
  });
  const parts = {
    ...createRunLog(failing, queue, epoch),
    ...createCustody(failing, queue, epoch),
    ...createAgentStore(failing, queue),
  };
  return {
    database,
    store: parts as unknown as TestStore["store"],
    violations: () => {
      const { checks } = checkIntegrity(database, { recovered: true, clock: systemClock });
      return checks.flatMap((check) => check.violations.map((violation) => `${check.id}: ${violation}`));
    },
    [Symbol.dispose]() {
      queue.stop();
      database.close();
      dir[Symbol.dispose]();
    },
  };
}

type Step = "admitted" | "begun" | "appended" | "settled";

/** One execute as the runner carries it; answers with how far it came. */
async function execute(store: TestStore["store"], steps: Step[]): Promise<void> {
  const claimed = await starting(store, { idempotency: { key: "k", bodyHash: "h" } });
  steps.push("admitted");
  await begun(store, claimed);
  steps.push("begun");
  await store.append(
    claimed.runId,
    claimed.fence,
    [
      { type: "text", text: "Hel", block: 0 },
      { type: "text", text: "lo", block: 0 },
    ],
    1,
  );
  steps.push("appended");
  await store.settle(settlement(claimed));
  steps.push("settled");
}

const writesPerExecute = await countWrites();

async function countWrites(): Promise<number> {
  let writes = 0;
  using parts = openParts(() => (writes += 1));
  await parts.store.createAgent(settings());
  writes = 0;
  await execute(parts.store, []);
  return writes;
}

test("whichever write of an execute fails, what is kept is whole, and the next execute succeeds", async () => {
  const reached = new Set<string>();
  for (let failAt = 1; failAt <= writesPerExecute; failAt += 1) {
    let writes = Number.NEGATIVE_INFINITY;
    using parts = openParts(() => {
      writes += 1;
      if (writes === failAt) throw new StoreUnavailable("SQLITE_FULL", "made to fail");
    });
    await parts.store.createAgent(settings());
    writes = 0;
    const steps: Step[] = [];

    expect(await errorOf(execute(parts.store, steps))).toMatchObject({ code: "SQLITE_FULL" });

    reached.add(steps.at(-1) ?? "nothing");
    expect(parts.violations()).toEqual([]);
    const runs = parts.store.listRuns({ limit: 10, cursor: null, agentId: null, state: null }).items;
    expect(runs).toHaveLength(steps.includes("admitted") ? 1 : 0);
    await settleWhatIsLeft(parts.store);
    expect(String(await errorOf(execute(parts.store, [])))).toContain("replay");
    expect(await parts.store.admit(admission())).toMatchObject({
      kind: "admitted",
      run: { state: "starting" },
    });
    expect(parts.violations()).toEqual([]);
  }

  expect([...reached].toSorted()).toEqual(["admitted", "appended", "begun", "nothing"]);
});

/** Frees the agent; the key of the failed execute is used up when its run was admitted, and by this one when not. */
async function settleWhatIsLeft(store: TestStore["store"]): Promise<void> {
  const { activeRunId } = store.activityOf("ada");
  const error = { code: "store_error", message: "made to fail" } as const;
  const end = { state: "failed", error, content: "", contentFinal: false } as const;
  if (activeRunId !== null) await store.settle(settlement({ runId: activeRunId, fence: 1 }, end));
  else await execute(store, []);
}

test("a disk that is full before the answer refuses it; the run can be settled when there is room again", async () => {
  using parts = openParts(() => {});
  await parts.store.createAgent(settings());
  const claimed = await starting(parts.store);
  await begun(parts.store, claimed);
  const { page_count: pages } = parts.database.query("pragma page_count").get() as { page_count: number };
  parts.database.run(`pragma max_page_count = ${pages}`);

  const refused = parts.store.settle(settlement(claimed, { content: "x".repeat(200_000) }));
  expect(await errorOf(refused)).toMatchObject({ name: "StoreUnavailable", code: "SQLITE_FULL" });
  const whileFull = parts.store.getRun(claimed.runId);
  parts.database.run("pragma max_page_count = 1000000");
  const settled = await parts.store.settle(settlement(claimed, { content: "x".repeat(200_000) }));

  expect(whileFull).toMatchObject({ state: "running" });
  expect(settled).toMatchObject({ state: "succeeded" });
  expect(parts.violations()).toEqual([]);
});
