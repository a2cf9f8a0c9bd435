import type { Page } from "playwright-core";
import { chromiumMemory } from "../../test/helpers/chromium-memory.ts";
import { readRecord, restartRecord, untilUsable } from "../../test/helpers/page-watch.ts";
import { type Browsing, countMetrics, type PageMetrics, startBrowsing } from "../browsing.ts";
import { atMost, type Figure, measured, quantile } from "../figures.ts";
import { longTaskFigure, traceTasks } from "../main-thread.ts";
import { longTurns } from "../seeded.ts";
import { openArena, type Stage } from "../stage.ts";

const memoryAimMb = 300;
const frameAimMs = 50;
const restMs = 2_000;
const deadlineMs = 180_000;
/** A fast wheel: at 60 frames a second four or five screens of 800 pixels each second. */
const pixelsPerFrame = 60;

/** Scrolls the chat of a long conversation back, and asks what that costs the browser. */
export async function measurePageScroll(stage: Stage): Promise<Figure[]> {
  const { dataDir } = await stage.seededDataDir();
  const { server } = await openArena(stage, { agents: 0, dataDir });
  const browsing = await startBrowsing(stage, server);
  const turns = stage.times(500, 200);
  const { before, after, atRest, record, scrolled } = await scrollOnce(browsing, turns);
  return [
    ...sizeFigures(before, after, scrolled.rendererMb),
    frameFigure(record.frameGapsMs, atRest.frameGapsMs),
    longTaskFigure("longest task while scrolling", [record], await traceScroll(browsing, turns)),
    {
      name: "older turns, from asking to having",
      unit: "ms",
      headway: measured(scrolled.loadsMs),
      floor: null,
      judged: null,
      note: `${scrolled.loadsMs.length} loads, as the browser tells it`,
    },
  ];
}

async function scrollOnce(browsing: Browsing, turns: number) {
  const page = await browsing.openTab("/agents/long");
  await untilUsable(page);
  const metrics = await countMetrics(page);
  const before = await readState(page, metrics);
  const atRest = await readRecord(page);
  await restartRecord(page);
  const scrolled = await scrollBack(page, before.turns + turns);
  const record = await readRecord(page);
  const after = await readState(page, metrics);
  await page.close();
  return { before, after, atRest, record, scrolled };
}

/** The same once more, since a trace takes memory in the browser. */
async function traceScroll(browsing: Browsing, turns: number): Promise<number[]> {
  const page = await browsing.openTab("/agents/long");
  await untilUsable(page);
  const endTrace = await traceTasks(page);
  await scrollBack(page, turns);
  return endTrace();
}

function sizeFigures(before: ScrollState, after: ScrollState, rendererMbMax: number): Figure[] {
  const figure = (what: string, unit: Figure["unit"], of: (state: ScrollState) => number): Figure => ({
    name: `${what}, ${after.turns - before.turns} turns back`,
    unit,
    headway: { p50: of(after), p99: null },
    floor: { p50: of(before), p99: null },
    judged: null,
    note: "",
  });
  return [
    {
      ...figure("renderer's RSS", "MB", ({ rendererMb }) => rendererMb),
      judged: atMost(Math.max(rendererMbMax, after.rendererMb), memoryAimMb, "MB"),
      note: `of ${longTurns} turns; judged at its highest; the whole browser holds ${after.wholeMb.toFixed(0)} MB; floor: the newest page`,
    },
    { ...figure("JavaScript heap", "MB", ({ heapMb }) => heapMb), note: "after a collection" },
    figure("DOM nodes", "nodes", ({ nodes }) => nodes),
  ];
}

function frameFigure(gapsMs: readonly number[], atRestMs: readonly number[]): Figure {
  return {
    name: "frame to frame while scrolling",
    unit: "ms",
    headway: measured(gapsMs),
    floor: measured(atRestMs),
    judged: atMost(quantile(gapsMs, 0.99), frameAimMs, "ms"),
    note: `${gapsMs.length} frames of ${pixelsPerFrame} pixels, ${Math.max(...gapsMs).toFixed(0)} ms at most; judged by p99; floor: at rest`,
  };
}

interface ScrollState {
  turns: number;
  rendererMb: number;
  wholeMb: number;
  heapMb: number;
  nodes: number;
}

async function readState(page: Page, metrics: () => Promise<PageMetrics>): Promise<ScrollState> {
  await Bun.sleep(restMs);
  const { heapMb, nodes } = await metrics();
  const turns = await page.evaluate(() => document.querySelectorAll("#turns > .turn").length);
  return { turns, heapMb, nodes, ...chromiumMemory() };
}

/** Up and up until so many turns are shown; tells how much the renderer held at most, and how long loads took. */
async function scrollBack(page: Page, turns: number): Promise<{ rendererMb: number; loadsMs: number[] }> {
  let rendererMb = 0;
  const sampler = setInterval(() => (rendererMb = Math.max(rendererMb, chromiumMemory().rendererMb)), 500);
  try {
    await page.evaluate(scrollUpUntil, { turns, pixelsPerFrame, deadlineMs });
  } finally {
    clearInterval(sampler);
  }
  const loadsMs = await page.evaluate(() =>
    performance
      .getEntriesByType("resource")
      .flatMap((entry) => (entry.name.includes("/turns?before=") ? [entry.duration] : [])),
  );
  return { rendererMb, loadsMs };
}

/** Runs in the page. */
function scrollUpUntil(wish: { turns: number; pixelsPerFrame: number; deadlineMs: number }): Promise<void> {
  const endsAtMs = performance.now() + wish.deadlineMs;
  const shown = () => document.querySelectorAll("#turns > .turn").length;
  return new Promise((resolve, reject) => {
    const step = () => {
      if (shown() >= wish.turns) return resolve();
      if (performance.now() > endsAtMs) return reject(new Error(`Only ${shown()} turns were loaded.`));
      scrollBy({ top: -wish.pixelsPerFrame, behavior: "instant" });
      requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  });
}
