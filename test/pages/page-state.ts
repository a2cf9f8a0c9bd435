import type { Page } from "playwright-core";
import type { Stage } from "./state-stages.ts";

/** A page as somebody may find it. */
export interface PageState {
  /** In lower case and with hyphens, the page first. */
  name: string;
  /** What there is to be seen, as a line. */
  shows: string;
  /** True where nobody is logged in. */
  isLoggedOut?: boolean;
  /** Brings it about on a page that is open, again and again. */
  open(page: Page, stage: Stage): Promise<unknown>;
}

export const go = (page: Page, { server }: Stage, path: string) => page.goto(`${server.url}${path}`);
export const openPath = (path: string) => (page: Page, stage: Stage) => go(page, stage, path);

/** The chat of an agent, when it shows that. */
export const openChat = (agentId: string, selector: string) => async (page: Page, stage: Stage) => {
  await go(page, stage, `/agents/${agentId}`);
  await page.locator(selector).first().waitFor();
};
export const openRun = (name: string, rest: string, selector: string) => async (page: Page, stage: Stage) => {
  await go(page, stage, `/runs/${stage.idOf(name)}${rest}`);
  await page.locator(selector).first().waitFor();
};

/** All that is folded, from the first one on. */
export async function unfold(page: Page, selector: string): Promise<void> {
  const folded = page.locator(selector);
  while ((await folded.count()) > 0) await folded.first().click();
}
