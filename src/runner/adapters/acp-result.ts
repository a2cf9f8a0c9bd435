import type { RunEventBody } from "../../domain/event.ts";
import type { Usage } from "../../domain/run.ts";
import type { PromptResult } from "./acp-lines.ts";
import type { Turn } from "./acp-turn.ts";
import type { Verdict } from "./adapter.ts";
import { cliCommand } from "./notices.ts";
import { plainText } from "./plain-text.ts";
import { tokenCount } from "./token-counts.ts";

/**
 * What the reply to a prompt says of the turn. An answer that was cut short is a failure, not a success with
 * a footnote: those who read only the state must not take it for whole. What was said stays.
 */
export function verdictOf({ stopReason }: PromptResult, turn: Turn, usage: Usage | null): Verdict {
  if (stopReason === "cancelled") return { kind: "aborted" };
  // opencode ends a turn that is cancelled while it waits for a retry as if it were done (recording acp_cancel).
  if (stopReason === "end_turn" && turn.isCancelled && !turn.hasText) return { kind: "aborted" };
  if (stopReason === "end_turn" && turn.hasLostText) {
    return { kind: "failed", code: "cli_error", message: lostText };
  }
  if (stopReason === "end_turn") {
    return { kind: "succeeded", result: "", byCliItself: isByAgentItself(turn, usage) };
  }
  return { kind: "failed", code: "cli_error", message: whyStopped(stopReason) };
}

const lostText =
  "The agent gave its answer, or a part of it, in the name of another session, so that part is missing. Send it again.";

function whyStopped(stopReason: string | undefined): string {
  switch (stopReason) {
    case "max_tokens":
      return "The answer is cut short: it reached the model's limit of tokens.";
    case "max_turn_requests":
      return "The answer is cut short: the agent reached its limit of steps in one turn, or ran in circles.";
    case "refusal":
      return "The agent refused to go on with this prompt.";
    case undefined:
      return "The agent ended the turn without saying how.";
    default:
      return `The agent ended the turn for a reason that Headway doesn't know: ${plainText(stopReason.slice(0, 64))}.`;
  }
}

/**
 * Slash commands: no model was asked. Gemini then counts no tokens (recording acp_commands); opencode swallows
 * one that it doesn't know without a word, and without a count.
 */
function isByAgentItself({ prompt, hasText }: Turn, usage: Usage | null): boolean {
  if (!prompt.startsWith("/")) return false;
  return usage === null ? !hasText : usage.inputTokens + usage.outputTokens === 0;
}

export function commandNotice({ prompt }: Turn): RunEventBody {
  return cliCommand(/^\/([\w:.-]{1,64})/.exec(prompt)?.[1]);
}

/** This turn's tokens (recording acp_session): Gemini's count begins anew with each prompt, opencode's too. */
export function usageOf({ usage, _meta: meta }: PromptResult): Usage | null {
  const quota = meta?.quota?.token_count;
  if (!usage && !quota) return null;
  return {
    inputTokens: tokenCount(usage?.inputTokens ?? quota?.input_tokens),
    outputTokens: tokenCount(usage?.outputTokens ?? quota?.output_tokens),
    cacheReadTokens: tokenCount(usage?.cachedReadTokens),
    cacheWriteTokens: tokenCount(usage?.cachedWriteTokens),
  };
}
