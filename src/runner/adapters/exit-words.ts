import type { RunErrorCode } from "../../domain/error-codes.ts";
import type { FailureRow } from "../../domain/failure-row.ts";
import type { Failure, UnfinishedExit } from "./adapter.ts";

/**
 * Why a process ended without a result, where `known` is what is known of failures with such words. They are
 * worth quoting when they explain something, or when nothing else does: CLIs are noisy when all is well, too.
 */
export function explainedExit(exit: UnfinishedExit, said: string, known: FailureRow | null): Failure {
  const isQuoted = said !== "" && (known !== null || exit.signal === null);
  return { code: known?.code ?? codeOfExit(exit, said), message: isQuoted ? said : exitInOurWords(exit) };
}

/** The code of a process that ended without a result, when nothing that it `said` explains that better. */
export function codeOfExit(exit: UnfinishedExit, said: string): RunErrorCode {
  if (exit.signal !== null) return "signal";
  if (exit.exitCode !== 0 && (exit.printed || said !== "")) return "exit_nonzero";
  return exit.printed ? "no_result" : "exit_before_output";
}

export function exitInOurWords({ exitCode, signal, printed }: UnfinishedExit): string {
  const how = signal === null ? `ended with exit code ${exitCode ?? "unknown"}` : `was ended by ${signal}`;
  return `The CLI ${how} ${printed ? "without giving a result" : "before it printed anything"}.`;
}
