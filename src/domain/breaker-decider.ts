import {
  type Breaker,
  type BreakerChange,
  type BreakerDecision,
  type BreakerEvent,
  type BreakerReason,
  type BreakerSettings,
  pristineBreaker,
} from "./breaker.ts";
import type { ServiceOutcome } from "./service-outcome.ts";

/** A sign-in takes a person, and asking a provider again and again with a refused key may get an account barred. */
export const authPauseMs = 300_000;

/** What becomes of a breaker. The only place where one is moved. */
export function decideBreaker(
  breaker: Breaker,
  event: BreakerEvent,
  settings: BreakerSettings,
): BreakerDecision {
  switch (event.kind) {
    case "run_ended":
      return afterRun(breaker, event, settings);
    case "retry_due":
      return afterPause(breaker, event);
    case "reset":
      return closed(breaker, { atMs: event.atMs, reason: "reset", runId: null });
    case "server_started":
      return afterStart(breaker, event.atMs, settings);
  }
}

type RunEnded = Extract<BreakerEvent, { kind: "run_ended" }>;

function afterRun(breaker: Breaker, event: RunEnded, settings: BreakerSettings): BreakerDecision {
  const { outcome, runId, atMs } = event;
  if (outcome.kind === "uncounted") return unmoved(breaker);
  if (outcome.kind === "succeeded") return closed(breaker, { atMs, reason: "probe_succeeded", runId });
  const failed = { ...breaker, failures: breaker.failures + 1 };
  const reason = reasonToOpen(failed, outcome, settings);
  // One that is open already has a time to come again, and the run was begun before that was known.
  return reason === null || breaker.state === "open"
    ? unmoved(failed)
    : opened(failed, event, outcome, reason, settings);
}

type Failure = Extract<ServiceOutcome, { kind: "failed" }>;

/** A limit without a time is a failure like any other: its pause is a guess, so it isn't guessed at once. */
function reasonToOpen(
  { state, failures }: Breaker,
  { code, resetAtMs }: Failure,
  { failuresMax }: BreakerSettings,
): BreakerReason | null {
  if (failuresMax === 0) return null;
  if (state === "half_open") return "probe_failed";
  if (code === "auth_required") return "auth_required";
  if (code === "rate_limited" && resetAtMs !== null) return "rate_limited";
  return failures >= failuresMax ? "failures" : null;
}

function opened(
  breaker: Breaker,
  { runId, atMs }: RunEnded,
  failure: Failure,
  reason: BreakerReason,
  settings: BreakerSettings,
): BreakerDecision {
  const { code, message, advice } = failure;
  const openings = breaker.openings + 1;
  return moved(
    breaker,
    {
      ...breaker,
      state: "open",
      openings,
      openedAtMs: atMs,
      retryAtMs: retryAtOf(failure, openings, atMs, settings),
      cause: { code, message, advice, runId },
    },
    { atMs, reason, runId },
  );
}

/** A time that the CLI names is believed, until a probe at such a time has failed: then it's the later of the two. */
function retryAtOf(
  { code, resetAtMs }: Failure,
  openings: number,
  atMs: number,
  { pauseMs, pauseMaxMs }: BreakerSettings,
): number {
  const firstMs = code === "auth_required" ? Math.max(pauseMs, authPauseMs) : pauseMs;
  const ownAtMs = atMs + Math.min(pauseMaxMs, firstMs * 2 ** (openings - 1));
  if (resetAtMs === null || resetAtMs <= atMs) return ownAtMs;
  return openings === 1 ? resetAtMs : Math.max(resetAtMs, ownAtMs);
}

function afterPause(
  breaker: Breaker,
  { retryAtMs, atMs }: Extract<BreakerEvent, { kind: "retry_due" }>,
): BreakerDecision {
  return breaker.retryAtMs === retryAtMs ? halfOpened(breaker, atMs) : unmoved(breaker);
}

/** The pause is over: the next run probes. */
export function halfOpened(breaker: Breaker, atMs: number): BreakerDecision {
  if (breaker.state !== "open") return unmoved(breaker);
  const halfOpen: Breaker = { ...breaker, state: "half_open", retryAtMs: null };
  return moved(breaker, halfOpen, { atMs, reason: "retry_due", runId: null });
}

/** No pause that is left is longer than a whole one, however the wall clock jumped meanwhile. */
function afterStart(breaker: Breaker, atMs: number, settings: BreakerSettings): BreakerDecision {
  if (settings.failuresMax === 0) return closed(breaker, { atMs, reason: "reset", runId: null });
  const { openedAtMs, retryAtMs, cause } = breaker;
  if (openedAtMs === null || retryAtMs === null) return unmoved(breaker);
  const isNamed = cause?.code === "rate_limited";
  const longestMs = isNamed ? retryAtMs - openedAtMs : settings.pauseMaxMs;
  return unmoved({ ...breaker, retryAtMs: Math.min(retryAtMs, atMs + longestMs) });
}

function closed(breaker: Breaker, why: Why): BreakerDecision {
  return moved(breaker, pristineBreaker(breaker.agentId), why);
}

function unmoved(breaker: Breaker): BreakerDecision {
  return { breaker, change: null };
}

type Why = Pick<BreakerChange, "atMs" | "reason" | "runId">;

function moved(before: Breaker, breaker: Breaker, why: Why): BreakerDecision {
  if (before.state === breaker.state) return unmoved(breaker);
  const { agentId, state: from } = before;
  const code = breaker.cause?.code ?? before.cause?.code ?? null;
  return { breaker, change: { agentId, from, to: breaker.state, code, ...why } };
}

/** Whether a breaker lets a new run in: freely, as the one that probes, or not at all. */
export function breakerEntry(
  breaker: Breaker,
  line: { queued: number; isActive: boolean },
  atMs: number,
): "free" | "probe" | "refused" {
  if (breaker.state === "closed") return "free";
  // The wall clock may have come to that time before the alarm: whoever was told to come then is not turned away.
  const isDue = breaker.retryAtMs === null || atMs >= breaker.retryAtMs;
  return isDue && !line.isActive && line.queued === 0 ? "probe" : "refused";
}
