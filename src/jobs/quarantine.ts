import type { Job } from "./scheduler.ts";

/** Soon enough that nobody needs to look by hand for what dies by itself. */
const recheckEveryMs = 30_000;

/** Tries again to end the processes that keep agents in quarantine; what it does away with is the quarantine. */
export function quarantineJob(recheckAll: (signal: AbortSignal) => Promise<number>): Job {
  return { name: "quarantine", firstAfterMs: recheckEveryMs, everyMs: recheckEveryMs, run: recheckAll };
}
