import type { RunPageReads, RunReads } from "../../../domain/ports.ts";
import { type EventFilter, eventFilters, isEventFilter } from "../../../views/runs/event-rows.ts";
import type { EventWindow } from "../../../views/runs/run-events.tsx";
import type { RunFacts, RunShown } from "../../../views/runs/run-head.tsx";
import { foldToolSpan, isDenial, type ToolSpan, toolSpansMax } from "../../../views/runs/timeline-layout.ts";
import type { PageDependencies } from "../page-dependencies.ts";

type Reads = RunReads & RunPageReads;
type FactsDependencies = Pick<PageDependencies, "runs" | "conversations" | "runner">;

/** Events on a page. */
export const windowEventsMax = 200;
/** Of the raw log a page begins with this much of its end. */
export const logTailBytes = 65_536;
const retriesMax = 20;

export function readFacts(dependencies: FactsDependencies, run: RunShown): RunFacts {
  const { runs } = dependencies;
  return {
    run,
    turnSeq: runs.findUserTurnSeq(run.id),
    retries: runs.listRetries(run.id, retriesMax),
    acpAgent: run.cli === "acp" ? acpAgentOf(dependencies, run) : null,
  };
}

/** A new agent of the name may have another one. */
function acpAgentOf({ conversations, runner }: FactsDependencies, run: RunShown): string | null {
  const { conversationId, agentId } = run;
  const glance = conversations.conversationGlances([conversationId]).get(conversationId);
  return glance?.agentLives ? (runner.getAgent(agentId)?.acpAgent ?? null) : null;
}

/** The window that begins after `afterSeq`; with null the newest one. */
export function readWindow(
  runs: Reads,
  runId: string,
  filter: EventFilter,
  afterSeq: number | null,
): EventWindow {
  const types = eventFilters[filter];
  const beginsAfter =
    afterSeq ?? runs.findWindowStart(runId, types, Number.MAX_SAFE_INTEGER, windowEventsMax);
  const found = runs.listEventsOfTypes(runId, types, beginsAfter, windowEventsMax + 1);
  const events = found.slice(0, windowEventsMax);
  const hasOlder = runs.findWindowStart(runId, types, beginsAfter + 1, 0) > 0;
  return {
    filter,
    events,
    afterSeq: beginsAfter,
    olderAfterSeq: hasOlder ? runs.findWindowStart(runId, types, beginsAfter + 1, windowEventsMax) : null,
    newerAfterSeq: found.length > windowEventsMax ? (events.at(-1)?.seq ?? null) : null,
    lastSeq: runs.lastEventSeq(runId),
  };
}

/** The run's newest tool calls. */
export function readToolSpans(runs: Reads, runId: string): { spans: ToolSpan[]; hasEarlierSpans: boolean } {
  // A call has a start and, mostly, an end.
  const eventsMax = 2 * toolSpansMax;
  const types = eventFilters.tools;
  const afterSeq = runs.findWindowStart(runId, types, Number.MAX_SAFE_INTEGER, eventsMax);
  const calls = runs.listEventsOfTypes(runId, types, afterSeq, eventsMax);
  const denials = runs.listEventsOfTypes(runId, eventFilters.notices, afterSeq, eventsMax).filter(isDenial);
  const spans: ToolSpan[] = [];
  for (const event of [...calls, ...denials].toSorted((a, b) => a.seq - b.seq)) foldToolSpan(spans, event);
  return { spans: spans.slice(-toolSpansMax), hasEarlierSpans: afterSeq > 0 || spans.length > toolSpansMax };
}

/** What a page of a run shows, so that it can be gone on with. */
export interface RunCursor {
  filter: EventFilter;
  /** The window's beginning. */
  afterSeq: number;
  /** True when the window is the newest one, which grows. */
  isNewest: boolean;
  /** Events up to here are shown, or were counted. */
  lastSeq: number;
  /** The part of the raw log that is shown. */
  log: { fromByte: number; nextByte: number };
}

export function encodeCursor({ filter, afterSeq, isNewest, lastSeq, log }: RunCursor): string {
  return [filter, isNewest ? "grows" : "stands", afterSeq, lastSeq, log.fromByte, log.nextByte].join(".");
}

/** Null for what `encodeCursor` hasn't made. */
export function parseCursor(text: string): RunCursor | null {
  const [, filter = "", growth, ...numbers] =
    /^([a-z]+)\.(grows|stands)\.(\d{1,15})\.(\d{1,15})\.(\d{1,15})\.(\d{1,15})$/.exec(text) ?? [];
  if (!isEventFilter(filter)) return null;
  const [afterSeq = 0, lastSeq = 0, fromByte = 0, nextByte = 0] = numbers.map(Number);
  return { filter, isNewest: growth === "grows", afterSeq, lastSeq, log: { fromByte, nextByte } };
}
