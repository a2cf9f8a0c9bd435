import { describe, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { sendableMarkdown } from "../fixtures/hostile-markdown.ts";
import { isTooWide, violations } from "../helpers/axe.ts";
import { openBrowser, watchForTrouble, withoutBrowser } from "../helpers/browser.ts";
import { expectJson } from "../helpers/http.ts";
import { startServer, type TestServer } from "../helpers/server-process.ts";
import { fakeClaude } from "../helpers/test-app.ts";
import { waitFor } from "../helpers/wait.ts";

const unbroken = "unbroken".repeat(60);

async function startWithAgent(): Promise<TestServer> {
  const server = await startServer({
    // One of the runs is refused by the model's API: those behind it are to run all the same.
    env: {
      HEADWAY_CLAUDE_PATH: fakeClaude,
      HEADWAY_KILL_GRACE_MS: "200",
      HEADWAY_BREAKER_FAILURES: "0",
    },
  });
  const body = { id: "carl", cli: "claude", cwd: server.workspace };
  await expectJson(server.fetch, 201, "POST", "/api/agents", { body });
  return server;
}

async function submit(server: TestServer, prompt: string): Promise<string> {
  const path = "/api/agents/carl/execute";
  const headers = { prefer: "respond-async" };
  const run = await expectJson<{ id: string }>(server.fetch, 202, "POST", path, {
    body: { prompt },
    headers,
  });
  return run.id;
}

async function waitForEnd(server: TestServer, runId: string): Promise<void> {
  const endedAt = async () =>
    (await expectJson<{ endedAt: string }>(server.fetch, 200, "GET", `/api/runs/${runId}`)).endedAt;
  await waitFor(endedAt, { what: `the end of ${runId}`, deadlineMs: 20_000 });
}

/** What grows on the page, as it is read; times that are counted on are left out. */
function shownOn(page: Page) {
  return page.evaluate(() => {
    const texts = (selector: string) =>
      [...document.querySelectorAll(selector)].map((element) => (element.textContent ?? "").trim());
    return {
      rows: texts("#event-list summary"),
      steps: texts("#steps tr"),
      log: texts("#raw-log-text"),
      bars: texts(".drawing .bar"),
      head: texts("#run-head > *"),
      facts: texts("#run-facts > div"),
    };
  });
}

describe.skipIf(withoutBrowser)("the page of a run, in a browser", () => {
  test("grows while the run goes on, until it is what it is when it is loaded anew", async () => {
    await using server = await startWithAgent();
    await using browser = await openBrowser();
    const page = await browser.context.newPage();
    const trouble = watchForTrouble(page, server.url);
    await page.goto(server.loginUrl);

    const runId = await submit(server, `slow=30 tool=echo begun; sleep 1; echo '${sendableMarkdown[0]}'`);
    await page.goto(`${server.url}/runs/${runId}`);
    await page.waitForSelector(".bar.open", { state: "attached" });
    const line = page.locator("#event-list summary", { hasText: "tool.started" });
    await line.click();
    await page.waitForSelector("#run-head .state-succeeded");
    await page.waitForSelector("#steps #step-ended");
    const grown = await shownOn(page);
    const isKept = await line.evaluate(
      (summary) => summary === document.activeElement && summary.parentElement?.hasAttribute("open"),
    );
    await page.reload();

    expect(grown).toEqual(await shownOn(page));
    expect(grown.steps).toHaveLength(5);
    expect(grown.log[0]).toContain(sendableMarkdown[0]);
    expect(isKept).toBe(true);
    expect(trouble).toEqual([]);
  }, 60_000);

  test("is stopped from, and says so where the reader is", async () => {
    await using server = await startWithAgent();
    await using browser = await openBrowser();
    const page = await browser.context.newPage();
    const trouble = watchForTrouble(page, server.url);
    await page.goto(server.loginUrl);
    const runId = await submit(server, "forever");
    await page.goto(`${server.url}/runs/${runId}`);
    await page.waitForSelector("#run-head .state-running");

    await page.click("#run-head button.stop");
    await page.waitForSelector("#run-head .state-cancelled");

    expect(new URL(page.url()).pathname).toBe(`/runs/${runId}`);
    expect(await page.locator("#run-head button").innerText()).toBe("Try again");
    await page.click("#run-head button");
    await page.waitForURL((url) => url.pathname !== `/runs/${runId}`);
    expect(await page.locator(`a[href="/runs/${runId}"]`).innerText()).toBe("Repeats an earlier run");
    expect(trouble).toEqual([]);
  }, 60_000);

  test("opens at the event that an address tells, also at a piece of a text", async () => {
    await using server = await startWithAgent();
    await using browser = await openBrowser();
    const page = await browser.context.newPage();
    await page.goto(server.loginUrl);
    const runId = await submit(server, "chatty=60 slow=3");
    await waitForEnd(server, runId);

    await page.goto(`${server.url}/runs/${runId}#event-8`);

    const piece = page.locator("#event-8");
    await piece.waitFor({ state: "visible" });
    expect(await piece.evaluate((element) => element.matches("details[open] *:target"))).toBe(true);
  }, 60_000);

  test("has no barriers that axe knows of in any state, and fits a telephone", async () => {
    await using server = await startWithAgent();
    await using browser = await openBrowser({ viewport: { width: 360, height: 740 } });
    const page = await browser.context.newPage();
    const found: Record<string, unknown> = {};
    const check = async (name: string, path: string) => {
      await page.goto(`${server.url}${path}`);
      await page.evaluate(() => {
        for (const details of document.querySelectorAll("details")) details.open = true;
      });
      const seen = { violations: await violations(page), isTooWide: await isTooWide(page) };
      if (seen.violations.length > 0 || seen.isTooWide) found[name] = seen;
    };
    await page.goto(server.loginUrl);
    const done = await submit(server, `tool=seq 1 300; echo ${unbroken}`);
    const failed = await submit(server, `error-401 ${unbroken}`);
    const denied = await submit(server, "denied");
    const stopped = await submit(server, "silent");
    await waitFor(
      async () =>
        (await page.goto(`${server.url}/runs/${stopped}`)) && page.locator(".state-running").count(),
      {
        what: "the silent one to run",
        deadlineMs: 20_000,
      },
    );
    const waiting = await submit(server, "this one waits");

    await check("running", `/runs/${stopped}`);
    await check("waiting", `/runs/${waiting}`);
    await server.fetch("/api/agents/carl/cancel", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ queued: true }),
    });
    await check("stopped", `/runs/${stopped}`);
    await check("taken back", `/runs/${waiting}`);
    await check("done", `/runs/${done}`);
    await check("failed", `/runs/${failed}`);
    await check("denied", `/runs/${denied}`);
    await check("tools only", `/runs/${done}?type=tools`);
    await page.click(".steps a");
    await page.waitForURL("**/tools/*");
    await check("tool call", new URL(page.url()).pathname);

    expect(found).toEqual({});
  }, 120_000);

  test("tells everything without JavaScript, and can be stopped", async () => {
    await using server = await startWithAgent();
    await using browser = await openBrowser({ javaScriptEnabled: false });
    const page = await browser.context.newPage();
    await page.goto(server.loginUrl);
    const done = await submit(server, "tool=echo hello");
    await waitForEnd(server, done);
    const live = await submit(server, "forever");

    await page.goto(`${server.url}/runs/${done}`);
    await page.click("#event-list summary >> text=tool.started");
    const json = await page.locator("#event-list details[open] pre").innerText();
    await page.click(".steps a");
    const output = await page.locator(".tool-whole").innerText();
    const running = async () => {
      await page.goto(`${server.url}/runs/${live}`);
      return page.locator(".state-running").count();
    };
    await waitFor(running, { what: "the run to run" });
    const hint = await page.locator(".without-script").innerText();
    await Promise.all([page.waitForEvent("load"), page.click("text=Stop")]);

    expect(JSON.parse(json)).toMatchObject({ type: "tool.started", name: "Bash" });
    expect(output).toContain("hello");
    expect(hint).toContain("Look again");
    expect(await page.locator("#run-head .state-cancelled").innerText()).toContain("stopped");
  }, 60_000);
});
