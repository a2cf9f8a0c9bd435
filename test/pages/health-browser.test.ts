import { describe, expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { violations } from "../helpers/axe.ts";
import { openBrowser, withoutBrowser } from "../helpers/browser.ts";
import { expectJson } from "../helpers/http.ts";
import { startServer, type TestServer } from "../helpers/server-process.ts";
import { fakeClaude } from "../helpers/test-app.ts";

/** A server with an agent whose service asks for a login, whenever it is asked to. */
async function withStranger(): Promise<TestServer> {
  const server = await startServer({ env: { HEADWAY_CLAUDE_PATH: fakeClaude } });
  await expectJson(server.fetch, 201, "POST", "/api/agents", {
    body: { id: "stranger", cli: "claude", cwd: server.workspace },
  });
  return server;
}

async function openItsBreaker({ fetch }: TestServer): Promise<void> {
  await fetch("/api/agents/stranger/execute", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ prompt: "error-401" }),
  });
}

/** Tells a page that was changed from one that was loaded anew. */
const mark = (page: Page) => page.evaluate("window.stillTheSamePage = true");
const isMarked = (page: Page) => page.evaluate("window.stillTheSamePage === true");

describe.skipIf(withoutBrowser)("the health page in a browser", () => {
  test("tells by itself of a breaker that opens, and has it closed with the keyboard", async () => {
    await using server = await withStranger();
    await using browser = await openBrowser();
    const page = await browser.context.newPage();
    await page.goto(server.loginUrl);
    await page.goto(`${server.url}/health`);
    await page.locator("text=All is well").waitFor();
    await mark(page);

    await openItsBreaker(server);
    await page.locator("article.concern >> text=stranger").first().waitFor();
    const summary = await page.locator("#health-summary").innerText();
    const nav = await page.locator("nav[aria-label=Main] a[href='/health']").innerText();
    const barriers = await violations(page);
    await page.getByRole("button", { name: "Try again now (stranger)" }).focus();
    await page.keyboard.press("Enter");
    await page.locator("text=No breaker is open").waitFor();

    expect(summary).toBe("Circuit breaker open: stranger.");
    expect(nav.replace(/\s+/g, " ")).toMatch(/^Health\b.*1 !/);
    expect(barriers).toEqual([]);
    expect(await page.locator("#health-summary").innerText()).toContain("All is well");
    expect(await page.locator("#health-mark").innerText()).toBe("");
    expect(await isMarked(page)).toBe(true);
  });

  test("keeps what is unfolded unfolded while it changes", async () => {
    await using server = await withStranger();
    await using browser = await openBrowser();
    await openItsBreaker(server);
    const page = await browser.context.newPage();
    await page.goto(server.loginUrl);
    await page.goto(`${server.url}/health`);
    await page.click("text=What the breakers did");

    await server.fetch("/api/agents/stranger/breaker/reset", { method: "POST" });

    await page.locator("details[open] >> text=closed by hand").waitFor();
  });
});

describe.skipIf(withoutBrowser)("the chat of an agent that takes no messages", () => {
  test("says so when it begins, keeps what is typed when it is refused, and takes it when the breaker is closed", async () => {
    await using server = await withStranger();
    await using browser = await openBrowser();
    const page = await browser.context.newPage();
    await page.goto(server.loginUrl);
    await page.goto(`${server.url}/agents/stranger`);
    await mark(page);

    await openItsBreaker(server);
    await page.locator("#agent-trouble >> text=is open").waitFor();
    await page.fill("#composer-text", "hello");
    await page.click(".composer button.primary");
    await page.locator("#problem .problem").waitFor();
    const refused = await page.inputValue("#composer-text");
    const notice = await page.locator("#composer-notice").innerText();
    await page.click("#agent-trouble button");
    await page.locator("#agent-trouble").waitFor({ state: "hidden" });
    await page.click(".composer button.primary");
    await page.locator(".turn.answer.state-succeeded").waitFor();

    expect(refused).toBe("hello");
    expect(notice).toContain("stranger takes no messages now.");
    expect(await page.locator("#composer-notice").innerText()).toBe("");
    expect(await isMarked(page)).toBe(true);
  });
});

describe.skipIf(withoutBrowser)("without JavaScript", () => {
  test("a breaker is closed, and an agent comes out of quarantine", async () => {
    await using server = await withStranger();
    await using browser = await openBrowser({ javaScriptEnabled: false });
    await openItsBreaker(server);
    const page = await browser.context.newPage();
    const press = (name: string) =>
      Promise.all([page.waitForEvent("load"), page.getByRole("button", { name }).click()]);
    await page.goto(server.loginUrl);

    await page.goto(`${server.url}/health`);
    await press("Try again now (stranger)");
    const closed = await page.locator("#health-breakers").innerText();
    using database = new Database(join(server.dataDir, "headway.db"));
    database.run("update agents set quarantined_at = 1 where id = 'stranger'");
    await page.reload();
    await press("Check again (stranger)");

    expect(closed).toContain("No breaker is open.");
    expect(await page.locator("#problem").innerText()).toContain("stranger is free");
    expect(await page.locator("#health-quarantine").innerText()).toContain("No agent is in quarantine.");
    expect(await page.locator("#health-summary").innerText()).toContain("All is well");
  });
});
