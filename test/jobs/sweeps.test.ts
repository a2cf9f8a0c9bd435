import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { processesKeptMs } from "../../src/domain/retention.ts";
import { sweep } from "../../src/jobs/sweep.ts";
import { sweeps } from "../../src/jobs/sweeps.ts";
import { removeOldLogs } from "../../src/runner/process/old-logs.ts";
import { removeStrayLogs } from "../../src/runner/process/stray-logs.ts";
import { answered, atMs, id, openTestStore, settings, type TestStore } from "../store/fixture.ts";

const ever = new AbortController().signal;

test("batch after batch goes, until there is nothing left", async () => {
  const batches = [500, 500, 17, 0];

  const removed = await sweep("logins", () => Promise.resolve(batches.shift()!)).run(ever);

  expect(removed).toBe(1_017);
  expect(batches).toEqual([]);
});

test("a sweep that is told to stop does so after the batch", async () => {
  const stopping = new AbortController();
  let batches = 0;
  const job = sweep("logins", () => {
    batches += 1;
    if (batches === 2) stopping.abort();
    return Promise.resolve(500);
  });

  expect(await job.run(stopping.signal)).toBe(1_000);
});

test("every job removes what is its own, and the rest stays", async () => {
  await using at = openTestStore();
  const logs = join(at.dataDir, "logs");
  mkdirSync(logs);
  await at.store.createAgent(settings());
  const old = await answered(
    at.store,
    { idempotency: { key: "k", bodyHash: "h" } },
    { note: { sessionBegun: { cliSessionId: "s", fingerprint: "f" } } },
  );
  await at.store.endActiveConversation("ada", atMs);
  const kept = await answered(at.store);
  const ended = { reason: "turn_over", exitCode: 0, signal: null, atMs };
  await at.store.recordProcessEnd(processOf(at, old.id), ended);
  await at.store.createLogin({ secretHash: "s", tokenHash: "t", atMs, idleMsMax: 1 });
  for (const [key, rendererVersion] of [
    ["old", 1],
    ["new", 2],
  ] as const) {
    await at.store.keepAnswerHtml({ key, conversationId: kept.conversationId, rendererVersion, html: "x" });
  }
  for (const runId of [old.id, id("run")]) writeFileSync(join(logs, `${runId}.log`), "text");
  const jobs = sweeps({
    store: at.store,
    rendererVersion: 1,
    wallMs: () => atMs + 2 * processesKeptMs,
    logKeepDays: 100,
    logsTotalMb: 1,
    eventKeepDays: 59,
    removeStrayLogs: (listMissingRuns) => removeStrayLogs(logs, listMissingRuns),
    removeOldLogs: async (retention) => (await removeOldLogs(logs, retention)).removed,
  });

  const removed = await Promise.all(jobs.map(async (job) => [job.name, await job.run(ever)]));

  expect(Object.fromEntries(removed)).toEqual({
    idempotency: 1,
    logins: 1,
    processes: 1,
    sessions: 1,
    answer_html: 1,
    run_events: 6,
    raw_logs: 1,
    old_logs: 0,
  });
  expect(readdirSync(logs)).toEqual([`${old.id}.log`]);
  expect(at.store.getRun(old.id)).toMatchObject({ content: "Hello", eventsRemovedAt: expect.any(String) });
  expect(at.violations()).toEqual([]);
});

function processOf(at: TestStore, runId: string): string {
  const reader = at.store.openReader();
  const row = reader
    .query<{ processId: string }, { runId: string }>(
      `select process_id as processId from runs where id = :runId`,
    )
    .get({ runId });
  reader.close();
  return row!.processId;
}

test("a log goes only when its run isn't there, and other files in its folder stay", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const run = await answered(at.store);
  const names = [`${run.id}.log`, "notes.txt", "run_x.log.bak", "run_gone.log", "run_neither.log"];
  const folder = join(at.dataDir, "logs");
  mkdirSync(folder);
  for (const name of names) writeFileSync(join(folder, name), "text");

  const removed = await removeStrayLogs(folder, at.store.listMissingRuns);

  expect(removed).toBe(2);
  expect(readdirSync(folder).toSorted()).toEqual(names.slice(0, 3).toSorted());
});

test("more logs than are asked for at once are looked at, all of them", async () => {
  await using at = openTestStore();
  const folder = join(at.dataDir, "logs");
  mkdirSync(folder);
  for (let index = 0; index < 1_203; index += 1) writeFileSync(join(folder, `run_${index}.log`), "");

  await sweep("raw_logs", () => removeStrayLogs(folder, at.store.listMissingRuns)).run(ever);

  expect(readdirSync(folder)).toEqual([]);
});
