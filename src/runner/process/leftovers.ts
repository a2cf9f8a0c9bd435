import type { Clock } from "../../domain/clock.ts";
import type { CliProcess } from "./cli-process.ts";
import { sendSignal } from "./kill.ts";
import type { ProcessTree } from "./process-tree.ts";
import { type ProcessStat, processKey, readUptimeTicks, ticksOf } from "./tree.ts";
import { pause } from "./until.ts";

const killMsMax = 500;

export interface Leftovers extends Pick<CliProcess, "markBaseline" | "leftovers" | "killLeftovers"> {
  /** The same as `leftovers`, of a list that was just made. */
  among(processes: readonly ProcessStat[]): number[];
}

/** Finds and kills what a turn has left behind in a tree that lives on. */
export function createLeftovers(tree: ProcessTree, clock: Clock): Leftovers {
  let baseline = new Set<string>();
  /** Zombies of the look before. */
  let dead = new Set<string>();

  function leftAmong(listed: readonly ProcessStat[]): ProcessStat[] {
    // One that died since the look before, or vanished in this one, may have a child that wasn't born yet when
    // the list was made.
    const known = dead;
    dead = new Set(listed.filter(({ state }) => state === "Z").map(processKey));
    const processes = listed.filter((process) => process.state !== "Z" || !known.has(processKey(process)));
    const cli = tree.cliAmong(processes);
    const kept = cli === null ? baseline : baseline.union(new Set([processKey(cli)]));
    return leftoversAmong(processes, kept, cli);
  }

  const look = () => leftAmong(tree.listThoroughly() ?? []);
  const among = (processes: readonly ProcessStat[]) => leftAmong(processes).map(({ pid }) => pid);
  return {
    among,
    markBaseline(ageMsMin = 0) {
      const nowTicks = ageMsMin === 0 ? null : readUptimeTicks();
      const isOld = ({ startTicks }: ProcessStat) =>
        nowTicks === null || nowTicks - startTicks >= ticksOf(ageMsMin);
      const processes = tree.listThoroughly() ?? [];
      const kept = processes.filter((process) => baseline.has(processKey(process)) || isOld(process));
      baseline = new Set(kept.map(processKey));
    },
    leftovers: () => look().map(({ pid }) => pid),
    async killLeftovers() {
      // The common case costs two looks; a process that forks while it is looked for shows in the second.
      if (look().length === 0 && look().length === 0) return 0;
      return killSeen(tree, look, clock);
    },
  };
}

/** A process that is born anew while it is looked for may be missed once, hardly three times. */
const emptyLooksNeeded = 3;

/** Kills what is seen until three looks in a row see nothing; resolves with how much is left after that time. */
async function killSeen(tree: ProcessTree, look: () => ProcessStat[], clock: Clock): Promise<number> {
  const deadlineMs = clock.monotonicMs() + killMsMax;
  for (let emptyLooks = 0; ;) {
    const left = look();
    for (const pid of tree.hostPidsOf(left)) sendSignal(pid, "SIGKILL");
    emptyLooks = left.length === 0 ? emptyLooks + 1 : 0;
    if (emptyLooks === emptyLooksNeeded) return 0;
    if (clock.monotonicMs() >= deadlineMs) return left.length;
    await pause(1);
  }
}

/**
 * The processes that were born since the baseline and belong to nobody in it. What a process of the
 * baseline starts (an MCP server's helper) is its own affair, but not what the CLI itself starts.
 */
export function leftoversAmong(
  processes: readonly ProcessStat[],
  baseline: ReadonlySet<string>,
  cli: { pid: number } | null,
): ProcessStat[] {
  const byPid = new Map(processes.map((process) => [process.pid, process]));
  const isKept = (process: ProcessStat) => process.pid === 1 || baseline.has(processKey(process));
  const hasKeeper = (process: ProcessStat) => {
    const keeper = ancestorsOf(process, byPid).find(isKept);
    return keeper !== undefined && keeper.pid !== cli?.pid && keeper.pid !== 1;
  };
  return processes.filter((process) => !isKept(process) && !hasKeeper(process));
}

/** From the parent upwards, as far as the list goes; it may hold a circle when a pid was given anew. */
function* ancestorsOf(process: ProcessStat, byPid: ReadonlyMap<number, ProcessStat>): Generator<ProcessStat> {
  let next = byPid.get(process.ppid);
  for (let steps = 0; next !== undefined && steps < byPid.size; steps += 1) {
    yield next;
    next = byPid.get(next.ppid);
  }
}
