import { findFailure } from "../../domain/failure-taxonomy.ts";
import type { Failure, UnfinishedExit } from "./adapter.ts";
import { errorText, errorTextChars, withAdvice } from "./error-text.ts";
import { exitInOurWords, explainedExit } from "./exit-words.ts";

/**
 * Why a process ended without a result. Its words on stderr come first, since its exit codes mostly are the API's
 * status modulo 256, which looks like a signal's and is none (recordings error_401, error_503). Where it can't
 * even begin (no sign-in, say) the words are followed by what a person can do about it.
 */
export function explainGeminiExit(exit: UnfinishedExit): Failure {
  if (exit.signal !== null) return { code: "signal", message: exitInOurWords(exit) };
  const said = usefulWords(exit.stderrTail);
  const known = findFailure({ cli: "gemini", text: said, exitCode: exit.exitCode });
  const failure = explainedExit(exit, said.slice(-errorTextChars), known);
  return known === null || known.retry ? failure : withAdvice(failure, known);
}

/** Lines that come when all is well, too, and the traces of a stack and of the object that was thrown. */
const noise = [
  /^\[STARTUP\]/,
  /^YOLO mode is enabled/,
  /^Ripgrep is not available/,
  /^Warning: (?:True color|256-color)/,
  /^Loaded cached credentials/,
  /^\(node:\d+\) /,
  /^\(Use `node --trace/,
  /^Attempt \d+ failed/,
  /^\s+at /,
  /^ {2}\[?\w+\]?: .*,?$/,
  /^\}/,
];

/** The lines that aren't noise, up to the help that follows a wrong argument. */
function usefulWords(stderrTail: string): string {
  const [text = ""] = errorText(stderrTail).split("\nUsage: gemini ");
  const lines = text.split("\n").filter((line) => !noise.some((pattern) => pattern.test(line)));
  return withoutRepeats(lines.map(withoutErrorNames)).join("\n").trim();
}

/** "Error authenticating: FatalAuthenticationError: …" is said again without its name, in red. */
function withoutErrorNames(line: string): string {
  return line
    .replace(/^(?:Error authenticating: )?(?:Fatal\w*Error): /, "")
    .replace(/ \{$/, "")
    .trimEnd();
}

function withoutRepeats(lines: readonly string[]): string[] {
  return lines.filter((line, at) => line !== "" && lines.indexOf(line) === at);
}
