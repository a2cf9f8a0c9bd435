import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { join } from "node:path";
import { startApp, type TestApp } from "../helpers/test-app.ts";

/** What a page says, without tags, from where a text stands on. */
async function textOf(app: TestApp, path: string): Promise<string> {
  const answer = await app.fetch(path);
  expect(answer.status).toBe(200);
  const html = await answer.text();
  return html
    .slice(html.indexOf("<body"))
    .replace(/<[^>]*>/g, " ")
    .replaceAll("&#39;", "'")
    .replace(/\s+/g, " ");
}

function send(app: TestApp, path: string, fields: Record<string, string> = {}, headers = {}) {
  return app.fetch(path, { method: "POST", body: new URLSearchParams(fields), headers });
}

function quarantine({ dataDir }: TestApp, agentId: string): void {
  using database = new Database(join(dataDir, "headway.db"));
  database.run("update agents set quarantined_at = 1 where id = ?", [agentId]);
}

describe("the health page", () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp({ env: { HEADWAY_MAX_RUNS: "7", HEADWAY_BREAKER_PAUSE_MS: "90000" } });
  });
  afterAll(() => app[Symbol.asyncDispose]());

  test("says that all is well, and what holds here", async () => {
    const text = await textOf(app, "/health");

    expect(text).toContain("All is well: nothing needs you.");
    expect(text).toContain("Runs in progress 0 of 7");
    expect(text).toContain("Queued runs per agent. HEADWAY_QUEUE_LIMIT 200");
    expect(text).toContain("HEADWAY_BREAKER_PAUSE_MS 90 s");
    expect(text).toMatch(/[\d.,]+ GiB free on its disk/);
  });

  test("shows an open breaker, as the agent's own pages do, and every page says that something is the matter", async () => {
    await app.makeAgent({ id: "stranger" });

    await app.run("stranger", "error-401");

    const health = await textOf(app, "/health");
    expect(health).toContain("Circuit breaker open: stranger.");
    expect(health).toMatch(/stranger open .* It takes no messages until .* UTC ; then one is let through/);
    expect(health).toContain("closed → open, the CLI was not signed in ( auth_required )");
    for (const path of ["/agents/stranger", "/agents/stranger/settings"]) {
      expect(await textOf(app, path)).toContain("The circuit breaker of stranger is open.");
    }
    expect(await textOf(app, "/agents/stranger")).toContain("stranger takes no messages now.");
    expect(await textOf(app, "/agents/stranger")).toContain("breaker open");
    expect(await textOf(app, "/conversations")).toContain("Health : 1 ! needs attention");
  });

  test("keeps what was typed for an agent that takes no messages", async () => {
    const answer = await send(app, "/agents/stranger/turns", { prompt: "not lost", key: "12345678" });

    expect([answer.status, answer.headers.has("retry-after")]).toEqual([503, true]);
    expect(await answer.text()).toContain(">not lost</textarea>");
  });

  test.each([
    ["health", "/health"],
    ["agent", "/agents/stranger"],
    ["settings", "/agents/stranger/settings"],
    ["board", "/"],
    ["https://elsewhere.example", "/health"],
  ])("closes a breaker by a form and leads back to %p", async (from, path) => {
    const answer = await send(app, "/agents/stranger/breaker/reset", { from });

    expect([answer.status, answer.headers.get("location")]).toEqual([303, path]);
    expect(await textOf(app, "/health")).toContain("No breaker is open.");
    expect(await textOf(app, "/agents/stranger")).not.toContain("circuit breaker");
  });

  test("leaves a page that stands still, and no other", async () => {
    const from = async (url: string) => {
      const headers = { "hx-request": "true", "hx-current-url": url };
      const answer = await send(app, "/agents/stranger/breaker/reset", { from: "board" }, headers);
      return [answer.status, answer.headers.get("hx-redirect")];
    };

    expect(await from("http://127.0.0.1/?cursor=older")).toEqual([204, "/"]);
    expect(await from("http://127.0.0.1/")).toEqual([204, null]);
  });

  test("tells in the history that somebody closed it", async () => {
    expect(await textOf(app, "/health")).toContain("stranger : open → closed, closed by hand");
  });

  test("shows who is in quarantine, and lets nothing of it go while it is only looked at", async () => {
    await app.makeAgent({ id: "haunted" });
    quarantine(app, "haunted");

    const health = await textOf(app, "/health");

    expect(health).toContain("In quarantine: haunted.");
    expect(health).toContain("haunted quarantined Since 1970-01-01 00:00:00 UTC Check again");
    expect(await textOf(app, "/agents/haunted")).toContain("haunted is in quarantine.");
  });

  test("looks at its processes again when it is asked to, and says what came of it", async () => {
    const answer = await send(app, "/agents/haunted/quarantine/recheck", { from: "health" });
    const path = answer.headers.get("location")!;

    expect([answer.status, path]).toEqual([303, "/health?checked=haunted&left=0"]);
    expect(await textOf(app, path)).toContain("haunted is free");
    expect(await textOf(app, path)).toContain("No agent is in quarantine.");
  });

  test("leads back to the agent that is free, and answers a script in place", async () => {
    quarantine(app, "haunted");
    const script = await send(app, "/agents/haunted/quarantine/recheck", {}, { "hx-request": "true" });
    quarantine(app, "haunted");
    const plain = await send(app, "/agents/haunted/quarantine/recheck", { from: "agent" });

    expect(await script.text()).toStartWith('<p class="saved">haunted is free');
    expect([plain.status, plain.headers.get("location")]).toEqual([303, "/agents/haunted"]);
  });

  test.each(["breaker/reset", "quarantine/recheck"])("knows nothing to do for nobody: %s", async (deed) => {
    const answer = await send(app, `/agents/nobody/${deed}`);

    expect(answer.status).toBe(404);
    expect(await answer.text()).toContain("No agent has this name");
  });
});

test("a sandbox that is off is a warning on every page, which leads to what that means", async () => {
  await using app = await startApp({ env: { HEADWAY_SANDBOX: "off" } });

  const html = await (await app.fetch("/")).text();

  expect(html).toMatch(/The sandbox is off\..*href="\/health#health-containment"/s);
  expect(await textOf(app, "/health")).toContain("Every run is a process group");
});
