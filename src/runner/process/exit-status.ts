import { constants } from "node:os";
import type { ContainmentRung } from "../../domain/process.ts";
import type { ExitStatus } from "./cli-process.ts";

/** What a shell, too, says of a command that couldn't be executed. */
const notExecuted = 127;

const signalNames = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]));

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
