import type { Clock } from "../../domain/clock.ts";
import type { CliProcess } from "./cli-process.ts";
import { killFound } from "./marked-processes.ts";
import type { ProcessTree } from "./process-tree.ts";
import { type ProcessStat, processKey } from "./tree.ts";

const killMsMax = 500;

export interface Leftovers extends Pick<CliProcess, "markBaseline" | "leftovers" | "killLeftovers"> {
  /** The same as `leftovers`, of a list that was just made. */
  among(processes: readonly ProcessStat[]): number[];
}

/** Finds and kills what a turn has left behind in a tree that lives on. */
export function createLeftovers(tree: ProcessTree, clock: Clock): Leftovers {
  let baseline = new Set<string>();

  function among(processes: readonly ProcessStat[]): number[] {
    const cli = tree.cliAmong(processes);
    const left = leftoversAmong(
      processes,
      cli === null ? baseline : baseline.union(new Set([processKey(cli)])),
      cli,
    );
    return left.length === 0 ? [] : tree.hostPidsOf(left);
  }

  const leftovers = () => among(tree.list() ?? []);
  return {
    among,
    markBaseline: () => void (baseline = new Set((tree.list() ?? []).map(processKey))),
    leftovers,
    async killLeftovers() {
      // The common case costs two looks; a process that forks while it is looked for shows in the second.
      if (leftovers().length === 0 && leftovers().length === 0) return 0;
      return killFound(() => leftovers().map((pid) => ({ pid })), clock, killMsMax);
    },
  };
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
