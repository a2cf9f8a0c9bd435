import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, rmdirSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Agent } from "../../src/domain/agent.ts";
import { appOrigin, startApp, type TestApp } from "../helpers/test-app.ts";

/** The fields of the settings form as a browser would send them back, each text as it stands there. */
function fieldsOf(html: string): Record<string, string> {
  const form = /<form method="post" action="[^"]*\/settings".*?<\/form>/s.exec(html)?.[0] ?? "";
  const fields: Record<string, string> = {};
  for (const [tag] of form.matchAll(/<input [^>]*>/g)) {
    const attribute = (name: string) => new RegExp(` ${name}="([^"]*)"`).exec(tag)?.[1];
    const isLeftOut = attribute("type") === "radio" && !/ checked/.test(tag);
    if (!isLeftOut) fields[attribute("name") ?? ""] = unescape(attribute("value") ?? "");
  }
  for (const [, name = "", text = ""] of form.matchAll(
    /<textarea [^>]*name="(\w+)"[^>]*>(.*?)<\/textarea>/gs,
  )) {
    fields[name] = unescape(text.replace(/^\n/, "")).replaceAll("\n", "\r\n");
  }
  fields["root"] = unescape(/<option value="([^"]*)" selected/.exec(form)?.[1] ?? "");
  return fields;
}

function unescape(text: string): string {
  return text
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
}

describe("an agent's settings", () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp();
  });
  afterAll(() => app[Symbol.asyncDispose]());

  const htmlOf = async (path: string) => (await app.fetch(path)).text();
  const agentOf = async (id: string) => (await (await app.fetch(`/api/agents/${id}`)).json()) as Agent;
  const post = (path: string, fields: Record<string, string>) =>
    app.fetch(path, { method: "POST", body: new URLSearchParams(fields), headers: { origin: appOrigin } });
  const change = async (id: string, changes: Record<string, string>) => {
    const path = `/agents/${id}/settings`;
    return post(path, { ...fieldsOf(await htmlOf(path)), ...changes });
  };

  test("are saved, and the page says so and shows them", async () => {
    await app.makeAgent({ id: "changing" });

    const answer = await change("changing", {
      model: "haiku",
      permissionMode: "read",
      systemPrompt: "Be kind.",
      timeout: "90 s",
      memoryLimit: "1024",
      metadata: '{"team": "web"}',
    });

    expect([answer.status, answer.headers.get("location")]).toEqual([
      303,
      "/agents/changing/settings?saved=1",
    ]);
    expect(await agentOf("changing")).toMatchObject({
      model: "haiku",
      permissionMode: "read",
      systemPrompt: "Be kind.",
      timeoutMs: 90_000,
      memoryLimitMb: 1024,
      metadata: { team: "web" },
    });
    const page = await htmlOf("/agents/changing/settings?saved=1");
    expect(page).toContain('role="status">Saved.');
    expect(fieldsOf(page)).toMatchObject({ model: "haiku", timeout: "90 s", systemPrompt: "Be kind." });
  });

  test("where it may write can be changed, and is shown", async () => {
    await app.makeAgent({ id: "limited" });

    const before = fieldsOf(await htmlOf("/agents/limited/settings"))["filePolicy"];
    const answer = await change("limited", { filePolicy: "workspace" });
    const after = fieldsOf(await htmlOf("/agents/limited/settings"))["filePolicy"];
    const nonsense = await change("limited", { filePolicy: "everywhere" });

    // As tests of containment do, this one needs bwrap.
    expect([answer.status, before, after]).toEqual([303, "open", "workspace"]);
    expect(nonsense.status).toBe(422);
    expect(await nonsense.text()).toContain("Where it may write");
    expect(await agentOf("limited")).toMatchObject({ filePolicy: "workspace" });
  });

  test("saved as they are shown stay as they are, whatever is in them", async () => {
    const settings = {
      systemPrompt: '\n\n</textarea><b>\r lone, "quotes" &amp; all\n',
      mcpConfigPath: "/etc/with\nline end.json",
      timeoutMs: 86_399_999,
      memoryLimitMb: 64,
      metadata: { "<b>": ["</textarea>", { deep: null }] },
    };
    const before = await app.makeAgent({ id: "odd", ...settings });

    const answer = await change("odd", {});

    const { updatedAt: _, ...after } = await agentOf("odd");
    expect(answer.status).toBe(303);
    expect(after).toEqual(expect.objectContaining(settings));
    expect(after.cwd).toBe(before.cwd);
  });

  test("can be emptied again", async () => {
    await app.makeAgent({
      id: "emptied",
      model: "haiku",
      systemPrompt: "x",
      timeoutMs: 5_000,
      metadata: { a: 1 },
    });

    await change("emptied", { model: "", systemPrompt: "", timeout: "", metadata: "" });

    expect(await agentOf("emptied")).toMatchObject({
      model: null,
      systemPrompt: null,
      timeoutMs: null,
      metadata: {},
    });
  });

  test("that can't be are told beside their fields, and nothing is saved or lost", async () => {
    await app.makeAgent({ id: "mistaken" });

    const answer = await change("mistaken", { model: "-x", permissionMode: "read", metadata: "{not json" });

    const html = await answer.text();
    expect(answer.status).toBe(422);
    expect(html).toContain('<a href="#field-model">Model</a>');
    expect(html).toContain('id="field-metadata-problem"');
    expect(fieldsOf(html)).toMatchObject({ model: "-x", permissionMode: "read", metadata: "{not json" });
    expect((await agentOf("mistaken")).permissionMode).toBe("edit");
  });

  test("can give an agent another folder, and one that is gone hinders no other change", async () => {
    const gone = join(dirname(app.workspace), "gone");
    mkdirSync(gone);
    await app.makeAgent({ id: "mover", cwd: gone });
    rmdirSync(gone);

    const kept = await change("mover", { model: "haiku" });
    const outside = await change("mover", { folder: "/etc" });
    const moved = await change("mover", { place: "new", newFolder: "moved here" });

    expect([kept.status, outside.status, moved.status]).toEqual([303, 422, 303]);
    expect(await outside.text()).toContain('id="field-folder-problem"');
    expect(await agentOf("mover")).toMatchObject({
      model: "haiku",
      cwd: join(dirname(app.workspace), "moved here"),
    });
  });

  test("that somebody else has changed meanwhile aren't undone without a word", async () => {
    await app.makeAgent({ id: "shared" });
    const older = fieldsOf(await htmlOf("/agents/shared/settings"));
    await change("shared", { model: "opus" });

    const refused = await post("/agents/shared/settings", { ...older, model: "haiku" });
    const html = await refused.text();
    const again = await post("/agents/shared/settings", fieldsOf(html));

    expect(refused.status).toBe(409);
    expect(html).toContain("changed since this page was opened");
    expect(again.status).toBe(303);
    expect((await agentOf("shared")).model).toBe("haiku");
  });

  test("of an agent that isn't there are not found", async () => {
    expect((await app.fetch("/agents/nobody/settings")).status).toBe(404);
    expect((await post("/agents/nobody/settings", {})).status).toBe(404);
  });
});

describe("what ends a conversation or an agent", () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp();
  });
  afterAll(() => app[Symbol.asyncDispose]());

  const post = (path: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
    app.fetch(path, {
      method: "POST",
      body: new URLSearchParams(fields),
      headers: { origin: appOrigin, ...headers },
    });

  test("is done at once while nothing runs", async () => {
    await app.makeAgent({ id: "quiet" });
    await app.run("quiet", "hello");

    const ended = await post("/agents/quiet/end-session", { from: "settings" });
    const conversation = await app.fetch("/api/agents/quiet/conversation");
    const deleted = await post("/agents/quiet/delete", { from: "settings" });

    expect([ended.status, ended.headers.get("location")]).toEqual([303, "/agents/quiet"]);
    expect(conversation.status).toBe(404);
    expect([deleted.status, deleted.headers.get("location")]).toEqual([303, "/"]);
    expect((await app.fetch("/api/agents/quiet")).status).toBe(404);
  });

  test.each([
    ["end-session", "endSession", "/agents/busy"],
    ["delete", "delete", "/"],
  ])(
    "is refused beside its button while something runs, and done by force: %s",
    async (deed, field, next) => {
      await app.makeAgent({ id: "busy" });
      const run = await app.submit("busy", "forever");
      await app.waitForState(run.id, "running");

      const refused = await post(`/agents/busy/${deed}`, { from: "settings" });
      const html = await refused.text();
      const forced = await post(`/agents/busy/${deed}`, { from: "settings", force: "yes" });

      expect(refused.status).toBe(409);
      expect(html).toContain(`href="#field-${field}"`);
      expect(html).toContain(`id="field-${field}-problem"`);
      expect(html).toContain("(1 run in progress)");
      expect([forced.status, forced.headers.get("location")]).toEqual([303, next]);
      expect((await app.waitForState(run.id, "cancelled")).state).toBe("cancelled");
      await app.fetch("/api/agents/busy", { method: "DELETE" });
    },
  );

  test("tells htmx by a fragment and everybody else by a page", async () => {
    await app.makeAgent({ id: "chatting" });
    const run = await app.submit("chatting", "forever");
    await app.waitForState(run.id, "running");

    const fragment = await post("/agents/chatting/end-session", {}, { "hx-request": "true" });
    const page = await post("/agents/chatting/end-session", {});

    expect([fragment.status, page.status]).toEqual([409, 409]);
    expect(await fragment.text()).toStartWith('<p class="problem">');
    expect(await page.text()).toStartWith("<!doctype html>");
    await app.fetch(`/api/runs/${run.id}/cancel`, { method: "POST" });
  });
});
