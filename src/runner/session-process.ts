import type { Adapter, Decoder } from "./adapters/adapter.ts";
import type { CliProcess, ProcessListener } from "./process/cli-process.ts";

/** A CLI process that serves one conversation's session, and what we know of it. */
export interface SessionProcess {
  readonly process: CliProcess;
  readonly adapter: Adapter;
  readonly decoder: Decoder;
  readonly agentId: string;
  readonly conversationId: string;
  /** The settings under which it was started; a process is never used under others. */
  readonly fingerprint: string;
  /** True when its input stays open for further turns. */
  readonly keepsInput: boolean;
  /** Why it may carry no further turn; null while it may. */
  retiredBecause: string | null;
}

export function isReusable(session: SessionProcess): boolean {
  return session.keepsInput && session.retiredBecause === null && session.process.exitStatus === null;
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
export async function endProcess(process: CliProcess, killGraceMs: number): Promise<number> {
  process.closeInput();
  if (process.exitStatus === null) await within(process.exited, killGraceMs);
  return process.killTree();
}

/** Waits for a promise, but not longer than that; true when it came in time. */
export async function within(promise: Promise<unknown>, waitMs: number): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(() => resolve(false), waitMs);
  try {
    return await Promise.race([promise.then(() => true as const), late]);
  } finally {
    clearTimeout(timer);
  }
}
