import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Agent, agentSchema } from "../../src/domain/agent.ts";
import { expectJson, requestJson } from "../helpers/http.ts";
import { problemLine, readProblem } from "../helpers/problems.ts";
import { jsonInit, startApp, type TestApp } from "../helpers/test-app.ts";

const isRoot = process.getuid?.() === 0;

let app: TestApp;

beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app[Symbol.asyncDispose]());

const create = (settings: Record<string, unknown>) =>
  app.fetch("/api/agents", jsonInit("POST", { cli: "demo", cwd: app.workspace, ...settings }));
const patch = (id: string, changes: unknown) => app.fetch(`/api/agents/${id}`, jsonInit("PATCH", changes));
const get = (id: string) => expectJson<Agent>(app.fetch, 200, "GET", `/api/agents/${id}`);

describe("creating an agent", () => {
  test("with the least answers 201 with all defaults, and names its place", async () => {
    const { status, headers, body } = await requestJson<Agent>(app.fetch, "POST", "/api/agents", {
      body: { id: "least", cli: "claude", cwd: app.workspace },
    });

    expect(status).toBe(201);
    expect(headers.get("location")).toBe("/api/agents/least");
    expect(agentSchema.strict().parse(body)).toEqual({
      id: "least",
      cli: "claude",
      acpAgent: null,
      commMode: "headless",
      cwd: app.workspace,
      model: null,
      systemPrompt: null,
      permissionMode: "edit",
      filePolicy: "open",
      mcpConfigPath: null,
      timeoutMs: null,
      memoryLimitMb: null,
      metadata: {},
      effectiveMode: "headless",
      status: "idle",
      queueLength: 0,
      activeRunId: null,
      activeConversationId: null,
      breaker: { state: "closed", failures: 0, retryAt: null },
      warm: false,
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      updatedAt: body.createdAt,
    });
    expect(await get("least")).toEqual(body);
  });

  test("with everything keeps everything", async () => {
    const settings = {
      id: "a-b_9",
      cli: "demo",
      commMode: "headless",
      cwd: app.workspace,
      model: "claude-sonnet-4.5[1m]",
      systemPrompt: "Be brief.\n日本語 “quotes” --settings=/tmp/x",
      permissionMode: "full",
      mcpConfigPath: "/tmp/mcp.json",
      timeoutMs: 1_000,
      memoryLimitMb: 512,
      metadata: { team: "a", nested: { list: [1, null, "x"] } },
    };

    const created = await expectJson<Agent>(app.fetch, 201, "POST", "/api/agents", { body: settings });

    expect(created).toMatchObject(settings);
  });

  test("of a name that is taken is 409", async () => {
    await create({ id: "taken" });

    expect(await problemLine(await create({ id: "taken" }))).toBe("409 agent_exists");
  });

  test("twice at once gives one agent", async () => {
    const lines = await Promise.all(
      Array.from({ length: 8 }, async () => problemLine(await create({ id: "at-once" }))),
    );

    expect(lines.toSorted()).toEqual(["201", ...Array.from({ length: 7 }, () => "409 agent_exists")]);
  });

  const refused: [settings: Record<string, unknown>, line: string][] = [
    [{ id: "" }, "422 invalid id"],
    [{ id: "Anna" }, "422 invalid id"],
    [{ id: "-anna" }, "422 invalid id"],
    [{ id: "_anna" }, "422 invalid id"],
    [{ id: "anna\n" }, "422 invalid id"],
    [{ id: "../anna" }, "422 invalid id"],
    [{ id: "änna" }, "422 invalid id"],
    [{ id: "a".repeat(64) }, "422 invalid id"],
    [{ id: 7 }, "422 invalid id"],
    [{ id: "x", cli: "codex" }, "422 invalid cli"],
    [{ id: "x", commMode: "carrier-pigeon" }, "422 invalid commMode"],
    [{ id: "x", permissionMode: "root" }, "422 invalid permissionMode"],
    [{ id: "x", model: "--dangerously-skip-permissions" }, "422 invalid model"],
    [{ id: "x", model: "a b" }, "422 invalid model"],
    [{ id: "x", systemPrompt: "a\0b" }, "422 invalid systemPrompt"],
    [{ id: "x", systemPrompt: "x".repeat(65_537) }, "422 invalid systemPrompt"],
    [{ id: "x", mcpConfigPath: "mcp.json" }, "422 invalid mcpConfigPath"],
    [{ id: "x", timeoutMs: 999 }, "422 invalid timeoutMs"],
    [{ id: "x", timeoutMs: "5000" }, "422 invalid timeoutMs"],
    [{ id: "x", memoryLimitMb: -1 }, "422 invalid memoryLimitMb"],
    [{ id: "x", metadata: "text" }, "422 invalid metadata"],
    [{ id: "x", effectiveMode: "tmux" }, "422 invalid effectiveMode"],
    [{ id: "x", cli: "acp" }, "422 invalid acpAgent"],
    [{ id: "x", cli: "acp", acpAgent: "goose" }, "422 invalid acpAgent"],
    [{ id: "x", cli: "acp", acpAgent: "Goose" }, "422 invalid acpAgent"],
    [{ id: "x", cli: "claude", acpAgent: "goose" }, "422 invalid acpAgent"],
    [{ id: "x", cli: "gemini", mcpConfigPath: "/mcp.json" }, "422 invalid mcpConfigPath"],
    [{ id: "x", cli: "droid", mcpConfigPath: "/mcp.json" }, "422 invalid mcpConfigPath"],
    [{ id: "x", commMode: "tmux" }, "422 mode_unavailable commMode"],
    [{ id: "x", commMode: "shadow" }, "422 mode_unavailable commMode"],
  ];
  for (const [settings, line] of refused) {
    test(`with ${JSON.stringify(settings).slice(0, 60)} is refused: ${line}`, async () => {
      expect(await problemLine(await create(settings))).toBe(line);
    });
  }

  test("with all permissions depends on who the server is", async () => {
    const line = await problemLine(await create({ id: "full", cli: "claude", permissionMode: "full" }));

    expect(line).toBe(isRoot ? "422 permission_unavailable permissionMode" : "201");
  });

  test("takes a name of 63 characters", async () => {
    expect((await create({ id: `a${"-".repeat(61)}z` })).status).toBe(201);
  });
});

describe("the folder of an agent", () => {
  const refuse = async (cwd: string) => {
    const problem = await readProblem(await create({ id: "nowhere", cwd }));
    return [problem.status, problem.code, problem.errors?.[0]?.path].join(" ");
  };
  const root = () => dirname(app.workspace);

  test("may be a root itself or anything below it", async () => {
    const below = join(app.workspace, "deep/er");
    mkdirSync(below, { recursive: true });

    const statuses = [
      await create({ id: "in-root", cwd: root() }),
      await create({ id: "below", cwd: below }),
    ];

    expect(statuses.map(({ status }) => status)).toEqual([201, 201]);
  });

  test("is never outside of the roots, however it is written", async () => {
    mkdirSync(`${root()}-evil`, { recursive: true });
    const places = [
      "/",
      "/etc",
      "/tmp",
      dirname(root()),
      `${root()}/..`,
      `${app.workspace}/../../..`,
      `${root()}-evil`,
      app.home,
      app.dataDir,
      join(app.dataDir, "logs"),
      join(import.meta.dir, "../.."),
      "relative",
      "~",
      "file:///tmp",
      `${root()}\0/etc`,
      "",
      "x".repeat(5_000),
      `${app.workspace}/missing`,
    ];

    const lines = await Promise.all(places.map(refuse));

    expect(lines).toEqual(places.map(() => "422 invalid cwd"));
  });

  test("is below the home folder where no root is named, but never the home folder itself", async () => {
    await using other = await startApp({ env: { HEADWAY_WORKSPACES: "" } });
    const below = join(other.home, "project");
    mkdirSync(below);
    const createIn = (id: string, cwd: string) =>
      other.fetch("/api/agents", jsonInit("POST", { id, cli: "demo", cwd }));

    const lines = [
      await problemLine(await createIn("at-home", other.home)),
      await problemLine(await createIn("outside", other.workspace)),
      await problemLine(await createIn("below", below)),
    ];

    expect(lines).toEqual(["422 invalid cwd", "422 invalid cwd", "201"]);
  });

  test("is below any of several roots", async () => {
    const second = join(app.home, "second");
    mkdirSync(second);
    await using other = await startApp({ env: { HEADWAY_WORKSPACES: `${app.workspace}:${second}` } });

    const agents = [
      await other.makeAgent({ id: "a", cwd: second }),
      await other.makeAgent({ id: "b", cwd: app.workspace }),
    ];

    expect(agents.map(({ cwd }) => cwd)).toEqual([second, app.workspace]);
  });

  test("isn't a file", async () => {
    writeFileSync(join(app.workspace, "file"), "");

    expect(await refuse(join(app.workspace, "file"))).toBe("422 invalid cwd");
  });

  test("is judged by where links lead, and kept as what they lead to", async () => {
    symlinkSync("/etc", join(app.workspace, "out"));
    symlinkSync(app.dataDir, join(app.workspace, "into-data"));
    mkdirSync(join(app.workspace, "real"), { recursive: true });
    symlinkSync(join(app.workspace, "real"), join(app.workspace, "alias"));

    const refused = await Promise.all(["out", "into-data"].map((name) => refuse(join(app.workspace, name))));
    const linked = await create({ id: "linked", cwd: join(app.workspace, "alias") });

    expect(refused).toEqual(["422 invalid cwd", "422 invalid cwd"]);
    expect(((await linked.json()) as Agent).cwd).toBe(join(app.workspace, "real"));
  });

  test("that is gone when a run starts fails the run as cwd_missing", async () => {
    const folder = join(app.workspace, "vanishing");
    mkdirSync(folder);
    await app.makeAgent({ id: "homeless", cwd: folder });
    renameSync(folder, `${folder}-moved`);

    const run = await app.run("homeless", "hello");

    expect(run).toMatchObject({ state: "failed", error: { code: "cwd_missing" } });
  });

  test("that was swapped for a link to elsewhere isn't entered", async () => {
    const folder = join(app.workspace, "swapped");
    mkdirSync(folder);
    await app.makeAgent({ id: "swapped", cwd: folder });
    renameSync(folder, `${folder}-moved`);
    symlinkSync("/etc", folder);

    const run = await app.run("swapped", "echo-env");

    expect(run).toMatchObject({ state: "failed", error: { code: "cwd_missing" } });
  });
});

describe("changing an agent", () => {
  test("changes what is named and nothing else", async () => {
    await create({ id: "changing", model: "opus", metadata: { a: 1 } });
    const before = await get("changing");

    const changed = (await (await patch("changing", { model: null, timeoutMs: 5_000 })).json()) as Agent;

    expect(changed).toEqual({ ...before, model: null, timeoutMs: 5_000, updatedAt: changed.updatedAt });
    expect(changed.updatedAt >= before.updatedAt).toBe(true);
    expect(await get("changing")).toEqual(changed);
  });

  test("with nothing to change changes nothing", async () => {
    await create({ id: "same" });

    expect((await patch("same", {})).status).toBe(200);
  });

  const refused: [changes: Record<string, unknown>, line: string][] = [
    [{ id: "other" }, "422 invalid id"],
    [{ cli: "claude" }, "422 invalid cli"],
    [{ cli: "demo" }, "422 invalid cli"],
    [{ acpAgent: "opencode" }, "422 invalid acpAgent"],
    [{ createdAt: "2020-01-01T00:00:00.000Z" }, "422 invalid createdAt"],
    [{ status: "idle" }, "422 invalid status"],
    [{ commMode: "tmux" }, "422 mode_unavailable commMode"],
    [{ cwd: "/etc" }, "422 invalid cwd"],
    [{ cwd: null }, "422 invalid cwd"],
    [{ permissionMode: null }, "422 invalid permissionMode"],
    [{ model: "-x" }, "422 invalid model"],
    [{ timeoutMs: 0 }, "422 invalid timeoutMs"],
  ];
  for (const [changes, line] of refused) {
    test(`to ${JSON.stringify(changes)} is refused: ${line}`, async () => {
      await create({ id: "firm" });
      const before = await get("firm");

      expect(await problemLine(await patch("firm", { timeoutMs: 9_000, ...changes }))).toBe(line);
      expect(await get("firm")).toEqual(before);
    });
  }

  test("that isn't there is 404", async () => {
    expect(await problemLine(await patch("nobody", {}))).toBe("404 agent_not_found");
  });
});

describe("the list of agents", () => {
  test("is newest first and comes in pages without gap or double", async () => {
    await using other = await startApp();
    for (const id of ["first", "second", "third", "fourth", "fifth"]) await other.makeAgent({ id });

    const ids: string[] = [];
    let cursor = "";
    do {
      const page = await expectJson<{ items: Agent[]; nextCursor: string | null }>(
        other.fetch,
        200,
        "GET",
        `/api/agents?limit=2&cursor=${cursor}`,
      );
      ids.push(...page.items.map((agent) => agentSchema.strict().parse(agent).id));
      cursor = page.nextCursor ?? "";
    } while (cursor !== "");

    expect(ids).toEqual(["fifth", "fourth", "third", "second", "first"]);
  });
});

describe("the CLIs", () => {
  test("are all told of, in one shape", async () => {
    const { items } = await expectJson<{ items: Record<string, unknown>[] }>(
      app.fetch,
      200,
      "GET",
      "/api/clis",
    );
    const keys = [
      "acpAgent",
      "cli",
      "found",
      "minimum",
      "notes",
      "path",
      "permissionModes",
      "signedIn",
      "tested",
      "version",
      "warm",
    ];

    expect(items.map(({ cli }) => cli)).toEqual(["claude", "gemini", "droid", "demo"]);
    expect(items.map((item) => Object.keys(item).toSorted())).toEqual(items.map(() => keys));
    expect(items[0]).toMatchObject({
      found: true,
      version: "2.1.330",
      tested: "2.1.330",
      minimum: "2.1.163",
      signedIn: "unknown",
      warm: true,
      permissionModes: isRoot ? ["read", "edit"] : ["read", "edit", "full"],
    });
    expect(items[3]).toMatchObject({
      found: true,
      signedIn: "yes",
      permissionModes: ["read", "edit", "full"],
    });
  });

  test("that aren't installed say how to get them", async () => {
    await using other = await startApp({ env: { HEADWAY_CLAUDE_PATH: "/nowhere/claude" } });

    const { items } = await expectJson<{ items: Record<string, unknown>[] }>(
      other.fetch,
      200,
      "GET",
      "/api/clis",
    );

    expect(items[0]).toMatchObject({ cli: "claude", found: false, path: null, version: null });
    expect(String(items[0]?.["notes"])).toContain("npm install -g @anthropic-ai/claude-code");
  });

  test("are signed in when a key is in the server's environment", async () => {
    await using other = await startApp({ env: { ANTHROPIC_API_KEY: "sk-ant-made-up-for-this-test" } });

    const text = await (await other.fetch("/api/clis")).text();

    expect(JSON.parse(text)).toMatchObject({ items: [{ cli: "claude", signedIn: "yes" }, {}, {}, {}] });
    expect(text).not.toContain("sk-ant");
  });
});
