import { expect, test } from "bun:test";
import { admission, answered, openTestStore, queued, settings, starting, wanted } from "./fixture.ts";

test("an admitted run, its turn, its first event and its conversation are there at once", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());

  const result = await at.store.admit(
    admission({
      prompt: "Fix the door\nplease",
      metadata: { ticket: 7 },
      timeoutMs: 5_000,
      mayClaim: () => false,
    }),
  );

  if (result.kind !== "admitted") throw new Error(result.kind);
  const { run } = result;
  expect(run).toMatchObject({
    state: "queued",
    prompt: "Fix the door\nplease",
    queuePosition: 1,
    metadata: { ticket: 7 },
  });
  expect(at.store.listEvents(run.id, 0, 10)).toEqual([
    { seq: 1, runId: run.id, at: run.queuedAt, type: "run.queued" },
  ]);
  expect(at.store.findActiveConversation("ada")).toMatchObject({
    id: run.conversationId,
    title: "Fix the door",
    turnCount: 0,
  });
  const { turns } = at.store.pageTurns(run.conversationId, { limit: 10, before: null });
  expect(turns).toMatchObject([
    { id: run.userTurnId, seq: null, pending: true, role: "user", runId: run.id },
  ]);
  expect(at.violations()).toEqual([]);
});

test("a run of a free agent is claimed with its admission, under fence 1, and its turn gets seq 1", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings({ systemPrompt: "Be brief" }));

  const claimed = await starting(at.store, {
    promptHoles: [{ at: 4, length: 5, variable: "API_KEY", sha256: "ab" }],
  });

  expect(claimed).toMatchObject({
    fence: 1,
    prompt: "Say hello",
    sessionBegun: false,
    sessionFingerprint: "",
  });
  expect(claimed.agent.systemPrompt).toBe("Be brief");
  expect(claimed.promptHoles).toEqual([{ at: 4, length: 5, variable: "API_KEY", sha256: "ab" }]);
  const { turns } = at.store.pageTurns(claimed.conversationId, { limit: 10, before: null });
  expect(turns).toMatchObject([{ seq: 1, pending: false }]);
  expect(at.store.getRun(claimed.runId)).toMatchObject({
    state: "starting",
    queuePosition: null,
    content: "",
  });
});

test("mayClaim is not asked while another run of the agent waits or works", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  await starting(at.store);
  let asked = 0;
  const mayClaim = () => {
    asked += 1;
    return true;
  };

  const behind = await at.store.admit(admission({ mayClaim }));

  expect(behind).toMatchObject({ kind: "admitted", claimed: null });
  expect(asked).toBe(0);
});

test("refusals leave no trace", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  await at.store.createAgent(settings({ id: "bob" }));
  const bobs = await queued(at.store, { agentId: "bob" });

  const nobody = await at.store.admit(admission({ agentId: "nobody" }));
  const elsewhere = await at.store.admit(admission({ conversationId: bobs.conversationId }));
  const full = await at.store.admit(admission({ agentId: "bob", queueLimit: 1, mayClaim: () => false }));

  expect(nobody).toEqual({ kind: "refused", code: "agent_not_found" });
  expect(elsewhere).toEqual({ kind: "refused", code: "conversation_not_found" });
  expect(full).toEqual({ kind: "refused", code: "queue_full" });
  const runs = at.store.listRuns({ limit: 10, cursor: null, agentId: null, state: null });
  expect(runs.items).toHaveLength(1);
  expect(at.store.listConversations(wanted()).items).toHaveLength(1);
});

test("a run that can start at once is admitted with a queue limit of 0", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());

  const first = await at.store.admit(admission({ queueLimit: 0 }));
  const second = await at.store.admit(admission({ queueLimit: 0 }));

  expect(first).toMatchObject({ kind: "admitted", run: { state: "starting" } });
  expect(second).toEqual({ kind: "refused", code: "queue_full" });
});

test("a repeated idempotency key gives the same run, also when the queue is full or the run is over", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const idempotency = { key: "k", bodyHash: "h" };
  const first = await answered(at.store, { idempotency });
  await queued(at.store);

  const again = await at.store.admit(admission({ idempotency, queueLimit: 1, mayClaim: () => false }));
  const other = await at.store.admit(admission({ idempotency: { key: "k", bodyHash: "other" } }));

  expect(again).toEqual({ kind: "replay", runId: first.id });
  expect(other).toEqual({ kind: "refused", code: "idempotency_mismatch" });
});

test("a server that ends takes no run, and still tells which one a repeated key stands for", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const idempotency = { key: "k", bodyHash: "h" };
  const first = await answered(at.store, { idempotency });

  const isDraining = () => true;
  const again = await at.store.admit(admission({ idempotency, isDraining }));
  const other = await at.store.admit(admission({ idempotency: { key: "k2", bodyHash: "h" }, isDraining }));

  expect(again).toEqual({ kind: "replay", runId: first.id });
  expect(other).toEqual({ kind: "refused", code: "draining" });
  expect(at.store.listRuns({ limit: 10, cursor: null, agentId: null, state: null }).items).toHaveLength(1);
});

test("the same key twenty times at once makes one run", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const idempotency = { key: "k", bodyHash: "h" };

  const results = await Promise.all(
    Array.from({ length: 20 }, () => at.store.admit(admission({ idempotency }))),
  );

  const ids = results.map((result) =>
    result.kind === "admitted" ? result.run.id : "runId" in result && result.runId,
  );
  expect(new Set(ids).size).toBe(1);
  expect(results.filter((result) => result.kind === "admitted")).toHaveLength(1);
});

test("keys of another agent, and of an agent that bore the name before, are other keys", async () => {
  await using at = openTestStore();
  const idempotency = { key: "k", bodyHash: "h" };
  await at.store.createAgent(settings());
  await at.store.createAgent(settings({ id: "bob" }));
  await answered(at.store, { idempotency });
  await at.store.removeAgent("ada", 1);
  await at.store.createAgent(settings());

  const bobs = await at.store.admit(admission({ agentId: "bob", idempotency }));
  const newAdas = await at.store.admit(admission({ idempotency }));

  expect(bobs.kind).toBe("admitted");
  expect(newAdas.kind).toBe("admitted");
});

test("an older conversation becomes the active one again when a run joins it", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const older = await answered(at.store);
  await at.store.endActiveConversation("ada", 5);
  const newer = await answered(at.store);

  const run = await queued(at.store, { conversationId: older.conversationId });

  expect(run.conversationId).toBe(older.conversationId);
  expect(at.store.findActiveConversation("ada")?.id).toBe(older.conversationId);
  expect(at.store.findConversation(newer.conversationId)?.status).toBe("ended");
  expect(at.violations()).toEqual([]);
});

test("waiting runs are listed in the order of their admission, whatever the clock says", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const first = await queued(at.store, { atMs: 5_000 });
  const second = await queued(at.store, { atMs: 1_000 });

  const waiting = at.store.listQueued();

  expect(waiting).toEqual([
    { runId: first.id, agentId: "ada" },
    { runId: second.id, agentId: "ada" },
  ]);
  expect(second.queuePosition).toBe(2);
});

test("a hundred executes at once are admitted in order, in a few transactions", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  at.facts.length = 0;

  const runs = await Promise.all(Array.from({ length: 100 }, () => queued(at.store)));

  expect(at.store.listQueued().map((run) => run.runId)).toEqual(runs.map((run) => run.id));
  const commits = at.facts.filter((fact) => fact.type === "commit.done");
  expect(commits.map((commit) => [commit.jobs, commit.durable])).toEqual([
    [64, true],
    [36, true],
  ]);
});
