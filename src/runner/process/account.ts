import type { LimitCode, ProcessLimits } from "./cli-process.ts";
import { type LimitWatch, type TreeUsage, nextLookMs, passedLimit, usageOf } from "./limits.ts";
import type { ProcessTree } from "./process-tree.ts";
import type { ProcessStat } from "./tree.ts";

export interface Account {
  /** Starts counting anew and watches the limits until `close`. */
  begin(): void;
  /** Counts stdout; false from the piece on that passes the limit. */
  admitStdout(bytes: number): boolean;
  /** What was used since `begin`, the given look at the tree included; the watch ends. Null where no look succeeded. */
  close(processes: readonly ProcessStat[] | null): { peakRssBytes: number | null; cpuMs: number | null };
}

export interface AccountSpec {
  tree: ProcessTree;
  limits: ProcessLimits;
  limitWatch: LimitWatch;
  onLimit: (code: LimitCode) => void;
}

/** Counts what one turn uses. */
export function createAccount({ tree, limits, limitWatch, onLimit }: AccountSpec): Account {
  let stdoutBytes = 0;
  /** CPU time of the tree at the end of the turn before: what it uses while it is idle is next to nothing. */
  let cpuMsBefore = 0;
  let cpuMsSeen = 0;
  let peakRssBytes: number | null = null;
  let cpuMs: number | null = null;
  let stopWatch = () => {};

  function take(processes: readonly ProcessStat[] | null): TreeUsage | null {
    if (processes === null || processes.length === 0) return null;
    const usage = usageOf(processes);
    cpuMsSeen = usage.cpuMs;
    peakRssBytes = Math.max(peakRssBytes ?? 0, usage.rssBytes);
    // What ended without being waited for takes its time with it.
    cpuMs = Math.max(cpuMs ?? 0, usage.cpuMs - cpuMsBefore);
    return usage;
  }

  function watchLimits(lastPauseMs: number): number | null {
    const usage = take(tree.list());
    if (usage === null) return lastPauseMs;
    const code = passedLimit(usage, limits);
    if (code === null) return nextLookMs(usage, limits, lastPauseMs);
    onLimit(code);
    return null;
  }

  return {
    begin() {
      stopWatch();
      stdoutBytes = 0;
      cpuMsBefore = cpuMsSeen;
      peakRssBytes = null;
      cpuMs = null;
      stopWatch = limitWatch.watch(watchLimits);
    },
    admitStdout(bytes) {
      stdoutBytes += bytes;
      if (stdoutBytes <= limits.stdoutBytesMax) return true;
      onLimit("output_limit");
      return false;
    },
    close(processes) {
      take(processes);
      stopWatch();
      return { peakRssBytes, cpuMs: cpuMs === null ? null : Math.round(cpuMs) };
    },
  };
}
