import type { Clock } from "../../domain/clock.ts";

/** Longest pause between two looks. */
const pauseMsMax = 10;

/** Looks again and again, first after 1 ms, until the condition holds; false when it didn't in time. */
export async function until(clock: Clock, waitMsMax: number, holds: () => boolean): Promise<boolean> {
  const deadlineMs = clock.monotonicMs() + waitMsMax;
  for (let pauseMs = 1; !holds(); pauseMs = Math.min(pauseMs * 1.5, pauseMsMax)) {
    if (clock.monotonicMs() >= deadlineMs) return false;
    await pause(pauseMs);
  }
  return true;
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** A pause that needn't be waited out; `end` gives its timer back. */
export function pauseUpTo(ms: number): { over: Promise<void>; end: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  return { over: promise, end: () => clearTimeout(timer) };
}
