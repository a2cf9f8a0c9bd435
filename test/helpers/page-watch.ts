import type { BrowserContext, Page } from "playwright-core";

/** What a page has gone through since it was opened, or since `restart`; times in ms. */
export interface PageRecord {
  /**
   * From the navigation's start to the moment at which a message can be typed and the stream is there; null in
   * a page that shares the stream of another one, where nothing tells it.
   */
  usableAtMs: number | null;
  /** Tasks of the main thread that took 50 ms or more, the limit from which browsers tell them. */
  longTasks: { atMs: number; tookMs: number }[];
  /** From each frame to the next one. */
  frameGapsMs: number[];
  /** What came over the stream, as it stands on the wire but for chunk sizes. */
  streamedBytes: number;
  /** Changes that came over the stream. */
  streamedFrames: number;
}

declare global {
  interface Window {
    pageRecord: PageRecord;
  }
}

/** From now on every page of the browser keeps a record of itself. */
export async function watchPages(context: BrowserContext): Promise<void> {
  await context.addInitScript(keepRecord);
}

/** Begins a new record, without what came before. */
export function restartRecord(page: Page): Promise<void> {
  return page.evaluate(() => {
    Object.assign(window.pageRecord, { longTasks: [], frameGapsMs: [], streamedBytes: 0, streamedFrames: 0 });
  });
}

export function readRecord(page: Page): Promise<PageRecord> {
  return page.evaluate(() => window.pageRecord);
}

/** Resolves with the time that it took. */
export async function untilUsable(page: Page): Promise<number> {
  const handle = await page.waitForFunction(() => window.pageRecord.usableAtMs);
  return (await handle.jsonValue())!;
}

/** Runs in the page, before its own scripts. */
function keepRecord(): void {
  const record: PageRecord = {
    usableAtMs: null,
    longTasks: [],
    frameGapsMs: [],
    streamedBytes: 0,
    streamedFrames: 0,
  };
  window.pageRecord = record;
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries())
      record.longTasks.push({ atMs: startTime, tookMs: duration });
  }).observe({ type: "longtask" });

  let lastFrameMs = performance.now();
  const onFrame = (atMs: number) => {
    record.frameGapsMs.push(atMs - lastFrameMs);
    lastFrameMs = atMs;
    requestAnimationFrame(onFrame);
  };
  requestAnimationFrame(onFrame);

  const isComposerReady = () => {
    const field = document.querySelector<HTMLElement>("#composer-text");
    field?.focus();
    return field !== null && field === document.activeElement;
  };
  // The page hears of its stream through this port: first that it is there, and then what has changed.
  const hear = ({ data }: MessageEvent<{ away?: boolean }>) => {
    if (data.away === false && isComposerReady()) record.usableAtMs ??= performance.now();
    if (data.away !== undefined) return;
    record.streamedBytes += new Blob([`data: ${JSON.stringify(data)}\n\n`]).size;
    record.streamedFrames += 1;
  };
  window.SharedWorker = class extends SharedWorker {
    constructor(...given: ConstructorParameters<typeof SharedWorker>) {
      super(...given);
      this.port.addEventListener("message", hear);
    }
  };
}
