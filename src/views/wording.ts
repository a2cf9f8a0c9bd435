import type { Agent, Cli, PermissionMode } from "../domain/agent.ts";
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
    title: "Everything",
    meaning: "May run any command and change any file that you could. For folders you can afford to lose.",
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

/** What an agent is doing, in a few words. */
export function statusShown(agent: Pick<Agent, "status" | "queueLength">): string {
  const { status, queueLength } = agent;
  return queueLength > 0 ? `${status}, ${queueLength} waiting` : status;
}

/** "850 ms", "12.3 s", "4 min 5 s". */
export function durationShown(durationMs: number | null): string {
  if (durationMs === null) return "–";
  if (durationMs < 1_000) return `${Math.round(durationMs)} ms`;
  if (durationMs < 60_000) return `${(durationMs / 1_000).toFixed(1)} s`;
  return `${Math.floor(durationMs / 60_000)} min ${Math.floor((durationMs % 60_000) / 1_000)} s`;
}

export function bytesShown(bytes: number | null): string {
  return bytes === null ? "–" : `${(bytes / 1_048_576).toFixed(1)} MiB`;
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
