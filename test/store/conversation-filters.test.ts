import { expect, test } from "bun:test";
import type { ConversationFilter, PageRequest } from "../../src/domain/ports.ts";
import {
  answered,
  atMs,
  importConversations,
  openTestStore,
  queued,
  running,
  settings,
  settlement,
  wanted,
  type TestStore,
} from "./fixture.ts";

const failed = { state: "failed", error: { code: "cli_error", message: "no" }, contentFinal: false } as const;
const stopped = { state: "cancelled", contentFinal: false } as const;

function ids(at: TestStore, over: Partial<PageRequest & ConversationFilter>): string[] {
  return at.store.listConversations(wanted(over)).items.map((item) => item.id);
}

/** One conversation in each state, by name; those of `ada` one after the other. */
async function fillStates(at: TestStore): Promise<Record<string, string>> {
  const { store } = at;
  for (const name of ["ada", "bob", "cy"]) await store.createAgent(settings({ id: name }));
  const ended: Record<string, string> = {};
  for (const [name, end] of [
    ["well", {}],
    ["badly", failed],
    ["stopped", stopped],
  ] as const) {
    const claimed = await running(store);
    if (name === "stopped") await store.requestCancel(claimed.runId, atMs);
    await store.settle(settlement(claimed, end));
    ended[name] = claimed.conversationId;
    await store.endActiveConversation("ada", atMs);
  }
  const { conversationId: idle } = await answered(store);
  const { conversationId: busy } = await running(store, { agentId: "bob" });
  const { conversationId: waiting } = await queued(store, { agentId: "cy" });
  return { ...ended, idle, busy, waiting };
}

test("conversations are listed by their state", async () => {
  await using at = openTestStore();
  const made = await fillStates(at);
  const names = (state: ConversationFilter["state"]) => {
    const found = ids(at, { state });
    return Object.keys(made).filter((name) => found.includes(made[name]!));
  };

  expect(names(null)).toHaveLength(6);
  expect(names("active")).toEqual(["idle", "busy", "waiting"]);
  expect(names("ended")).toEqual(["well", "badly", "stopped"]);
  expect(names("running")).toEqual(["busy", "waiting"]);
  expect(names("failed")).toEqual(["badly"]);
  expect(at.violations()).toEqual([]);
});

test("a conversation has failed by its last run, until the next one is asked for", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const { conversationId } = await answered(at.store);
  const isFailed = () => ids(at, { state: "failed" }).includes(conversationId);
  const seen: boolean[] = [isFailed()];

  await answered(at.store, {}, failed);
  seen.push(isFailed());
  const claimed = await running(at.store);
  seen.push(isFailed());
  await at.store.settle(settlement(claimed, { ...failed, state: "timed_out" }));
  seen.push(isFailed());
  await answered(at.store);
  seen.push(isFailed());

  expect(seen).toEqual([false, true, false, true, false]);
  expect(at.violations()).toEqual([]);
});

test("a message that was taken back doesn't hide the failure before it", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const claimed = await running(at.store);
  const waiting = await queued(at.store);
  await at.store.settle(settlement(claimed, failed));
  const whileItWaits = ids(at, { state: "failed" });

  await at.store.requestCancel(waiting.id, atMs + 2_000);

  expect(whileItWaits).toEqual([]);
  expect(ids(at, { state: "failed" })).toEqual([claimed.conversationId]);
  expect(at.violations()).toEqual([]);
});

test("a run that a server left behind has failed its conversation", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const { runId, conversationId } = await running(at.store);
  await at.reopen();

  await at.store.settleInterrupted(runId, { assistantTurnId: "turn_i" }, "server_restart", atMs);

  expect(ids(at, { state: "failed" })).toEqual([conversationId]);
  expect(at.violations({ recovered: false })).toEqual([]);
});

test("conversations are listed by the CLI of their agent, also when it was deleted", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  await at.store.createAgent(settings({ id: "bob", cli: "claude" }));
  const { conversationId: adas } = await answered(at.store);
  const { conversationId: bobs } = await answered(at.store, { agentId: "bob" });
  await at.store.removeAgent("bob", atMs);

  expect(ids(at, { cli: "claude" })).toEqual([bobs]);
  expect(ids(at, { cli: "demo" })).toEqual([adas]);
  expect(ids(at, { cli: "gemini" })).toEqual([]);
  expect(ids(at, { cli: "claude", agentId: "ada" })).toEqual([]);
});

test("a time begins with its first millisecond and ends before its last", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const conversations = [10, 20, 30].map((updatedAtMs) => ({
    id: `at_${updatedAtMs}`,
    turns: ["x"],
    updatedAtMs,
  }));
  importConversations(at, conversations);

  expect(ids(at, { fromMs: 20 })).toEqual(["at_30", "at_20"]);
  expect(ids(at, { toMs: 20 })).toEqual(["at_10"]);
  expect(ids(at, { fromMs: 20, toMs: 30 })).toEqual(["at_20"]);
  expect(ids(at, { fromMs: 20, toMs: 20 })).toEqual([]);
  expect(ids(at, { fromMs: 20, words: "x" })).toEqual(["at_30", "at_20"]);
  expect(ids(at, { toMs: -5 })).toEqual([]);
});

test.each([{}, { words: "needle" }])("pages of a filter %j hold each conversation once", async (over) => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const conversations = Array.from({ length: 23 }, (_, index) => ({
    id: `conv_${String(index).padStart(2, "0")}`,
    turns: ["needle"],
    // Several were changed in the same millisecond.
    updatedAtMs: 100 + Math.floor(index / 4),
  }));
  importConversations(at, conversations);
  const filter = wanted({
    limit: 5,
    toMs: 105,
    fromMs: 101,
    state: "ended",
    cli: "demo",
    agentId: "ada",
    ...over,
  });

  const pages: string[][] = [];
  let cursor: string | null = null;
  do {
    const page = at.store.listConversations({ ...filter, cursor });
    pages.push(page.items.map((item) => item.id));
    cursor = page.nextCursor;
  } while (cursor !== null);

  expect(pages.map((page) => page.length)).toEqual([5, 5, 5, 1]);
  const expected = conversations
    .slice(4, 20)
    .map(({ id }) => id)
    .toReversed();
  expect(pages.flat()).toEqual(expected);
});

test("a cursor that goes further back than the time asked for doesn't widen it", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  importConversations(
    at,
    [10, 20, 30].map((updatedAtMs) => ({ id: `at_${updatedAtMs}`, turns: [], updatedAtMs })),
  );
  const { nextCursor } = at.store.listConversations(wanted({ limit: 1 }));

  expect(ids(at, { cursor: nextCursor, toMs: 15 })).toEqual(["at_10"]);
  expect(ids(at, { cursor: nextCursor, toMs: 1_000 })).toEqual(["at_20", "at_10"]);
});

test("what a list shows of conversations beside their heads", async () => {
  await using at = openTestStore();
  const made = await fillStates(at);
  const { conversationId: long } = await answered(at.store, {}, { content: `Well. ${"word ".repeat(100)}` });
  await at.store.removeAgent("ada", atMs);
  await at.store.createAgent(settings());

  const glances = at.store.conversationGlances([...Object.values(made), "conv_unknown"]);

  const facts = (name: string) => {
    const { running: isRunning, failed: hasFailed, agentLives } = glances.get(made[name]!)!;
    return [isRunning, hasFailed, agentLives];
  };
  expect(long).toBe(made["idle"]!);
  expect(Object.keys(made).map((name) => [name, ...facts(name)])).toEqual([
    ["well", false, false, false],
    ["badly", false, true, false],
    ["stopped", false, false, false],
    ["idle", false, false, false],
    ["busy", true, false, true],
    ["waiting", true, false, true],
  ]);
  expect(glances.size).toBe(6);
  expect(glances.get(made["well"]!)).toMatchObject({ cwd: "/srv/project", firstLines: "Hello" });
  expect(glances.get(made["waiting"]!)!.firstLines).toBe("");
});

test("the first lines are those of the first answer, shortened", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  await answered(at.store, {}, { ...failed, content: "" });
  const { conversationId } = await answered(at.store, {}, { content: "word ".repeat(100) });
  await answered(at.store, {}, { content: "later" });

  const { firstLines } = at.store.conversationGlances([conversationId]).get(conversationId)!;

  expect(firstLines).toHaveLength(200);
  expect(firstLines).toStartWith("word word");
  expect(firstLines).toEndWith("…");
});
