import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { join } from "node:path";
import type { Agent } from "../../src/domain/agent.ts";
import { startApp, type TestApp } from "../helpers/test-app.ts";
import { waitFor } from "../helpers/wait.ts";

/** The row of an agent on the board, without the tags. */
async function textOfRow(app: TestApp, agentId: string): Promise<string> {
  const html = await (await app.fetch("/")).text();
  const row = new RegExp(`<li [^>]*id="agent-row-${agentId}">.*?</li>`, "s").exec(html)?.[0] ?? "";
  return row
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ")
    .trim();
}

async function pageOf(app: TestApp, path = "/"): Promise<string> {
  const answer = await app.fetch(path);
  expect(answer.status).toBe(200);
  return answer.text();
}

describe("the board without scripts", () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp();
  });
  afterAll(() => app[Symbol.asyncDispose]());

  const makeAgent = (id: string, settings: Record<string, unknown> = {}): Promise<Agent> =>
    app.makeAgent({ id, ...settings });

  test("shows an agent at rest with all that it is set to", async () => {
    await makeAgent("resting", { model: "opus[1m]", permissionMode: "read" });

    const row = await textOfRow(app, "resting");

    expect(row).toBe(`resting idle Claude Code 2.1.330 · headless · Read · opus[1m] · ${app.workspace}`);
  });

  test("shows what a running agent is at, since when, and how many messages wait", async () => {
    await makeAgent("busy");
    const run = await app.submit("busy", "tool=sleep 60");
    await app.submit("busy", "and this");

    const row = await waitFor(
      async () => {
        const text = await textOfRow(app, "busy");
        return text.includes("Bash") && text;
      },
      { what: "the tool on the board" },
    );

    const { startedAt } = await app.waitForState(run.id, "running");
    expect(row).toContain(`busy running since ${startedAt?.slice(11, 19)} UTC Bash sleep 60 1 waiting`);
    expect(await pageOf(app)).toMatch(/1 running, 1 waiting/);
    await app.fetch("/api/agents/busy/cancel", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ queued: true }),
    });
  });

  test("shows the last line that was said, and when", async () => {
    await makeAgent("talker");
    const run = await app.run("talker", "hello there");

    const row = await textOfRow(app, "talker");

    expect(row).toContain("You said: hello there");
    expect(row).toContain(run.endedAt!.slice(11, 19));
  });

  test("shows a failure in plain words, and leads to its run", async () => {
    await makeAgent("failing");
    const run = await app.run("failing", "exit=3");

    const html = await pageOf(app);

    expect(await textOfRow(app, "failing")).toContain("failed The CLI ended with an error and no result.");
    expect(html).toContain(`href="/runs/${run.id}"`);
  });

  test("shows that somebody has to sign in, and how", async () => {
    await makeAgent("stranger");
    await app.run("stranger", "error-401");

    expect(await textOfRow(app, "stranger")).toMatch(
      /needs sign-in .* claude auth login It takes no messages until .* UTC . See the run Try again now/,
    );
  });

  test("shows an agent whose processes could not be ended", async () => {
    await makeAgent("haunted");
    const database = new Database(join(app.dataDir, "headway.db"));
    database.run("update agents set quarantined_at = 1 where id = 'haunted'");
    database.close();

    expect(await textOfRow(app, "haunted")).toContain("quarantined Processes of an earlier run");
  });

  test("begins with what needs a person", async () => {
    const html = await pageOf(app);

    const ids = [...html.matchAll(/id="agent-row-([\w-]+)"/g)].map(([, id = ""]) => id);
    expect(ids.slice(0, 3).toSorted()).toEqual(["failing", "haunted", "stranger"]);
    expect(html).toContain("1 failed, 1 needs a person, 1 quarantined");
  });

  test("keeps hostile values from being anything but text", async () => {
    const hostile = `<img src=x onerror=alert(1)> hx-get="/x"`;
    await makeAgent("hostile", { metadata: { [hostile]: hostile }, systemPrompt: hostile });
    await app.run("hostile", `say ${hostile}`);

    const html = await pageOf(app);

    expect(html).toContain("&lt;img src=x onerror=alert(1)&gt; hx-get=&quot;/x&quot;");
    expect(html).not.toContain("<img src=x");
  });
});

describe("without any agent", () => {
  test("the page says what Headway is for and what was found, and leads to the first agent", async () => {
    await using app = await startApp();

    // A page doesn't wait long for a program to tell its version.
    const html = await waitFor(
      async () => {
        const page = await pageOf(app);
        return page.includes("2.1.330") && page;
      },
      { what: "the version on the page" },
    );

    expect(html).toContain("Welcome to Headway");
    expect(html).toContain('href="/agents/new?cli=claude"');
    expect(html).toContain("Containment");
  });

  test("the page says what is missing and how to get it", async () => {
    await using app = await startApp({ env: { HEADWAY_CLAUDE_PATH: "/nowhere/claude" } });

    const html = await pageOf(app);

    expect(html).toContain("npm install -g @anthropic-ai/claude-code");
    expect(html).toContain('href="/agents/new?cli=demo"');
  });
});

describe("very many agents", () => {
  test("are shown the newest 200 first, and the others on a page that leads back", async () => {
    await using app = await startApp();
    for (let number = 0; number < 201; number += 1) await app.makeAgent({ id: `a${number}`, cli: "demo" });

    const newest = await pageOf(app);
    const path = /href="(\/\?cursor=[^"]+)"/.exec(newest)?.[1] ?? "";
    const older = await pageOf(app, path);
    await app.fetch("/api/agents/a0", { method: "DELETE" });
    const gone = await app.fetch(path);

    expect(newest.match(/id="agent-row-/g)).toHaveLength(200);
    expect(newest).toContain("These are 200 agents");
    expect(older.match(/id="agent-row-/g)).toHaveLength(1);
    expect(older).toContain('id="agent-row-a0"');
    expect(older).not.toContain("data-view");
    expect([gone.status, gone.headers.get("location")]).toEqual([303, "/"]);
  });
});
