import { constants } from "node:os";
import type { ContainmentRung } from "../../domain/process.ts";
import type { ExitStatus } from "./cli-process.ts";

/** What a shell, too, says of a command that couldn't be executed. */
const notExecuted = 127;

/**
 * Signals that end no process unless somebody sends them in play: a code above 128 that would stand for one is a
 * code of the CLI's own (Gemini exits with the API's status modulo 256, which makes 145 of a 401).
 */
const neverFatal: readonly string[] = [
  "SIGSTKFLT",
  "SIGCHLD",
  "SIGCONT",
  "SIGSTOP",
  "SIGTSTP",
  "SIGTTIN",
  "SIGTTOU",
  "SIGURG",
  "SIGWINCH",
];

const signalNames = new Map(
  Object.entries(constants.signals)
    .filter(([name]) => !neverFatal.includes(name))
    .map(([name, number]) => [number, name]),
);

/**
 * How the CLI ended, from how its outermost process ended. bwrap reports a signal as 128 + its number, and
 * its own failure to execute the CLI as 1 without an exit code on its status descriptor.
 */
export function exitStatusOf(outermost: ExitStatus, rung: ContainmentRung, wasExecuted: boolean): ExitStatus {
  if (rung !== "bwrap" || outermost.signal !== null || outermost.exitCode === null) return outermost;
  if (!wasExecuted && outermost.exitCode === 1) return { exitCode: notExecuted, signal: null };
  const signal = outermost.exitCode > 128 ? signalNames.get(outermost.exitCode - 128) : undefined;
  return signal === undefined ? outermost : { exitCode: null, signal };
}
