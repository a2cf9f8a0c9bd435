import { expect, test } from "bun:test";
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
} from "./fixture.ts";

test("turns come in ascending order in pages, and those that wait stand last in queue order", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const { conversationId } = await answered(at.store, { prompt: "one" }, { content: "1" });
  await answered(at.store, { prompt: "two" }, { content: "2" });
  await running(at.store, { prompt: "three" });
  await queued(at.store, { prompt: "four" });
  await queued(at.store, { prompt: "five" });

  const newest = at.store.pageTurns(conversationId, { limit: 2, before: null });
  const older = at.store.pageTurns(conversationId, { limit: 3, before: newest.nextBefore });

  const shown = ({ turns }: typeof newest) => turns.map((turn) => [turn.seq, turn.pending, turn.content]);
  expect(shown(newest)).toEqual([
    [4, false, "2"],
    [5, false, "three"],
    [null, true, "four"],
    [null, true, "five"],
  ]);
  expect(newest.nextBefore).toBe(4);
  expect(shown(older)).toEqual([
    [1, false, "one"],
    [2, false, "1"],
    [3, false, "two"],
  ]);
  expect(older.nextBefore).toBeNull();
});

test("turns are read forward from any seq, and each page tells where the older and the newer ones begin", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const turns = Array.from({ length: 10 }, (_, index) => `turn ${index + 1}`);
  importConversations(at, [{ id: "conv_x", turns, updatedAtMs: 1 }]);
  const page = (range: { after: number } | { before: number | null }, limit = 4) => {
    const { turns: shown, nextBefore, nextAfter } = at.store.pageTurns("conv_x", { limit, ...range });
    return { seqs: shown.map((turn) => turn.seq), nextBefore, nextAfter };
  };

  expect(page({ after: 0 })).toEqual({ seqs: [1, 2, 3, 4], nextBefore: null, nextAfter: 4 });
  expect(page({ after: 4 })).toEqual({ seqs: [5, 6, 7, 8], nextBefore: 5, nextAfter: 8 });
  expect(page({ after: 6 })).toEqual({ seqs: [7, 8, 9, 10], nextBefore: 7, nextAfter: null });
  expect(page({ after: 8 })).toEqual({ seqs: [9, 10], nextBefore: 9, nextAfter: null });
  expect(page({ after: -3 })).toEqual(page({ after: 0 }));
  expect(page({ after: 0 }, 10)).toEqual({
    seqs: turns.map((_, index) => index + 1),
    nextBefore: null,
    nextAfter: null,
  });
  expect(page({ before: 8 })).toEqual({ seqs: [4, 5, 6, 7], nextBefore: 4, nextAfter: 7 });
  expect(page({ before: 11 })).toEqual({ seqs: [7, 8, 9, 10], nextBefore: 7, nextAfter: null });
  expect(page({ before: null })).toEqual({ seqs: [7, 8, 9, 10], nextBefore: 7, nextAfter: null });
});

test("a page beyond either end is empty and leads back", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  importConversations(at, [
    { id: "conv_x", turns: ["1", "2", "3"], updatedAtMs: 1 },
    { id: "conv_empty", turns: [], updatedAtMs: 1 },
  ]);
  const page = (id: string, range: { after: number } | { before: number | null }) =>
    at.store.pageTurns(id, { limit: 2, ...range });

  expect(page("conv_x", { after: 3 })).toEqual({ turns: [], nextBefore: 4, nextAfter: null });
  expect(page("conv_x", { after: 99 })).toEqual({ turns: [], nextBefore: 4, nextAfter: null });
  expect(page("conv_x", { before: 1 })).toEqual({ turns: [], nextBefore: null, nextAfter: 0 });
  for (const range of [{ after: 0 }, { after: 9 }, { before: null }, { before: 9 }]) {
    expect(page("conv_empty", range)).toEqual({ turns: [], nextBefore: null, nextAfter: null });
  }
});

test("waiting turns stand behind the newest ones, whichever way they are come to", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const { conversationId } = await answered(at.store, { prompt: "one" });
  await running(at.store, { prompt: "two" });
  await queued(at.store, { prompt: "three" });
  const contents = (range: { after: number } | { before: number | null }) =>
    at.store.pageTurns(conversationId, { limit: 2, ...range }).turns.map((turn) => turn.content);

  expect(contents({ after: 0 })).toEqual(["one", "Hello"]);
  expect(contents({ after: 1 })).toEqual(["Hello", "two", "three"]);
  expect(contents({ after: 3 })).toEqual(["three"]);
  expect(contents({ before: null })).toEqual(["Hello", "two", "three"]);
  expect(contents({ before: 99 })).toEqual(["Hello", "two"]);
});

test("a waiting message gets its seq when its run starts, behind the answer before it", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const first = await running(at.store, { prompt: "one" });
  const second = await queued(at.store, { prompt: "two" });
  await at.store.settle(settlement(first, { content: "1" }));

  await at.store.claim(second.id, atMs);

  const { turns } = at.store.pageTurns(first.conversationId, { limit: 9, before: null });
  expect(turns.map((turn) => [turn.seq, turn.content])).toEqual([
    [1, "one"],
    [2, "1"],
    [3, "two"],
  ]);
  expect(at.violations()).toEqual([]);
});

test("the newest turns are told again within a number of bytes", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const { conversationId } = await answered(at.store, { prompt: "a question" }, { content: "ä".repeat(50) });
  await answered(at.store, { prompt: "b" }, { content: "ok" });
  await queued(at.store, { prompt: "waiting" });

  const few = at.store.recentTurns(conversationId, 102);
  const most = at.store.recentTurns(conversationId, 103);

  expect(few.map((turn) => turn.content)).toEqual(["b", "ok"]);
  expect(most).toEqual([
    { role: "assistant", content: "ä".repeat(50) },
    { role: "user", content: "b" },
    { role: "assistant", content: "ok" },
  ]);
});

test("an active conversation is ended once, and not while its runs are queued or active", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const waiting = await queued(at.store);

  const tooEarly = await at.store.endActiveConversation("ada", atMs);
  await at.store.requestCancel(waiting.id, atMs);
  const ended = await at.store.endActiveConversation("ada", atMs);
  const again = await at.store.endActiveConversation("ada", atMs);

  expect(tooEarly).toBe("run_active");
  expect(ended).toEqual({ conversationId: waiting.conversationId, ended: true });
  expect(again).toEqual({ conversationId: null, ended: false });
});

test("the next run after an end starts a fresh conversation", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const first = await answered(at.store);
  await at.store.endActiveConversation("ada", atMs);

  const second = await answered(at.store);

  expect(second.conversationId).not.toBe(first.conversationId);
  expect(at.store.findConversation(second.conversationId)).toMatchObject({ status: "active", turnCount: 2 });
});

test("conversations are listed with the one that changed last first, in pages", async () => {
  await using at = openTestStore();
  for (const agent of ["ada", "bob", "cy"]) await at.store.createAgent(settings({ id: agent }));
  const talk = (agentId: string, endedAtMs: number) => answered(at.store, { agentId, atMs }, { endedAtMs });
  const ada = await talk("ada", atMs + 3_000);
  const bob = await talk("bob", atMs + 2_000);
  const cy = await talk("cy", atMs + 4_000);

  const first = at.store.listConversations(wanted({ limit: 2 }));
  const second = at.store.listConversations(wanted({ limit: 2, cursor: first.nextCursor }));

  expect(first.items.map((item) => item.id)).toEqual([cy.conversationId, ada.conversationId]);
  expect(second.items.map((item) => item.id)).toEqual([bob.conversationId]);
  expect(second.nextCursor).toBeNull();
  expect(first.items[0]).not.toHaveProperty("matches");
});

test("a cursor that isn't ours, or of another list, reads as the newest page", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const { conversationId } = await answered(at.store);
  const cursors = [
    "",
    "x",
    "%%%",
    btoa("runs:1"),
    btoa("conversations:1:x"),
    btoa("conversations:-1:2"),
    "A".repeat(500),
  ];

  const pages = cursors.map((cursor) => at.store.listConversations(wanted({ limit: 2, cursor })));

  expect(pages.map((page) => page.items.map((item) => item.id))).toEqual(cursors.map(() => [conversationId]));
});
