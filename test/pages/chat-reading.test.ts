import { describe, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { withoutBrowser } from "../helpers/browser.ts";
import { openChat } from "../helpers/chat.ts";
import { countStreams } from "../helpers/live-stream.ts";
import { waitFor } from "../helpers/wait.ts";

const isAtEnd = (page: Page) =>
  page.evaluate(() => {
    const { scrollHeight, scrollTop, clientHeight } = document.documentElement;
    return scrollHeight - scrollTop - clientHeight < 80;
  });
const scrollTo = (page: Page, top: number) =>
  page.evaluate((y) => void (document.documentElement.scrollTop = y), top);
const topOf = (page: Page, text: string) =>
  page
    .locator(".turn", { hasText: text })
    .first()
    .evaluate((turn) => turn.getBoundingClientRect().top);

describe.skipIf(withoutBrowser)("who reads a conversation", () => {
  test("stays at its end while it grows, and is left alone further up", async () => {
    await using chat = await openChat();
    const { page } = chat;
    for (let index = 0; index < 6; index++) await chat.execute(`chatty=300 number ${index}`);
    await page.reload();
    expect(await isAtEnd(page)).toBe(true);

    await chat.execute("chatty=300 at the end");
    // The page is told later than the API: it has the whole answer before anybody scrolls away from it.
    await page.waitForSelector(".turn.answer.state-succeeded >> nth=6");
    await waitFor(() => isAtEnd(page), { what: "the end" });
    await scrollTo(page, 0);
    await chat.execute("further down");

    await page.waitForSelector(".new-below:visible >> text=/^↓ [23] new$/");
    expect(await page.evaluate(() => document.documentElement.scrollTop)).toBe(0);
    await page.click(".new-below");
    await waitFor(() => isAtEnd(page), { what: "the end" });
    await page.waitForSelector(".new-below", { state: "hidden" });
    expect(chat.trouble).toEqual([]);
  }, 60_000);

  test("gets older turns by scrolling up, and stays where they are", async () => {
    await using chat = await openChat();
    const { page } = chat;
    for (let index = 0; index < 50; index++) await chat.execute(`number-${index}-`);
    await page.reload();
    const before = await page.locator(".turn").count();
    const oldest = (await page.locator(".turn.user .said").first().textContent()) ?? "";

    await scrollTo(page, 300);
    const topBefore = await topOf(page, oldest);
    await waitFor(async () => (await page.locator(".turn").count()) > before, { what: "older turns" });
    const moved = (await topOf(page, oldest)) - topBefore;
    for (let at = 0; (await page.locator("#older:not([hidden])").count()) > 0 && at < 10; at++) {
      const shown = await page.locator(".turn").count();
      await scrollTo(page, 0);
      await waitFor(async () => (await page.locator(".turn").count()) > shown, { what: "older turns" });
    }

    expect(before).toBe(40);
    expect(Math.abs(moved)).toBeLessThan(40);
    const said = await page.locator(".turn.user .said").allTextContents();
    expect(said).toEqual(Array.from({ length: 50 }, (_, index) => `number-${index}-`));
    expect(chat.trouble).toEqual([]);
  }, 60_000);

  test("can link to a turn, and the link opens at it, however old it is", async () => {
    await using chat = await openChat();
    const { page } = chat;
    for (let index = 0; index < 45; index++) await chat.execute(`number-${index}-`);
    await page.reload();
    const recent = await page.locator(".turn.answer .anchor").last().getAttribute("href");
    const old = recent?.replace(/at=\d+#.*/, "at=4") ?? "";

    await page.goto(`${chat.server.url}${recent}`);
    const target = await page.locator(":target").evaluate((found) => found.closest(".turn")?.textContent);
    const isSeen = await page.locator(":target").isVisible();
    await page.goto(`${chat.server.url}${old}`);

    expect(target).toContain("You said: number-44-");
    expect(isSeen).toBe(true);
    expect(await page.locator("main").innerText()).toContain("You said: number-1-");
    expect(await page.locator("main").innerText()).not.toContain("number-44-");
  }, 60_000);

  test("sees in another tab that a run has ended, and how", async () => {
    await using chat = await openChat();
    await chat.browser.context.grantPermissions(["notifications"], { origin: chat.server.url });
    const hide = () => Object.defineProperty(document, "hidden", { get: () => true });
    const page = await chat.openTab("/agents/anna");
    await page.evaluate(hide);
    await page.evaluate(() => {
      const told: string[] = [];
      Object.assign(window, {
        told,
        Notification: class {
          static permission = "granted";
          constructor(title: string) {
            told.push(title);
          }
        },
      });
    });

    await chat.execute("hello");
    await waitFor(async () => (await page.title()).startsWith("✓"), { what: "the title" });
    const done = await page.locator("link[rel=icon]").getAttribute("href");
    await chat.execute("is-error=oops");
    await waitFor(async () => (await page.title()).startsWith("✗"), { what: "the title" });
    const failed = await page.locator("link[rel=icon]").getAttribute("href");
    await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange", { bubbles: true })));

    expect([done, failed].map((href) => /mark-\w+/.exec(href ?? "")?.[0])).toEqual([
      "mark-done",
      "mark-failed",
    ]);
    expect(await page.title()).toBe("anna · Headway");
    expect(await page.evaluate("window.told")).toEqual(["anna is done", "anna has stopped"]);
  });

  test("copies code, whole", async () => {
    await using chat = await openChat({ cli: "demo" });
    const { page, browser, server } = chat;
    await browser.context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: server.url });
    await chat.send("code");
    await page.waitForSelector(".turn.answer.state-succeeded");

    await page.locator("figure.code").hover();
    await page.click("figure.code button.copy");
    await page.waitForSelector("button.copy >> text=Copied");

    expect(await page.locator("figure.code .language").innerText()).toBe("ts");
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(
      "export function greet(name: string): string {\n  return `Hello, ${name}!`;\n}\n",
    );
    expect(chat.trouble).toEqual([]);
  });

  test("sees an edit as a diff without opening it, and a thought when it is opened", async () => {
    await using chat = await openChat({ cli: "demo" });
    const { page } = chat;

    await chat.send("edit");
    await page.waitForSelector(".turn.answer.state-succeeded");
    await chat.send("think");
    await page.waitForSelector(".turn.answer.state-succeeded >> nth=1");
    const thought = page.locator(".thinking .said");
    const isFolded = !(await thought.isVisible());
    await page.click(".thinking summary");

    expect(await page.locator(".tool summary").innerText()).toMatch(/Edit\s+greeting\.ts\s+\+2\s+−1/);
    expect(await page.locator(".diff-line.added").first().isVisible()).toBe(true);
    expect(isFolded).toBe(true);
    expect(await thought.innerText()).toContain("It only has to be said.");
  });
});

describe.skipIf(withoutBrowser)("eight tabs of one browser", () => {
  test("are all live at once, over one connection, and let each other load", async () => {
    await using chat = await openChat();
    const tabs = [chat.page];
    while (tabs.length < 8) tabs.push(await chat.openTab(tabs.length % 2 === 0 ? "/agents/anna" : "/"));

    await chat.execute("heard by all");

    const talking = tabs.filter((tab) => tab.url().endsWith("/agents/anna"));
    for (const tab of talking) await tab.waitForSelector(".turn.answer >> text=You said: heard by all");
    expect(talking).toHaveLength(4);
    await waitFor(async () => (await countStreams(chat.server.fetch)) === 1, {
      what: "one stream for all tabs",
    });
    const last = await chat.openTab("/agents/anna");
    expect(await last.locator(".turn.answer").count()).toBe(1);
    expect(chat.trouble).toEqual([]);
  }, 60_000);
});
