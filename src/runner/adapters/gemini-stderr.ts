import type { RunEventBody } from "../../domain/event.ts";
import { humanWords } from "./gemini-words.ts";
import { notice } from "./notices.ts";

/** Longest piece of an error that a notice quotes. */
const quotedChars = 200;

/**
 * A line of stderr that tells of a failed request which the CLI repeats: for minutes it says nothing else, and
 * stdout is silent (recordings error_429, error_503). The last one, "Max attempts reached", is followed by the
 * result.
 */
export function readRetry(line: string): RunEventBody[] {
  const found = /^Attempt (\d{1,4}) failed(?: with status (\d{3}))?(.*)$/.exec(line);
  if (!found || line.includes("Max attempts reached")) return [];
  const [, attempt, status, rest = ""] = found;
  const cause = [status === undefined ? "" : `HTTP ${status}`, wordsIn(rest)].filter(Boolean).join(": ");
  const why = cause === "" ? "" : ` (${cause})`;
  return [notice("api_retry", `The model's API failed at attempt ${attempt}${why}; the CLI tries again.`)];
}

/** "… . Retrying with backoff... _ApiError: {…}", or ": Rate limited. Retrying after 5833ms..." */
function wordsIn(rest: string): string {
  const behind = /Retrying with backoff\.\.\.(.*)$/.exec(rest)?.[1];
  const text = behind ?? rest.replace(/\. Retrying after \d+ms\.\.\..*$/, "").replace(/^[:.]/, "");
  return humanWords(text)
    .replace(/^exception \w+: /, "")
    .slice(0, quotedChars);
}

/** Ours is passed over where the machine's owner has policies: the model may then leave its permission mode. */
export function readIgnoredPolicy(line: string): RunEventBody[] {
  if (!line.includes("Ignoring --admin-policy")) return [];
  const message =
    "Gemini CLI ignores Headway's policy because this machine has system policies of its own. " +
    "Unless those deny enter_plan_mode and exit_plan_mode, the model can give itself full permission.";
  return [notice("cli_warning", message)];
}
