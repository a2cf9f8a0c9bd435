import type { Clock } from "../../domain/clock.ts";
import type { LimitCode, ProcessLimits } from "./cli-process.ts";
import { type LimitWatch, type TreeUsage, firstLookMs, nextLookMs, passedLimit, usageOf } from "./limits.ts";
import type { ProcessTree } from "./process-tree.ts";
import type { RunCgroup } from "./run-cgroup.ts";
import { type ProcessStat, aliveAmong } from "./tree.ts";

export interface Account {
  /** Starts counting anew and watches the limits until `close`. */
  begin(): void;
  /** Counts stdout; false from the piece on that passes the limit. */
  admitStdout(bytes: number): boolean;
  /** The limit that the kernel made hold in this turn; null when there is none, and between turns. */
  passedByKernel(): LimitCode | null;
  /**
   * What was used since `begin`, the given look at the tree included; the watch ends. Null where no look
   * succeeded. Of a tree that has ended already it is what the last look saw: the CPU time of its last quarter of
   * a second may be missing, since nobody can look at it any more.
   */
  close(processes: readonly ProcessStat[] | null): { peakRssBytes: number | null; cpuMs: number | null };
}

export interface AccountSpec {
  tree: ProcessTree;
  limits: ProcessLimits;
  limitWatch: LimitWatch;
  /** Null where the kernel limits nothing. */
  cgroup: RunCgroup | null;
  clock: Clock;
  onLimit: (code: LimitCode) => void;
}

/** By then a warm process has been given its turn, and has hardly begun with it. */
const baselineMs = 1;
/** One that has been idle for less than that can hardly have used any time between its turns. */
const idleMsMin = 250;

/** Counts what each turn of a process uses. */
export function createAccount(spec: AccountSpec): Account {
  const { tree, limits, limitWatch, cgroup, clock, onLimit } = spec;
  const cpu = createCpuMeter();
  let stdoutBytes = 0;
  let turns = 0;
  /** What the tree had used when this turn began: nothing, for the first, whose the start of the CLI is. */
  let cpuMsBefore = 0;
  let isMeasured = false;
  let isOpen = false;
  let isBaselineDue = false;
  let closedAtMs = 0;
  let peakRssBytes: number | null = null;
  let stopWatch = () => {};

  function take(processes: readonly ProcessStat[] | null): TreeUsage | null {
    if (processes === null || aliveAmong(processes).length === 0) return null;
    const usage = usageOf(processes, limits, tree);
    cpu.take(usage.cpuMs);
    peakRssBytes = Math.max(peakRssBytes ?? 0, usage.memoryBytes);
    isMeasured = true;
    return usage;
  }

  function watchLimits(lastPauseMs: number): number | null {
    const usage = take(tree.listAll());
    if (usage !== null && isBaselineDue) {
      cpuMsBefore = cpu.totalMs();
      isBaselineDue = false;
    }
    const code = passedByKernel() ?? (usage && passedLimit(usage, limits));
    if (code === null) return usage === null ? lastPauseMs : nextLookMs(usage, limits, lastPauseMs);
    onLimit(code);
    return null;
  }

  function passedByKernel(): LimitCode | null {
    return isOpen && cgroup !== null ? cgroup.passedLimit() : null;
  }

  return {
    begin() {
      stopWatch();
      turns += 1;
      stdoutBytes = 0;
      cpuMsBefore = cpu.totalMs();
      isMeasured = false;
      isOpen = true;
      cgroup?.beginTurn();
      isBaselineDue = turns > 1 && clock.monotonicMs() - closedAtMs >= idleMsMin;
      peakRssBytes = null;
      stopWatch = limitWatch.watch(watchLimits, isBaselineDue ? baselineMs : firstLookMs);
    },
    admitStdout(bytes) {
      stdoutBytes += bytes;
      if (stdoutBytes <= limits.stdoutBytesMax) return true;
      onLimit("output_limit");
      return false;
    },
    passedByKernel,
    close(processes) {
      take(processes);
      stopWatch();
      isOpen = false;
      closedAtMs = clock.monotonicMs();
      return { peakRssBytes, cpuMs: isMeasured ? Math.round(cpu.totalMs() - cpuMsBefore) : null };
    },
  };
}

/**
 * Adds up what a tree has used from look to look. The sum over its processes falls when one ends that nobody waits
 * for (or somebody outside of the tree), which takes its time with it: what was used stays used.
 */
function createCpuMeter(): { take(sumMs: number): void; totalMs(): number } {
  let totalMs = 0;
  let lastSumMs = 0;
  return {
    take(sumMs) {
      totalMs += Math.max(0, sumMs - lastSumMs);
      lastSumMs = sumMs;
    },
    totalMs: () => totalMs,
  };
}
