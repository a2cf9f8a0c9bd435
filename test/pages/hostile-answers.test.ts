import { describe, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { openBrowser, withoutBrowser } from "../helpers/browser.ts";
import { expectJson } from "../helpers/http.ts";
import { startServer, type TestServer } from "../helpers/server-process.ts";
import { fakeClaude } from "../helpers/test-app.ts";
import { auditDocument, ownElements } from "./hostile-audit.ts";
import { openWatched, payloads } from "./hostile-stage.ts";

/** The id of the last run. Runs come faster than a page that shows each of them, so it falls behind. */
async function sendAll(server: TestServer): Promise<string> {
  let runId = "";
  for (const payload of payloads) {
    const run = await expectJson<{ id: string }>(server.fetch, 202, "POST", "/api/agents/parrot/execute", {
      body: { prompt: `\n\n${payload}` },
      headers: { prefer: "respond-async" },
    });
    runId = run.id;
  }
  return runId;
}

const audit = (page: Page) => page.evaluate(auditDocument, ownElements);

describe.skipIf(withoutBrowser)("answers that attack their reader", () => {
  test("are inert, each by itself, while they stream, when they have ended and when they are loaded anew", async () => {
    await using server = await startServer({ env: { HEADWAY_CLAUDE_PATH: fakeClaude } });
    await using browser = await openBrowser();
    await expectJson(server.fetch, 201, "POST", "/api/agents", {
      body: { id: "parrot", cli: "claude", cwd: server.workspace },
    });
    const [page, trouble] = await openWatched(browser.context, server);
    await page.goto(server.loginUrl);
    await page.goto(`${server.url}/agents/parrot`);

    const lastRunId = await sendAll(server);
    await page.waitForSelector(`#${lastRunId}.state-succeeded`, { timeout: 60_000 });
    const shown = await page.locator(".turn.answer.state-succeeded").count();

    expect(shown).toBeGreaterThanOrEqual(20);
    expect(await audit(page)).toEqual([]);
    expect(await auditOlderPages(page)).toBeGreaterThanOrEqual(payloads.length);
    expect(await page.title()).toBe("parrot · Headway");
    expect(trouble).toEqual([]);
  }, 90_000);
});

/** Loads the newest page and goes back to the oldest turn; the number of answers on it then. */
async function auditOlderPages(page: Page): Promise<number> {
  await page.reload();
  const answers = page.locator(".turn.answer.state-succeeded");
  for (;;) {
    expect(await audit(page)).toEqual([]);
    const before = await answers.count();
    const older = page.locator("#older a");
    if ((await older.count()) === 0) return before;
    await older.scrollIntoViewIfNeeded();
    await page.waitForFunction(
      (count) => document.querySelectorAll(".turn.answer.state-succeeded").length > count,
      before,
    );
  }
}
