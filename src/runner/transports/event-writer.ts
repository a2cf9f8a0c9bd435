import type { Clock } from "../../domain/clock.ts";
import type { RunEventBody } from "../../domain/event.ts";
import { type ClaimedRun, type RunLog, type RunNote, StoreUnavailable } from "../../domain/ports.ts";
import type { Wakeups } from "../runner-api.ts";

/** Events in one commit. */
const batchEventsMax = 64;
/** Pieces of text that wait for a commit are joined up to this length. */
const joinedTextChars = 16_384;

export interface EventWriterOptions {
  run: ClaimedRun;
  log: RunLog;
  wakeups: Wakeups;
  clock: Clock;
  /** Events kept; then only text, usage and the end. */
  eventLimit: number;
  onFailure(message: string): void;
  /** The session that the CLI named is another conversation's; it wasn't noted. */
  onSessionTaken(): void;
}

/** Brings a run's events into the log, in order: at once when idle, collected while a commit is under way. */
export interface EventWriter {
  write(event: RunEventBody): void;
  note(note: RunNote): void;
  flushSoon(): void;
  /** Resolves when nothing waits any more; null when that is so already. */
  committing(): Promise<void> | null;
  flushed(): Promise<void>;
  /** What is left for the settlement's own transaction; little, unless the store refused the rest. */
  finish(): Promise<{ lastEvents: RunEventBody[]; note: RunNote | null }>;
}

export function createEventWriter(options: EventWriterOptions): EventWriter {
  const { run, log, wakeups, clock, eventLimit } = options;
  let pending: RunEventBody[] = [];
  let notes: RunNote | null = null;
  let written = 0;
  let truncated = false;
  let committing: Promise<void> | null = null;
  /** The store has refused a commit: what it did not take is kept for the settlement. */
  let isRefused = false;

  function add(event: RunEventBody): void {
    if (written >= eventLimit) {
      truncate();
      if (!isKeptBeyondLimit(event)) return;
    }
    pending.push(event);
    written++;
  }
  function truncate(): void {
    if (truncated) return;
    truncated = true;
    const message = `The run has ${eventLimit} events; from here only its text and its end are kept.`;
    pending.push({ type: "notice", code: "events_truncated", message });
  }
  /** Beyond the limit text is gathered into large pieces, whatever the CLI's own pieces were. */
  function isWorthACommit(): boolean {
    if (notes || pending.length > 1) return true;
    const [only] = pending;
    if (!only) return false;
    return !(written >= eventLimit && only.type === "text" && only.text.length < joinedTextChars);
  }
  function start(): void {
    committing ??= commitAll().finally(() => (committing = null));
  }
  async function commitAll(): Promise<void> {
    while (!isRefused && (pending.length > 0 || notes)) await commitOnce();
  }
  async function commitOnce(): Promise<void> {
    const batch = pending.slice(0, batchEventsMax);
    const note = notes;
    pending = pending.slice(batchEventsMax);
    notes = null;
    // Asked for in one tick, both go into one transaction.
    const noted = note && log.note(run.runId, run.fence, note);
    const appended = batch.length > 0 && log.append(run.runId, run.fence, batch, clock.wallMs());
    const [noting, appending] = await Promise.allSettled([noted, appended]);
    if (isTaken(appending)) wakeups.announce({ runId: run.runId, agentId: run.agent.id });
    else pending = [...batch, ...pending];
    if (!isTaken(noting)) notes = merged(note, notes);
    else if (noting.value === "session_taken") options.onSessionTaken();
  }
  function isTaken<T>(result: PromiseSettledResult<T>): result is PromiseFulfilledResult<T> {
    if (result.status === "fulfilled") return true;
    if (!(result.reason instanceof StoreUnavailable)) throw result.reason;
    isRefused = true;
    options.onFailure(result.reason.message);
    return false;
  }
  return {
    write(event) {
      const joined = joinText(pending.at(-1), event);
      if (joined) pending[pending.length - 1] = joined;
      else add(event);
    },
    note(note) {
      notes = { ...notes, ...note };
    },
    flushSoon() {
      if (!committing && !isRefused && isWorthACommit()) start();
    },
    committing: () => committing,
    async flushed() {
      start();
      await committing;
    },
    async finish() {
      await committing;
      if (!isRefused && pending.length > batchEventsMax) await commitAll();
      const rest = { lastEvents: pending, note: notes };
      pending = [];
      notes = null;
      return rest;
    },
  };
}

function merged(older: RunNote | null, newer: RunNote | null): RunNote | null {
  return older || newer ? { ...older, ...newer } : null;
}

function joinText(last: RunEventBody | undefined, next: RunEventBody): RunEventBody | null {
  if (!last || !("text" in last) || last.text.length >= joinedTextChars) return null;
  if (last.type === "text" && next.type === "text" && last.block === next.block) {
    return { ...last, text: last.text + next.text };
  }
  if (last.type === "thinking" && next.type === "thinking") return { ...last, text: last.text + next.text };
  return null;
}

function isKeptBeyondLimit(event: RunEventBody): boolean {
  return event.type === "text" || event.type === "text.discarded" || event.type === "usage";
}
