import type { Cli } from "./agent.ts";
import type { FailureRow } from "./failure-row.ts";
import { acpFailures } from "./failure-rows-acp.ts";
import { apiFailures } from "./failure-rows-api.ts";
import { claudeFailures } from "./failure-rows-claude.ts";
import { droidFailures } from "./failure-rows-droid.ts";
import { geminiFailures } from "./failure-rows-gemini.ts";
import { processFailures } from "./failure-rows-process.ts";
import { findHttpStatus } from "./failure-status.ts";

/** What was seen of a turn that failed; whatever isn't known is left out or null. */
export interface SeenFailure {
  cli: Cli;
  /** As the CLI names it in a field of its own; otherwise it is looked for in the text. */
  httpStatus?: number | null;
  /** What the CLI said of it, as plain text: its error's message, or the end of its stderr. */
  text?: string;
  /** Of a process that gave no result. Most numbers say nothing, so few rows look at it. */
  exitCode?: number | null;
}

/** All that is known of how CLIs fail, in the order in which it is tried: a CLI's own words come first. */
export const failureRows: readonly FailureRow[] = [
  ...claudeFailures,
  ...geminiFailures,
  ...droidFailures,
  ...acpFailures,
  ...apiFailures,
  ...processFailures,
];

/** When nothing better is known: the CLI says that it failed. */
export const unexplainedFailure: FailureRow = {
  id: "unexplained",
  clis: "all",
  seen: "Any other error that the CLI reports",
  code: "cli_error",
  sentence: "The CLI reported an error.",
  advice: "Read what it said; send it again if that may help.",
  countsAgainstService: true,
  retry: true,
  evidence: { source: "It is what is left." },
};

/** The row that explains what was seen; `unexplainedFailure` (code `cli_error`) when there is no better one. */
export function classifyFailure(seen: SeenFailure): FailureRow {
  return findFailure(seen) ?? unexplainedFailure;
}

/** The same, but null when nothing in the table fits: for exits, which have codes of their own. */
export function findFailure(seen: SeenFailure): FailureRow | null {
  const text = seen.text ?? "";
  const traces: SeenTraces = {
    text,
    httpStatus: seen.httpStatus ?? findHttpStatus(text),
    exitCode: seen.exitCode ?? null,
  };
  return failureRows.find((row) => isAbout(row, seen.cli) && isSeen(row, traces)) ?? null;
}

export function isAbout({ clis }: FailureRow, cli: Cli): boolean {
  return clis === "all" || clis.includes(cli);
}

interface SeenTraces {
  text: string;
  httpStatus: number | null;
  exitCode: number | null;
}

function isSeen({ traces = {} }: FailureRow, { text, httpStatus, exitCode }: SeenTraces): boolean {
  const { wording, statuses, exitCodes } = traces;
  if (wording?.test(text)) return true;
  if (httpStatus !== null && statuses?.includes(httpStatus)) return true;
  return exitCode !== null && (exitCodes?.includes(exitCode) ?? false);
}
