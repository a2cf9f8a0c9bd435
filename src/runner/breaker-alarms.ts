import type { Alarm, Clock } from "../domain/clock.ts";

/** Timers of more than 24 days ring at once, and a provider may name a day next month. */
const alarmMsMax = 86_400_000;

/** One alarm for each agent, for the end of its breaker's pause. */
export interface BreakerAlarms {
  /** Rings at that time of the wall clock as it is now, once; one that is set for the same time already is left. */
  set(agentId: string, retryAtMs: number): void;
  /** The same, but that long from now. */
  setIn(agentId: string, retryAtMs: number, afterMs: number): void;
  /** How long until it rings, by the monotonic clock; null when none is set. */
  leftMs(agentId: string): number | null;
  stop(agentId: string): void;
  /** No alarm rings any more, and none can be set. */
  stopAll(): void;
}

interface Pause {
  retryAtMs: number;
  /** By the monotonic clock: a wall clock that jumps neither shortens nor prolongs it. */
  overAtMs: number;
  alarm: Alarm;
}

export function createBreakerAlarms(
  clock: Clock,
  ring: (agentId: string, retryAtMs: number) => void,
): BreakerAlarms {
  const pauses = new Map<string, Pause>();
  let stopped = false;

  function stop(agentId: string): void {
    pauses.get(agentId)?.alarm.stop();
    pauses.delete(agentId);
  }
  function arm(agentId: string, retryAtMs: number, overAtMs: number): void {
    stop(agentId);
    if (stopped) return;
    const leftMs = Math.max(0, overAtMs - clock.monotonicMs());
    const alarm = clock.after(Math.min(leftMs, alarmMsMax), () => {
      if (overAtMs > clock.monotonicMs()) return arm(agentId, retryAtMs, overAtMs);
      pauses.delete(agentId);
      ring(agentId, retryAtMs);
    });
    pauses.set(agentId, { retryAtMs, overAtMs, alarm });
  }
  return {
    set(agentId, retryAtMs) {
      if (pauses.get(agentId)?.retryAtMs === retryAtMs) return;
      arm(agentId, retryAtMs, clock.monotonicMs() + retryAtMs - clock.wallMs());
    },
    setIn: (agentId, retryAtMs, afterMs) => arm(agentId, retryAtMs, clock.monotonicMs() + afterMs),
    leftMs(agentId) {
      const pause = pauses.get(agentId);
      return pause ? pause.overAtMs - clock.monotonicMs() : null;
    },
    stop,
    stopAll() {
      stopped = true;
      for (const agentId of pauses.keys()) stop(agentId);
    },
  };
}
