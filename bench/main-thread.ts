import type { Page } from "playwright-core";
import { z } from "zod";
import type { PageRecord } from "../test/helpers/page-watch.ts";
import type { Figure } from "./figures.ts";

/** From this length on a task is felt, and browsers tell of it. */
const feltFromMs = 50;
const tasksShownMax = 6;

const traceSchema = z.object({
  name: z.string(),
  pid: z.number(),
  tid: z.number(),
  args: z.object({ name: z.string().optional() }).catch({}),
  tdur: z.number().default(0),
});

/**
 * Traces all pages of a browser; the function ends that and resolves with how long each task took the
 * processor. Other work on the machine makes a task longer, but not its time on the processor.
 */
export async function traceTasks(page: Page): Promise<() => Promise<number[]>> {
  const session = await page.context().newCDPSession(page);
  const events: z.infer<typeof traceSchema>[] = [];
  session.on("Tracing.dataCollected", ({ value }) => {
    for (const event of value) {
      if (event["name"] === "RunTask" || event["name"] === "thread_name")
        events.push(traceSchema.parse(event));
    }
  });
  const traceConfig = {
    includedCategories: ["disabled-by-default-devtools.timeline"],
    excludedCategories: ["*"],
  };
  await session.send("Tracing.start", { transferMode: "ReportEvents", traceConfig });
  return async () => {
    const complete = new Promise((resolve) => session.once("Tracing.tracingComplete", resolve));
    await session.send("Tracing.end");
    await complete;
    await session.detach();
    return cpuMsOfTasks(events);
  };
}

/** Of the main threads of pages. */
function cpuMsOfTasks(events: readonly z.infer<typeof traceSchema>[]): number[] {
  const threadOf = ({ pid, tid }: { pid: number; tid: number }) => `${pid}/${tid}`;
  const mainThreads = new Set(
    events.filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain").map(threadOf),
  );
  return events
    .filter((event) => event.name === "RunTask" && mainThreads.has(threadOf(event)))
    .map(({ tdur }) => tdur / 1_000);
}

/** How long the main thread was blocked at worst; by the clock 0 when no task was long enough to be told. */
export function longTaskFigure(
  name: string,
  records: readonly PageRecord[],
  cpuMsOfEach: readonly number[],
): Figure {
  const told = records.flatMap(({ longTasks }) => longTasks);
  const longestMs = Math.max(0, ...told.map(({ tookMs }) => tookMs));
  const longestCpuMs = cpuMsOfEach.reduce((longest, ms) => Math.max(longest, ms), 0);
  const felt = cpuMsOfEach.filter((ms) => ms >= feltFromMs).length;
  const shown = told
    .slice(0, tasksShownMax)
    .map(({ atMs, tookMs }) => `${tookMs} ms at ${(atMs / 1_000).toFixed(1)} s`);
  return {
    name,
    unit: "ms",
    headway: { p50: longestMs, p99: null },
    floor: { p50: longestCpuMs, p99: null },
    judged: {
      value: longestMs,
      shown: longestMs === 0 ? `< ${feltFromMs} ms` : `${longestMs} ms`,
      aim: `< ${feltFromMs} ms`,
      isMet: longestMs < feltFromMs,
    },
    note: [
      `by the clock ${told.length} of ${feltFromMs} ms or more`,
      ...(shown.length > 0 ? [shown.join(", ")] : []),
      `floor: the longest by its time on the processor, ${felt} of ${feltFromMs} ms or more`,
    ].join("; "),
  };
}
