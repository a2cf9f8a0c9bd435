import { classifyFailure } from "../../domain/failure-taxonomy.ts";
import type { Usage } from "../../domain/run.ts";
import type { Verdict } from "./adapter.ts";
import type { ResultLine } from "./claude-dialect-lines.ts";
import type { Turn } from "./claude-dialect-turn.ts";
import { errorTextChars } from "./error-text.ts";
import { plainText } from "./plain-text.ts";
import { hasTokens, tokenCount } from "./token-counts.ts";

/**
 * What the result says of the turn. `subtype` is no help: API errors come as "success" with `is_error`
 * (recording error_429); aborted turns have a reason of their own (cancel_sigint, bidi_permissions).
 * `assistantError` is the last `error` of an assistant event: the only trace of the kind where there is no
 * HTTP status (recording no_key).
 */
export function verdictOf(
  result: ResultLine,
  { assistantError, limitEndsAtMs }: Pick<Turn, "assistantError" | "limitEndsAtMs">,
): Verdict {
  if (result.terminal_reason?.startsWith("aborted_")) return { kind: "aborted" };
  if (!isError(result)) {
    return { kind: "succeeded", result: result.result ?? "", byCliItself: isByCliItself(result) };
  }
  const message = errorText(result);
  const text = `${assistantError ?? ""} ${message}`;
  const { code } = classifyFailure({ cli: "claude", httpStatus: result.api_error_status ?? null, text });
  const failed = { kind: "failed", code, message: message.slice(0, errorTextChars) } as const;
  return code === "rate_limited" && limitEndsAtMs !== null ? { ...failed, limitEndsAtMs } : failed;
}

function isError(result: ResultLine): boolean {
  return result.is_error ?? result.subtype !== "success";
}

/** Slash commands: no model was asked (recording slash_command). */
export function isByCliItself(result: ResultLine): boolean {
  return !isError(result) && result.num_turns === 0;
}

function errorText(result: ResultLine): string {
  const said = plainText(result.errors?.join("\n") || result.result || "");
  return said || `The CLI reported ${result.subtype ?? "an error"} and nothing more.`;
}

/** This turn's tokens; an interrupted turn has them only in the sum by model (recording cancel_sigint). */
export function usageOf(result: ResultLine): Usage | null {
  const { usage } = result;
  if (!usage) return null;
  const told = {
    inputTokens: tokenCount(usage.input_tokens),
    outputTokens: tokenCount(usage.output_tokens),
    cacheReadTokens: tokenCount(usage.cache_read_input_tokens),
    cacheWriteTokens: tokenCount(usage.cache_creation_input_tokens),
  };
  return hasTokens(told) ? told : usageByModel(result);
}

function usageByModel(result: ResultLine): Usage {
  const models = Object.values(result.model_usage_since_last_result ?? {});
  return {
    inputTokens: sum(models.map((model) => tokenCount(model.inputTokens))),
    outputTokens: sum(models.map((model) => tokenCount(model.outputTokens))),
    cacheReadTokens: sum(models.map((model) => tokenCount(model.cacheReadInputTokens))),
    cacheWriteTokens: sum(models.map((model) => tokenCount(model.cacheCreationInputTokens))),
  };
}

/**
 * This turn's cost in US dollars. `total_cost_usd` runs on over the session, also across --resume
 * (recordings resume_1_new, resume_2_second_turn), so it serves only as a difference within one process.
 */
export function costOf(result: ResultLine, earlierTotalUsd: number | null): number | null {
  const { model_usage_since_last_result: byModel, total_cost_usd: totalUsd } = result;
  if (byModel) return rounded(sum(Object.values(byModel).map((model) => model.costUSD ?? 0)));
  if (totalUsd === undefined) return null;
  if (totalUsd === 0) return 0;
  return earlierTotalUsd === null || totalUsd < earlierTotalUsd ? null : rounded(totalUsd - earlierTotalUsd);
}

/** To a billionth: sums of prices in binary would show 0.010159999999999999. */
function rounded(usd: number): number {
  return Math.round(usd * 1e9) / 1e9;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
