import { describe, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { openBrowser, withoutBrowser } from "../helpers/browser.ts";
import { auditDocument, ownElements } from "./hostile-audit.ts";
import { type HostileStage, openHostileStage, openWatched, payloads } from "./hostile-stage.ts";

/** All pages on which the texts of people, models, tools and CLIs are shown. */
function pathsOf({ ended, live }: HostileStage): string[] {
  const [first, second] = ended;
  const conversation = `/conversations/${first!.conversationId}`;
  const toolIds = payloads.slice(0, 3).map(encodeURIComponent);
  return [
    "/",
    "/agents/parrot",
    "/agents/parrot/settings",
    "/agents/macaw",
    "/agents/macaw/settings",
    "/health",
    "/conversations",
    "/conversations?q=alert",
    `/conversations?q=${encodeURIComponent("<img src=x onerror=alert(1)>")}`,
    conversation,
    `${conversation}?at=1`,
    ...["", "?type=text", "?type=tools", "?type=notices"].map((rest) => `/runs/${first!.id}${rest}`),
    `/runs/${second!.id}`,
    `/runs/${live.id}`,
    ...toolIds.map((toolId) => `/runs/${first!.id}/tools/${toolId}`),
  ];
}

const audit = (page: Page) => page.evaluate(auditDocument, ownElements);
const hasEnded = (page: Page, runId: string) => page.locator(`#${runId}.state-failed`).waitFor();

/** Times that a payload can be read in the page, as the text that it is. */
async function timesShown(page: Page): Promise<number> {
  return ((await page.locator("html").textContent()) ?? "").split(/alert\(1\)|evil\.example/).length - 1;
}

describe.skipIf(withoutBrowser)("texts that attack their reader", () => {
  test.each([
    ["with scripts", true],
    ["without scripts", false],
  ])(
    "are inert on every page that is loaded %s",
    async (_how, javaScriptEnabled) => {
      await using stage = await openHostileStage();
      await using browser = await openBrowser({ javaScriptEnabled });
      const [page, trouble] = await openWatched(browser.context, stage.server);
      await page.goto(stage.server.loginUrl);
      const found: Record<string, unknown> = {};

      for (const path of pathsOf(stage)) {
        await page.goto(`${stage.server.url}${path}`, { waitUntil: "load" });
        const shown = await timesShown(page);
        const here = new URL(page.url());
        found[path] = [here.pathname + here.search, shown > 0, await audit(page)];
      }

      expect(found).toEqual(Object.fromEntries(pathsOf(stage).map((path) => [path, [path, true, []]])));
      expect(trouble).toEqual([]);
    },
    90_000,
  );

  test("are inert on the pages that follow what goes on", async () => {
    await using stage = await openHostileStage();
    await using browser = await openBrowser();
    const [chat, trouble] = await openWatched(browser.context, stage.server);
    await chat.goto(stage.server.loginUrl);
    const open = async (path: string) => {
      const [page, itsTrouble] = await openWatched(browser.context, stage.server);
      itsTrouble.push = (...texts) => trouble.push(...texts);
      await page.goto(`${stage.server.url}${path}`);
      return page;
    };
    const pages = [chat, await open("/"), await open(`/runs/${stage.live.id}`)];
    await chat.goto(`${stage.server.url}/agents/parrot`);
    const whileHeld = await Promise.all(pages.map(audit));

    const last = await stage.submit();
    pages.push(await open(`/runs/${last.id}`));
    await chat.click(".turn.live .stop");
    await hasEnded(chat, last.id);
    await pages[3]!.locator(".run-head .state-failed").waitFor();

    expect(whileHeld).toEqual([[], [], []]);
    expect(await Promise.all(pages.map(audit))).toEqual([[], [], [], []]);
    expect(Math.min(...(await Promise.all(pages.map(timesShown))))).toBeGreaterThan(0);
    expect(await chat.title()).toBe("parrot · Headway");
    expect(trouble).toEqual([]);
  }, 90_000);
});
