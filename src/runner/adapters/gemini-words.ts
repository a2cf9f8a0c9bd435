import { apiErrorIn } from "./api-error.ts";
import { errorText, inPlainWords } from "./error-text.ts";

/** JSON of the API that holds JSON of the API: deeper than this nothing was seen. */
const nestingMax = 3;

/**
 * What a person can read of an error that Gemini CLI tells: `[API Error: …]`, and in it Google's JSON (recordings
 * error_400, error_401) or words (error_404). Behind the bracket stands advice for those who sit before the CLI.
 */
export function humanWords(said: string): string {
  const text = errorText(said).trim();
  let words = /^\[API Error: ([\s\S]*?)\](?:\n[^\]]*)?$/.exec(text)?.[1] ?? text;
  for (let depth = 0; depth < nestingMax; depth += 1) {
    const inside = messageInJson(words);
    if (inside === undefined) break;
    words = inside.trim();
  }
  return inPlainWords(words.replace(/^(?:_ApiError|Error): /, ""));
}

function messageInJson(text: string): string | undefined {
  const from = text.indexOf("{");
  return from === -1 ? undefined : apiErrorIn(text.slice(from, text.lastIndexOf("}") + 1))?.message;
}
