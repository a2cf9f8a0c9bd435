import { type Clock, within } from "../../domain/clock.ts";
import type { StopReason } from "../live-run.ts";
import { hasOpenInput, type SessionProcess } from "../session-process.ts";

/** Time between two interrupts of the same turn. */
const interruptEveryMs = 100;

export interface StopTurnOptions {
  clock: Clock;
  /** From the polite request to the kill. */
  killGraceMs: number;
  atOnce: () => boolean;
  interruptId: string;
}

/**
 * Ends a turn that its CLI has not ended: protocol first, then signals to the CLI itself, then the whole
 * tree. `ended` resolves when the CLI said that the turn is over, or is gone.
 *
 * The grace is shared: half of it for the protocol's interrupt, the rest for SIGTERM. Without a protocol
 * (or with its input closed) SIGINT comes first, which Claude answers with a result
 * (recording cancel_sigint).
 */
export async function stopTurn(
  session: SessionProcess,
  reason: StopReason,
  ended: Promise<unknown>,
  options: StopTurnOptions,
): Promise<void> {
  const { process } = session;
  const halfGraceMs = options.killGraceMs / 2;
  // A limit's tree is being killed already.
  if (reason.kind !== "limit" && !options.atOnce()) {
    if (await askPolitely(session, ended, halfGraceMs, options)) return;
    process.signal("SIGTERM");
    if (await within(options.clock, ended, halfGraceMs)) return;
  }
  await process.killTree();
}

/** True when the turn ended in time. */
async function askPolitely(
  session: SessionProcess,
  ended: Promise<unknown>,
  waitMs: number,
  options: StopTurnOptions,
): Promise<boolean> {
  if (hasOpenInput(session) && session.dialogue.interrupt(`${options.interruptId}-0`) !== null) {
    return interruptUntil(session, ended, waitMs, options);
  }
  session.process.signal("SIGINT");
  return within(options.clock, ended, waitMs);
}

/**
 * Claude 2.1.330 loses an interrupt that comes within a millisecond or two of the turn's message, and yet
 * answers "success": so it is asked again until the turn is over.
 */
async function interruptUntil(
  { process, dialogue }: SessionProcess,
  ended: Promise<unknown>,
  waitMs: number,
  { clock, interruptId }: StopTurnOptions,
): Promise<boolean> {
  for (let askedMs = 0, times = 1; askedMs < waitMs; askedMs += interruptEveryMs, times++) {
    void process.write(dialogue.interrupt(`${interruptId}-${times}`) ?? "");
    if (await within(clock, ended, Math.min(interruptEveryMs, waitMs - askedMs))) return true;
  }
  return false;
}
