import type { PermissionMode } from "../../domain/agent.ts";
import type { RunErrorCode } from "../../domain/error-codes.ts";
import { classifyFailure, findFailure } from "../../domain/failure-taxonomy.ts";
import type { Failure, UnfinishedExit, Verdict } from "./adapter.ts";
import { apiErrorIn } from "./api-error.ts";
import { errorTextChars, withSignInAdvice } from "./error-text.ts";
import { explainedExit } from "./exit-words.ts";
import { plainText } from "./plain-text.ts";

/** What an error means that Droid tells in words; `toldCode` where it has told the kind besides. */
export function failureOf(said: string, toldCode?: RunErrorCode): Failure {
  const text = plainText(said).trim();
  const message = humanWords(text) || "Droid reported an error without a word about it.";
  const known = classifyFailure({ cli: "droid", text });
  return withSignInAdvice({ code: toldCode ?? known.code, message: message.slice(0, errorTextChars) }, known);
}

/** A model API's answer comes as its status and its JSON (recordings warm-error-401, one-turn-error). */
function humanWords(text: string): string {
  if (/exact repetition cycle/i.test(text)) return `The model repeated itself without end: ${text}`;
  const [, httpStatus = "", json = ""] = /^([45]\d\d) (\{[\s\S]*\})$/.exec(text) ?? [];
  const told = apiErrorIn(json)?.message;
  return told === undefined ? text.replace(/^Error: /, "") : `${plainText(told)} (HTTP ${httpStatus})`;
}

/** Droid's words for a tool that its autonomy level doesn't allow (recording one-turn-denied). */
export function isAboutPermission(text: string): boolean {
  return /insufficient permission to proceed/i.test(text);
}

/** It advises its own flags, which nobody can set; the notice of the denial says what can be done. */
export function endedByDenial(toolName: string, mode: PermissionMode): Verdict {
  const message = `Droid ended the turn because it may not use ${toolName} in permission mode "${mode}".`;
  return { kind: "failed", code: "cli_error", message };
}

/**
 * Why a process ended without having ended its turn. Its words, if it had any, stand on stderr (recordings
 * bad-model, invalid-flag). With a session that it hasn't got, or can't read, it ends without any
 * (recording one-turn-lost).
 */
export function explainDroidExit(exit: UnfinishedExit): Failure {
  const said = plainText(exit.stderrTail).trim();
  const known = findFailure({ cli: "droid", text: said });
  // What it has words for it says at once, and then at length.
  const words = known ? said.slice(0, errorTextChars) : said.slice(-errorTextChars);
  return withSignInAdvice(explainedExit(exit, words, known), known);
}
