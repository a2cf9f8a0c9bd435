/** Time as an argument: the wall clock for what people read, the monotonic clock for every duration and alarm. */
export interface Clock {
  /** Milliseconds since the Unix epoch; may jump. */
  wallMs(): number;
  /** Milliseconds since some fixed moment; never jumps backwards. */
  monotonicMs(): number;
  /** Calls once, that long from now by the monotonic clock; never in the caller's own tick. */
  after(delayMs: number, ring: () => void): Alarm;
}

/** Something that is to happen later. */
export interface Alarm {
  /** Starts the delay anew; of an alarm that has rung or was stopped it is undefined what happens. */
  refresh(): void;
  /** It doesn't ring any more; stopping it twice, or after it has rung, does nothing. */
  stop(): void;
}

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, ring) {
    const timer = setTimeout(ring, delayMs);
    return { refresh: () => void timer.refresh(), stop: () => clearTimeout(timer) };
  },
};

/** Resolves that long from now. */
export function pause(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => clock.after(delayMs, resolve));
}

/** Waits for a promise, but not longer than that; true when it came in time. */
export async function within(clock: Clock, promise: Promise<unknown>, waitMs: number): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<false>();
  const alarm = clock.after(waitMs, () => resolve(false));
  try {
    return await Promise.race([promise.then(() => true as const), late]);
  } finally {
    alarm.stop();
  }
}

/** ISO 8601 UTC with milliseconds, the only form in which times leave Headway. */
export function isoTime(wallMs: number): string {
  return new Date(wallMs).toISOString();
}

export function isoTimeOrNull(wallMs: number | null): string | null {
  return wallMs === null ? null : isoTime(wallMs);
}
