import type { Agent, Cli, FilePolicy, PermissionMode } from "../domain/agent.ts";
import type { ConversationState } from "../domain/conversation.ts";
import type { Usage } from "../domain/run.ts";
import type { RunState } from "../domain/run-state.ts";

export const cliNamesShown: Record<Cli, string> = {
  claude: "Claude Code",
  droid: "Factory Droid",
  gemini: "Gemini CLI",
  demo: "demo",
  acp: "ACP agent",
};

export const permissionsShown: Record<PermissionMode, { title: string; meaning: string }> = {
  read: { title: "Read", meaning: "May look at files and make plans. Changes nothing." },
  edit: {
    title: "Edit",
    meaning: "May change files in its folder. What else needs permission, most commands say, is denied.",
  },
  full: {
    title: "Full",
    meaning: "May run any command and change any file that you could. For folders you can afford to lose.",
  },
};

export const filePoliciesShown: Record<FilePolicy, { title: string; meaning: string }> = {
  open: { title: "Wherever you may", meaning: "Everything that your user may write." },
  workspace: {
    title: "In its folder only",
    meaning:
      "And in the CLI's own folders and temporary ones of its own; everything else can only be read. Needs bubblewrap on the server.",
  },
};

export const statesShown: Record<RunState, string> = {
  queued: "waiting",
  starting: "starting",
  running: "running",
  succeeded: "done",
  failed: "failed",
  cancelled: "stopped",
  timed_out: "timed out",
  interrupted: "interrupted",
};

export const conversationStatesShown: Record<ConversationState, string> = {
  active: "active",
  ended: "ended",
  running: "running",
  failed: "last run failed",
};

/** What an agent is doing; where it does nothing, whether its circuit breaker keeps it from that. */
export function agentStatus({ status, breaker }: Pick<Agent, "status" | "breaker">) {
  if (status === "quarantined" || breaker.state === "closed") return status;
  if (breaker.state === "half_open") return "probing";
  return status === "running" ? status : "breaker_open";
}

/** What an agent is doing, in a few words. */
export function statusShown(agent: Pick<Agent, "status" | "queueLength" | "breaker">): string {
  const status = agentStatus(agent).replace("_", " ");
  return agent.queueLength > 0 ? `${status}, ${agent.queueLength} waiting` : status;
}

/** "850 ms", "12.3 s", "4 min 5 s". */
export function durationShown(durationMs: number | null): string {
  if (durationMs === null) return "–";
  if (durationMs < 1_000) return `${Math.round(durationMs)} ms`;
  if (durationMs < 60_000) return `${(durationMs / 1_000).toFixed(1)} s`;
  return `${Math.floor(durationMs / 60_000)} min ${Math.floor((durationMs % 60_000) / 1_000)} s`;
}

/** How long it was from one ISO time to another. */
export function durationBetween(from: string, to: string): string {
  return durationShown(Math.max(0, Date.parse(to) - Date.parse(from)));
}

/** "1,234 in (1,100 from cache), 56 out". */
export function tokensShown(usage: Usage): string {
  const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens } = usage;
  const read = inputTokens + cacheReadTokens + cacheWriteTokens;
  const cached = cacheReadTokens > 0 ? ` (${countShown(cacheReadTokens)} from cache)` : "";
  return `${countShown(read)} in${cached}, ${countShown(outputTokens)} out`;
}

/** "$0.0123"; small sums keep what can be told apart. */
export function costShown(costUsd: number): string {
  return `$${costUsd.toFixed(costUsd < 1 ? 4 : 2)}`;
}

export function bytesShown(bytes: number | null): string {
  return bytes === null ? "–" : `${(bytes / 1_048_576).toFixed(1)} MiB`;
}

/** "812 bytes", "63.5 KiB", "1.2 MiB". */
export function sizeShown(bytes: number): string {
  if (bytes < 1_024) return plural(bytes, "byte");
  return bytes < 1_048_576 ? `${(bytes / 1_024).toFixed(1)} KiB` : bytesShown(bytes);
}

export function countShown(count: number | null): string {
  return count === null ? "–" : count.toLocaleString("en");
}

/** "1 run", "3 runs". */
export function plural(count: number, noun: string): string {
  return `${countShown(count)} ${noun}${count === 1 ? "" : "s"}`;
}

export interface Cut {
  text: string;
  /** Characters that were left out. */
  missing: number;
}

export function cut(text: string, charsMax: number): Cut {
  return text.length <= charsMax
    ? { text, missing: 0 }
    : { text: text.slice(0, charsMax), missing: text.length - charsMax };
}
