import { type Clock, within } from "../domain/clock.ts";
import type { Fact } from "../domain/facts.ts";
import type { Dialect, Dialogue } from "./adapters/adapter.ts";
import { plainText } from "./adapters/plain-text.ts";
import type { CliProcess, ProcessListener } from "./process/cli-process.ts";

/** A CLI process that serves one conversation's session, and what we know of it. */
export interface SessionProcess {
  readonly process: CliProcess;
  readonly dialect: Dialect;
  readonly dialogue: Dialogue;
  readonly agentId: string;
  readonly conversationId: string;
  /** The settings under which it was started; a process is never used under others. */
  readonly fingerprint: string;
  /** True when it is ended after this turn. */
  readonly isOneTurn: boolean;
  /** As the CLI told it, or as its package does; null when neither has. */
  cliVersion: string | null;
  /** Why it may carry no further turn; null while it may. */
  retiredBecause: string | null;
}

/** One that was never ready for a prompt isn't: it is no use to keep it. */
export function isReusable(session: SessionProcess): boolean {
  if (!session.dialogue.prompted) return false;
  return !session.isOneTurn && session.retiredBecause === null && session.process.exitStatus === null;
}

/** Longest piece of what a CLI said in a fact. */
const detailChars = 200;

/** The fact of something odd in what a CLI printed. */
export function anomalySeen({ process, cliVersion }: SessionProcess, code: string, detail: string): Fact {
  const shown = plainText(detail).slice(0, detailChars);
  return { type: "anomaly.seen", cli: process.cli, cliVersion, code, detail: shown, count: 1 };
}

/** False when the end of the input is what begins the turn. */
export function hasOpenInput({ isOneTurn, dialect }: SessionProcess): boolean {
  return !(isOneTurn && dialect.promptEndsInput);
}

/** Hears nothing; a base to override. */
export const deafListener: ProcessListener = {
  lines() {},
  lineDropped() {},
  garbled() {},
  stderr() {},
  limitReached() {},
  exited() {},
};

/** Ends a process politely (its input closes), then for certain. Resolves with the survivors. */
export async function endProcess(process: CliProcess, killGraceMs: number, clock: Clock): Promise<number> {
  process.closeInput();
  if (process.exitStatus === null) await within(clock, process.exited, killGraceMs);
  return process.killTree();
}
