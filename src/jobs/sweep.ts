import { sweepEveryMs } from "../domain/retention.ts";
import type { Job } from "./scheduler.ts";

/** Soon enough for a server that never runs for an hour, and out of the way of its start. */
const firstAfterMs = 60_000;

/** A job that does all that there is to do each time. */
export function once(name: Job["name"], run: Job["run"]): Job {
  return { name, firstAfterMs, everyMs: sweepEveryMs, run };
}

/** A job that removes batch after batch, until there is nothing left to remove. Others write between two batches. */
export function sweep(name: Job["name"], removeBatch: () => Promise<number>): Job {
  return {
    name,
    firstAfterMs,
    everyMs: sweepEveryMs,
    async run(signal) {
      let removed = 0;
      let inBatch = -1;
      while (inBatch !== 0 && !signal.aborted) {
        inBatch = await removeBatch();
        removed += inBatch;
      }
      return removed;
    },
  };
}
