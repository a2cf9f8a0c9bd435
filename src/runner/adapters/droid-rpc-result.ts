import type { RunErrorCode } from "../../domain/error-codes.ts";
import type { Usage } from "../../domain/run.ts";
import type { Verdict } from "./adapter.ts";
import { endedByDenial, failureOf } from "./droid-failure.ts";
import type { Completed } from "./droid-rpc-messages.ts";
import type { Turn } from "./droid-rpc-turn.ts";
import { hasTokens, tokenCount } from "./token-counts.ts";

/** Reasons that tell more than the words that come with them; for the others the words decide. */
const codes: Record<string, RunErrorCode> = {
  model_authentication_failed: "auth_required",
  model_rate_limited: "rate_limited",
  model_usage_exhausted: "rate_limited",
  model_provider_unavailable: "overloaded",
  process_exit: "signal",
};

/**
 * What the end says of the turn (recordings warm-error, warm-error-401, warm-error-429, warm-error-529,
 * warm-interrupt, warm-denied). When something was denied Droid asks the model no more and calls that completed.
 */
export function verdictOf({ reason = "unknown" }: Completed, turn: Turn): Verdict {
  const { deniedTool, permissionMode, error } = turn;
  if (reason === "cancelled") return { kind: "aborted" };
  const isDenied = deniedTool !== null && (reason === "completed" || reason === "permission_rejected");
  if (isDenied) return endedByDenial(deniedTool, permissionMode);
  if (reason === "completed" || reason === "spec_handoff")
    return { kind: "succeeded", result: "", byCliItself: false };
  const said = error ?? `Droid ended the turn, and says only: ${reason.replaceAll("_", " ")}.`;
  return { kind: "failed", ...failureOf(said, codes[reason]) };
}

/**
 * This turn's tokens, with those of its sub-agents. An answer that broke off is not counted (recordings
 * warm-interrupt, warm-error): nothing is known then, which is not the same as nothing used.
 */
export function usageOf({ tokenUsage = {} }: Completed): Usage | null {
  const usage = {
    inputTokens: tokenCount(tokenUsage.inputTokens),
    outputTokens: tokenCount(tokenUsage.outputTokens),
    cacheReadTokens: tokenCount(tokenUsage.cacheReadTokens),
    cacheWriteTokens: tokenCount(tokenUsage.cacheCreationTokens),
  };
  return hasTokens(usage) ? usage : null;
}
