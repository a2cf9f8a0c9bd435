import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Page } from "playwright-core";
import { sendableMarkdown } from "../fixtures/hostile-markdown.ts";
import { type Browser, openBrowser, watchForTrouble, withoutBrowser } from "../helpers/browser.ts";
import { expectJson } from "../helpers/http.ts";
import { startServer, type TestServer } from "../helpers/server-process.ts";
import { quickClaude } from "../helpers/test-app.ts";

/** A prompt can't hold NUL. */
const payloads = sendableMarkdown;
const badgers = 43;

let server: TestServer;
let browser: Browser;
let page: Page;
let trouble: string[];

async function say(prompt: string, isLast = true): Promise<string> {
  const run = await expectJson<{ conversationId: string }>(
    server.fetch,
    200,
    "POST",
    "/api/agents/anna/execute",
    { body: { prompt } },
  );
  if (isLast) await server.fetch("/api/agents/anna/end-session", { method: "POST" });
  return run.conversationId;
}

const active = () => page.evaluate("document.activeElement.id");
const address = () => page.url().slice(server.url.length);
/** What was found now, by the words of the address. */
async function search(words: string): Promise<void> {
  await page.fill("#field-q", words);
  await page.waitForURL((url) => url.searchParams.get("q") === words);
}
const count = (text: string) => page.locator("#found-count", { hasText: new RegExp(`^${text}$`) }).waitFor();

/** Presses Enter on the link to more, and waits until that is over and done with. */
async function pressMore(): Promise<void> {
  const isDone = page.evaluate(
    () =>
      new Promise((resolve) => addEventListener("htmx:finally:request", () => resolve(0), { once: true })),
  );
  await page.keyboard.press("Enter");
  await isDone;
}

/** What has no business among the results, in the finished document. */
function auditResults(): string[] {
  const tags = /^(?:section|ul|ol|li|p|h2|a|bdi|mark|span|time)$/i;
  return [...document.querySelectorAll("#found, #found *")].flatMap((element) => {
    const bad = [...element.attributes].filter(({ name }) => /^(?:on|style|src|data-hx)/.test(name));
    return tags.test(element.tagName) && bad.length === 0 ? [] : [element.outerHTML.slice(0, 200)];
  });
}

setDefaultTimeout(60_000);

describe.skipIf(withoutBrowser)("searching in a browser", () => {
  beforeAll(async () => {
    server = await startServer({ env: { HEADWAY_CLAUDE_PATH: quickClaude } });
    browser = await openBrowser();
    await expectJson(server.fetch, 201, "POST", "/api/agents", {
      body: { id: "anna", cli: "claude", cwd: server.workspace },
    });
    for (let n = 1; n <= badgers; n++) await say(`badger number ${n}`);
    for (let n = 1; n < 60; n++) await say(n === 30 ? "the quick brown fox" : `filler ${n}`, n === 59);
    page = await browser.context.newPage();
    trouble = watchForTrouble(page, server.url);
    await page.goto(server.loginUrl);
  }, 120_000);
  afterAll(async () => {
    await browser[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });
  beforeEach(async () => void (await page.goto(`${server.url}/conversations`)));

  test("finds while one types; the focus stays in the field, and the address tells the search", async () => {
    await page.focus("#field-q");
    await page.keyboard.type("quick brow", { delay: 20 });
    await count("1 conversation");

    expect(await active()).toBe("field-q");
    expect(await page.inputValue("#field-q")).toBe("quick brow");
    expect(await page.locator(".match mark").allInnerTexts()).toEqual(["quick", "brown"]);
    expect(address()).toBe("/conversations?q=quick+brow");
  });

  test("loses no key that comes while an answer is on its way", async () => {
    await page.route(
      "**/conversations?*",
      async (route) => {
        await page.keyboard.type("x");
        await route.continue();
      },
      { times: 1 },
    );
    await page.focus("#field-q");
    await page.keyboard.type("badger");
    await count("0 conversations");

    expect(await page.inputValue("#field-q")).toBe("badgerx");
    expect(address()).toBe("/conversations?q=badgerx");
  });

  test("opens a hit at its turn, and comes back to the search", async () => {
    await search("brown fox");
    await count("1 conversation");
    await page.locator(".match").first().click();
    await page.waitForURL("**/conversations/conv_*");

    const target = await page.evaluate(() => {
      const element = document.querySelector(":target");
      const { top = -1 } = element?.getBoundingClientRect() ?? {};
      return { inView: top >= 0 && top < innerHeight, turn: element?.closest(".turn")?.textContent };
    });
    expect(target).toMatchObject({ inView: true });
    expect(target.turn).toContain("the quick brown fox");

    await page.goBack();
    await count("1 conversation");
    expect(address()).toBe("/conversations?q=brown+fox");
    expect(await page.inputValue("#field-q")).toBe("brown fox");
    expect(await page.locator(".match mark").allInnerTexts()).toEqual(["brown", "fox"]);
  });

  test("narrows down by a filter at once, and shows it with the way to be rid of it", async () => {
    await search("badger");
    await count("More than 20 conversations");
    await page.click("summary >> text=Filters");
    await page.selectOption("#field-state", "active");
    await count("0 conversations");

    expect(await page.locator("#found .empty").innerText()).toContain("badger among these: active.");
    await page.click(".filter-chip");
    await page.waitForURL("**/conversations?q=badger");
    expect(await page.inputValue("#field-state")).toBe("");
    expect(await page.inputValue("#field-q")).toBe("badger");
  });

  test("shows a mistake beside its field, keeps all that was typed, and forgets it when it is mended", async () => {
    await search("badger number 7");
    await count("1 conversation");
    await page.click("summary >> text=Filters");
    await page.fill("#field-to", "2020-01-01");
    await count("0 conversations");
    await page.fill("#field-from", "2020-01-02");
    await page.locator("#field-to-problem .problem").waitFor();

    expect(await page.locator("#found-count").innerText()).toBe(
      "Nothing was searched: The last day is before the first.",
    );
    expect(await page.inputValue("#field-q")).toBe("badger number 7");
    expect(await page.inputValue("#field-to")).toBe("2020-01-01");
    expect(await active()).toBe("field-from");

    await page.fill("#field-to", "2999-12-31");
    await count("1 conversation");
    expect(await page.locator("#field-to-problem").innerText()).toBe("");
    // The refusal itself is told by the browser's console, and that is all that is told there.
    expect(trouble.splice(0)).toEqual([expect.stringContaining("422")]);
  });

  test("adds further conversations by a click, in order, each once, without losing the focus", async () => {
    await search("badger");
    await count("More than 20 conversations");
    const shown = () => page.locator(".result").count();

    await page.focus("#more-link");
    await pressMore();
    expect([await shown(), await active()]).toEqual([40, "more-link"]);
    await pressMore();

    expect([await shown(), await active()]).toEqual([43, "more-link"]);
    expect(await page.locator("#found-count").innerText()).toBe("3 further conversations below");
    expect(await page.locator("#more").innerText()).toBe("That is all. Back to the top");
    const titles = await page.locator(".result-title").allInnerTexts();
    expect(titles).toEqual(Array.from({ length: badgers }, (_, index) => `badger number ${badgers - index}`));
    expect(address()).toBe("/conversations?q=badger");
    await search("badger number 12");
    await count("1 conversation");
    expect(await page.locator("#more").isVisible()).toBe(false);
  });

  test("shows what attacks its reader as text, in titles and in hits", async () => {
    const words = payloads.filter((payload) => payload.includes("alert"));
    for (const payload of words) await say(payload);
    await search("alert");
    await count("More than 20 conversations");
    await page.focus("#more-link");
    for (let shown = 20; shown < words.length; shown += 20) await pressMore();

    expect(words.length).toBeGreaterThanOrEqual(40);
    expect(await page.locator(".result").count()).toBe(words.length);
    expect(await page.evaluate(auditResults)).toEqual([]);
    const hits = (await page.locator(".match mark").allInnerTexts()).map((hit) => hit.toLowerCase());
    expect(new Set(hits)).toEqual(new Set(["alert"]));
    expect(await page.title()).toBe("Conversations · Headway");
  }, 60_000);

  test("does nothing that the content policy forbids", () => {
    expect(trouble).toEqual([]);
  });
});
