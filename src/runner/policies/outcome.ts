import { runErrors, type RunErrorCode } from "../../domain/error-codes.ts";
import type { TerminalState } from "../../domain/run-state.ts";
import type { Failure, Verdict } from "../adapters/adapter.ts";
import type { StopReason } from "../live-run.ts";
import type { ExitStatus } from "../process/cli-process.ts";

/** How the carrying of a turn ended, before anybody judged it. */
export interface TurnEnd {
  /** What the CLI said at its terminal event; null when it never came to that. */
  verdict: Verdict | null;
  /** Why we ended the turn, if we did, and did before the verdict. */
  stop: StopReason | null;
  /** For a one-turn process: how it ended within half a second of its result. */
  exitAfterResult: ExitStatus | null;
  /** Why there was no verdict, when nobody stopped the turn. */
  failure: Failure | null;
}

export interface Outcome {
  state: TerminalState;
  error: { code: RunErrorCode; message: string } | null;
}

/**
 * The one place that says how a run ended. A result that the CLI gave stands even if somebody wanted to
 * stop it at that moment; after that the reason of our own stop counts, then the CLI's complaint.
 */
export function decideOutcome(end: TurnEnd): Outcome {
  if (end.verdict?.kind === "succeeded") return afterResult(end.exitAfterResult);
  if (end.stop) return afterStop(end.stop);
  if (end.verdict?.kind === "failed") return failed(end.verdict.code, end.verdict.message);
  if (end.verdict?.kind === "unready") return unready(end.verdict.code, end.verdict.message);
  if (end.verdict?.kind === "aborted")
    return failed("cli_error", "The CLI ended the turn although nobody had asked it to.");
  return failed(end.failure?.code ?? "no_result", end.failure?.message ?? "");
}

function afterResult(exit: ExitStatus | null): Outcome {
  if (!exit || exit.exitCode === 0) return { state: "succeeded", error: null };
  const how = exit.signal ? `signal ${exit.signal}` : `exit code ${exit.exitCode}`;
  return failed("exit_nonzero_after_result", `The CLI gave a result and then ended with ${how}.`);
}

function afterStop(stop: StopReason): Outcome {
  switch (stop.kind) {
    case "cancel":
      return { state: "cancelled", error: null };
    case "deadline":
      return { state: "timed_out", error: withMessage("deadline", "") };
    case "stalled":
      return { state: "timed_out", error: withMessage("stalled", stop.message) };
    case "shutdown":
      return { state: "interrupted", error: withMessage("shutdown", "") };
    case "limit":
      return failed(stop.code, "");
    case "store_error":
      return failed("store_error", stop.message);
  }
}

/** A CLI that took too long to be ready has stalled, whatever else it would have said. */
function unready(code: RunErrorCode, message: string): Outcome {
  return code === "stalled"
    ? { state: "timed_out", error: withMessage(code, message) }
    : failed(code, message);
}

function failed(code: RunErrorCode, message: string): Outcome {
  return { state: "failed", error: withMessage(code, message) };
}

function withMessage(code: RunErrorCode, message: string): { code: RunErrorCode; message: string } {
  return { code, message: message || runErrors[code].message };
}
