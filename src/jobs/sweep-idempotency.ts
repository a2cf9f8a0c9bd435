import type { Job } from "./scheduler.ts";

/** Idempotency keys are kept for a day and as long as their run; then they only take room. */
export function sweepIdempotency(sweep: (atMs: number) => Promise<number>, wallMs: () => number): Job {
  return {
    name: "sweep-idempotency",
    everyMs: 3_600_000,
    async run() {
      await sweep(wallMs());
    },
  };
}
