import type { FailureRow } from "./failure-row.ts";

/** What is told by what a CLI did not say: no words of its own bring these about, so none are looked for. */
export const processFailures: readonly FailureRow[] = [
  {
    id: "exit-silent",
    clis: "all",
    seen: "Exit code 1, and not one character on stdout or stderr (Droid: a session that it can't get from Factory)",
    code: "exit_before_output",
    sentence: "The CLI ended without a word.",
    advice: "Start it in a terminal as the user that runs Headway: it may say there what it lacks.",
    countsAgainstService: true,
    retry: true,
    evidence: { recordings: ["recordings/droid/0.225.2/one-turn-lost"] },
  },
  {
    id: "exit-without-result",
    clis: "all",
    seen: "Exit code 0 and no result: Gemini CLI and Droid after a signal that somebody sent them",
    code: "no_result",
    sentence: "The CLI ended in mid-turn.",
    advice: "Send it again; what it had written is kept.",
    countsAgainstService: true,
    retry: true,
    evidence: { recordings: ["recordings/gemini/0.61.0/cancel_sigint"] },
  },
  {
    id: "exit-refused",
    clis: "all",
    seen: "Exit code 1 with words on stderr: an unknown option, an impossible combination",
    code: "exit_nonzero",
    sentence: "The CLI refused to start the turn.",
    advice: "Read what it said; an update of the CLI or of Headway may be needed.",
    countsAgainstService: true,
    retry: false,
    evidence: { recordings: ["recordings/claude/2.1.330/stream_json_without_verbose"] },
  },
  {
    id: "retries-silent",
    clis: ["claude", "gemini", "droid"],
    seen: "Minutes of silence while the CLI asks a failing API again and again (Claude Code 10 times, about 3 min; Gemini CLI up to 4 min; Droid more than 3 min)",
    code: "stalled",
    sentence: "The CLI showed no sign of life for too long.",
    advice: "Look at the run's log for what it tried; then send it again.",
    countsAgainstService: true,
    retry: true,
    evidence: { recordings: ["recordings/claude/2.1.330/error_401", "recordings/gemini/0.61.0/error_429"] },
  },
  {
    id: "handshake-refused",
    clis: "all",
    seen: "A JSON-RPC error or nothing at all to `initialize`, or to the opening of a session, before the prompt was handed over",
    code: "cli_error",
    sentence: "The CLI could not be made ready for a turn.",
    advice: "It is carried as one process per turn instead, with a notice; update the CLI if that goes on.",
    countsAgainstService: true,
    retry: true,
    evidence: {
      source:
        "The contract of the dialects plays it (its promise `handshake`): no CLI refuses a handshake as we make it.",
    },
  },
];
