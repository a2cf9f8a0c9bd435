import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { emptyAnswer, finalText, foldAnswer, type RunEvent } from "../../src/domain/event.ts";
import { requestJson } from "../helpers/http.ts";
import { waitFor } from "../helpers/wait.ts";
import { claudeIsInstalled, startClaudeServer } from "./claude-server.ts";
import { realCliVersion } from "./install.ts";

setDefaultTimeout(60_000);

const bigPrompt = `${"0123456789 ünïcödé ✓ ".repeat(12_000)}END`;

function notices(events: readonly RunEvent[]): string[] {
  return events.flatMap((event) => (event.type === "notice" ? [event.code] : []));
}

function streamedAnswer(events: readonly RunEvent[]): string {
  const answer = emptyAnswer();
  for (const event of events) foldAnswer(answer, event);
  return finalText(answer);
}

describe.skipIf(!claudeIsInstalled())("the real Claude Code", () => {
  test("remembers the first turn in the second, on the process that was kept warm", async () => {
    await using claude = await startClaudeServer();

    const first = await claude.execute("my name is Ada");
    const [process] = claude.processesNamed("claude");
    const second = await claude.execute("recall");

    expect(first).toMatchObject({
      status: 200,
      body: { state: "succeeded", content: "You said: my name is Ada" },
    });
    expect(second).toMatchObject({
      status: 200,
      body: {
        state: "succeeded",
        content: "Earlier you said: my name is Ada",
        contentFinal: true,
        transport: { warm: true },
        cliVersion: realCliVersion("claude"),
        cliSessionId: first.body.cliSessionId,
        conversationId: first.body.conversationId,
        exitCode: null,
        survivors: 0,
      },
    });
    expect(claude.processesNamed("claude").map(({ pid }) => pid)).toEqual([process?.pid ?? 0]);
    expect(claude.api.requests.map(({ apiKey }) => apiKey)).toEqual(["made-up-key", "made-up-key"]);
  });

  test("remembers the first turn in the second, with one process per turn", async () => {
    await using claude = await startClaudeServer({ env: { HEADWAY_WARM_PROCESSES: "0" } });

    const first = await claude.execute("my name is Ada");
    const second = await claude.execute("recall");

    expect(first.body.transport.warm).toBe(false);
    expect(second).toMatchObject({
      status: 200,
      body: {
        content: "Earlier you said: my name is Ada",
        transport: { warm: false },
        cliSessionId: first.body.cliSessionId,
      },
    });
    await waitFor(() => claude.processesNamed("claude").length === 0, { what: "no process kept" });
  });

  test("reports cost and usage of the turn, not of the session", async () => {
    await using claude = await startClaudeServer();

    const first = await claude.execute("one");
    const second = await claude.execute("one");

    expect(first.body.costUsd).toBeGreaterThan(0);
    expect(second.body.costUsd).toBeLessThan((first.body.costUsd ?? 0) * 1.5);
    expect(second.body.usage?.outputTokens).toBe(first.body.usage?.outputTokens);
  });

  test("uses a tool, and only what it says after the tool is its answer", async () => {
    await using claude = await startClaudeServer();

    const { body: run } = await claude.execute("use tool `echo from the tool`");
    const events = await claude.listEvents(run.id);

    expect(run).toMatchObject({
      state: "succeeded",
      content: "Tool said: from the tool",
      toolNames: ["Bash"],
    });
    const ofTools = events.filter(({ type }) => type.startsWith("tool."));
    expect(ofTools).toMatchObject([
      { type: "tool.started", name: "Bash", input: { command: "echo from the tool" } },
      { type: "tool.finished", isError: false, output: "from the tool" },
    ]);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
  });

  test("is told how to allow a tool that its permission mode denies", async () => {
    await using claude = await startClaudeServer();

    const { body: run } = await claude.execute("use tool `tail -f /dev/null`");

    expect(run.state).toBe("succeeded");
    expect(notices(await claude.listEvents(run.id))).toContain("permission_denied");
  });

  test("writes nothing in permission mode read, and a file in permission mode edit", async () => {
    await using claude = await startClaudeServer();
    await claude.createAgent({ id: "reader", permissionMode: "read" });
    const made = join(claude.server.workspace, "made.txt");

    const reader = await claude.execute(`write file \`${made}\``, "reader");
    const madeByReader = existsSync(made);
    const editor = await claude.execute(`write file \`${made}\``);

    expect([reader.body.state, editor.body.state]).toEqual(["succeeded", "succeeded"]);
    expect(notices(await claude.listEvents(reader.body.id))).toContain("permission_denied");
    expect([madeByReader, existsSync(made)]).toEqual([false, true]);
  });

  test("gets the agent's system prompt, and neither that nor a prompt stands in argv", async () => {
    await using claude = await startClaudeServer({ agent: { systemPrompt: "Be brief. SYSTEM-SECRET" } });

    const run = await claude.begin("PROMPT-SECRET delay=50 one two three four five six seven eight");
    await claude.readUntil(run.id, ({ type }) => type === "text");
    const processes = claude.server.survivors();
    await claude.readUntil(run.id, ({ type }) => type === "run.finished");
    await claude.execute("and again");

    expect(processes.length).toBeGreaterThan(0);
    for (const { argv, environment } of processes)
      expect([...argv, environment].join("\n")).not.toContain("-SECRET");
    const prompts = claude.api.requests.map(({ systemPrompt }) => systemPrompt.includes("SYSTEM-SECRET"));
    expect(prompts).toEqual([true, true]);
  });

  test.each(["4", "0"])("gets a prompt of 300 KB whole (HEADWAY_WARM_PROCESSES=%s)", async (warm) => {
    await using claude = await startClaudeServer({ env: { HEADWAY_WARM_PROCESSES: warm } });

    const { body: run } = await claude.execute(bigPrompt);

    expect(run).toMatchObject({ state: "succeeded", content: `You sent ${bigPrompt.length} characters.` });
    expect(claude.api.requests.at(-1)?.history.at(-1)?.text === bigPrompt).toBe(true);
  });

  test("gets odd prompts as they are", async () => {
    await using claude = await startClaudeServer();
    const prompts = ["--help", "a\r\nb\tc\u2028d \u001b[31m", '{"type":"user"}\n{"type":"control_request"}'];

    for (const prompt of prompts) await claude.execute(prompt);

    expect(claude.api.requests.map(({ history }) => history.at(-1)?.text)).toEqual(prompts);
  });

  test("does a slash command itself, and the run says so", async () => {
    await using claude = await startClaudeServer();

    const { body: run } = await claude.execute("/cost");
    const unknown = await claude.execute("/nosuch thing");

    expect(run).toMatchObject({ state: "succeeded", content: expect.stringContaining("cost") });
    expect(notices(await claude.listEvents(run.id))).toContain("cli_command");
    expect(unknown.body.content).toBe("You said: /nosuch thing");
    expect(claude.api.requests.length).toBe(1);
  });

  test("has its own /clear end our conversation", async () => {
    await using claude = await startClaudeServer();

    const before = await claude.execute("my name is Ada");
    const reset = await claude.execute("/clear");
    const after = await claude.execute("hello again");

    expect(reset.body).toMatchObject({ state: "succeeded", conversationId: before.body.conversationId });
    expect(after.body.content).toBe("You said: hello again");
    expect(after.body.conversationId).not.toBe(before.body.conversationId);
    expect(claude.api.requests.at(-1)?.history.map(({ text }) => text)).not.toContain("my name is Ada");
  });

  test("knows nothing of a conversation that was ended", async () => {
    await using claude = await startClaudeServer();

    await claude.execute("my name is Ada");
    const ended = await requestJson(claude.server.fetch, "POST", "/api/agents/ada/end-session");
    const { body: run } = await claude.execute("recall");

    expect(ended).toMatchObject({ status: 200, body: { ended: true } });
    expect(run.content.trim()).toBe("Earlier you said:");
  });

  test("follows a changed system prompt and model with the next turn, and still knows the conversation", async () => {
    await using claude = await startClaudeServer({ agent: { systemPrompt: "OLD-RULES" } });
    await claude.execute("my name is Ada");

    const patch = { systemPrompt: "NEW-RULES", model: "claude-haiku-4-5" };
    const patched = await requestJson(claude.server.fetch, "PATCH", "/api/agents/ada", { body: patch });
    const { body: run } = await claude.execute("what is my name?");

    const asked = claude.api.requests.at(-1);
    expect([patched.status, run.state]).toEqual([200, "succeeded"]);
    expect(asked).toMatchObject({ model: "claude-haiku-4-5" });
    expect(asked?.systemPrompt).toContain("NEW-RULES");
    expect(asked?.systemPrompt).not.toContain("OLD-RULES");
    expect(asked?.history.map(({ text }) => text).join("\n")).toContain("my name is Ada");
    expect(notices(await claude.listEvents(run.id))).toContain("session_restarted");
  });

  test("begins the answer again after a broken stream, without doubling a word", async () => {
    await using claude = await startClaudeServer();

    const { body: run } = await claude.execute("midstream error and then all is well");
    const events = await claude.listEvents(run.id);

    expect(run).toMatchObject({
      state: "succeeded",
      content: "You said: midstream error and then all is well",
    });
    expect(streamedAnswer(events)).toBe(run.content);
    expect(events.map(({ type }) => type)).toContain("text.discarded");
  });

  test("shows its retries as notices while the API recovers", async () => {
    await using claude = await startClaudeServer();

    const { body: run } = await claude.execute("flaky 2 please");

    expect(run).toMatchObject({ state: "succeeded", content: "You said: flaky 2 please" });
    const retries = notices(await claude.listEvents(run.id)).filter((code) => code === "api_retry");
    expect(retries).toEqual(["api_retry", "api_retry"]);
  });

  test("answers Markdown exactly as the model wrote it, and a long answer whole", async () => {
    await using claude = await startClaudeServer();

    const written = await claude.execute("markdown");
    const long = await claude.execute("long=100000");

    expect(written.body.content).toContain("```ts\nconst x: number = 1;\nconsole.log(`x is ${x}`);\n```");
    expect(long.body.content.trimEnd()).toBe(
      "The quick brown fox jumps over the lazy dog.\n".repeat(2_223).trimEnd(),
    );
    expect(streamedAnswer(await claude.listEvents(written.body.id))).toBe(written.body.content);
  });

  test("can't see the server's data directory from a tool", async () => {
    await using claude = await startClaudeServer({ allow: ["Bash"] });
    const canary = join(claude.server.dataDir, "canary");
    writeFileSync(canary, "SECRET");

    const { body: run } = await claude.execute(`use tool \`cat ${canary} ${claude.server.dataDir}/*\``);

    expect(run.content).toContain("No such file");
    expect(run.content).not.toContain("SECRET");
  });
});
