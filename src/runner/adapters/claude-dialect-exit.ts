import type { RunErrorCode } from "../../domain/error-codes.ts";
import type { UnfinishedExit } from "./adapter.ts";
import { errorTextChars, isAboutLostSession, isAboutSignIn } from "./claude-dialect-result.ts";
import { plainText } from "./plain-text.ts";

/**
 * Why a process ended without a result. Its own words, if it had any, are the message: the end of stderr,
 * since that is where it says why (recordings session_id_not_uuid, resume_same_session_id_again).
 */
export function explainExit(exit: UnfinishedExit): { code: RunErrorCode; message: string } {
  const said = plainText(exit.stderrTail).trim().slice(-errorTextChars);
  return { code: codeOf(exit, said), message: said || inOurWords(exit) };
}

function codeOf(exit: UnfinishedExit, said: string): RunErrorCode {
  if (isAboutSignIn(said)) return "auth_required";
  if (isAboutLostSession(said)) return "session_lost";
  if (exit.signal !== null) return "signal";
  if (exit.exitCode !== 0 && (exit.printed || said !== "")) return "exit_nonzero";
  return exit.printed ? "no_result" : "exit_before_output";
}

function inOurWords({ exitCode, signal, printed }: UnfinishedExit): string {
  const how = signal === null ? `ended with exit code ${exitCode ?? "unknown"}` : `was ended by ${signal}`;
  return `The CLI ${how} ${printed ? "without giving a result" : "before it printed anything"}.`;
}
