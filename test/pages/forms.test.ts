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
  model: "",
  systemPrompt: "",
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
