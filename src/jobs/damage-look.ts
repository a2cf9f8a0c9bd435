import type { Job } from "./scheduler.ts";

/** A large file isn't looked at before the server serves, so the first look comes soon after. */
const firstAfterMs = 5 * 60_000;
const everyMs = 24 * 3_600_000;

/** Damage in pages that nobody reads is found while there still is a backup without it. */
export function damageLook(look: (signal: AbortSignal) => Promise<void>): Job {
  return {
    name: "damage",
    firstAfterMs,
    everyMs,
    async run(signal) {
      await look(signal);
      return 0;
    },
  };
}
