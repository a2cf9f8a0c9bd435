import { expect, test } from "bun:test";
import { atMs, id, openTestStore, queued, running, settings, settlement, starting } from "./fixture.ts";

test("runs that an earlier server left behind are found with their processes", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  await at.store.createAgent(settings({ id: "bob" }));
  const adas = await running(at.store);
  const bobs = await starting(at.store, { agentId: "bob" });
  const waiting = await queued(at.store);

  await at.reopen();

  const strays = at.store.listStrayProcesses();
  expect(strays).toMatchObject([
    { agentId: "ada", runId: adas.runId, identity: { pid: 4242, pidStart: "99", bootId: "boot" } },
  ]);
  expect(strays[0]!.identity.marker).toBe(strays[0]!.processId);
  expect(at.store.listInterrupted()).toEqual([
    { runId: adas.runId, agentId: "ada", processIds: [strays[0]!.processId] },
    { runId: bobs.runId, agentId: "bob", processIds: [] },
  ]);
  expect(at.store.listQueued()).toEqual([{ runId: waiting.id, agentId: "ada" }]);
  expect(at.violations()).not.toEqual([]);
  expect(at.violations({ recovered: false })).toEqual([]);
});

test("an interrupted run keeps the text of its log, not final, and the tools it used", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const { runId, fence, conversationId } = await running(at.store);
  await at.store.append(
    runId,
    fence,
    [
      { type: "text", text: "Let me look. ", block: 0 },
      { type: "tool.started", toolId: "t1", name: "Read", input: {} },
      { type: "tool.started", toolId: "t2", name: "Bash", input: {} },
      { type: "tool.started", toolId: "t3", name: "Read", input: {} },
      { type: "text", text: "torn", block: 1 },
      { type: "text.discarded", block: 1 },
      { type: "text", text: "It is", block: 2 },
    ],
    atMs + 5,
  );
  await at.reopen();
  const [stray] = at.store.listStrayProcesses();

  await at.store.recordProcessEnd(stray!.processId, {
    reason: "reaped",
    exitCode: null,
    signal: "SIGKILL",
    atMs,
  });
  await at.store.settleInterrupted(runId, { assistantTurnId: id("turn") }, "server_restart", atMs + 9_000);

  expect(at.store.getRun(runId)).toMatchObject({
    state: "interrupted",
    content: "Let me look. \n\nIt is",
    contentFinal: false,
    toolNames: ["Read", "Bash"],
    durationMs: 9_000,
    error: { code: "server_restart", runbook: "/api/docs#error-server_restart" },
  });
  const { turns } = at.store.pageTurns(conversationId, { limit: 9, before: null });
  expect(turns.map((turn) => [turn.role, turn.final])).toEqual([
    ["user", true],
    ["assistant", false],
  ]);
  expect(at.violations()).toEqual([]);
});

test("a run whose cancellation was asked for before the crash becomes cancelled", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const { runId } = await starting(at.store);
  await at.store.requestCancel(runId, atMs);
  await at.reopen();

  await at.store.settleInterrupted(runId, { assistantTurnId: id("turn") }, "server_restart", atMs + 1);

  expect(at.store.getRun(runId)).toMatchObject({ state: "cancelled", error: null, content: "" });
  expect(at.violations()).toEqual([]);
});

test("settling an interrupted run twice changes nothing, and its old fence is stale", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const claimed = await starting(at.store);
  await at.reopen();
  const settle = () =>
    at.store.settleInterrupted(claimed.runId, { assistantTurnId: id("turn") }, "server_restart", atMs + 1);
  await settle();
  const settled = at.store.getRun(claimed.runId);

  await settle();
  const late = await at.store.settle(settlement(claimed));

  expect(late).toBe("stale");
  expect(at.store.getRun(claimed.runId)).toEqual(settled);
});

test("a fence of this epoch's own run isn't touched by listing what others left", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  await running(at.store);

  expect(at.store.listInterrupted()).toEqual([]);
  expect(at.store.listStrayProcesses()).toEqual([]);
});

test("a quarantined agent says so", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());

  await at.store.quarantine("ada", atMs);

  expect(at.store.activityOf("ada").quarantined).toBe(true);
});

test("the end of a process is told once", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  await running(at.store);
  await at.reopen();
  const [stray] = at.store.listStrayProcesses();
  const end = { exitCode: null, signal: null, atMs: atMs + 1 };

  await at.store.recordProcessEnd(stray!.processId, { reason: "reaped", ...end });
  await at.store.recordProcessEnd(stray!.processId, { reason: "other", ...end });

  expect(at.store.listStrayProcesses()).toEqual([]);
  const reader = at.store.openReader();
  expect(reader.query("select end_reason from processes").all()).toEqual([{ end_reason: "reaped" }]);
  reader.close();
});
