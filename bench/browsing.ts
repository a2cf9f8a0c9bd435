import type { Page } from "playwright-core";
import { openBrowser } from "../test/helpers/browser.ts";
import { watchPages } from "../test/helpers/page-watch.ts";
import type { TestServer } from "../test/helpers/server-process.ts";
import type { Stage } from "./stage.ts";

/** A Chromium in which somebody is logged in; its pages keep records of themselves. */
export interface Browsing {
  openTab(path: string): Promise<Page>;
  /** The next page loads everything anew. */
  forgetCache(): Promise<void>;
}

const viewport = { width: 1280, height: 800 };

export async function startBrowsing(stage: Stage, server: TestServer): Promise<Browsing> {
  const { context } = stage.use(await openBrowser({ viewport }));
  const [first = await context.newPage()] = context.pages();
  await first.goto(server.loginUrl);
  // A page that is left open would share its stream with the others.
  await first.goto("about:blank");
  await watchPages(context);
  return {
    async openTab(path) {
      const page = await context.newPage();
      await page.goto(`${server.url}${path}`);
      return page;
    },
    async forgetCache() {
      const session = await context.newCDPSession(first);
      await session.send("Network.clearBrowserCache");
      await session.detach();
    },
  };
}

/** What the browser itself counts of a page. */
export interface PageMetrics {
  heapMb: number;
  nodes: number;
  /** What the main thread has worked since they are counted. */
  mainThreadMs: number;
}

/** The function reads them after a collection of garbage, so that the heap is what the page holds. */
export async function countMetrics(page: Page): Promise<() => Promise<PageMetrics>> {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  return async () => {
    await session.send("HeapProfiler.collectGarbage");
    const { metrics } = await session.send("Performance.getMetrics");
    const of = (wanted: string) => metrics.find(({ name }) => name === wanted)?.value ?? Number.NaN;
    const mainThreadMs = of("TaskDuration") * 1_000;
    return { heapMb: of("JSHeapUsedSize") / 2 ** 20, nodes: of("Nodes"), mainThreadMs };
  };
}
