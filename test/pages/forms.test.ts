import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { startServer, type TestServer } from "../helpers/server-process.ts";

const complete = {
  id: "helper",
  cli: "demo",
  place: "new",
  newFolder: "",
  folder: "",
  permissionMode: "edit",
  filePolicy: "open",
  model: "",
  systemPrompt: "",
  timeout: "",
  memoryLimit: "",
  mcpConfigPath: "",
  metadata: "",
};

describe("forms without scripts", () => {
  let server: TestServer;
  let root: string;

  beforeAll(async () => {
    server = await startServer();
    root = dirname(server.workspace);
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const post = (path: string, fields: Record<string, string>) =>
    server.fetch(path, { method: "POST", body: new URLSearchParams(fields) });

  test("a new agent gets a new folder, called like itself unless told otherwise", async () => {
    const named = await post("/agents", { ...complete, root, newFolder: "its folder" });
    const unnamed = await post("/agents", { ...complete, id: "second", root });

    expect([named.status, named.headers.get("location")]).toEqual([303, "/agents/helper"]);
    expect(existsSync(join(root, "its folder"))).toBe(true);
    expect([unnamed.status, unnamed.headers.get("location")]).toEqual([303, "/agents/second"]);
    expect(existsSync(join(root, "second"))).toBe(true);
  });

  test("mistakes come back beside their fields, with all that was typed, and leave nothing behind", async () => {
    const answer = await post("/agents", {
      ...complete,
      id: "Not <ok>",
      root,
      newFolder: "never-made",
      model: "-dangerous",
      systemPrompt: "Be </textarea> kind.",
    });

    const html = await answer.text();
    expect(answer.status).toBe(422);
    expect(html).toContain('value="Not &lt;ok&gt;"');
    expect(html).toContain('aria-describedby="field-id-hint field-id-problem"');
    expect(html).toContain('id="field-model-problem"');
    expect(html).toContain("Be &lt;/textarea&gt; kind.");
    expect(existsSync(join(root, "never-made"))).toBe(false);
  });

  test.each([
    ["outside every workspace", "/etc", "field-folder-problem"],
    ["that isn't there", "/nowhere/at/all", "field-folder-problem"],
    ["that is no path", "somewhere", "field-folder-problem"],
  ])("a folder %s is refused beside its field", async (_, folder, problem) => {
    const answer = await post("/agents", { ...complete, id: "third", place: "existing", folder, root });

    expect(answer.status).toBe(422);
    expect(await answer.text()).toContain(`id="${problem}"`);
  });

  test.each([
    ["a path, and a new folder is chosen", { place: "new", folder: "/some/where" }, "field-folder-problem"],
    [
      "a name, and another folder is chosen",
      { place: "existing", newFolder: "x" },
      "field-newFolder-problem",
    ],
  ])("what was typed beside the other choice of folders is asked about: %s", async (_, fields, problem) => {
    const answer = await post("/agents", { ...complete, id: "unsure", root, ...fields });

    expect(answer.status).toBe(422);
    expect(await answer.text()).toContain(`id="${problem}"`);
  });

  test("all problems stand in a summary that has the focus and leads to the fields", async () => {
    const answer = await post("/agents", { ...complete, id: "", timeout: "soon", root });

    const html = await answer.text();
    const summary = /<div class="problem-summary".*?<\/div>/s.exec(html)?.[0] ?? "";
    expect(summary).toContain('role="alert" tabindex="-1" autofocus');
    expect(summary).toContain("2 problems");
    expect(summary).toContain('<a href="#field-id">Name</a>');
    expect(summary).toContain('<a href="#field-timeout">Time limit of a run</a>');
    expect(html).toContain("<title>Problem: New agent");
  });

  test.each([
    ["timeout", "30", "A number and its unit are needed"],
    ["timeout", "25 h", "from 1 s to 24 h"],
    ["memoryLimit", "63", "from 64 to 1,048,576"],
    ["memoryLimit", "a lot", "from 64 to 1,048,576"],
    ["mcpConfigPath", "servers.json", "begins with /"],
    ["metadata", "{team: web}", "JSON"],
    ["metadata", '["a list"]', "Allowed"],
    ["model", "two words", "letters, digits"],
    ["cli", "", "Choose one"],
    ["permissionMode", "god", "Choose one"],
  ])("%s can't be %p, is told so and keeps what was typed", async (field, typed, message) => {
    const answer = await post("/agents", { ...complete, id: "wrong", root, [field]: typed });

    const html = await answer.text();
    const problem = new RegExp(`id="field-${field}-problem">(.*?)<`).exec(html)?.[1];
    expect(answer.status).toBe(422);
    expect(problem).toContain(message);
    expect(html).toContain(
      field === "cli" || field === "permissionMode" ? `#field-${field}` : Bun.escapeHTML(typed),
    );
    expect((await server.fetch("/api/agents/wrong")).status).toBe(404);
  });

  test("everything that can be typed arrives as it was meant", async () => {
    const typed = {
      model: "opus[1m]",
      systemPrompt: "\r\nBe kind.\r\n",
      timeout: "1.5 h",
      memoryLimit: "512",
      mcpConfigPath: "/etc/servers.json",
      metadata: '{"team": {"name": "<web>"}}',
    };

    const answer = await post("/agents", { ...complete, ...typed, id: "full", root, permissionMode: "read" });

    expect(answer.headers.get("location")).toBe("/agents/full");
    expect(await (await server.fetch("/api/agents/full")).json()).toMatchObject({
      permissionMode: "read",
      model: "opus[1m]",
      systemPrompt: "\nBe kind.\n",
      timeoutMs: 5_400_000,
      memoryLimitMb: 512,
      mcpConfigPath: "/etc/servers.json",
      metadata: { team: { name: "<web>" } },
    });
  });

  test("the form chooses the CLI that its address names, and explains one that isn't there", async () => {
    const html = await (await server.fetch("/agents/new?cli=claude")).text();

    expect(html).toMatch(/<input [^>]*value="claude" checked/);
    expect(html).toContain("not found on this machine");
    expect(html).toContain("npm install -g @anthropic-ai/claude-code");
  });

  test("an agent for a CLI that isn't there yet can be made", async () => {
    const answer = await post("/agents", { ...complete, id: "patient", cli: "claude", root });

    expect(answer.headers.get("location")).toBe("/agents/patient");
  });

  test("an agent called new has its page, and the form has its own address beside it", async () => {
    const before = await (await server.fetch("/agents/new")).text();
    await post("/agents", { ...complete, id: "new", root });

    const agent = await (await server.fetch("/agents/new")).text();
    const form = await (await server.fetch("/agents/new?cli=demo")).text();

    expect(before).toContain("<h1>New agent</h1>");
    expect(agent).toContain("<h1>new</h1>");
    expect(form).toContain("<h1>New agent</h1>");
  });

  test("a name that is taken is refused beside the name", async () => {
    await post("/agents", { ...complete, id: "taken", root });

    const answer = await post("/agents", { ...complete, id: "taken", root, newFolder: "another" });

    expect(answer.status).toBe(422);
    expect(await answer.text()).toContain('id="field-id-problem"');
    expect(existsSync(join(root, "another"))).toBe(false);
  });

  test("folders are suggested as they are typed", async () => {
    const suggestions = await server.fetch(`/fragments/folders?folder=${encodeURIComponent(`${root}/pro`)}`);

    expect(await suggestions.text()).toBe(`<option value="${root}/project"></option>`);
  });

  test("an empty message is refused and an unknown agent is not found", async () => {
    await post("/agents", { ...complete, id: "listener", root });

    const empty = await post("/agents/listener/turns", { prompt: "   " });
    const nobody = await post("/agents/nobody/turns", { prompt: "hello" });

    expect(empty.status).toBe(422);
    expect(await empty.text()).toContain("The message is empty.");
    expect(nobody.status).toBe(404);
  });

  test("the same form sent twice is one message; with another text it is refused and kept", async () => {
    await post("/agents", { ...complete, id: "careful", root });
    const key = "a-key-of-the-form";

    const statuses = [];
    for (const prompt of ["code", "code"])
      statuses.push((await post("/agents/careful/turns", { prompt, key })).status);
    const changed = await post("/agents/careful/turns", { prompt: "other words", key });

    const runs = (await (await server.fetch("/api/runs?agentId=careful")).json()) as { items: unknown[] };
    expect(statuses).toEqual([303, 303]);
    expect(runs.items).toHaveLength(1);
    expect(changed.status).toBe(422);
    expect(await changed.text()).toContain(">other words</textarea>");
  });

  test("line ends of a form reach the agent as people mean them", async () => {
    await post("/agents", { ...complete, id: "liner", root });

    await post("/agents/liner/turns", { prompt: "code\r\nand more" });

    const runs = (await (await server.fetch("/api/runs?agentId=liner")).json()) as {
      items: { promptPreview: string }[];
    };
    expect(runs.items.map(({ promptPreview }) => promptPreview)).toEqual(["code\nand more"]);
  });

  test("a second demo agent gets the next free name and folder", async () => {
    const first = await post("/demo-agent", {});
    const second = await post("/demo-agent", {});

    expect(first.headers.get("location")).toBe("/agents/demo");
    expect(second.headers.get("location")).toBe("/agents/demo-2");
    expect(existsSync(join(root, "headway-demo-2"))).toBe(true);
  });

  test("htmx is told of a refusal by a fragment, a browser by a page", async () => {
    const path = "/runs/run_none/cancel";

    const fragment = await server.fetch(path, { method: "POST", headers: { "hx-request": "true" } });
    const page = await post(path, {});

    expect([fragment.status, page.status]).toEqual([404, 404]);
    expect(await fragment.text()).toStartWith('<p class="problem">');
    expect(await page.text()).toStartWith("<!doctype html>");
  });
});
