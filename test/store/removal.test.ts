import { expect, test } from "bun:test";
import { statSync } from "node:fs";
import { join } from "node:path";
import { waitFor } from "../helpers/wait.ts";
import {
  admission,
  answered,
  atMs,
  id,
  openTestStore,
  queued,
  running,
  settings,
  settlement,
} from "./fixture.ts";

function rowCounts(at: ReturnType<typeof openTestStore>): Record<string, number> {
  const reader = at.store.openReader();
  const tables = [
    "conversations",
    "turns",
    "runs",
    "run_events",
    "run_transitions",
    "idempotency",
    "turns_search_docsize",
    "answer_html",
  ];
  const counts = tables.map((table) => {
    const row = reader.query(`select count(*) as n from ${table}`).get() as { n: number };
    return [table, row.n];
  });
  reader.close();
  return Object.fromEntries(counts) as Record<string, number>;
}

test("a removed conversation takes its runs, turns, events and idempotency keys with it", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const kept = await answered(at.store);
  const before = rowCounts(at);
  await at.store.endActiveConversation("ada", atMs);
  const gone = await answered(at.store, { idempotency: { key: "k", bodyHash: "h" } });
  const withdrawn = await queued(at.store);
  await at.store.requestCancel(withdrawn.id, atMs);

  const removal = await at.store.removeConversation(gone.conversationId);

  expect(removal).toEqual({ runIds: [gone.id, withdrawn.id] });
  expect(rowCounts(at)).toEqual(before);
  expect(at.store.getRun(gone.id)).toBeNull();
  expect(at.store.getRun(kept.id)).not.toBeNull();
  expect(at.violations()).toEqual([]);
});

test("a key of a removed conversation is free at once, while its rows are still being deleted", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const gone = await answered(at.store, { idempotency: { key: "k", bodyHash: "h" } });

  const removal = at.store.removeConversation(gone.conversationId);
  const again = await at.store.admit(admission({ idempotency: { key: "k", bodyHash: "h" } }));
  await removal;

  expect(again).toMatchObject({ kind: "admitted" });
  expect(at.violations()).toEqual([]);
});

test("a retry outlives the run that it repeats", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const first = await answered(at.store);
  await at.store.endActiveConversation("ada", atMs);
  const retry = await answered(at.store, { retryOf: first.id });

  await at.store.removeConversation(first.conversationId);

  expect(at.store.getRun(retry.id)).toMatchObject({ state: "succeeded", retryOf: null });
});

test("a conversation with queued or active runs, or one that isn't there, is not removed", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const waiting = await queued(at.store);

  const whileQueued = await at.store.removeConversation(waiting.conversationId);
  await at.store.claim(waiting.id, atMs);
  const whileActive = await at.store.removeConversation(waiting.conversationId);
  const unknown = await at.store.removeConversation("conv_x");

  expect([whileQueued, whileActive, unknown]).toEqual(["run_active", "run_active", "missing"]);
});

test("a large conversation disappears at once, goes in small transactions, and others write in between", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  await at.store.createAgent(settings({ id: "bob" }));
  const claimed = await running(at.store);
  const events = Array.from({ length: 5_000 }, () => ({ type: "text", text: "word", block: 0 }) as const);
  await at.store.append(claimed.runId, claimed.fence, events, atMs);
  await at.store.settle(settlement(claimed));
  for (let index = 0; index < 60; index += 1) await answered(at.store);
  at.facts.length = 0;

  const removal = at.store.removeConversation(claimed.conversationId);
  const bobs = await answered(at.store, { agentId: "bob" });
  const midway = rowCounts(at);
  const seenMidway = at.store.findConversation(claimed.conversationId);
  const violatedMidway = at.violations();
  await removal;

  expect(seenMidway).toBeNull();
  expect(midway["run_events"]).toBeGreaterThan(100);
  expect(violatedMidway).toEqual([]);
  expect(rowCounts(at)).toMatchObject({ conversations: 1, runs: 1, turns: 2 });
  expect(at.store.getRun(bobs.id)).toMatchObject({ state: "succeeded" });
  expect(at.facts.filter((fact) => fact.type === "commit.done").length).toBeGreaterThan(6);
  expect(at.violations()).toEqual([]);
});

test("a removal that the server didn't finish is finished by the next one", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const { conversationId } = await answered(at.store);
  for (let index = 0; index < 90; index += 1) await answered(at.store);
  const removal = at.store.removeConversation(conversationId);

  await at.store.close();
  await removal;
  await at.reopen();

  await waitFor(() => rowCounts(at)["conversations"] === 0, { what: "the removal's end" });
  expect(rowCounts(at)).toMatchObject({ runs: 0, turns: 0, run_events: 0, turns_search_docsize: 0 });
});

test("who reads while a conversation is removed is waited for, and then SQLite's log is empty", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const { conversationId } = await answered(at.store);
  const reader = at.store.openReader();
  reader.run("begin");
  reader.query("select count(*) from turns").get();

  const removal = at.store.removeConversation(conversationId);
  await waitFor(() => rowCounts(at)["conversations"] === 0, { what: "the removal of its rows" });
  const logBytesMeanwhile = logBytes(at);
  reader.close();
  await removal;

  expect(logBytesMeanwhile).toBeGreaterThan(0);
  expect(logBytes(at)).toBe(0);
});

function logBytes(at: { dataDir: string }): number {
  return statSync(join(at.dataDir, "headway.db-wal")).size;
}

test("keys are forgotten a day after their runs have ended, not before", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const dayMs = 86_400_000;
  await answered(at.store, { idempotency: { key: "old", bodyHash: "h" } });
  await running(at.store, { idempotency: { key: "lives", bodyHash: "h" }, runId: id("run") });

  const early = await at.store.sweepIdempotency(atMs + dayMs - 1);
  const late = await at.store.sweepIdempotency(atMs + 2 * dayMs);

  expect([early, late]).toEqual([0, 1]);
  expect(rowCounts(at)).toMatchObject({ idempotency: 1 });
});
