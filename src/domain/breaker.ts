import { z } from "zod";
import { isoTime, isoTimeOrNull } from "./clock.ts";
import type { RunErrorCode } from "./error-codes.ts";
import type { ServiceOutcome } from "./service-outcome.ts";

export const breakerStates = ["closed", "open", "half_open"] as const;
export type BreakerState = (typeof breakerStates)[number];

/** An agent's circuit breaker, as it is stored and shown. */
export interface Breaker {
  agentId: string;
  state: BreakerState;
  /** Failures of the service in a row. */
  failures: number;
  /** How many times in a row it has opened: each pause is longer than the one before. 0 when it is closed. */
  openings: number;
  openedAtMs: number | null;
  /** When one waiting run may probe; null unless it is open. */
  retryAtMs: number | null;
  /** The failure that opened it, and what a person can do; null when it is closed. */
  cause: { code: RunErrorCode; message: string; advice: string; runId: string | null } | null;
}

/** Why a breaker moved. */
export const breakerReasons = [
  "failures",
  "rate_limited",
  "auth_required",
  "retry_due",
  "probe_succeeded",
  "probe_failed",
  "reset",
] as const;
export type BreakerReason = (typeof breakerReasons)[number];

/** One step in a breaker's history. */
export interface BreakerChange {
  agentId: string;
  atMs: number;
  from: BreakerState;
  to: BreakerState;
  reason: BreakerReason;
  /** The run whose end moved it, and its error; null where none did. */
  runId: string | null;
  code: RunErrorCode | null;
}

export interface BreakerSettings {
  /** Failures of the service in a row after which it opens; 0 never opens it. */
  failuresMax: number;
  /** How long it stays open the first time; each time in a row twice as long. */
  pauseMs: number;
  /** The longest pause, but for a time that the CLI itself names. */
  pauseMaxMs: number;
}

export type BreakerEvent =
  /** A run of the agent has ended. */
  | { kind: "run_ended"; runId: string; atMs: number; outcome: ServiceOutcome }
  /** The pause that was to last until `retryAtMs` is over; of any earlier pause it says nothing. */
  | { kind: "retry_due"; retryAtMs: number; atMs: number }
  /** A person says that the service works again. */
  | { kind: "reset"; atMs: number }
  /** A server has started: its settings, and its wall clock, may be others than when the breaker opened. */
  | { kind: "server_started"; atMs: number };

export interface BreakerDecision {
  breaker: Breaker;
  /** Null when its state stays. */
  change: BreakerChange | null;
}

/** The breaker of an agent that nothing has happened to. */
export function pristineBreaker(agentId: string): Breaker {
  return {
    agentId,
    state: "closed",
    failures: 0,
    openings: 0,
    openedAtMs: null,
    retryAtMs: null,
    cause: null,
  };
}

export function isPristine({ state, failures }: Breaker): boolean {
  return state === "closed" && failures === 0;
}

/** A change with its number, which grows with time. */
export interface StoredBreakerChange extends BreakerChange {
  key: number;
}

/** As `GET /api/breakers` shows it. */
export const breakerSchema = z.object({
  agentId: z.string(),
  state: z.enum(breakerStates),
  failures: z.int(),
  openedAt: z.string().nullable(),
  retryAt: z.string().nullable(),
  cause: z
    .object({
      code: z.string(),
      message: z.string(),
      advice: z.string(),
      runId: z.string().nullable(),
    })
    .nullable(),
  /** Newest first. */
  changes: z.array(
    z.object({
      at: z.string(),
      from: z.enum(breakerStates),
      to: z.enum(breakerStates),
      reason: z.enum(breakerReasons),
      runId: z.string().nullable(),
      code: z.string().nullable(),
    }),
  ),
});
/** One breaker that isn't as it was made: open, half open, or with failures or changes behind it. */
export type BreakerReport = z.infer<typeof breakerSchema>;

export function breakerReportOf(breaker: Breaker, changes: readonly BreakerChange[]): BreakerReport {
  const { agentId, state, failures, openedAtMs, retryAtMs, cause } = breaker;
  return {
    agentId,
    state,
    failures,
    openedAt: isoTimeOrNull(openedAtMs),
    retryAt: isoTimeOrNull(retryAtMs),
    cause,
    changes: changes.map(({ atMs, from, to, reason, runId, code }) => ({
      at: isoTime(atMs),
      from,
      to,
      reason,
      runId,
      code,
    })),
  };
}
