import { describe, expect, test } from "bun:test";
import { isTooWide, violations } from "../helpers/axe.ts";
import { openBrowser, withoutBrowser } from "../helpers/browser.ts";
import { pageStates, visitStates } from "./states.ts";

const sizes = [
  { width: 360, height: 740 },
  { width: 1280, height: 800 },
];

describe.skipIf(withoutBrowser)("the pages, to everybody", () => {
  test.each([false, true])(
    "have no barriers in any state, width and colour scheme, on a touch screen: %p",
    async (hasTouch) => {
      await using browser = await openBrowser({ hasTouch, isMobile: hasTouch });
      const barriers: Record<string, string[]> = {};

      await visitStates(browser.context, sizes, async ({ state, page }) => {
        const found = await violations(page);
        if (await isTooWide(page)) found.push("too wide");
        barriers[`${state.name}, ${page.viewportSize()?.width} px`] = found;
      });

      const visits = pageStates.flatMap(({ name }) => sizes.map(({ width }) => `${name}, ${width} px`));
      expect(barriers).toEqual(Object.fromEntries(visits.map((visit) => [visit, []])));
    },
    600_000,
  );
});
