import type { Clock } from "../../domain/clock.ts";
import { processMarker } from "./environment.ts";
import { sendSignal } from "./kill.ts";
import { killFound } from "./marked-processes.ts";
import { type ProcessTree, killMsMax } from "./process-tree.ts";
import {
  type ProcessStat,
  aliveAmong,
  findMemoryParts,
  findProportionalBytes,
  hasVariable,
  isAlive,
  listProcesses,
  processKey,
} from "./tree.ts";
import { until } from "./until.ts";

export interface GroupTreeSpec {
  /** The CLI, leader of a session of its own. `startTicks` is 0 where there is no /proc. */
  cli: { pid: number; startTicks: number };
  marker: string;
  clock: Clock;
}

/**
 * A tree without a namespace: what descends from the CLI, shares its session or carries its marker. What
 * leaves the session, loses its parent and scrubs its environment escapes; that is why this rung is the last.
 */
export function createGroupTree(spec: GroupTreeSpec): ProcessTree {
  const { cli } = spec;
  /** Everything that was ever seen to be of the tree: it stays so when its parent dies. */
  const known = new Set<string>([processKey(cli)]);

  function members(alsoMarked: boolean): ProcessStat[] {
    const candidates = listProcesses().filter(
      (found) => found.startTicks >= cli.startTicks && found.pid !== process.pid,
    );
    for (const found of candidates) {
      const isOurs = found.session === cli.pid || found.processGroup === cli.pid;
      if (isOurs || (alsoMarked && hasVariable(found.pid, processMarker, spec.marker)))
        known.add(processKey(found));
    }
    adoptChildren(candidates, known);
    return candidates.filter((found) => known.has(processKey(found)));
  }

  return {
    list: () => (cli.startTicks === 0 ? null : aliveAmong(members(false))),
    listAll: () => (cli.startTicks === 0 ? null : members(false)),
    listThoroughly: () => (cli.startTicks === 0 ? null : members(true)),
    memoryPartsOf: ({ pid }) => findMemoryParts(pid, "/proc"),
    proportionalBytesOf: ({ pid }) => findProportionalBytes(pid, "/proc"),
    cliAmong: (processes) => processes.find((process) => process.pid === cli.pid) ?? null,
    hostPidsOf: (processes) => processes.map((process) => process.pid),
    signalCli: (signal) => (cli.startTicks === 0 || isAlive(cli)) && sendSignal(cli.pid, signal),
    async kill() {
      if (cli.startTicks === 0) return killGroup(cli.pid, spec.clock);
      if (isAlive(cli)) sendSignal(-cli.pid, "SIGKILL");
      return killFound(() => aliveAmong(members(true)), spec.clock, killMsMax);
    },
  };
}

/** A child of the tree is of the tree; repeated until no more are found, for the list is in no order. */
function adoptChildren(processes: readonly ProcessStat[], known: Set<string>): void {
  const pids = new Set(processes.filter((process) => known.has(processKey(process))).map(({ pid }) => pid));
  for (let before = -1; before !== pids.size;) {
    before = pids.size;
    for (const process of processes) if (pids.has(process.ppid)) pids.add(process.pid);
  }
  for (const process of processes) if (pids.has(process.pid)) known.add(processKey(process));
}

/** Where there is no /proc, the group is all that can be seen of a tree. */
async function killGroup(groupId: number, clock: Clock): Promise<number> {
  if (!sendSignal(-groupId, "SIGKILL")) return 0;
  return (await until(clock, killMsMax, () => !groupExists(groupId))) ? 0 : 1;
}

function groupExists(groupId: number): boolean {
  try {
    return process.kill(-groupId, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}
