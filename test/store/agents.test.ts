import { expect, test } from "bun:test";
import { answered, atMs, openTestStore, queued, running, settings, wanted } from "./fixture.ts";

test("an agent is read back as it was set, and its name is taken", async () => {
  await using at = openTestStore();
  const ada = settings({
    model: "opus",
    systemPrompt: "Be kind",
    timeoutMs: 60_000,
    metadata: { team: ["a"] },
  });

  const outcomes = [await at.store.createAgent(ada), await at.store.createAgent(settings())];

  expect(outcomes).toEqual(["created", "agent_exists"]);
  expect(at.store.findAgent("ada")).toEqual(ada);
  expect(at.store.findAgent("nobody")).toBeNull();
});

test("a patch changes what it names, clears what it sets to null and keeps the rest", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings({ model: "opus", systemPrompt: "Be kind", metadata: { a: 1 } }));

  const changed = await at.store.patchAgent(
    "ada",
    { model: null, cwd: "/srv/other", permissionMode: undefined, metadata: null },
    atMs + 60_000,
  );

  const expected = settings({
    model: null,
    systemPrompt: "Be kind",
    cwd: "/srv/other",
    metadata: {},
    updatedAt: "2027-01-15T08:01:00.000Z",
  });
  expect(changed).toEqual(expected);
  expect(at.store.findAgent("ada")).toEqual(expected);
  expect(await at.store.patchAgent("nobody", {}, atMs)).toBeNull();
});

test("an agent tells what it is doing", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const active = await running(at.store);
  await queued(at.store);
  await queued(at.store);

  const activity = at.store.activityOf("ada");

  expect(activity).toEqual({
    queueLength: 2,
    activeRunId: active.runId,
    activeConversationId: active.conversationId,
    quarantined: false,
  });
  expect(at.store.activityOf("nobody").activeRunId).toBeNull();
});

test("an agent with queued or active runs isn't removed", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const waiting = await queued(at.store);

  const whileQueued = await at.store.removeAgent("ada", atMs);
  await at.store.claim(waiting.id, atMs);
  const whileActive = await at.store.removeAgent("ada", atMs);

  expect([whileQueued, whileActive]).toEqual(["run_active", "run_active"]);
  expect(await at.store.removeAgent("nobody", atMs)).toBe("missing");
});

test("a removed agent's conversations stay readable, and a new one of its name starts empty", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const run = await answered(at.store);

  const removed = await at.store.removeAgent("ada", atMs);
  const before = at.store.listConversations(wanted({ agentId: "ada" }));
  await at.store.createAgent(settings({ model: "new" }));
  const after = at.store.listConversations(wanted({ agentId: "ada" }));

  expect(removed).toBe("removed");
  expect(before.items).toMatchObject([{ id: run.conversationId, agentId: "ada", status: "ended" }]);
  expect(after.items).toEqual([]);
  expect(at.store.findActiveConversation("ada")).toBeNull();
  expect(at.store.findConversation(run.conversationId)).toMatchObject({ status: "ended", turnCount: 2 });
  expect(at.store.getRun(run.id)).toMatchObject({ agentId: "ada", content: "Hello" });
  const everything = at.store.listConversations(wanted());
  expect(everything.items.map((item) => item.id)).toEqual([run.conversationId]);
});

test("agents are listed newest first, in pages", async () => {
  await using at = openTestStore();
  for (const name of ["a", "b", "c"]) await at.store.createAgent(settings({ id: name }));
  await at.store.removeAgent("b", atMs);

  const first = at.store.listAgents({ limit: 1, cursor: null });
  const second = at.store.listAgents({ limit: 1, cursor: first.nextCursor });

  expect([...first.items, ...second.items].map((agent) => agent.id)).toEqual(["c", "a"]);
  expect(second.nextCursor).toBeNull();
});
