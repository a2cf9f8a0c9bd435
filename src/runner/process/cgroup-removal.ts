import { join } from "node:path";
import { type CgroupSystem, foldersIn, isCgroupRefusal, isGone } from "./cgroup-system.ts";
import { isAlive } from "./tree.ts";

/** A name that tells whose group it is, and is like no other. */
export function groupName(server: { pid: number; startTicks: number }, processId: string): string {
  return `headway-${server.pid}-${server.startTicks}-${processId}`;
}

/** True when the group is gone; false while it has processes, or groups of a run's own making that have. */
export function removeGroup(path: string, tree: string, system: CgroupSystem): boolean {
  if (removeFolder(join(path, tree), system) && removeFolder(path, system)) return true;
  for (const name of foldersIn(path)) removeGroup(join(path, name), tree, system);
  return removeFolder(path, system);
}

function removeFolder(path: string, system: CgroupSystem): boolean {
  try {
    system.removeFolder(path);
    return true;
  } catch (error) {
    if (!isCgroupRefusal(error)) throw error;
    return isGone(error);
  }
}

/** Takes away what servers have left that died before they could; those alive keep theirs. Returns how many went. */
export function sweepGroups(folder: string, tree: string, system: CgroupSystem): number {
  const left = foldersIn(folder).filter(isLeft);
  return left.filter((name) => removeGroup(join(folder, name), tree, system)).length;
}

function isLeft(name: string): boolean {
  const [, pid, startTicks] = /^headway-(\d+)-(\d+)-/.exec(name) ?? [];
  return pid !== undefined && !isAlive({ pid: Number(pid), startTicks: Number(startTicks) });
}
