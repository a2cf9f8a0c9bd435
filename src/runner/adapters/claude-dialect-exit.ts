import type { RunErrorCode } from "../../domain/error-codes.ts";
import { findFailure } from "../../domain/failure-taxonomy.ts";
import type { Failure, UnfinishedExit } from "./adapter.ts";
import { errorTextChars } from "./error-text.ts";
import { codeOfExit, exitInOurWords } from "./exit-words.ts";
import { plainText } from "./plain-text.ts";

/**
 * Why a process ended without a result. Its own words, if it had any, are the message: the end of stderr,
 * since that is where it says why (recordings session_id_not_uuid, resume_same_session_id_again).
 */
export function explainExit(exit: UnfinishedExit): Failure {
  const said = plainText(exit.stderrTail).trim().slice(-errorTextChars);
  return { code: codeOf(exit, said), message: said || exitInOurWords(exit) };
}

/** A process that somebody ended may have said anything before; that it was ended is then what counts. */
function codeOf(exit: UnfinishedExit, said: string): RunErrorCode {
  const known = exit.signal === null ? findFailure({ cli: "claude", text: said }) : null;
  return known?.code ?? codeOfExit(exit, said);
}
