import type { Alarm, Clock } from "../../domain/clock.ts";
import type { LimitCode, ProcessLimits } from "./cli-process.ts";
import type { ProcessStat } from "./tree.ts";

/** What a tree uses at one moment. */
export interface TreeUsage {
  rssBytes: number;
  processes: number;
  /** CPU time since each of its processes began, children that were waited for included. */
  cpuMs: number;
}

export function usageOf(processes: readonly ProcessStat[]): TreeUsage {
  const usage: TreeUsage = { rssBytes: 0, processes: processes.length, cpuMs: 0 };
  for (const process of processes) {
    usage.rssBytes += process.rssBytes;
    usage.cpuMs += process.cpuMs;
  }
  return usage;
}

type TreeLimits = Pick<ProcessLimits, "memoryBytesMax" | "processesMax">;

export function passedLimit(usage: TreeUsage, limits: TreeLimits): LimitCode | null {
  if (usage.rssBytes > limits.memoryBytesMax) return "memory_limit";
  return usage.processes > limits.processesMax ? "process_limit" : null;
}

const lookMsMin = 15;
const lookMsMax = 250;
/** About what this kind of machine can do at most: a tree must not get far past a limit between two looks. */
const memoryBytesPerMs = 2_000_000;
const processesPerMs = 2;

/** How long a tree may be left alone: the closer to a limit the shorter, and never suddenly long. */
export function nextLookMs(usage: TreeUsage, limits: TreeLimits, lastPauseMs: number): number {
  const headroomMs = Math.min(
    (limits.memoryBytesMax - usage.rssBytes) / memoryBytesPerMs,
    (limits.processesMax - usage.processes) / processesPerMs,
  );
  return Math.max(lookMsMin, Math.min(headroomMs, lastPauseMs * 2, lookMsMax));
}

/** One timer for all trees that are watched. */
export interface LimitWatch {
  /**
   * Calls `look` until the answer is null; it gets the pause before it and gives the pause after it, in ms.
   *
   * @returns ends the watch
   */
  watch(look: (lastPauseMs: number) => number | null): () => void;
}

/** A look that takes long may take at most this part of the time. */
const shareOfTimeMax = 0.1;

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
    one.pauseMs = Math.max(pauseMs, (endedMs - beganMs) / shareOfTimeMax);
    one.dueAtMs = endedMs + one.pauseMs;
  }

  return {
    watch(look) {
      const one: Watched = { look, pauseMs: lookMsMin, dueAtMs: clock.monotonicMs() + lookMsMin };
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
