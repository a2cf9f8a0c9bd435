import { adviceOf } from "../../domain/failure-advice.ts";
import type { FailureRow } from "../../domain/failure-row.ts";
import { classifyFailure } from "../../domain/failure-taxonomy.ts";
import type { Failure } from "./adapter.ts";
import { plainText } from "./plain-text.ts";

/** Longest message of a CLI's that is kept as an error's text. */
export const errorTextChars = 2000;

/** Overrides, embeddings and isolates: with them a message could be read otherwise than it was said. */
const bidiControls = /[\u202a-\u202e\u2066-\u2069]/g;

/** What a CLI says of its failure, as plain text that reads as it is written. */
export function errorText(said: string): string {
  return plainText(said).replaceAll(bidiControls, "");
}

/**
 * The message, and behind it what a person can do, for scripts see nothing else. It is the failure taxonomy's
 * advice to the letter: by that the pages know that they need not give it once more.
 */
export function withAdvice({ code, message }: Failure, known: FailureRow | null): Failure {
  const advice = adviceOf(code, known);
  const said = message.slice(0, errorTextChars - advice.length - 2);
  return { code, message: `${said}${/[.!?]$/.test(said) ? "" : "."} ${advice}` };
}

/** The same only where somebody has to sign in. */
export function withSignInAdvice(failure: Failure, known: FailureRow | null): Failure {
  return failure.code === "auth_required" ? withAdvice(failure, known) : failure;
}

/**
 * Node says "terminated" of a connection that broke off, in which nobody would recognise it (Gemini CLI's recordings
 * midstream_error and acp_errors).
 */
export function inPlainWords(words: string): string {
  return words === "terminated" ? connectionBrokenOff : words;
}

const connectionBrokenOff = classifyFailure({ cli: "gemini", text: "terminated" }).sentence;
