import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { hostileMarkdown } from "../fixtures/hostile-markdown.ts";
import { openBrowser, watchForTrouble, withoutBrowser } from "../helpers/browser.ts";
import { expectJson } from "../helpers/http.ts";
import { startServer, type TestServer } from "../helpers/server-process.ts";

const fakeClaude = join(import.meta.dir, "..", "fixtures", "bin", "fake-claude");
/** A prompt can't hold NUL, so that payload is left to the test of the renderer. */
const payloads = hostileMarkdown.filter((payload) => !payload.includes("\0"));

/** What an answer's element has no business to be or to have, found in the finished document. */
function auditAnswers(): string[] {
  const found: string[] = [];
  const tags =
    /^(?:div|p|br|hr|h[3-6]|ul|ol|li|blockquote|pre|code|em|strong|del|a|table|thead|tbody|tr|th|td)$/i;
  for (const element of document.querySelectorAll(".prose, .prose *")) {
    if (!tags.test(element.tagName)) found.push(`element ${element.outerHTML}`);
    if (element.closest("[hx-ignore]") === null) found.push(`not ignored ${element.outerHTML}`);
    for (const { name, value } of element.attributes) {
      if (/^(?:on|style|src|srcdoc|formaction|xlink|data-hx|hx-(?!ignore))/.test(name))
        found.push(`${name}=${value}`);
    }
    const href = element.getAttribute("href");
    if (href !== null && !/^(?:https?:\/\/|mailto:)/.test(href)) found.push(`href ${href}`);
  }
  return found;
}

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

describe.skipIf(withoutBrowser)("answers that attack their reader", () => {
  test("are inert while they stream, when they have ended and when the page is loaded anew", async () => {
    await using server = await startServer({ env: { HEADWAY_CLAUDE_PATH: fakeClaude } });
    await using browser = await openBrowser();
    await expectJson(server.fetch, 201, "POST", "/api/agents", {
      body: { id: "parrot", cli: "claude", cwd: server.workspace },
    });
    const page = await browser.context.newPage();
    const trouble = watchForTrouble(page, server.url);
    await page.goto(server.loginUrl);
    await page.goto(`${server.url}/agents/parrot`);

    const lastRunId = await sendAll(server);
    await page.waitForSelector(`#${lastRunId}.state-succeeded`, { timeout: 60_000 });
    const shown = await page.locator(".turn.answer.state-succeeded").count();

    expect(shown).toBeGreaterThanOrEqual(25);
    expect(payloads.length).toBeGreaterThanOrEqual(48);
    expect(await page.evaluate(auditAnswers)).toEqual([]);
    expect(await auditOlderPages(page)).toBeGreaterThanOrEqual(payloads.length);
    expect(await page.title()).toBe("parrot · Headway");
    expect(trouble).toEqual([]);
  }, 90_000);
});

/** Loads the newest page and all older ones; the number of answers on them. */
async function auditOlderPages(page: Page): Promise<number> {
  let answers = 0;
  await page.reload();
  for (;;) {
    answers += await page.locator(".turn.answer.state-succeeded").count();
    expect(await page.evaluate(auditAnswers)).toEqual([]);
    const older = page.locator("text=Older turns");
    if ((await older.count()) === 0) return answers;
    await older.click();
    await page.waitForLoadState();
  }
}
