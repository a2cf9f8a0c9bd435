import type { Alarm, Clock } from "../../src/domain/clock.ts";

/** One owner's view of the simulated time: a server's alarms end with it, the machine's don't. */
export interface ClockFace extends Clock {
  /** Alarms that are still to ring. */
  readonly pending: number;
  /** Nothing of it rings any more, and nothing can be set. */
  kill(): void;
  /** Rings all that are set, now; for one whose owner only waits to be let go. */
  ringAll(): void;
}

/** Time that stands still until the simulation moves it. */
export interface SimTime {
  /** Since the simulation began. */
  readonly nowMs: number;
  /** What a jump of the wall clock has come to. */
  jumpWall(byMs: number): void;
  face(): ClockFace;
  /** Moves to the next alarm, but not beyond `untilMs`, and rings it; false when there was none. */
  ringNext(untilMs: number): boolean;
  moveTo(atMs: number): void;
}

interface Pending {
  dueMs: number;
  order: number;
  ring: () => void;
  /** All of the same face. */
  owned: Set<Pending>;
}

/** 2026-01-01, so that a jump back by days is still after 1970. */
const wallStartMs = Date.UTC(2026, 0, 1);

/** `touched` is told whenever somebody sets an alarm or one rings. */
export function createSimTime(touched: () => void): SimTime {
  const all = new Set<Pending>();
  let nowMs = 0;
  let wallAheadMs = 0;
  let orders = 0;

  function set(owned: Set<Pending>, delayMs: number, ring: () => void): Alarm {
    const alarm: Pending = { dueMs: nowMs + Math.max(0, delayMs), order: orders++, ring, owned };
    all.add(alarm);
    owned.add(alarm);
    touched();
    return {
      refresh() {
        alarm.dueMs = nowMs + Math.max(0, delayMs);
        alarm.order = orders++;
      },
      stop() {
        all.delete(alarm);
        owned.delete(alarm);
      },
    };
  }
  function remove(alarm: Pending): void {
    all.delete(alarm);
    alarm.owned.delete(alarm);
  }
  function earliest(): Pending | null {
    let first: Pending | null = null;
    for (const alarm of all) {
      const isEarlier = first === null || alarm.dueMs < first.dueMs;
      if (isEarlier || (alarm.dueMs === first!.dueMs && alarm.order < first!.order)) first = alarm;
    }
    return first;
  }
  function face(): ClockFace {
    const own = new Set<Pending>();
    let isKilled = false;
    return {
      wallMs: () => wallStartMs + wallAheadMs + Math.floor(nowMs),
      monotonicMs: () => nowMs,
      after: (delayMs, ring) => (isKilled ? { refresh() {}, stop() {} } : set(own, delayMs, ring)),
      get pending() {
        return own.size;
      },
      kill() {
        isKilled = true;
        for (const alarm of own) remove(alarm);
      },
      ringAll() {
        const rung = Array.from(own);
        for (const alarm of rung) {
          remove(alarm);
          alarm.ring();
        }
      },
    };
  }
  return {
    get nowMs() {
      return nowMs;
    },
    jumpWall: (byMs) => void (wallAheadMs += byMs),
    face,
    ringNext(untilMs) {
      const alarm = earliest();
      if (!alarm || alarm.dueMs > untilMs) return false;
      remove(alarm);
      nowMs = Math.max(nowMs, alarm.dueMs);
      touched();
      alarm.ring();
      return true;
    },
    moveTo: (atMs) => void (nowMs = Math.max(nowMs, atMs)),
  };
}
