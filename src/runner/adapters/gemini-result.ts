import { classifyFailure } from "../../domain/failure-taxonomy.ts";
import type { Usage } from "../../domain/run.ts";
import type { Verdict } from "./adapter.ts";
import { errorTextChars } from "./error-text.ts";
import type { ResultLine } from "./gemini-lines.ts";
import type { Turn } from "./gemini-turn.ts";
import { humanWords } from "./gemini-words.ts";
import { tokenCount } from "./token-counts.ts";

/**
 * What the result says of the turn: its status decides, since the exit code is the API's status modulo 256, or 0
 * for an answer that failed (recordings error_401, empty_answer). But it also calls a success what it ended after
 * an `error` event: that is one as far as there is an answer (recordings loop_detected, loop_unanswered).
 */
export function verdictOf({ status, error }: ResultLine, { error: told, hasText }: Turn): Verdict {
  const isAnswered = hasText || told === null;
  if (status === "success" && isAnswered) return { kind: "succeeded", result: "", byCliItself: false };
  if (error?.type === "FatalCancellationError") return { kind: "aborted" };
  const said = error?.message || told || "The CLI reported an error and nothing more.";
  const { code } = classifyFailure({ cli: "gemini", text: said });
  return { kind: "failed", code, message: humanWords(said).slice(0, errorTextChars) };
}

/** This run's tokens: what was read from the cache is within `input_tokens`, and is told apart. */
export function usageOf({ stats }: ResultLine): Usage | null {
  if (!stats) return null;
  const cacheReadTokens = tokenCount(stats.cached);
  return {
    inputTokens: Math.max(0, tokenCount(stats.input_tokens) - cacheReadTokens),
    outputTokens: tokenCount(stats.output_tokens),
    cacheReadTokens,
    cacheWriteTokens: 0,
  };
}
