import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import {
  type Conversation,
  conversationListItemSchema,
  conversationSchema,
  turnSchema,
} from "../../src/domain/conversation.ts";
import type { Run } from "../../src/domain/run.ts";
import { expectJson } from "../helpers/http.ts";
import { problemLine } from "../helpers/problems.ts";
import { jsonInit, quickClaude, startApp, type TestApp } from "../helpers/test-app.ts";

let app: TestApp;

beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app[Symbol.asyncDispose]());

const strictConversation = conversationSchema.extend({ turns: z.array(turnSchema.strict()) }).strict();
const strictList = z.strictObject({
  items: z.array(conversationListItemSchema.strict()),
  nextCursor: z.string().nullable(),
});

const get = <T>(path: string) => expectJson<T>(app.fetch, 200, "GET", path);
const active = async (agentId: string, query = "") =>
  strictConversation.parse(await get(`/api/agents/${agentId}/conversation${query}`));
const endSession = (agentId: string, query = "") =>
  app.fetch(`/api/agents/${agentId}/end-session${query}`, { method: "POST" });
const cancelAll = (agentId: string) =>
  app.fetch(`/api/agents/${agentId}/cancel`, jsonInit("POST", { queued: true }));

describe("the active conversation", () => {
  test("isn't there before the first execute", async () => {
    await app.makeAgent({ id: "silent" });

    const line = await problemLine(await app.fetch("/api/agents/silent/conversation"));

    expect(line).toBe("404 no_conversation");
    expect(await problemLine(await app.fetch("/api/agents/nobody/conversation"))).toBe("404 agent_not_found");
  });

  test("holds what was said, in order and dense", async () => {
    await app.makeAgent({ id: "talk" });
    const runs = [await app.run("talk", "first\nwith a second line"), await app.run("talk", "second")];

    const conversation = await active("talk");

    expect(conversation).toMatchObject({
      agentId: "talk",
      cli: "claude",
      cliSessionId: runs[0]?.cliSessionId ?? "",
      status: "active",
      title: "first",
      turnCount: 4,
      nextBefore: null,
    });
    expect(conversation.id).toMatch(/^conv_[0-9a-f]{32}$/);
    expect(conversation.turns.map(({ seq, role, content }) => [seq, role, content])).toEqual([
      [1, "user", "first\nwith a second line"],
      [2, "assistant", "You said: first\nwith a second line"],
      [3, "user", "second"],
      [4, "assistant", "You said: second"],
    ]);
    expect(conversation.turns.map(({ runId }) => runId)).toEqual(runs.flatMap(({ id }) => [id, id]));
    expect(
      conversation.turns.every(({ final, pending, source }) => final && !pending && source === "headless"),
    ).toBe(true);
    expect(await get<Conversation>(`/api/conversations/${conversation.id}`)).toEqual(conversation);
  });

  test("shows waiting messages after the history, in queue order, without a seq", async () => {
    await app.makeAgent({ id: "wait" });
    await app.run("wait", "said");
    const running = await app.submit("wait", "forever");
    await app.waitForState(running.id, "running");
    const waiting = [await app.submit("wait", "next"), await app.submit("wait", "and then")];

    const { turns, turnCount } = await active("wait");
    await app.fetch(`/api/runs/${waiting[0]?.id}/cancel`, { method: "POST" });
    const after = await active("wait");
    await cancelAll("wait");

    expect(turns.slice(2).map(({ seq, pending, content }) => [seq, pending, content])).toEqual([
      [3, false, "forever"],
      [null, true, "next"],
      [null, true, "and then"],
    ]);
    expect(turnCount).toBe(3);
    expect(after.turns.map(({ content }) => content)).not.toContain("next");
  });

  test("keeps the partial answer of a run that ended early, and says so", async () => {
    await app.makeAgent({ id: "part" });
    await app.run("part", "slow=30 chatty=1000", { timeoutMs: 1_000 });

    const { turns } = await active("part");

    expect(turns[1]).toMatchObject({ role: "assistant", final: false, seq: 2 });
    expect(turns[1]?.content).toStartWith("w1 w2");
  });
});

describe("older turns", () => {
  test("come in pages, newest page first, each in ascending order", async () => {
    await using other = await startApp({ env: { HEADWAY_CLAUDE_PATH: quickClaude } });
    await other.makeAgent({ id: "anna" });
    for (let i = 1; i <= 6; i++) await other.run("anna", `message ${i}`);
    const page = async (query: string) =>
      strictConversation.parse(
        await expectJson(other.fetch, 200, "GET", `/api/agents/anna/conversation${query}`),
      );

    const seqs: number[][] = [];
    let query = "?limit=5";
    for (;;) {
      const { turns, nextBefore } = await page(query);
      seqs.push(turns.map(({ seq }) => seq ?? 0));
      if (nextBefore === null) break;
      query = `?limit=5&before=${nextBefore}`;
    }

    expect(seqs).toEqual([
      [8, 9, 10, 11, 12],
      [3, 4, 5, 6, 7],
      [1, 2],
    ]);
    expect((await page("?before=1")).turns).toEqual([]);
    expect((await page("?before=999999")).turns).toHaveLength(12);
  });
});

describe("ending the session", () => {
  test("begins a fresh conversation in a fresh CLI session with the next execute", async () => {
    await app.makeAgent({ id: "ended" });
    const before = await app.run("ended", "remember the word lynx");

    const reply = await (await endSession("ended")).json();
    const line = await problemLine(await app.fetch("/api/agents/ended/conversation"));
    const after = await app.run("ended", "recall");

    expect(reply).toEqual({ conversationId: before.conversationId, ended: true });
    expect(line).toBe("404 no_conversation");
    expect(after.conversationId).not.toBe(before.conversationId);
    expect(after.cliSessionId).not.toBe(before.cliSessionId);
    expect(after.transport.warm).toBe(false);
    expect(after.content).not.toContain("lynx");
    expect(await get<Conversation>(`/api/conversations/${before.conversationId}`)).toMatchObject({
      status: "ended",
    });
  });

  test("that never began ends nothing", async () => {
    await app.makeAgent({ id: "fresh" });

    expect(await (await endSession("fresh")).json()).toEqual({ conversationId: null, ended: false });
    expect(await problemLine(await endSession("nobody"))).toBe("404 agent_not_found");
  });

  test("is refused while runs are queued or active, unless forced", async () => {
    await app.makeAgent({ id: "live" });
    const running = await app.submit("live", "forever");
    const waiting = await app.submit("live", "waiting");

    const line = await problemLine(await endSession("live"));
    const forced = await endSession("live", "?force=true");

    expect(line).toBe("409 run_active");
    expect(await forced.json()).toEqual({ conversationId: running.conversationId, ended: true });
    for (const { id } of [running, waiting])
      expect((await get<Run>(`/api/runs/${id}`)).state).toBe("cancelled");
  });
});

describe("an older conversation", () => {
  test("becomes the active one again when it is named, and remembers", async () => {
    await app.makeAgent({ id: "back" });
    const first = await app.run("back", "remember the word stoat");
    await endSession("back");
    const second = await app.run("back", "something else");

    const again = await app.run("back", "recall", { conversationId: first.conversationId });
    const next = await app.run("back", "hello");

    expect(again.conversationId).toBe(first.conversationId);
    expect(again.content).toContain("stoat");
    expect(next.conversationId).toBe(first.conversationId);
    expect((await active("back")).id).toBe(first.conversationId);
    expect(await get<Conversation>(`/api/conversations/${second.conversationId}`)).toMatchObject({
      status: "ended",
    });
  });
});

describe("the list of conversations", () => {
  test("is newest first, in pages, by agent, with heads only", async () => {
    await app.makeAgent({ id: "many" });
    const made: string[] = [];
    for (const prompt of ["one", "two", "three"]) {
      made.push((await app.run("many", prompt)).conversationId);
      await endSession("many");
    }

    const first = strictList.parse(await get("/api/conversations?agentId=many&limit=2"));
    const second = strictList.parse(
      await get(`/api/conversations?agentId=many&limit=2&cursor=${first.nextCursor}`),
    );

    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(made.toReversed());
    expect(first.items.map(({ title, turnCount, status }) => [title, turnCount, status])).toEqual([
      ["three", 2, "ended"],
      ["two", 2, "ended"],
    ]);
    expect(second.nextCursor).toBeNull();
    expect(strictList.parse(await get("/api/conversations?agentId=nobody")).items).toEqual([]);
  });
});

describe("deleting a conversation", () => {
  test("removes its turns, runs, events and logs, for good", async () => {
    await app.makeAgent({ id: "erase" });
    const run = await app.run("erase", "unforgettable-word-9f3");
    const logPath = join(app.dataDir, "logs", `${run.id}.log`);
    // Who reads a log waits for its end to be written.
    await (await app.fetch(`/api/runs/${run.id}/log`)).text();
    const hadLog = existsSync(logPath);

    const response = await app.fetch(`/api/conversations/${run.conversationId}`, { method: "DELETE" });

    expect([hadLog, response.status]).toEqual([true, 204]);
    const lines = await Promise.all(
      [
        `/api/conversations/${run.conversationId}`,
        `/api/conversations/${run.conversationId}/export`,
        `/api/runs/${run.id}`,
        `/api/runs/${run.id}/events`,
        `/api/runs/${run.id}/log`,
        "/api/agents/erase/conversation",
      ].map(async (path) => problemLine(await app.fetch(path))),
    );
    expect(lines).toEqual([
      "404 conversation_not_found",
      "404 conversation_not_found",
      "404 run_not_found",
      "404 run_not_found",
      "404 run_not_found",
      "404 no_conversation",
    ]);
    expect(existsSync(logPath)).toBe(false);
    expect(strictList.parse(await get("/api/conversations?q=unforgettable-word-9f3")).items).toEqual([]);
    expect((await app.run("erase", "recall")).content).not.toContain("unforgettable");
  });

  test("is refused while runs of it are queued or active, and 404 when it isn't there", async () => {
    await app.makeAgent({ id: "keep" });
    const running = await app.submit("keep", "forever");
    const path = `/api/conversations/${running.conversationId}`;

    const line = await problemLine(await app.fetch(path, { method: "DELETE" }));
    await cancelAll("keep");

    expect(line).toBe("409 run_active");
    expect((await app.fetch(path, { method: "DELETE" })).status).toBe(204);
    expect(await problemLine(await app.fetch(path, { method: "DELETE" }))).toBe("404 conversation_not_found");
  });
});
