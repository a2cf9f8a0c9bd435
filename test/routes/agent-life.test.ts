import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Agent } from "../../src/domain/agent.ts";
import type { Conversation } from "../../src/domain/conversation.ts";
import type { RunEvent } from "../../src/domain/event.ts";
import type { Run } from "../../src/domain/run.ts";
import { expectJson } from "../helpers/http.ts";
import { problemLine } from "../helpers/problems.ts";
import { fakeClaude, jsonInit, startApp, type TestApp } from "../helpers/test-app.ts";

let app: TestApp;

beforeAll(async () => {
  app = await startApp({ env: { HEADWAY_CLAUDE_PATH: fakeClaude } });
});
afterAll(() => app[Symbol.asyncDispose]());

const get = <T>(path: string) => expectJson<T>(app.fetch, 200, "GET", path);
const patch = (id: string, changes: unknown) =>
  expectJson<Agent>(app.fetch, 200, "PATCH", `/api/agents/${id}`, { body: changes });
const remove = (id: string, query = "") => app.fetch(`/api/agents/${id}${query}`, { method: "DELETE" });
const noticesOf = async (run: Run) => {
  const { items } = await get<{ items: RunEvent[] }>(`/api/runs/${run.id}/events?limit=500`);
  return items.filter((event) => event.type === "notice").map((event) => event.code as string);
};

describe("a change takes effect with the next run", () => {
  test("a system prompt in a fresh session that is told the conversation so far", async () => {
    await app.makeAgent({ id: "told", systemPrompt: "You are old." });
    const first = await app.run("told", "remember the word heron");

    await patch("told", { systemPrompt: "You are new." });
    const second = await app.run("told", "recall-system");
    const third = await app.run("told", "recall");

    expect(second.content).toBe("System prompt: You are new.");
    expect(second.conversationId).toBe(first.conversationId);
    expect(second.cliSessionId).not.toBe(first.cliSessionId);
    expect(await noticesOf(second)).toContain("session_restarted");
    expect(third.content).toContain("heron");
    expect(third.cliSessionId).toBe(second.cliSessionId);
    expect(await noticesOf(third)).not.toContain("session_restarted");
  });

  test("a system prompt that was taken away is gone, too", async () => {
    await app.makeAgent({ id: "freed", systemPrompt: "You are bound." });
    await app.run("freed", "hello");

    await patch("freed", { systemPrompt: null });
    const run = await app.run("freed", "recall-system");

    expect(run.content).not.toContain("bound");
  });

  test("model, permissions and folder in the same session", async () => {
    const folder = join(app.workspace, "elsewhere");
    mkdirSync(folder);
    await app.makeAgent({ id: "moved" });
    const before = await app.run("moved", "remember the word otter");

    await patch("moved", { model: "opus", permissionMode: "read", cwd: folder });
    const after = await app.run("moved", "echo-argv");
    const where = await app.run("moved", "tool=pwd");
    const recalled = await app.run("moved", "recall");

    const argv = JSON.parse(after.content) as string[];
    expect(argv[argv.indexOf("--model") + 1]).toBe("opus");
    expect(argv[argv.indexOf("--permission-mode") + 1]).toBe("plan");
    expect(after.transport.warm).toBe(false);
    expect(after.conversationId).toBe(before.conversationId);
    const { items } = await get<{ items: RunEvent[] }>(`/api/runs/${where.id}/events`);
    expect(JSON.stringify(items)).toContain(folder);
    expect(recalled.content).toContain("otter");
  });

  test("and not with the one in progress", async () => {
    await app.makeAgent({ id: "midway" });
    const running = await app.submit("midway", "wait=300 hello");
    await app.waitForState(running.id, "running");

    await patch("midway", { model: "haiku" });
    const ended = await app.waitForState(running.id, "succeeded");

    expect(ended.model).not.toBe("haiku");
  });

  test("and no text of a user's is ever in the arguments of a CLI", async () => {
    await app.makeAgent({ id: "quiet", systemPrompt: "Secretly a fox. --settings=/tmp/x" });

    const run = await app.run("quiet", "echo-argv --help -p $(id)");

    expect(run.content).not.toContain("fox");
    expect(run.content).not.toContain("--help");
    expect(run.content).not.toContain("$(id)");
  });
});

describe("an agent tells what it does", () => {
  test("while it runs and while others wait", async () => {
    const idle = await app.makeAgent({ id: "busy" });
    const running = await app.submit("busy", "forever");
    await app.waitForState(running.id, "running");
    const waiting = await app.submit("busy", "hello");

    const busy = await get<Agent>("/api/agents/busy");
    const listed = (await get<{ items: Agent[] }>("/api/agents")).items.find(({ id }) => id === "busy");
    await app.fetch("/api/agents/busy/cancel", jsonInit("POST", { queued: true }));

    expect(idle).toMatchObject({ status: "idle", activeRunId: null, activeConversationId: null });
    expect(busy).toMatchObject({
      status: "running",
      queueLength: 1,
      activeRunId: running.id,
      activeConversationId: waiting.conversationId,
    });
    expect(listed).toEqual(busy);
    expect(await get<Agent>("/api/agents/busy")).toMatchObject({ status: "idle", queueLength: 0 });
  });

  test("is warm while a process of its conversation is kept", async () => {
    await app.makeAgent({ id: "warmed" });

    await app.run("warmed", "hello");

    expect((await get<Agent>("/api/agents/warmed")).warm).toBe(true);
  });
});

describe("deleting an agent", () => {
  test("is 204, and then it isn't there for anything", async () => {
    await app.makeAgent({ id: "gone" });

    const response = await remove("gone");

    expect(response.status).toBe(204);
    expect(await response.text()).toBe("");
    expect(await problemLine(await remove("gone"))).toBe("404 agent_not_found");
    expect(await problemLine(await app.fetch("/api/agents/gone"))).toBe("404 agent_not_found");
    expect(await problemLine(await app.fetch("/api/agents/gone/conversation"))).toBe("404 agent_not_found");
    expect(
      await problemLine(await app.fetch("/api/agents/gone/execute", jsonInit("POST", { prompt: "x" }))),
    ).toBe("404 agent_not_found");
  });

  test("is 409 while runs are queued or active, and changes nothing", async () => {
    await app.makeAgent({ id: "held" });
    const running = await app.submit("held", "forever");
    const waiting = await app.submit("held", "hello");

    const line = await problemLine(await remove("held"));

    expect(line).toBe("409 run_active");
    expect((await get<Run>(`/api/runs/${waiting.id}`)).state).toBe("queued");
    expect((await remove("held", "?force=true")).status).toBe(204);
    expect((await get<Run>(`/api/runs/${running.id}`)).state).toBe("cancelled");
    expect((await get<Run>(`/api/runs/${waiting.id}`)).state).toBe("cancelled");
  });

  test("leaves its conversations and runs readable, and they are ended", async () => {
    await app.makeAgent({ id: "past" });
    const run = await app.run("past", "what was said stays");

    await remove("past");
    const conversation = await get<Conversation>(`/api/conversations/${run.conversationId}`);
    const listed = await get<{ items: Conversation[] }>("/api/conversations?agentId=past");
    const found = await get<{ items: Conversation[] }>("/api/conversations?q=what+was+said+stays");
    const exported = await app.fetch(`/api/conversations/${run.conversationId}/export?format=md`);

    expect(conversation).toMatchObject({ status: "ended", agentId: "past", turnCount: 2 });
    expect(listed.items.map(({ id }) => id)).toEqual([run.conversationId]);
    expect(found.items.map(({ id }) => id)).toContain(run.conversationId);
    expect(await exported.text()).toContain("what was said stays");
    expect((await get<Run>(`/api/runs/${run.id}`)).agentId).toBe("past");
    expect((await get<{ items: Run[] }>("/api/runs?agentId=past")).items).toHaveLength(1);
  });

  test("lets a new agent of that name start empty", async () => {
    await app.makeAgent({ id: "again" });
    const old = await app.run("again", "remember the word badger");
    await remove("again");

    const fresh = await app.makeAgent({ id: "again" });
    const refused = await app.fetch(
      "/api/agents/again/execute",
      jsonInit("POST", { prompt: "recall", conversationId: old.conversationId }),
    );
    const run = await app.run("again", "recall");

    expect(fresh).toMatchObject({ activeConversationId: null, queueLength: 0 });
    expect(await problemLine(refused)).toBe("404 conversation_not_found");
    expect(run.conversationId).not.toBe(old.conversationId);
    expect(run.content).not.toContain("badger");
  });

  test("forgets which idempotency keys it knew", async () => {
    await app.makeAgent({ id: "keyed" });
    const send = () =>
      app.fetch(
        "/api/agents/keyed/execute",
        jsonInit("POST", { prompt: "hello" }, { "idempotency-key": "one" }),
      );
    const first = (await (await send()).json()) as Run;
    await remove("keyed");
    await app.makeAgent({ id: "keyed" });

    const second = await send();

    expect(second.headers.get("idempotent-replay")).toBeNull();
    expect(((await second.json()) as Run).id).not.toBe(first.id);
  });
});
