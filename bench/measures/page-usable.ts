import type { TestServer } from "../../test/helpers/server-process.ts";
import { untilUsable } from "../../test/helpers/page-watch.ts";
import { type Browsing, startBrowsing } from "../browsing.ts";
import { atMost, type Figure, type Measured, measured, median, ratioAtMost } from "../figures.ts";
import { longTurns, shortTurns } from "../seeded.ts";
import type { Stage } from "../stage.ts";

const aimMs = 300;
const flatAim = 1.25;

/** From the start of the navigation to a composer that takes text and a stream that is connected. */
export async function measureUsable(stage: Stage, server: TestServer): Promise<Figure[]> {
  const browsing = await startBrowsing(stage, server);
  const times = { long: [] as number[], short: [] as number[], first: [] as number[], floor: [] as number[] };
  await usableMs(browsing, "/agents/long");
  for (let round = 0; round < stage.times(10, 4); round++) {
    times.long.push(await usableMs(browsing, "/agents/long"));
    times.short.push(await usableMs(browsing, "/agents/short"));
    times.floor.push(await loadedMs(browsing, "/healthz"));
    await browsing.forgetCache();
    times.first.push(await usableMs(browsing, "/agents/long"));
  }
  const floor = measured(times.floor);
  const of = (name: string, values: readonly number[], note = "", beside: Measured = floor): Figure => ({
    name,
    unit: "ms",
    headway: measured(values),
    floor: beside,
    judged: atMost(median(values), aimMs, "ms"),
    note: [`${Math.max(...values).toFixed(0)} ms at most`, note].filter(Boolean).join("; "),
  });
  const ratio = ratioAtMost(median(times.long), median(times.short), flatAim);
  return [
    of(`usable in Chromium, ${longTurns} turns`, times.long, "floor: loading a word of text in it"),
    of(`usable in Chromium, ${shortTurns} turns`, times.short),
    {
      ...of("usable, long over short", times.long, "floor: the short one", measured(times.short)),
      judged: ratio,
    },
    of("usable in Chromium, first visit", times.first, "nothing in the browser's cache"),
  ];
}

async function usableMs(browsing: Browsing, path: string): Promise<number> {
  const page = await browsing.openTab(path);
  const tookMs = await untilUsable(page);
  await page.close();
  return tookMs;
}

async function loadedMs(browsing: Browsing, path: string): Promise<number> {
  const page = await browsing.openTab(path);
  const tookMs = await page.evaluate(
    () => performance.getEntriesByType("navigation").map((entry) => entry.duration)[0],
  );
  await page.close();
  return tookMs ?? Number.NaN;
}
