import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Agent } from "../../src/domain/agent.ts";
import type { CliReport } from "../../src/runner/runner-api.ts";
import { expectJson } from "../helpers/http.ts";
import { problemLine, readProblem } from "../helpers/problems.ts";
import { jsonInit, startApp, type TestApp } from "../helpers/test-app.ts";

const acpAgents = {
  sh: { command: "/bin/sh", args: ["-c", "exit 3"], title: "A shell" },
  goose: { command: "goose-that-is-nowhere", env: { GOOSE_API_KEY: "zebrafish-sings" } },
};

let app: TestApp;

beforeAll(async () => {
  app = await startApp({ acpAgents });
});
afterAll(() => app[Symbol.asyncDispose]());

const create = (settings: Record<string, unknown>) =>
  app.fetch("/api/agents", jsonInit("POST", { cli: "acp", cwd: app.workspace, ...settings }));
const listClis = async (at: TestApp) =>
  (await expectJson<{ items: CliReport[] }>(at.fetch, 200, "GET", "/api/clis")).items;

describe("an agent that is carried by an ACP agent", () => {
  test("names the one that carries it", async () => {
    const agent = await app.makeAgent({ id: "named", cli: "acp", acpAgent: "sh" });

    expect(agent).toMatchObject({ cli: "acp", acpAgent: "sh", permissionMode: "edit" });
    expect(await expectJson<Agent>(app.fetch, 200, "GET", "/api/agents/named")).toEqual(agent);
  });

  test("is told which ones there are", async () => {
    const problem = await readProblem(await create({ id: "x", acpAgent: "opencode" }));

    expect(problem).toMatchObject({
      status: 422,
      code: "invalid",
      errors: [{ path: "acpAgent", message: "one of sh, goose" }],
    });
  });

  test("is told how to configure one where there is none", async () => {
    await using other = await startApp();
    const body = { id: "x", cli: "acp", acpAgent: "sh", cwd: other.workspace };

    const problem = await readProblem(await other.fetch("/api/agents", jsonInit("POST", body)));

    expect(problem.errors).toEqual([
      {
        path: "acpAgent",
        message:
          "none is configured: name one in DATA_DIR/acp-agents.json and start Headway again (docs/configuration.md)",
      },
    ]);
  });

  const refused: [settings: Record<string, unknown>, line: string][] = [
    [{ id: "x" }, "422 invalid acpAgent"],
    [{ id: "x", acpAgent: null }, "422 invalid acpAgent"],
    [{ id: "x", acpAgent: "" }, "422 invalid acpAgent"],
    [{ id: "x", acpAgent: "__proto__" }, "422 invalid acpAgent"],
    [{ id: "x", acpAgent: "constructor" }, "422 invalid acpAgent"],
    [{ id: "x", cli: "demo", acpAgent: "sh" }, "422 invalid acpAgent"],
    [{ id: "x", acpAgent: "sh", command: "/bin/sh" }, "422 invalid command"],
    [{ id: "x", acpAgent: "sh", mcpConfigPath: "/mcp.json" }, "422 invalid mcpConfigPath"],
  ];
  test.each(refused)("with %j is refused: %s", async (settings, line) => {
    expect(await problemLine(await create(settings))).toBe(line);
  });

  test("keeps it", async () => {
    await app.makeAgent({ id: "firm", cli: "acp", acpAgent: "sh" });

    const line = await problemLine(
      await app.fetch("/api/agents/firm", jsonInit("PATCH", { acpAgent: "goose" })),
    );

    expect(line).toBe("422 invalid acpAgent");
  });

  test("may not be given an MCP file later either, but may be changed otherwise", async () => {
    await app.makeAgent({ id: "settled", cli: "acp", acpAgent: "sh" });
    const patch = (changes: unknown) => app.fetch("/api/agents/settled", jsonInit("PATCH", changes));

    const problem = await readProblem(await patch({ mcpConfigPath: "/mcp.json" }));
    const changed = (await (await patch({ mcpConfigPath: null, timeoutMs: 5_000 })).json()) as Agent;

    expect(problem.errors).toEqual([
      {
        path: "mcpConfigPath",
        message: "sh takes its MCP servers from its own settings: set them up there.",
      },
    ]);
    expect(changed).toMatchObject({ timeoutMs: 5_000 });
  });
});

test("an agent whose ACP agent is no longer configured stays readable and changeable, and its runs fail", async () => {
  await using other = await startApp({ acpAgents });
  await other.makeAgent({ id: "orphan", cli: "acp", acpAgent: "sh" });
  rmSync(join(other.dataDir, "acp-agents.json"));
  await other.restart();

  const read = await other.fetch("/api/agents/orphan");
  const patch = (changes: unknown) => other.fetch("/api/agents/orphan", jsonInit("PATCH", changes));
  const patched = await patch({ timeoutMs: 5_000 });
  const refused = await problemLine(await patch({ permissionMode: "read" }));
  const run = await other.run("orphan", "hello");

  expect([read.status, patched.status]).toEqual([200, 200]);
  expect(refused).toBe("422 invalid acpAgent");
  expect(run).toMatchObject({ state: "failed", error: { code: "cli_not_found" } });
  expect(run.error!.message).toContain("sh");
});

describe("among the CLIs", () => {
  test("each configured ACP agent is told of, before the demo", async () => {
    const items = await listClis(app);

    expect(items.map(({ cli, acpAgent }) => [cli, acpAgent])).toEqual([
      ["claude", null],
      ["gemini", null],
      ["droid", null],
      ["acp", "sh"],
      ["acp", "goose"],
      ["demo", null],
    ]);
    expect(items[3]).toEqual({
      cli: "acp",
      acpAgent: "sh",
      found: true,
      path: "/bin/sh",
      version: null,
      tested: null,
      minimum: null,
      signedIn: "unknown",
      warm: true,
      permissionModes: expect.arrayContaining(["edit"]),
      notes: ["A shell speaks ACP and is configured in acp-agents.json; Headway's tests don't know it."],
    });
  });

  test("one that isn't installed says what is missing", async () => {
    const goose = (await listClis(app)).find(({ acpAgent }) => acpAgent === "goose")!;

    expect(goose).toMatchObject({ found: false, path: null });
    expect(goose.notes[1]).toBe(
      "goose-that-is-nowhere was not found: install it, or give its path in acp-agents.json.",
    );
  });
});

test("no request changes the file, and its values are masked wherever they turn up", async () => {
  const path = join(app.dataDir, "acp-agents.json");
  const before = readFileSync(path, "utf8");
  await app.makeAgent({ id: "leaky", cli: "demo" });

  const run = await app.run("leaky", "say zebrafish-sings");
  const shown = JSON.stringify([run, await listClis(app), app.lines]);

  expect(run.prompt).toBe("say [redacted:acp-agents.json:goose:GOOSE_API_KEY]");
  expect(shown).not.toContain("zebrafish-sings");
  expect(readFileSync(path, "utf8")).toBe(before);
});
