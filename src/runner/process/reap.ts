import type { Clock } from "../../domain/clock.ts";
import type { ProcessIdentity } from "../../domain/process.ts";
import { processMarker } from "./environment.ts";
import { killFound, listMarked } from "./marked-processes.ts";
import { killMsMax } from "./process-tree.ts";
import { type ProcessStat, descendantsOf, findAlive, hasVariable, isAlive, readBootId } from "./tree.ts";

/**
 * Ends what is left of a process of an earlier server. Kills only what proves to be ours: the same boot,
 * and either the recorded pid with its start time and marker and what descends from it, or the marker alone.
 *
 * @returns how many still live 5 s later
 */
export function reap(identity: ProcessIdentity, clock: Clock): Promise<number> {
  if (identity.bootId === "" || identity.bootId !== readBootId()) return Promise.resolve(0);
  const tree = treeOf(identity);
  return killFound(() => [...tree.filter(isAlive), ...listMarked(identity.marker)], clock, killMsMax);
}

function treeOf(identity: ProcessIdentity): ProcessStat[] {
  const root = findAlive(identity.pid);
  const isOurs =
    root !== null &&
    String(root.startTicks) === identity.pidStart &&
    hasVariable(root.pid, processMarker, identity.marker);
  if (!isOurs) return [];
  const descendants = descendantsOf(root.pid).map((pid) => findAlive(pid));
  return [root, ...descendants.filter((found) => found !== null)];
}
