import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Agent } from "../../src/domain/agent.ts";
import type { Run } from "../../src/domain/run.ts";
import { makeTempFolder } from "../helpers/temp.ts";
import { startApp, type TestApp } from "../helpers/test-app.ts";

const machine = makeTempFolder();
afterAll(() => machine[Symbol.dispose]());

/** A CLI as npm installs it; it is never run here. */
function install(packageName: string, version: string, program: string): string {
  const root = join(machine.path, version, packageName);
  const file = join(root, program);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, "#!/bin/sh\nexit 1\n");
  chmodSync(file, 0o755);
  writeFileSync(join(root, "package.json"), JSON.stringify({ name: packageName, version, main: program }));
  return file;
}

const installed = {
  HEADWAY_CLAUDE_PATH: install("@anthropic-ai/claude-code", "2.1.330", "bin/claude.exe"),
  HEADWAY_GEMINI_PATH: install("@google/gemini-cli", "0.61.0", "bundle/gemini.js"),
  HEADWAY_DROID_PATH: install("@factory/cli-linux-x64", "0.225.2", "bin/droid"),
  FACTORY_API_KEY: "a-made-up-key",
};
const acpAgents = { opencode: { command: "/bin/sh" }, lost: { command: "/nowhere/agent" } };

/** The text of a part of a page, without its tags. */
function textOf(html: string, part: RegExp): string {
  const found = part.exec(html)?.[0] ?? "";
  return found
    .replace(/<[^>]*>/g, " ")
    .replaceAll("&#39;", "'")
    .replace(/\s+/g, " ")
    .trim();
}

/** What the form says of one CLI, its radio button included. */
const choiceOf = (html: string, value: string) => textOf(html, new RegExp(`value="${value}".*?</div>`, "s"));

describe("a machine with all CLIs on it", () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp({ env: installed, acpAgents });
  });
  afterAll(() => app[Symbol.asyncDispose]());

  const pageOf = async (path: string) => (await app.fetch(path)).text();
  const post = (path: string, fields: Record<string, string>) =>
    app.fetch(path, {
      method: "POST",
      body: new URLSearchParams({
        place: "existing",
        folder: app.workspace,
        permissionMode: "edit",
        filePolicy: "open",
        ...fields,
      }),
    });
  const agentOf = async (id: string) => (await (await app.fetch(`/api/agents/${id}`)).json()) as Agent;

  test("is offered all of them by the form, with what was found", async () => {
    const html = await pageOf("/agents/new?cli=");

    expect(choiceOf(html, "claude")).toContain("Claude Code 2.1.330 · sign-in can't be seen from here");
    expect(choiceOf(html, "gemini")).toContain("Gemini CLI 0.61.0 · not signed in");
    expect(choiceOf(html, "droid")).toContain("Factory Droid 0.225.2 · signed in");
    expect(choiceOf(html, "droid")).toContain("no sandbox");
    expect(choiceOf(html, "acp:opencode")).toContain("ACP agent opencode sign-in can't be seen from here");
    expect(choiceOf(html, "acp:lost")).toContain("/nowhere/agent was not found");
  });

  test("is told what the permission modes are in the CLIs' own words", async () => {
    const html = await pageOf("/agents/new?cli=");

    expect(textOf(html, /<strong>Edit<\/strong>.*?<\/label>/s)).toContain(
      "Claude Code: acceptEdits · Gemini CLI: auto_edit · Factory Droid: --auto low",
    );
    expect(textOf(html, /<strong>Read<\/strong>.*?<\/label>/s)).toContain("Factory Droid: no --auto");
  });

  test("is told which CLIs take no file of MCP servers", async () => {
    const html = await pageOf("/agents/new?cli=");

    expect(textOf(html, /id="field-mcpConfigPath-hint".*?<\/p>/s)).toContain(
      "Not for Gemini CLI, Factory Droid, ACP agent opencode, or ACP agent lost.",
    );
  });

  test("is led from the start page to the form with the CLI chosen", async () => {
    const start = await pageOf("/");
    const form = await pageOf("/agents/new?cli=acp%3Aopencode");

    for (const choice of ["claude", "gemini", "droid", "acp%3Aopencode"]) {
      expect(start).toContain(`href="/agents/new?cli=${choice}">New agent with`);
    }
    expect(start).not.toContain("cli=acp%3Alost");
    expect(form).toMatch(/value="acp:opencode" checked/);
  });

  test("gets an agent of the CLI that was chosen", async () => {
    const made = await post("/agents", { id: "gem", cli: "gemini" });

    expect([made.status, made.headers.get("location")]).toEqual([303, "/agents/gem"]);
    expect(await agentOf("gem")).toMatchObject({ cli: "gemini", acpAgent: null });
  });

  test("gets an agent of the ACP agent that was chosen, which the board and its settings name", async () => {
    const made = await post("/agents", { id: "opener", cli: "acp:opencode" });

    expect([made.status, made.headers.get("location")]).toEqual([303, "/agents/opener"]);
    expect(await agentOf("opener")).toMatchObject({ cli: "acp", acpAgent: "opencode" });
    expect(textOf(await pageOf("/"), /id="agent-row-opener".*?<\/li>/s)).toContain(
      "ACP agent opencode · headless",
    );
    expect(textOf(await pageOf("/agents/opener/settings"), /<dt>CLI<\/dt>.*?<\/dd>/s)).toContain(
      "ACP agent opencode",
    );
  });

  test("is told everywhere which ACP agent it is", async () => {
    await post("/agents", { id: "told", cli: "acp:opencode" });
    const answer = await app.fetch("/api/agents/told/execute", {
      method: "POST",
      headers: { "Content-Type": "application/json", Prefer: "respond-async" },
      body: JSON.stringify({ prompt: "hello" }),
    });
    const run = (await answer.json()) as Run;

    const pages = await Promise.all(
      ["/agents/told", `/conversations/${run.conversationId}`, `/runs/${run.id}`].map(pageOf),
    );

    for (const html of pages) expect(html).toContain("ACP agent opencode");
  });

  test.each(["acp:nobody", "acp:", "acp:-x", "fortran", ""])("is refused an agent of %p", async (cli) => {
    const answer = await post("/agents", { id: "never", cli });

    expect(answer.status).toBe(422);
    expect(await answer.text()).toContain('id="field-cli-problem"');
  });

  test("has a field for MCP servers in the settings of those that take them, or to empty it", async () => {
    await post("/agents", { id: "claudia", cli: "claude" });
    await post("/agents", { id: "gina", cli: "gemini" });
    const refused = await post("/agents", { id: "greg", cli: "gemini", mcpConfigPath: "/etc/mcp.json" });

    expect(await pageOf("/agents/claudia/settings")).toContain('name="mcpConfigPath"');
    expect(await pageOf("/agents/gina/settings")).not.toContain('name="mcpConfigPath"');
    expect(refused.status).toBe(422);
    expect(await refused.text()).toContain('id="field-mcpConfigPath-problem"');
  });
});

test("a CLI that is too old says so with what to do, and one that is newer than the tests know says that", async () => {
  const env = {
    ...installed,
    HEADWAY_GEMINI_PATH: install("@google/gemini-cli", "0.38.0", "bundle/gemini.js"),
    HEADWAY_DROID_PATH: install("@factory/cli-linux-x64", "0.300.0", "bin/droid"),
  };
  await using app = await startApp({ env });

  const pages = [await (await app.fetch("/")).text(), await (await app.fetch("/agents/new?cli=")).text()];

  for (const html of pages) {
    const text = textOf(html, /<main.*<\/main>/s);
    expect(text).toContain("0.38.0, too old");
    expect(text).toContain("npm install -g @google/gemini-cli@latest");
    expect(text).toContain("This version is newer than 0.225.2, the last that Headway's tests know.");
  }
});
