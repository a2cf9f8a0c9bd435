import type { Page } from "playwright-core";
import type { Run } from "../../src/domain/run.ts";
import { type PageRecord, readRecord, restartRecord, untilUsable } from "../../test/helpers/page-watch.ts";
import { lastWords, sampleLongAnswer } from "../../test/helpers/sample-markdown.ts";
import { writePrompt, writerCli } from "../../test/helpers/writer-cli.ts";
import { type Browsing, countMetrics, startBrowsing } from "../browsing.ts";
import { atMost, type Figure, measured, quantile, ratioAtMost, unjudged } from "../figures.ts";
import { sampleHealth } from "../healthz-samples.ts";
import { cpuMsOf } from "../machine.ts";
import { longTaskFigure, traceTasks } from "../main-thread.ts";
import { type Arena, openArena, post, type Stage } from "../stage.ts";

const frameAimMs = 50;
const healthAimMs = 20;
/** Of the settled HTML: what is still open is sent again and again, and highlighted code once more. */
const amplificationAim = 4;
const healthEveryMs = 20;
const restMs = 3_000;
const settleMs = 1_000;
const deadlineMs = 180_000;

interface Answer {
  text: string;
  prompt: string;
  seconds: number;
}

/** An answer that is written for a minute: what it costs the pages that follow it, and the server. */
export async function measurePageStream(stage: Stage): Promise<Figure[]> {
  const arena = await openArena(stage, { agents: 2, env: { HEADWAY_CLAUDE_PATH: writerCli } });
  const text = sampleLongAnswer(stage.times(200, 50) * 1024);
  const seconds = stage.times(60, 15);
  const prompt = await writePrompt(arena.server.workspace, text, { seconds });
  const answer = { text, prompt, seconds };
  const browsing = await startBrowsing(stage, arena.server);
  const alone = await follow(stage, arena, browsing, answer, { agentId: "agent-1", tabs: 1 });
  const eight = await follow(stage, arena, browsing, answer, { agentId: "agent-2", tabs: 8 });
  // A browser without a head paints all its tabs as if all were looked at, on as few cores as there are.
  return [...figuresOf(answer, alone), ...figuresOf(answer, eight).map(unjudged)];
}

interface Followed {
  tabs: number;
  /** Of each tab; the first one is in front. */
  records: PageRecord[];
  taskCpuMs: number[];
  /** The settled answer. */
  htmlKb: number;
  atRest: PageRecord;
  health: { busy: number[]; atRest: number[] };
  serverBusy: number;
  pageBusy: number;
}

async function follow(
  stage: Stage,
  arena: Arena,
  browsing: Browsing,
  answer: Answer,
  { agentId, tabs }: { agentId: string; tabs: number },
): Promise<Followed> {
  const { server } = arena;
  const pages: Page[] = [];
  for (let tab = 0; tab < tabs; tab++) pages.push(await browsing.openTab(`/agents/${agentId}`));
  const front = pages[0]!;
  await front.bringToFront();
  await untilUsable(front);
  const health = await sampleHealth(stage, arena, healthEveryMs);
  await restartRecord(front);
  const idle = await health.during(() => Bun.sleep(restMs));
  const atRest = await readRecord(front);
  const metrics = await countMetrics(front);
  for (const page of pages) await restartRecord(page);
  const before = { serverMs: cpuMsOf(server.pid), pageMs: (await metrics()).mainThreadMs };
  const endTrace = await traceTasks(front);
  const busy = await health.during(() => showAnswer(arena, agentId, answer, pages));
  const records = await Promise.all(pages.map(readRecord));
  const taskCpuMs = await endTrace();
  const after = { serverMs: cpuMsOf(server.pid), pageMs: (await metrics()).mainThreadMs };
  const html = await front.evaluate(
    () => document.querySelector("#turns > .turn:last-child")?.innerHTML ?? "",
  );
  health.stop();
  for (const page of pages) await page.close();
  const wholeMs = answer.seconds * 1_000;
  return {
    tabs,
    records,
    taskCpuMs,
    htmlKb: Buffer.byteLength(html) / 1024,
    atRest,
    health: { busy, atRest: idle },
    serverBusy: (after.serverMs - before.serverMs) / wholeMs,
    pageBusy: (after.pageMs - before.pageMs) / wholeMs,
  };
}

/** Resolves when every page shows all of it, settled, and some time after that. */
async function showAnswer(
  { server }: Arena,
  agentId: string,
  { prompt }: Answer,
  pages: readonly Page[],
): Promise<void> {
  const response = await post(
    server,
    `/api/agents/${agentId}/execute`,
    { prompt },
    { prefer: "respond-async" },
  );
  const run = (await response.json()) as Run;
  if (response.status !== 202) throw new Error(`The answer wasn't begun: ${JSON.stringify(run)}`);
  const wish = { id: run.id, lastWords };
  for (const page of pages)
    await page.waitForFunction(isSettled, wish, { timeout: deadlineMs, polling: 250 });
  await Bun.sleep(settleMs);
}

/** Runs in the page. */
function isSettled(wish: { id: string; lastWords: string }): boolean {
  const turn = document.getElementById(wish.id);
  return turn !== null && !turn.matches(".live") && (turn.textContent ?? "").includes(wish.lastWords);
}

function figuresOf({ text, seconds }: Answer, followed: Followed): Figure[] {
  const { tabs, records, taskCpuMs, htmlKb, atRest, health, serverBusy, pageBusy } = followed;
  const inTabs = tabs === 1 ? "in a tab" : `in ${tabs} tabs`;
  const textKb = text.length / 1024;
  const front = records[0]!;
  const gaps = front.frameGapsMs;
  const frames = records.reduce((sum, { streamedFrames }) => sum + streamedFrames, 0);
  const streamedKb = records.reduce((sum, { streamedBytes }) => sum + streamedBytes, 0) / 1024;
  return [
    longTaskFigure(`longest task, ${textKb.toFixed(0)} KB ${inTabs}`, records, taskCpuMs),
    {
      name: `frame to frame, ${inTabs}`,
      unit: "ms",
      headway: measured(gaps),
      floor: measured(atRest.frameGapsMs),
      judged: atMost(quantile(gaps, 0.99), frameAimMs, "ms"),
      note: `${seconds} s of an answer, ${gaps.length} frames of the tab in front, ${Math.max(...gaps).toFixed(0)} ms at most; its main thread is busy ${percent(pageBusy)}; judged by p99; floor: at rest`,
    },
    {
      name: `received over the stream, ${inTabs}`,
      unit: "KB",
      headway: { p50: streamedKb, p99: null },
      floor: { p50: htmlKb * tabs, p99: null },
      judged: ratioAtMost(streamedKb, htmlKb * tabs, amplificationAim),
      note: `${frames} changes; × ${(streamedKb / textKb / tabs).toFixed(1)} of the Markdown; floor: the settled answer as HTML, once for each tab`,
    },
    {
      name: `/healthz p99, while it is followed ${inTabs}`,
      unit: "ms",
      headway: measured(health.busy),
      floor: measured(health.atRest),
      judged: atMost(quantile(health.busy, 0.99), healthAimMs, "ms"),
      note: `${Math.max(...health.busy).toFixed(0)} ms at most; server CPU ${percent(serverBusy)} of a core; floor: at rest`,
    },
  ];
}

function percent(part: number): string {
  return `${(part * 100).toFixed(0)} %`;
}
