import type { Alarm, Clock } from "../../domain/clock.ts";
import type { LimitCode, ProcessLimits } from "./cli-process.ts";
import type { ProcessTree } from "./process-tree.ts";
import type { ProcessStat } from "./tree.ts";

/** What a tree uses at one moment. */
export interface TreeUsage {
  memoryBytes: number;
  /** Those too that have ended and that nobody has waited for: they keep their pids. */
  processes: number;
  /** CPU time since each of its processes began, children that were waited for included. */
  cpuMs: number;
}

type TreeLimits = Pick<ProcessLimits, "memoryBytesMax" | "processesMax">;

type MemoryReader = Pick<ProcessTree, "memoryPartsOf" | "proportionalBytesOf">;

/** What the listed processes use together. */
export function usageOf(
  processes: readonly ProcessStat[],
  { memoryBytesMax }: Pick<TreeLimits, "memoryBytesMax">,
  reader: MemoryReader,
): TreeUsage {
  return {
    memoryBytes: memoryOf(processes, memoryBytesMax, reader),
    processes: processes.length,
    cpuMs: sumOf(processes, ({ cpuMs }) => cpuMs),
  };
}

/**
 * Resident memory counts what processes share once for each of them, so its sum proves only that a tree is below
 * its limit. Above it the programs that they run are counted once; and where that is too much as well, as for
 * processes that were forked and haven't written, their shares decide, which take longest to read.
 */
function memoryOf(
  processes: readonly ProcessStat[],
  bytesMax: number,
  { memoryPartsOf, proportionalBytesOf }: MemoryReader,
): number {
  const residentBytes = sumOf(processes, ({ rssBytes }) => rssBytes);
  if (residentBytes <= bytesMax) return residentBytes;
  const apartBytes = withoutSharedFiles(processes, memoryPartsOf);
  if (apartBytes <= bytesMax) return apartBytes;
  return sumOf(processes, (process) => proportionalBytesOf(process) ?? process.rssBytes);
}

function withoutSharedFiles(
  processes: readonly ProcessStat[],
  partsOf: MemoryReader["memoryPartsOf"],
): number {
  let ownBytes = 0;
  let fileBytes = 0;
  for (const process of processes) {
    const parts = partsOf(process);
    ownBytes += parts === null ? process.rssBytes : parts.anonymousBytes + parts.sharedBytes;
    fileBytes = Math.max(fileBytes, parts?.fileBytes ?? 0);
  }
  return ownBytes + fileBytes;
}

function sumOf(processes: readonly ProcessStat[], read: (process: ProcessStat) => number): number {
  return processes.reduce((sum, process) => sum + read(process), 0);
}

export function passedLimit(usage: TreeUsage, limits: TreeLimits): LimitCode | null {
  if (usage.memoryBytes > limits.memoryBytesMax) return "memory_limit";
  return usage.processes > limits.processesMax ? "process_limit" : null;
}

/** Shortest pause between two looks, close to a limit. */
const lookMsMin = 5;
export const firstLookMs = 15;
const lookMsMax = 250;
/** About what this kind of machine can do at most: a tree must not get far past a limit between two looks. */
const memoryBytesPerMs = 2_000_000;
const processesPerMs = 2;

/** How long a tree may be left alone: the closer to a limit the shorter, and never suddenly long. */
export function nextLookMs(usage: TreeUsage, limits: TreeLimits, lastPauseMs: number): number {
  const headroomMs = Math.min(
    (limits.memoryBytesMax - usage.memoryBytes) / memoryBytesPerMs,
    (limits.processesMax - usage.processes) / processesPerMs,
  );
  return Math.max(lookMsMin, Math.min(headroomMs, Math.max(lastPauseMs * 2, firstLookMs * 2), lookMsMax));
}

/** One timer for all trees that are watched. */
export interface LimitWatch {
  /**
   * Calls `look` until the answer is null, first after `firstMs`; it gets the pause before it and gives the
   * pause after it, in ms.
   *
   * @returns ends the watch
   */
  watch(look: (lastPauseMs: number) => number | null, firstMs?: number): () => void;
}

/** The part of the time that looks at a tree may take: more of it close to a limit, where a late look costs most. */
const shareOfTimeMax = 0.1;
const shareOfTimeNearLimitMax = 0.5;
/** A tree that is to be looked at again that soon is close to a limit. */
const nearLimitMs = 20;

interface Watched {
  look: (lastPauseMs: number) => number | null;
  pauseMs: number;
  dueAtMs: number;
}

export function createLimitWatch(clock: Clock): LimitWatch {
  const watched = new Set<Watched>();
  let timer: Alarm | null = null;
  let timerAtMs = Number.POSITIVE_INFINITY;

  function disarm(): void {
    timer?.stop();
    timer = null;
    timerAtMs = Number.POSITIVE_INFINITY;
  }

  function armFor(dueAtMs: number): void {
    if (dueAtMs >= timerAtMs) return;
    disarm();
    timerAtMs = dueAtMs;
    timer = clock.after(Math.max(1, dueAtMs - clock.monotonicMs()), lookAtDue);
  }

  function lookAtDue(): void {
    disarm();
    const nowMs = clock.monotonicMs();
    for (const one of watched) if (one.dueAtMs <= nowMs) lookAt(one);
    for (const one of watched) armFor(one.dueAtMs);
  }

  function lookAt(one: Watched): void {
    const beganMs = clock.monotonicMs();
    const pauseMs = one.look(one.pauseMs);
    const endedMs = clock.monotonicMs();
    if (pauseMs === null) {
      watched.delete(one);
      return;
    }
    const share = pauseMs <= nearLimitMs ? shareOfTimeNearLimitMax : shareOfTimeMax;
    one.pauseMs = Math.max(pauseMs, (endedMs - beganMs) / share);
    one.dueAtMs = endedMs + one.pauseMs;
  }

  return {
    watch(look, firstMs = firstLookMs) {
      const one: Watched = { look, pauseMs: firstMs, dueAtMs: clock.monotonicMs() + firstMs };
      watched.add(one);
      armFor(one.dueAtMs);
      return () => {
        watched.delete(one);
        // A timer that finds nothing due is cheaper than setting it anew for each that leaves.
        if (watched.size === 0) disarm();
      };
    },
  };
}
