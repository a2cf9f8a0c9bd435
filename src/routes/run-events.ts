import type { RunReads } from "../domain/ports.ts";
import type { Wakeups } from "../runner/runner-api.ts";
import { createBell, type FrameSource } from "./event-stream.ts";

/** Events read from the log at once, */
const pageEvents = 64;
/** and how much of them is held for one reader: what a slow one leaves is read again when it comes to it. */
const pageCharsMax = 131_072;

/** A run's events as SSE frames: what the log holds after `afterSeq`, then what comes, to the end. */
export function runEventFrames(
  deps: { runs: RunReads; wakeups: Wakeups },
  runId: string,
  afterSeq: number,
): FrameSource {
  return async function* (signal) {
    const bell = createBell(signal);
    const hangUp = deps.wakeups.onRun(runId, bell.ring);
    let seq = afterSeq;
    try {
      while (!signal.aborted) {
        const { events, isAll } = readPage(deps.runs, runId, seq);
        const last = events.at(-1);
        if (last) {
          yield events.map(frameOf).join("");
          seq = last.seq;
        }
        if (last?.type === "run.finished") return;
        if (!last && isOver(deps.runs, runId)) return;
        if (isAll) await bell.wait();
      }
    } finally {
      hangUp();
    }
  };
}

/** Of a run whose events were removed: the stream ends at once. */
export const noFrames: FrameSource = async function* () {};

/** At least one event, when there are any; `isAll` is false when more may be there already. */
function readPage(runs: RunReads, runId: string, afterSeq: number) {
  const found = runs.listEncodedEvents(runId, afterSeq, pageEvents);
  let chars = 0;
  const events = found.filter(({ json }, at) => (chars += json.length) <= pageCharsMax || at === 0);
  return { events, isAll: events.length === found.length && found.length < pageEvents };
}

function frameOf({ seq, type, json }: { seq: number; type: string; json: string }): string {
  return `id: ${seq}\nevent: ${type}\ndata: ${json}\n\n`;
}

/** Nothing comes after the end, nor for a run that was deleted meanwhile. */
function isOver(runs: RunReads, runId: string): boolean {
  const run = runs.getRun(runId);
  return run === null || run.endedAt !== null;
}

/** Where a reader left off: `Last-Event-ID`, else `after`; 0 for anything that isn't a number of ours. */
export function resumePoint(lastEventId: string | undefined, after: number | undefined): number {
  if (lastEventId === undefined || !/^\d{1,15}$/.test(lastEventId)) return after ?? 0;
  return Number(lastEventId);
}
