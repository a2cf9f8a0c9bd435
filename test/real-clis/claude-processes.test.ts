import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expectJson, requestJson } from "../helpers/http.ts";
import { waitFor } from "../helpers/wait.ts";
import type { TestServer } from "../helpers/server-process.ts";
import { claudeIsInstalled, startClaudeServer } from "./claude-server.ts";

setDefaultTimeout(60_000);

const slowAnswer = `delay=100 ${"so many words ".repeat(20)}`;
const stubbornTool = "use tool `setsid tail -f /dev/null & sh -c 'trap \"\" TERM; tail -f /dev/null'`";

/** The agent's configuration names one MCP server, and its next process starts it. */
async function giveMcpServer(server: TestServer): Promise<void> {
  const echo = { command: process.execPath, args: [join(import.meta.dir, "echo-mcp-server.ts")] };
  const mcpConfigPath = join(server.home, "mcp.json");
  writeFileSync(mcpConfigPath, JSON.stringify({ mcpServers: { echo } }));
  await expectJson(server.fetch, 200, "PATCH", "/api/agents/ada", { body: { mcpConfigPath } });
}

describe.skipIf(!claudeIsInstalled())("processes of the real Claude Code", () => {
  test("carry the conversations of several agents at once without mixing them", async () => {
    await using claude = await startClaudeServer();
    const names = ["bo", "cy", "di"];
    for (const id of names) await claude.createAgent({ id });

    await Promise.all(names.map((id) => claude.execute(`my name is ${id}`, id)));
    const recalled = await Promise.all(names.map((id) => claude.execute("recall", id)));

    expect(recalled.map(({ body }) => body.content)).toEqual(
      names.map((id) => `Earlier you said: my name is ${id}`),
    );
    expect(new Set(recalled.map(({ body }) => body.cliSessionId)).size).toBe(3);
  });

  test("make room for each other, and a conversation whose process went is resumed", async () => {
    await using claude = await startClaudeServer({ env: { HEADWAY_WARM_PROCESSES: "1" } });
    await claude.createAgent({ id: "bo" });

    await claude.execute("my name is Ada");
    await claude.execute("my name is Bo", "bo");
    await waitFor(() => claude.processesNamed("claude").length === 1, {
      what: "the older process to be ended",
    });
    const { body: run } = await claude.execute("recall");

    expect(run).toMatchObject({ content: "Earlier you said: my name is Ada", transport: { warm: false } });
  });

  test("keep their MCP servers from turn to turn, while what a tool left behind goes", async () => {
    await using claude = await startClaudeServer({ allow: ["Bash", "mcp__echo"] });
    await giveMcpServer(claude.server);

    const first = await claude.execute('call `mcp__echo__say {"text":"one"}`');
    await claude.execute("use tool `setsid tail -f /dev/null >/dev/null 2>&1 & echo on`");
    const left = claude.processesNamed("tail").length;
    const second = await claude.execute('call `mcp__echo__say {"text":"two"}`');

    expect(first.body).toMatchObject({ content: "Tool said: heard one, call 1", survivors: 0 });
    expect(left).toBe(0);
    expect(second.body).toMatchObject({ content: "Tool said: heard two, call 2", transport: { warm: true } });
  });

  test("are ended when they have been idle long enough, and the conversation goes on", async () => {
    await using claude = await startClaudeServer({ env: { HEADWAY_WARM_IDLE_MS: "100" } });

    await claude.execute("my name is Ada");
    await waitFor(() => claude.server.survivors().length === 0, { what: "the idle process to be ended" });
    const { body: run } = await claude.execute("recall");

    expect(run.content).toBe("Earlier you said: my name is Ada");
  });

  // A cold start on a busy machine takes seconds of the limit; on a warm process there is none.
  test.each([
    ["4", 2_000],
    ["0", 8_000],
  ])("are gone with their tools at the deadline (HEADWAY_WARM_PROCESSES=%s)", async (warm, timeoutMs) => {
    await using claude = await startClaudeServer({ env: { HEADWAY_WARM_PROCESSES: warm }, allow: ["Bash"] });
    await claude.execute("hello");

    const late = await requestJson(claude.server.fetch, "POST", "/api/agents/ada/execute", {
      body: { prompt: stubbornTool, timeoutMs },
    });
    const left = claude.processesNamed("tail").length;
    const next = await claude.execute("recall");

    expect(late).toMatchObject({
      status: 504,
      body: { state: "timed_out", error: { code: "deadline" }, survivors: 0, toolNames: ["Bash"] },
    });
    expect(left).toBe(0);
    expect(next.body.state).toBe("succeeded");
  });

  test("are gone with their tools when the server is killed", async () => {
    await using claude = await startClaudeServer({ allow: ["Bash"] });
    const run = await claude.begin(stubbornTool);
    await waitFor(() => claude.processesNamed("tail").length === 2, { what: "both of the tool's processes" });

    await claude.server.kill();
    await waitFor(() => claude.server.survivors().length === 0, {
      what: "all processes dying with the server",
    });
    await claude.server.restart();

    expect(await claude.getRun(run.id)).toMatchObject({ state: "interrupted", survivors: 0 });
  });

  test("cut off before their session was on disk leave a conversation that goes on", async () => {
    await using claude = await startClaudeServer();
    const run = await claude.begin("never answered");
    await claude.readUntil(run.id, ({ type }) => type === "run.started");

    await claude.server.kill();
    await claude.server.restart();
    const next = await claude.execute("hello again");

    expect(await claude.getRun(run.id)).toMatchObject({ state: "interrupted", content: "" });
    expect(next.body).toMatchObject({ state: "succeeded", conversationId: run.conversationId });
  });

  test.each(["4", "0"])(
    "are cancelled while they start, however early (HEADWAY_WARM_PROCESSES=%s)",
    async (warm) => {
      await using claude = await startClaudeServer({ env: { HEADWAY_WARM_PROCESSES: warm } });

      const replies = [];
      for (let round = 1; round <= 4; round += 1) {
        const run = await claude.begin(slowAnswer);
        if (round % 2 === 0) await claude.readUntil(run.id, ({ type }) => type === "run.started");
        replies.push(await claude.cancel(run.id));
      }
      const next = await claude.execute("hello again");

      for (const reply of replies) {
        expect(reply).toMatchObject({ state: "cancelled", alreadyFinished: false, survivors: 0 });
      }
      expect(next.body).toMatchObject({ state: "succeeded", content: "You said: hello again" });
    },
  );

  test("are kept when their turn is cancelled in the moment in which it was sent", async () => {
    await using claude = await startClaudeServer();
    await claude.execute("hello");

    const replies = [];
    for (let round = 1; round <= 6; round += 1) {
      const run = await claude.begin(slowAnswer);
      replies.push(await claude.cancel(run.id));
    }
    const next = await claude.execute("hello again");

    expect(replies.map(({ state }) => state)).toEqual(replies.map(() => "cancelled"));
    expect(next.body).toMatchObject({ state: "succeeded", transport: { warm: true } });
  });

  test("finish their turn when the server is asked to stop, and it exits with 0", async () => {
    await using claude = await startClaudeServer({ env: { HEADWAY_DRAIN_MS: "10000" } });
    const run = await claude.begin("delay=50 one two three four five six seven eight");
    await claude.readUntil(run.id, ({ type }) => type === "text");

    const exitCode = await claude.server.stop("SIGTERM");
    await claude.server.restart();

    expect(exitCode).toBe(0);
    expect(await claude.getRun(run.id)).toMatchObject({
      state: "succeeded",
      content: "You said: delay=50 one two three four five six seven eight",
    });
  });
});
