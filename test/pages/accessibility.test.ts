import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { openBrowser, withoutBrowser } from "../helpers/browser.ts";
import { expectJson } from "../helpers/http.ts";
import { startServer, type TestServer } from "../helpers/server-process.ts";

const axe = readFileSync(join(import.meta.dir, "../../node_modules/axe-core/axe.min.js"), "utf8");

interface AxeResults {
  violations: { id: string; nodes: { html: string }[] }[];
}

/** What axe finds on the page, in both colour schemes. */
async function violations(page: Page): Promise<string[]> {
  const found: string[] = [];
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await page.evaluate(axe);
    const results = await page.evaluate<AxeResults>("axe.run()");
    for (const { id, nodes } of results.violations) {
      found.push(...nodes.map(({ html }) => `${colorScheme} ${id}: ${html.slice(0, 200)}`));
    }
  }
  return found;
}

const isTooWide = (page: Page) =>
  page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);

/** A conversation with all that an answer can hold. */
async function converse(server: TestServer): Promise<string> {
  await expectJson(server.fetch, 201, "POST", "/api/agents", {
    body: { id: "helper", cli: "demo", cwd: server.workspace },
  });
  const execute = (prompt: string, prefer?: string) =>
    server.fetch("/api/agents/helper/execute", {
      method: "POST",
      headers: { "content-type": "application/json", ...(prefer ? { prefer } : {}) },
      body: JSON.stringify({ prompt }),
    });
  for (const prompt of ["markdown", "code", "tool", "error", `table ${"unbroken".repeat(80)}`])
    await execute(prompt);
  await execute("slow", "respond-async");
  await execute("this one waits", "respond-async");
  const { items } = await expectJson<{ items: { id: string }[] }>(
    server.fetch,
    200,
    "GET",
    "/api/runs?state=failed",
  );
  return items[0]?.id ?? "";
}

describe.skipIf(withoutBrowser)("the pages, to everybody", () => {
  test("have no barriers that axe knows of, and fit a telephone", async () => {
    await using server = await startServer({ env: { HEADWAY_SANDBOX: "off" } });
    await using browser = await openBrowser({ viewport: { width: 360, height: 740 } });
    const runId = await converse(server);
    const page = await browser.context.newPage();
    const found: Record<string, unknown> = {};
    const check = async (name: string) => {
      found[name] = { violations: await violations(page), isTooWide: await isTooWide(page) };
    };

    await page.goto(`${server.url}/login`);
    await check("login");
    await page.goto(server.loginUrl);
    await page.click("text=Create an agent");
    await page.click("text=Model and instructions");
    await check("agents");
    await page.goto(`${server.url}/agents/helper`);
    await page.waitForSelector(".turn.live .prose");
    await page.click("text=Manage this agent");
    await page.locator(".tool summary").click();
    await check("agent");
    await page.goto(`${server.url}/runs/${runId}`);
    await check("run");
    await page.goto(`${server.url}/runs/none`);
    await check("error");

    const fine = { violations: [], isTooWide: false };
    expect(found).toEqual({ login: fine, agents: fine, agent: fine, run: fine, error: fine });
  }, 60_000);

  test("can be used with the keyboard alone", async () => {
    await using server = await startServer();
    await using browser = await openBrowser();
    const page = await browser.context.newPage();
    await page.goto(server.loginUrl);
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.textContent.trim()")).toBe("Skip to the content");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/agents/demo");

    await page.focus("#composer-text");
    await page.keyboard.type("two");
    await page.keyboard.press("Shift+Enter");
    await page.keyboard.type("lines of code");
    await page.keyboard.press("Enter");

    await page.waitForSelector(".turn.answer.state-succeeded");
    expect(await page.locator(".turn.user .said").innerText()).toBe("two\nlines of code");
    expect(await page.evaluate("document.activeElement.id")).toBe("composer-text");
  });
});
