import { describe, expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { isTooWide, violations } from "../helpers/axe.ts";
import { countStreams } from "../helpers/live-stream.ts";
import { openBrowser, watchForTrouble, withoutBrowser } from "../helpers/browser.ts";
import { expectJson } from "../helpers/http.ts";
import { startServer, type TestServer } from "../helpers/server-process.ts";
import { fakeClaude } from "../helpers/test-app.ts";
import { waitFor } from "../helpers/wait.ts";

const withClaude = (env: Record<string, string> = {}) =>
  startServer({ env: { HEADWAY_CLAUDE_PATH: fakeClaude, ...env } });

async function makeAgent(server: TestServer, id: string, more: Record<string, unknown> = {}): Promise<void> {
  const body = { id, cli: "claude", cwd: server.workspace, ...more };
  await expectJson(server.fetch, 201, "POST", "/api/agents", { body });
}

function execute(server: TestServer, agentId: string, prompt: string, prefer = ""): Promise<Response> {
  return server.fetch(`/api/agents/${agentId}/execute`, {
    method: "POST",
    headers: { "content-type": "application/json", prefer },
    body: JSON.stringify({ prompt }),
  });
}

const idsOf = (page: Page) =>
  page
    .locator("#agent-rows > li")
    .evaluateAll((rows) => rows.map((row) => row.id.slice("agent-row-".length)));

describe.skipIf(withoutBrowser)("the board in a browser", () => {
  test("follows what agents do, comes and goes with them, and moves no row and no focus", async () => {
    await using server = await withClaude();
    await using browser = await openBrowser();
    await makeAgent(server, "anna");
    await makeAgent(server, "ben");
    const page = await browser.context.newPage();
    const trouble = watchForTrouble(page, server.url);
    await page.goto(server.loginUrl);
    const rowOf = (id: string) => page.locator(`#agent-row-${id}`);
    await page.focus("#agent-row-anna .agent-name");
    await waitFor(async () => (await countStreams(server.fetch)) === 1, { what: "the page to be live" });

    await execute(server, "anna", "tool=sleep 60", "respond-async");
    await execute(server, "anna", "and this", "respond-async");
    await rowOf("anna").locator("text=sleep 60").waitFor();
    await rowOf("anna").locator("text=1 waiting").waitFor();
    await page.locator("text=2 agents: 1 running, 1 waiting").waitFor();
    const elapsed = await rowOf("anna").locator(".elapsed").innerText();
    await makeAgent(server, "carl");
    await rowOf("carl").waitFor();
    await execute(server, "ben", "exit=3");
    await rowOf("ben").locator("text=failed").waitFor();

    expect(await idsOf(page)).toEqual(["ben", "anna", "carl"]);
    expect(elapsed).toMatch(/^[\d:]+( s)?$/);
    expect(await page.evaluate("document.activeElement.textContent.trim()")).toBe("anna");
    await server.fetch("/api/agents/carl", { method: "DELETE" });
    await rowOf("carl").waitFor({ state: "detached" });
    expect(trouble).toEqual([]);
  }, 30_000);

  test("turns into a board when the first agent is made elsewhere", async () => {
    await using server = await withClaude();
    await using browser = await openBrowser();
    const page = await browser.context.newPage();
    await page.goto(server.loginUrl);

    await makeAgent(server, "anna");

    await page.locator("#agent-row-anna").waitFor();
    expect(await page.locator("h1").innerText()).toBe("Agents");
  }, 30_000);

  test("leads from a row to its agent, and from a failure to its run", async () => {
    await using server = await withClaude();
    await using browser = await openBrowser();
    await makeAgent(server, "anna");
    await execute(server, "anna", "exit=3");
    const page = await browser.context.newPage();
    await page.goto(server.loginUrl);

    await page.click("text=The CLI ended with an error");
    await page.waitForURL("**/runs/run_*");
    await page.goBack();
    // Anywhere in the row, far from the name.
    await page.click("#agent-row-anna", { position: { x: 700, y: 8 } });

    await page.waitForURL("**/agents/anna");
  }, 30_000);
});

/** Agents in all the states there are. */
async function fillBoard(server: TestServer): Promise<void> {
  for (const id of ["idle", "talker", "busy", "failing", "stranger", "haunted"]) await makeAgent(server, id);
  await makeAgent(server, "unbroken".repeat(7), { cli: "demo", model: "m".repeat(128) });
  await execute(server, "talker", "unbroken".repeat(60));
  await execute(server, "failing", "exit=3");
  await execute(server, "stranger", "error-401");
  await execute(server, "busy", `tool=sleep 60; echo ${"unbroken".repeat(60)}`, "respond-async");
  await execute(server, "busy", "this one waits", "respond-async");
  const database = new Database(join(server.dataDir, "headway.db"));
  database.run("update agents set quarantined_at = 1 where id = 'haunted'");
  database.close();
  await waitFor(async () => (await (await server.fetch("/")).text()).includes("sleep 60"), {
    what: "the tool",
  });
}

describe.skipIf(withoutBrowser)("the pages about agents, to everybody", () => {
  test("have no barriers that axe knows of, and fit telephone and desktop", async () => {
    await using server = await withClaude();
    await using bare = await withClaude({ HEADWAY_CLAUDE_PATH: "/nowhere/claude" });
    await using browser = await openBrowser();
    const page = await browser.context.newPage();
    const found: Record<string, unknown> = {};
    const check = async (name: string) => {
      for (const width of [360, 1_280]) {
        await page.setViewportSize({ width, height: 800 });
        found[`${name} ${width}`] = { violations: await violations(page), isTooWide: await isTooWide(page) };
      }
    };

    await page.goto(bare.loginUrl);
    await check("nothing found");
    await page.goto(server.loginUrl);
    await check("first run");
    await fillBoard(server);
    await page.goto(server.url);
    await check("board");
    await page.goto(`${server.url}/agents/new?cli=claude`);
    await page.fill("[name=id]", "Wrong Name");
    await page.click("text=More: limits");
    await page.fill("[name=metadata]", "unbroken".repeat(60));
    await Promise.all([page.waitForEvent("load"), page.click("text=Create agent")]);
    await check("create with problems");
    await page.goto(`${server.url}/agents/busy/settings?saved=1`);
    await check("settings saved");
    await Promise.all([page.waitForEvent("load"), page.click("text=Delete busy")]);
    await check("delete refused");

    const fine = { violations: [], isTooWide: false };
    expect(Object.keys(found)).toHaveLength(12);
    expect(found).toEqual(Object.fromEntries(Object.keys(found).map((name) => [name, fine])));
  }, 120_000);
});
