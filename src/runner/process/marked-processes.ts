import type { Clock } from "../../domain/clock.ts";
import { processMarker } from "./environment.ts";
import { sendSignal } from "./kill.ts";
import { type ProcessStat, hasVariable, listAlive } from "./tree.ts";
import { pause } from "./until.ts";

/** A process that forks while it is looked for may be missed once, hardly three times. */
const emptyLooksNeeded = 3;

/** Processes that carry a marker of ours in their environment; never this process. */
export function listMarked(marker: string): ProcessStat[] {
  return listAlive().filter(
    (found) => found.pid !== process.pid && hasVariable(found.pid, processMarker, marker),
  );
}

/** Kills what carries the marker until three looks in a row find none; resolves with how many are left. */
export function killMarked(marker: string, clock: Clock, waitMsMax: number): Promise<number> {
  return killFound(() => listMarked(marker), clock, waitMsMax);
}

/** Kills what `find` finds until three looks in a row find none; resolves with how many are left. */
export async function killFound(
  find: () => readonly { pid: number }[],
  clock: Clock,
  waitMsMax: number,
): Promise<number> {
  const deadlineMs = clock.monotonicMs() + waitMsMax;
  for (let emptyLooks = 0; ;) {
    const found = find();
    for (const { pid } of found) sendSignal(pid, "SIGKILL");
    emptyLooks = found.length === 0 ? emptyLooks + 1 : 0;
    if (emptyLooks === emptyLooksNeeded) return 0;
    if (clock.monotonicMs() >= deadlineMs) return found.length;
    await pause(1);
  }
}
