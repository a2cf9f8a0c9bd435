import type { RunErrorCode } from "../../domain/error-codes.ts";
import type { Notice } from "../../domain/ports.ts";
import type { Failure, Verdict } from "../adapters/adapter.ts";

/** How one try of a turn went, as far as it decides about another one within the same run. */
export interface AttemptEnd {
  /** The process had carried an earlier turn. */
  reused: boolean;
  /** It was to carry this turn only. */
  isOneTurn: boolean;
  /** It was to go on in a session that the CLI had. */
  resumed: boolean;
  /** It had the prompt. */
  prompted: boolean;
  /** It said nothing on stderr either. */
  silent: boolean;
  /** Some answer, thought or tool call came: tools have side effects, so the turn isn't begun anew. */
  spoke: boolean;
  /** Something came from the process's standard output after it had the prompt. */
  printed: boolean;
  stopped: boolean;
  verdict: Verdict | null;
  failure: Failure | null;
}

/** What has been tried within this run; each remedy is tried once. */
export interface Remedies {
  replaced: boolean;
  fellBack: boolean;
  renewed: boolean;
}

export type Remedy =
  | { kind: "replaced" | "fellBack"; notice: Notice }
  /** `isCertain` is false where the session is only thought to be broken: it is let go when a fresh one has begun. */
  | { kind: "renewed"; isCertain: boolean; notice: Notice };

/** Whether the turn is tried once more, and how: the only place that begins a turn twice. */
export function remedyFor(end: AttemptEnd, tried: Remedies): Remedy | null {
  if (end.stopped || end.spoke || end.verdict?.kind === "succeeded") return null;
  if (lostSession(end) && !tried.renewed) return { kind: "renewed", isCertain: true, notice: sessionLost };
  if (end.printed || (end.verdict && end.verdict.kind !== "unready")) return null;
  if (end.reused && !tried.replaced) return { kind: "replaced", notice: replacedDead };
  if (end.reused || !mayFallBack(end)) return null;
  // A prompt that has killed two processes isn't given to a third one for the same reason.
  const isTriedEnough = end.isOneTurn || tried.fellBack || (tried.replaced && end.prompted);
  if (isTriedEnough) return mayBeTorn(end) && !tried.renewed ? tornSession : null;
  return { kind: "fellBack", notice: fellBackBecause(complaintOf(end)?.message ?? "") };
}

/** What went wrong, as the CLI said it or as we saw it. */
function complaintOf({ verdict, failure }: AttemptEnd): AttemptEnd["failure"] {
  return verdict?.kind === "failed" || verdict?.kind === "unready" ? verdict : failure;
}

function lostSession(end: AttemptEnd): boolean {
  return complaintOf(end)?.code === "session_lost";
}

/**
 * A CLI that was killed in mid-write leaves sessions on which it ends without a word (reported of Claude Code in
 * issues 52387 and 53821 of its repository; Droid does so with a session that it can't find): nobody could ever
 * go on there.
 */
function mayBeTorn({ resumed, silent, failure }: AttemptEnd): boolean {
  const wordless: readonly (RunErrorCode | undefined)[] = ["exit_before_output", "exit_nonzero", "no_result"];
  return resumed && silent && wordless.includes(failure?.code);
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
  return !hopeless.includes(complaintOf(end)?.code);
}

const sessionLost: Notice = {
  code: "session_lost",
  message: "The CLI had lost this conversation's session; a fresh one was told the conversation so far.",
};
const tornSession: Remedy = {
  kind: "renewed",
  isCertain: false,
  notice: {
    code: "session_lost",
    message:
      "The CLI ends without a word when it is to go on in this conversation's session; a fresh one was told the conversation so far.",
  },
};
const replacedDead: Notice = {
  code: "cold_start",
  message: "The warm process had died; a fresh one took over.",
};

/** Longest piece of the CLI's own words in the notice. */
const complaintChars = 300;

function fellBackBecause(complaint: string): Notice {
  const why = complaint === "" ? "" : ` (${complaint.slice(0, complaintChars)})`;
  return {
    code: "cold_start",
    message: `The warm process did not come up${why}; the turn was carried by a process of its own.`,
  };
}
