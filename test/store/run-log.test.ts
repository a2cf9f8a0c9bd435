import { expect, test } from "bun:test";
import {
  admission,
  answered,
  atMs,
  begun,
  errorOf,
  id,
  openTestStore,
  queued,
  running,
  settings,
  settlement,
  starting,
} from "./fixture.ts";

test("a waiting run is claimed once; a second claim finds nothing", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const run = await queued(at.store);

  const [first, second] = await Promise.all([at.store.claim(run.id, atMs), at.store.claim(run.id, atMs)]);

  expect(first).toMatchObject({ runId: run.id, fence: 1, queuedAtMs: atMs, startedAtMs: atMs });
  expect(second).toBeNull();
});

test("an agent that is busy can't be claimed a second time", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  await starting(at.store);
  const behind = await queued(at.store);

  const claim = at.store.claim(behind.id, atMs);

  expect(String(await errorOf(claim))).toContain("UNIQUE constraint failed: runs.agent_key");
});

test("a run tells its whole way: queued, started, spoke, finished", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const claimed = await running(at.store);
  const { runId, fence } = claimed;
  await at.store.append(
    runId,
    fence,
    [
      { type: "text", text: "Hel", block: 0 },
      { type: "text", text: "lo", block: 0 },
    ],
    atMs + 2,
  );
  const midway = at.store.getRun(runId);
  const note = { firstOutputAtMs: atMs + 2, cliVersion: "2.1.330", model: "opus", warm: true };
  await at.store.note(runId, fence, { ...note, sessionBegun: { cliSessionId: "s-1", fingerprint: "f" } });

  const run = await at.store.settle(
    settlement(claimed, {
      lastEvents: [{ type: "notice", code: "rate_limit", message: "slow" }],
      usage: { inputTokens: 3, outputTokens: 2, cacheReadTokens: 1, cacheWriteTokens: 0 },
      costUsd: 0.25,
      toolNames: ["Bash"],
      anomalies: [{ code: "parse_error", count: 2 }],
      peakRssBytes: 1_000_000,
      cpuMs: 12.5,
    }),
  );

  expect(midway).toMatchObject({ state: "running", content: "Hello", contentFinal: false });
  expect(run).toEqual(at.store.getRun(runId)!);
  expect(run).toMatchObject({
    state: "succeeded",
    content: "Hello",
    contentFinal: true,
    error: null,
    cliVersion: "2.1.330",
    cliSessionId: "s-1",
    model: "opus",
    transport: { warm: true },
    usage: { inputTokens: 3, outputTokens: 2, cacheReadTokens: 1, cacheWriteTokens: 0 },
    costUsd: 0.25,
    toolNames: ["Bash"],
    anomalies: [{ code: "parse_error", count: 2 }],
    exitCode: null,
    queueMs: 0,
    durationMs: 1_000,
    cpuMs: 12.5,
    survivors: 0,
  });
  const types = at.store.listEvents(runId, 0, 100).map((event) => [event.seq, event.type]);
  expect(types).toEqual([
    [1, "run.queued"],
    [2, "run.started"],
    [3, "text"],
    [4, "text"],
    [5, "notice"],
    [6, "run.finished"],
  ]);
  const { turns } = at.store.pageTurns(claimed.conversationId, { limit: 10, before: null });
  expect(turns.map((turn) => [turn.seq, turn.role, turn.content, turn.final])).toEqual([
    [1, "user", "Say hello", true],
    [2, "assistant", "Hello", true],
  ]);
  expect(at.violations()).toEqual([]);
});

test("a session that the CLI confirmed is resumed by the next run; a renewed one is not", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const first = await running(at.store);
  await at.store.note(first.runId, first.fence, { sessionBegun: { cliSessionId: "s-1", fingerprint: "f" } });
  await at.store.settle(settlement(first));

  const second = await running(at.store);
  await at.store.settle(settlement(second));
  await at.store.renewSession(second.conversationId, "s-2");
  const third = await starting(at.store);

  expect(second).toMatchObject({ cliSessionId: "s-1", sessionBegun: true, sessionFingerprint: "f" });
  expect(third).toMatchObject({ cliSessionId: "s-2", sessionBegun: false, sessionFingerprint: "" });
});

test("a failed run keeps the text it had, not final, and names its error with its runbook", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());

  const run = await answered(
    at.store,
    {},
    {
      state: "failed",
      error: { code: "exit_nonzero", message: "exited with 3" },
      content: "Half an ans",
      contentFinal: false,
      exitCode: 3,
    },
  );

  const error = { code: "exit_nonzero", message: "exited with 3", runbook: "/api/docs#error-exit_nonzero" };
  expect(run).toMatchObject({
    state: "failed",
    content: "Half an ans",
    contentFinal: false,
    exitCode: 3,
    error,
  });
  expect(at.store.listEvents(run.id, 0, 100).at(-1)).toMatchObject({
    type: "run.finished",
    state: "failed",
    error,
  });
});

test("a run that failed without a word has no assistant turn", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const claimed = await starting(at.store);

  const error = { code: "spawn_error", message: "no" } as const;
  await at.store.settle(settlement(claimed, { state: "failed", error, content: "", contentFinal: false }));

  const { turns } = at.store.pageTurns(claimed.conversationId, { limit: 10, before: null });
  expect(turns.map((turn) => turn.role)).toEqual(["user"]);
  expect(at.violations()).toEqual([]);
});

test("whoever holds an old fence, or a run that has ended, writes nothing", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const claimed = await running(at.store);
  const { runId, fence } = claimed;

  const early = await at.store.append(runId, fence + 1, [{ type: "thinking", text: "x" }], atMs);
  await at.store.settle(settlement(claimed));
  const lateAppend = await at.store.append(runId, fence, [{ type: "thinking", text: "x" }], atMs);
  const lateNote = await at.store.note(runId, fence, { model: "x" });
  const lateBegin = await at.store.begin({ runId, fence, processId: "p", warm: false, atMs });
  const lateSettle = await at.store.settle(settlement(claimed, { state: "failed", content: "other" }));

  expect([early, lateAppend, lateNote, lateBegin, lateSettle]).toEqual([
    "stale",
    "stale",
    "stale",
    "stale",
    "stale",
  ]);
  expect(at.store.getRun(runId)).toMatchObject({ state: "succeeded", content: "Hello", model: null });
});

test("two settlements at once: one ends the run, the other is stale", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const claimed = await running(at.store);
  await at.store.requestCancel(claimed.runId, atMs);

  const [first, second] = await Promise.all([
    at.store.settle(settlement(claimed)),
    at.store.settle(settlement(claimed, { state: "cancelled", contentFinal: false })),
  ]);

  expect(first).toMatchObject({ state: "succeeded" });
  expect(second).toBe("stale");
  expect(at.violations()).toEqual([]);
});

test("a waiting run that is cancelled leaves the conversation but not the list of runs", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  await running(at.store);
  const waiting = await queued(at.store, { prompt: "Never mind" });

  const outcomes = [
    await at.store.requestCancel(waiting.id, atMs + 9),
    await at.store.requestCancel(waiting.id, atMs + 10),
  ];

  expect(outcomes).toEqual([at.store.getRun(waiting.id)!, "finished"]);
  expect(at.store.getRun(waiting.id)).toMatchObject({
    state: "cancelled",
    prompt: "Never mind",
    queuePosition: null,
    startedAt: null,
  });
  expect(at.store.listEvents(waiting.id, 0, 10).map((event) => event.type)).toEqual([
    "run.queued",
    "run.finished",
  ]);
  const { turns } = at.store.pageTurns(waiting.conversationId, { limit: 10, before: null });
  expect(turns.map((turn) => turn.content)).toEqual(["Say hello"]);
  expect(await at.store.claim(waiting.id, atMs)).toBeNull();
  expect(at.violations()).toEqual([]);
});

test("cancelling a run in progress flags it; an unknown run is missing", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const claimed = await running(at.store);

  const outcomes = [
    await at.store.requestCancel(claimed.runId, atMs),
    await at.store.requestCancel("run_0", atMs),
  ];
  const run = await at.store.settle(
    settlement(claimed, { state: "cancelled", content: "", contentFinal: false }),
  );

  expect(outcomes).toEqual(["flagged", "missing"]);
  expect(run).toMatchObject({ state: "cancelled" });
});

test("events read the same decoded and as the text that streams send", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const { runId, fence } = await running(at.store);
  const text = 'quotes " and \\ and \u2028 and 🚪';
  await at.store.append(runId, fence, [{ type: "text", text, block: 0 }], atMs + 3);

  const events = at.store.listEvents(runId, 1, 100);
  const encoded = at.store.listEncodedEvents(runId, 1, 100);

  expect(encoded.map((event) => JSON.parse(event.json))).toEqual(events);
  expect(encoded.map(({ seq, type }) => ({ seq, type }))).toEqual([
    { seq: 2, type: "run.started" },
    { seq: 3, type: "text" },
  ]);
  expect(at.store.listEvents(runId, 2, 1)).toHaveLength(1);
});

test("an end before the start, by a clock that was set back, is written as the start", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const claimed = await starting(at.store);
  await begun(at.store, claimed);

  const run = await at.store.settle(settlement(claimed, { endedAtMs: atMs - 3_600_000 }));

  expect(run).toMatchObject({ endedAt: "2027-01-15T08:00:00.000Z" });
});

test("runs are listed newest first, by agent and state, in pages with previews", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  await at.store.createAgent(settings({ id: "bob" }));
  const long = "p".repeat(500);
  const answer = "a".repeat(500);
  const done = [
    await answered(at.store, { prompt: long }, { content: answer }),
    await answered(at.store),
    await answered(at.store),
  ];
  const bobs = await queued(at.store, { agentId: "bob" });

  const all = { agentId: null, state: null };
  const first = at.store.listRuns({ limit: 3, cursor: null, ...all });
  const second = at.store.listRuns({ limit: 3, cursor: first.nextCursor, ...all });

  expect(first.items.map((run) => run.id)).toEqual([bobs.id, done[2]!.id, done[1]!.id]);
  expect(second.items.map((run) => run.id)).toEqual([done[0]!.id]);
  expect(second.nextCursor).toBeNull();
  expect(second.items[0]).toMatchObject({
    promptPreview: `${"p".repeat(199)}…`,
    contentPreview: `${"a".repeat(199)}…`,
  });
  expect(second.items[0]).not.toHaveProperty("prompt");
  const ofBob = at.store.listRuns({ limit: 9, cursor: null, agentId: "bob", state: "queued" });
  expect(ofBob.items.map((run) => run.id)).toEqual([bobs.id]);
  const foreign = at.store.listRuns({ limit: 1, cursor: "bm9uc2Vuc2U", ...all });
  expect(foreign.items.map((run) => run.id)).toEqual([bobs.id]);
  expect(at.store.listRuns({ limit: 1, cursor: null, agentId: "nobody", state: null }).items).toEqual([]);
});

test("a retry names the run it repeats", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const first = await answered(at.store);

  const retry = await at.store.admit(admission({ retryOf: first.id, runId: id("run") }));

  expect(retry).toMatchObject({ kind: "admitted", run: { retryOf: first.id } });
});

test("a waiting run whose conversation is deleted in the transaction of its cancel is answered as cancelled", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const waiting = await queued(at.store, { prompt: "Never mind" });

  const [cancelled, removal] = await Promise.all([
    at.store.requestCancel(waiting.id, atMs + 9),
    at.store.removeConversation(waiting.conversationId),
  ]);

  expect(cancelled).toMatchObject({ id: waiting.id, state: "cancelled", prompt: "Never mind" });
  expect(removal).toEqual({ runIds: [waiting.id] });
  expect(at.store.getRun(waiting.id)).toBeNull();
});
