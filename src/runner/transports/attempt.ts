import type { RunErrorCode } from "../../domain/error-codes.ts";
import type { Notice } from "../../domain/ports.ts";
import type { Verdict } from "../adapters/adapter.ts";

/** How one try of a turn went, as far as it decides about another one within the same run. */
export interface AttemptEnd {
  /** The process had carried an earlier turn. */
  reused: boolean;
  /** Its input was kept open for further turns. */
  keepsInput: boolean;
  /** Some answer, thought or tool call came: tools have side effects, so the turn isn't begun anew. */
  spoke: boolean;
  /** Something came from the process's standard output. */
  printed: boolean;
  stopped: boolean;
  verdict: Verdict | null;
  failure: { code: RunErrorCode; message: string } | null;
}

/** What has been tried within this run; each remedy is tried once. */
export interface Remedies {
  replaced: boolean;
  fellBack: boolean;
  renewed: boolean;
}

export type Remedy = { kind: keyof Remedies; notice: Notice };

/** Whether the turn is tried once more, and how: the only place that begins a turn twice. */
export function remedyFor(end: AttemptEnd, tried: Remedies): Remedy | null {
  if (end.stopped || end.spoke || end.verdict?.kind === "succeeded") return null;
  if (lostSession(end) && !tried.renewed) return { kind: "renewed", notice: sessionLost };
  if (end.verdict || end.printed) return null;
  if (end.reused && !tried.replaced) return { kind: "replaced", notice: replacedDead };
  if (!end.reused && end.keepsInput && !tried.fellBack && mayFallBack(end)) {
    return { kind: "fellBack", notice: fellBack };
  }
  return null;
}

function lostSession(end: AttemptEnd): boolean {
  const code = end.verdict?.kind === "failed" ? end.verdict.code : end.failure?.code;
  return code === "session_lost";
}

/** A CLI that isn't there, or isn't signed in, doesn't do better in another mode. */
function mayFallBack(end: AttemptEnd): boolean {
  const hopeless: readonly (RunErrorCode | undefined)[] = [
    "store_error",
    "spawn_error",
    "cli_not_found",
    "cwd_missing",
    "cli_too_old",
    "auth_required",
  ];
  return !hopeless.includes(end.failure?.code);
}

const sessionLost: Notice = {
  code: "session_lost",
  message: "The CLI had lost this conversation's session; a fresh one was told the conversation so far.",
};
const replacedDead: Notice = {
  code: "cold_start",
  message: "The warm process had died; a fresh one took over.",
};
const fellBack: Notice = {
  code: "cold_start",
  message: "The warm process did not come up; the turn was carried by a process of its own.",
};
