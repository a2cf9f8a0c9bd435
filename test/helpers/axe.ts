import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";

const axe = readFileSync(join(import.meta.dir, "../../node_modules/axe-core/axe.min.js"), "utf8");

interface AxeResults {
  violations: { id: string; nodes: { html: string }[] }[];
}

/** More of one kind isn't told: the same view stands on a page many times. */
const examplesMax = 3;

/** What axe finds on the page, in both colour schemes. */
export async function violations(page: Page): Promise<string[]> {
  return [...(await violationsIn(page, "light")), ...(await violationsIn(page, "dark"))];
}

/** What axe finds on the page in one colour scheme; of `rules` only, when they are given. */
export async function violationsIn(
  page: Page,
  colorScheme: "light" | "dark",
  rules?: readonly string[],
): Promise<string[]> {
  await page.emulateMedia({ colorScheme });
  if (!(await page.evaluate(`"axe" in window`))) await page.evaluate(axe);
  const options = JSON.stringify({ resultTypes: ["violations"], ...(rules && { runOnly: rules }) });
  const results = await page.evaluate<AxeResults>(`axe.run(${options})`);
  return results.violations.flatMap(({ id, nodes }) =>
    nodes.slice(0, examplesMax).map(({ html }) => `${colorScheme} ${id}: ${html.slice(0, 200)}`),
  );
}

/** True when a reader would have to scroll sideways. */
export function isTooWide(page: Page): Promise<boolean> {
  return page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
}
