import type { Page } from "playwright-core";

/** Presses of the Tab key that are enough for most pages; a list of 200 rows says nothing new. */
const stopsMax = 25;

interface Stop {
  /** The element, as a line; "" where the focus has left the page. */
  shown: string;
  problems: string[];
}

/** Goes through the page with the Tab key; what somebody who follows the focus with their eyes would miss. */
export async function tabThrough(page: Page): Promise<string[]> {
  const problems: string[] = [];
  const seen = new Set<string>();
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  for (let stops = 0; stops < stopsMax; stops++) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(readStop);
    if (stop.shown === "") break;
    problems.push(...stop.problems.map((problem) => `${problem}: ${stop.shown}`));
    seen.add(stop.shown);
  }
  return seen.size === 0 ? ["nothing can be reached with the Tab key"] : problems;
}

/** Runs in the page. */
function readStop(): Stop {
  const element = document.activeElement;
  if (element === null || element === document.body) return { shown: "", problems: [] };
  const problems: string[] = [];
  const { outlineStyle, outlineWidth } = getComputedStyle(element);
  if (outlineStyle === "none" || Number.parseFloat(outlineWidth) < 2) problems.push("no focus is shown");
  if ((element as HTMLElement).tabIndex > 0) problems.push("out of the order");
  if (!isSeen()) problems.push("the focus is covered");
  return { shown: element.outerHTML.slice(0, 120), problems };

  /** Its middle, as far as it is in the window, lies under nothing but what the reader has opened. */
  function isSeen(): boolean {
    return [...element!.getClientRects()].some((rect) => {
      const left = Math.max(0, rect.left);
      const right = Math.min(innerWidth, rect.right);
      const top = Math.max(0, rect.top);
      const bottom = Math.min(innerHeight, rect.bottom);
      const at = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
      if (right <= left || bottom <= top || at === null) return false;
      return element!.contains(at) || at.contains(element) || at.closest(".menu[open]") !== null;
    });
  }
}
