import { describe, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { isTooWide, violationsIn } from "../helpers/axe.ts";
import { openBrowser, withoutBrowser } from "../helpers/browser.ts";
import { startServer } from "../helpers/server-process.ts";
import { tabThrough } from "./focus-walk.ts";
import { pageStates, visitStates } from "./states.ts";

const telephone = { width: 360, height: 740 };
const desktop = { width: 1280, height: 800 };
/** The desktop's window when all is shown at twice the size. */
const zoomed = { width: 640, height: 400 };

/** The rules of axe that another size or another colour scheme may break; `accessibility.long.ts` asks for all. */
const dependentOnLooks = ["color-contrast", "link-in-text-block", "scrollable-region-focusable"];

/** All that stands in somebody's way on the page, whatever its size, its colours and the way it is used. */
async function barriersOf(page: Page): Promise<string[]> {
  const found = await violationsIn(page, "dark");
  if (await isTooWide(page)) found.push("too wide for a telephone");
  await page.setViewportSize(zoomed);
  if (await isTooWide(page)) found.push("too wide at twice the size");
  const share = await page.evaluate(shareThatSticks);
  if (share > 0.5) found.push(`${Math.round(share * 100)} % are covered at twice the size`);
  await page.setViewportSize(desktop);
  found.push(...(await violationsIn(page, "light", dependentOnLooks)), ...(await tabThrough(page)));
  return found;
}

/** How much of the window is taken by what stays in it while the page is scrolled. */
function shareThatSticks(): number {
  const heights = [...document.querySelectorAll("body *")]
    .filter((element) => ["sticky", "fixed"].includes(getComputedStyle(element).position))
    .map((element) => (element.clientWidth > innerWidth / 2 ? element.clientHeight : 0));
  return heights.reduce((sum, height) => sum + height, 0) / innerHeight;
}

/** Things that move by themselves, for those who don't mind and for those who do. */
async function movements(page: Page): Promise<Record<"no-preference" | "reduce", number>> {
  const count = async (reducedMotion: "no-preference" | "reduce") => {
    await page.emulateMedia({ reducedMotion });
    return page.evaluate(
      () => document.getAnimations().filter(({ playState }) => playState === "running").length,
    );
  };
  return { reduce: await count("reduce"), "no-preference": await count("no-preference") };
}

interface Found {
  /** By state. */
  barriers: Record<string, string[]>;
  /** The states in which something moves for those who don't mind. */
  moving: string[];
}

/** Every second state, on servers and in a browser of their own: two at a time take little more than one. */
async function visitHalf(half: number, found: Found): Promise<void> {
  await using browser = await openBrowser();
  await visitStates(
    browser.context,
    [telephone],
    async ({ state, page }) => {
      const { reduce, "no-preference": usual } = await movements(page);
      if (usual > 0) found.moving.push(state.name);
      const barriers = reduce > 0 ? [`${reduce} things move in spite of the reader's wish`] : [];
      found.barriers[state.name] = [...barriers, ...(await barriersOf(page))];
    },
    (state) => pageStates.indexOf(state) % 2 === half,
  );
}

describe.skipIf(withoutBrowser)("the pages, to everybody", () => {
  test("have no barriers in any state, and stand still for those who don't want motion", async () => {
    const found: Found = { barriers: {}, moving: [] };

    await Promise.all([0, 1].map((half) => visitHalf(half, found)));

    expect(found.barriers).toEqual(Object.fromEntries(pageStates.map(({ name }) => [name, []])));
    expect(found.moving).toContain("chat-streaming");
    expect(found.moving).not.toContain("chat-code");
  }, 240_000);

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
