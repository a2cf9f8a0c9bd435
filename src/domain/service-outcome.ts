import type { Cli } from "./agent.ts";
import { type RunErrorCode, runErrors } from "./error-codes.ts";
import { findResetAt, isBelievable } from "./failure-reset.ts";
import type { FailureRow } from "./failure-row.ts";
import { failureRows, findFailure, isAbout } from "./failure-taxonomy.ts";
import type { TerminalState } from "./run-state.ts";

/** What a run's end says of the CLI and its provider; `uncounted` says nothing, neither good nor bad. */
export type ServiceOutcome =
  | { kind: "succeeded" }
  | {
      kind: "failed";
      code: RunErrorCode;
      message: string;
      /** What a person can do. */
      advice: string;
      /** When the limit that was met is over, as far as the CLI said so; null for every other failure. */
      resetAtMs: number | null;
    }
  | { kind: "uncounted" };

export interface EndedRun {
  cli: Cli;
  state: TerminalState;
  error: { code: RunErrorCode; message: string } | null;
  /** The machine or this server refused, before the CLI could do anything. */
  isOurs: boolean;
  atMs: number;
  /** When the limit that it met is over, where the CLI said so apart from its words; null where it didn't. */
  limitEndsAtMs: number | null;
  /** Of the server, in which the CLI runs: "resets 3pm" is meant in it. */
  timeZone: string;
}

/** Cancelled and interrupted runs, our limits and bad requests say nothing of the service. */
export function serviceOutcomeOf(ended: EndedRun): ServiceOutcome {
  const { cli, state, error, isOurs } = ended;
  if (state === "succeeded") return { kind: "succeeded" };
  if (error === null || isOurs) return { kind: "uncounted" };
  const { code, message } = error;
  const known = knownFailure(cli, code, message);
  const { countsAgainstService, advice } = known ?? runErrors[code];
  if (!countsAgainstService) return { kind: "uncounted" };
  return { kind: "failed", code, message, advice, resetAtMs: resetAtOf(ended, error) };
}

/** A number is exact; words are rounded, and lack the day. */
function resetAtOf(
  { atMs, limitEndsAtMs, timeZone }: EndedRun,
  { code, message }: NonNullable<EndedRun["error"]>,
): number | null {
  if (code !== "rate_limited") return null;
  return limitEndsAtMs !== null && isBelievable(limitEndsAtMs, atMs)
    ? limitEndsAtMs
    : findResetAt(message, atMs, timeZone);
}

/** By the advice that stands at the message's end, which names its row exactly, else by the CLI's words. */
function knownFailure(cli: Cli, code: RunErrorCode, message: string): FailureRow | null {
  const advised = failureRows.find(
    (row) => row.code === code && isAbout(row, cli) && message.endsWith(row.advice),
  );
  const known = advised ?? findFailure({ cli, text: message });
  return known?.code === code ? known : null;
}
