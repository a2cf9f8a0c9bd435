import type { ClaimedRun } from "../domain/ports.ts";
import type { LimitCode } from "./process/cli-process.ts";

/** Why we ended a run before its CLI did. */
export type StopReason =
  | { kind: "cancel" }
  | { kind: "deadline" }
  | { kind: "stalled"; message: string }
  | { kind: "shutdown" }
  | { kind: "limit"; code: LimitCode }
  | { kind: "store_error"; message: string };

/** A run in progress, as those see it who may want to end it early. */
export interface LiveRun {
  readonly claimed: ClaimedRun;
  /** The first reason given; later ones don't count. */
  readonly stopReason: StopReason | null;
  /** True when the polite way is to be skipped: the second signal of an operator in a hurry. */
  readonly atOnce: boolean;
  /** Resolves with the first reason; never, when the run ends by itself. */
  readonly stopped: Promise<StopReason>;
  stop(reason: StopReason, options?: { atOnce: boolean }): void;
}

export function createLiveRun(claimed: ClaimedRun): LiveRun {
  let stopReason: StopReason | null = null;
  let atOnce = false;
  const { promise: stopped, resolve } = Promise.withResolvers<StopReason>();
  return {
    claimed,
    stopped,
    get stopReason() {
      return stopReason;
    },
    get atOnce() {
      return atOnce;
    },
    stop(reason, options) {
      atOnce ||= options?.atOnce ?? false;
      stopReason ??= reason;
      resolve(stopReason);
    },
  };
}
