import type { RunEvent } from "../../domain/event.ts";
import { type Run, shortened } from "../../domain/run.ts";
import { inputSummary } from "../chat/answer-parts.ts";
import { visibleText } from "../visible-text.ts";

/** Tool calls that a timeline has; of a run with more of them, the newest. */
export const toolSpansMax = 500;
const summaryCharsMax = 120;
const nameCharsMax = 80;

/** All lengths are percent of the drawing's width; the margins leave room for a station at either end. */
export const leftEdge = 2;
export const rightEdge = 98;
/** So that a call of a millisecond is still seen. */
const barWidthMin = 0.4;
/** Tools that run at once: what overlaps more than this many shares the last lane. */
const lanesMax = 6;
const ticksMax = 4;
/** Between the middles of two words under the line, and for each character in a bar; for 360 px. */
const wordGapMin = 22;
const charWidth = 2.4;

/** One tool call in time. */
export interface ToolSpan {
  toolId: string;
  name: string;
  /** What it was asked to do, on one line. */
  summary: string;
  startedSeq: number;
  startedMs: number;
  /** Null while it runs, or when its end was never told. */
  endedMs: number | null;
  isError: boolean;
  isDenied: boolean;
}

/** When a run came to what; in this order, whatever the wall clock did meanwhile. */
export interface RunMoments {
  queuedMs: number;
  startedMs: number | null;
  firstOutputMs: number | null;
  endedMs: number | null;
  /** Where the drawing ends: the run's end, or now. */
  untilMs: number;
}

export interface Timeline {
  segments: { kind: "waiting" | "starting" | "working"; x: number; toX: number }[];
  marks: { kind: MarkKind; x: number; hasWord: boolean }[];
  lanes: number;
  bars: Bar[];
  ticks: { x: number; offsetMs: number }[];
}

export type MarkKind = "queued" | "started" | "first output" | "ended";

/** A tool call, or several in a row that are too short to be told apart. */
export interface Bar {
  lane: number;
  x: number;
  toX: number;
  spans: ToolSpan[];
  /** The tool's name, or how many calls it is, where that fits in. */
  word: string | null;
}

export function momentsOf(
  run: Pick<Run, "queuedAt" | "startedAt" | "firstOutputAt" | "endedAt">,
  nowMs: number,
): RunMoments {
  let latestMs = Date.parse(run.queuedAt);
  const queuedMs = latestMs;
  const next = (at: string | null) => {
    if (at === null) return null;
    latestMs = Math.max(latestMs, Date.parse(at));
    return latestMs;
  };
  const startedMs = next(run.startedAt);
  const firstOutputMs = next(run.firstOutputAt);
  const endedMs = next(run.endedAt);
  return { queuedMs, startedMs, firstOutputMs, endedMs, untilMs: endedMs ?? Math.max(latestMs, nowMs) };
}

/** Folds one event in. Starts are in order, whatever the wall clock did; an end without a start is none. */
export function foldToolSpan(spans: ToolSpan[], event: RunEvent): void {
  const atMs = Math.max(Date.parse(event.at), spans.at(-1)?.startedMs ?? 0);
  if (event.type === "tool.started") {
    const { toolId, seq } = event;
    const name = visibleText(shortened(event.name, nameCharsMax));
    const summary = visibleText(inputSummary(event.input, summaryCharsMax));
    const begun = { startedSeq: seq, startedMs: atMs, endedMs: null, isError: false, isDenied: false };
    spans.push({ toolId, name, summary, ...begun });
  } else if (event.type === "tool.finished") {
    const span = spans.findLast(({ toolId, endedMs }) => toolId === event.toolId && endedMs === null);
    if (span === undefined) return;
    span.endedMs = atMs;
    span.isError = event.isError;
  } else if (isDenial(event)) {
    const span = spans.findLast(({ name }) => event.message.startsWith(`${name} `));
    if (span !== undefined) span.isDenied = true;
  }
}

/** A denial names its tool; the call it is about is the newest of that name. */
export function isDenial(event: RunEvent): event is Extract<RunEvent, { type: "notice" }> {
  return event.type === "notice" && event.code === "permission_denied";
}

/** Where everything stands, to scale. */
export function layOutTimeline(moments: RunMoments, spans: readonly ToolSpan[]): Timeline {
  const scale = scaleOf(moments);
  const bars = layOutBars(spans, moments.untilMs, scale);
  const lanes = Math.max(0, ...bars.map(({ lane }) => lane + 1));
  return {
    segments: layOutSegments(moments, scale),
    marks: layOutMarks(moments, scale),
    lanes,
    bars,
    ticks: layOutTicks(moments, scale),
  };
}

type Scale = (ms: number) => number;

function scaleOf({ queuedMs, untilMs }: RunMoments): Scale {
  const spanMs = untilMs - queuedMs;
  const share = (ms: number) => (spanMs === 0 ? 0 : Math.min(1, Math.max(0, (ms - queuedMs) / spanMs)));
  return (ms) => leftEdge + share(ms) * (rightEdge - leftEdge);
}

function layOutSegments(moments: RunMoments, scale: Scale): Timeline["segments"] {
  const { queuedMs, startedMs, firstOutputMs, untilMs } = moments;
  const edges = [
    { kind: "waiting", fromMs: queuedMs, toMs: startedMs ?? untilMs },
    { kind: "starting", fromMs: startedMs, toMs: firstOutputMs ?? untilMs },
    { kind: "working", fromMs: firstOutputMs, toMs: untilMs },
  ] as const;
  return edges.flatMap(({ kind, fromMs, toMs }) => {
    if (fromMs === null) return [];
    return [{ kind, x: scale(fromMs), toX: scale(toMs) }];
  });
}

/** Words that would run into one another are left out, those of the ends last. */
function layOutMarks(moments: RunMoments, scale: Scale): Timeline["marks"] {
  const { queuedMs, startedMs, firstOutputMs, endedMs } = moments;
  const byImportance = [
    { kind: "ended", ms: endedMs },
    { kind: "queued", ms: queuedMs },
    { kind: "started", ms: startedMs },
    { kind: "first output", ms: firstOutputMs },
  ] as const;
  const marks: Timeline["marks"] = [];
  for (const { kind, ms } of byImportance) {
    if (ms === null) continue;
    const x = scale(ms);
    const hasWord = marks.every((other) => !other.hasWord || Math.abs(other.x - x) >= wordGapMin);
    marks.push({ kind, x, hasWord });
  }
  const order: readonly MarkKind[] = ["queued", "started", "first output", "ended"];
  return marks.toSorted((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
}

/** A call goes into the first lane that is free when it starts; what can't be told apart there becomes one bar. */
function layOutBars(spans: readonly ToolSpan[], untilMs: number, scale: Scale): Bar[] {
  const lanes: { freeFromMs: number; last: Bar }[] = [];
  const bars: Bar[] = [];
  for (const span of spans) {
    const endMs = Math.max(span.startedMs, span.endedMs ?? untilMs);
    const free = lanes.findIndex(({ freeFromMs }) => freeFromMs <= span.startedMs);
    const lane = free >= 0 ? free : Math.min(lanes.length, lanesMax - 1);
    const bar = barOf(span, endMs, lane, scale);
    const held = lanes[lane];
    const standsApart = held === undefined || bar.x >= held.last.toX;
    if (standsApart) bars.push(bar);
    else join(held.last, bar);
    const last = standsApart ? bar : held.last;
    lanes[lane] = { freeFromMs: Math.max(endMs, held?.freeFromMs ?? 0), last };
  }
  return bars.map((bar) => ({ ...bar, word: wordOf(bar) }));
}

function barOf(span: ToolSpan, endMs: number, lane: number, scale: Scale): Bar {
  const x = Math.min(scale(span.startedMs), rightEdge - barWidthMin);
  const toX = Math.max(x + barWidthMin, scale(endMs));
  return { lane, x, toX, spans: [span], word: null };
}

function join(bar: Bar, next: Bar): void {
  bar.toX = Math.max(bar.toX, next.toX);
  bar.spans.push(...next.spans);
}

function wordOf({ x, toX, spans }: Bar): string | null {
  const word = spans.length === 1 ? (spans[0]?.name ?? "") : `${spans.length} calls`;
  return (word.length + 1) * charWidth <= toX - x ? word : null;
}

const hourMs = 3_600_000;
const tickSteps = [
  { unitMs: 1, counts: [1, 2, 5, 10, 20, 50, 100, 200, 500] },
  { unitMs: 1_000, counts: [1, 2, 5, 10, 15, 30] },
  { unitMs: 60_000, counts: [1, 2, 5, 10, 15, 30] },
  { unitMs: hourMs, counts: [1, 2, 3, 6, 12] },
].flatMap(({ unitMs, counts }) => counts.map((count) => count * unitMs));

function layOutTicks({ queuedMs, untilMs }: RunMoments, scale: Scale): Timeline["ticks"] {
  const spanMs = untilMs - queuedMs;
  const days = Math.ceil(spanMs / (24 * hourMs * ticksMax));
  const stepMs = tickSteps.find((step) => spanMs / step <= ticksMax) ?? days * 24 * hourMs;
  const count = Math.floor(spanMs / stepMs) + 1;
  return Array.from({ length: count }, (_, index) => {
    const offsetMs = index * stepMs;
    return { x: scale(queuedMs + offsetMs), offsetMs };
  });
}
