/** Time as an argument: the wall clock for what people read, the monotonic clock for every duration. */
export interface Clock {
  /** Milliseconds since the Unix epoch; may jump. */
  wallMs(): number;
  /** Milliseconds since some fixed moment; never jumps backwards. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};

/** ISO 8601 UTC with milliseconds, the only form in which times leave Headway. */
export function isoTime(wallMs: number): string {
  return new Date(wallMs).toISOString();
}

export function isoTimeOrNull(wallMs: number | null): string | null {
  return wallMs === null ? null : isoTime(wallMs);
}
