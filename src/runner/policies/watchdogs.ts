import type { Alarm, Clock } from "../../domain/clock.ts";
import type { StopReason } from "../live-run.ts";

export interface WatchdogLimits {
  /** From now until the run's wall limit; at most 0 means at once. */
  deadlineInMs: number;
  stallTimeoutMs: number;
  firstOutputMs: number;
}

/** Watches one turn. Every signal is pushed to it; it never polls. */
export interface Watchdogs {
  /** The prompt was written: the clock for the first output starts. */
  turnSent(): void;
  /** The CLI printed something, on either pipe. */
  signOfLife(): void;
  /** While a tool is open its silence is no stall. */
  toolsOpen(count: number): void;
  /** Until then nothing is read, so that nothing can be heard. */
  deafUntil(listening: Promise<void>): void;
  stop(): void;
}

/** Calls `onBite` at most once. */
export function startWatchdogs(
  clock: Clock,
  limits: WatchdogLimits,
  onBite: (reason: StopReason) => void,
): Watchdogs {
  let silence: Alarm | null = null;
  let heard = false;
  let paused = false;
  let isDeaf = false;
  let isOver = false;
  const deadline = clock.after(Math.max(0, limits.deadlineInMs), () => bite({ kind: "deadline" }));

  function bite(reason: StopReason): void {
    stop();
    onBite(reason);
  }
  function stop(): void {
    isOver = true;
    deadline.stop();
    rest();
  }
  function rest(): void {
    silence?.stop();
    silence = null;
  }
  function listen(): void {
    rest();
    if (paused || isDeaf || isOver) return;
    const waitMs = heard ? limits.stallTimeoutMs : Math.min(limits.firstOutputMs, limits.stallTimeoutMs);
    silence = clock.after(waitMs, () => bite({ kind: "stalled", message: silenceMessage(heard, waitMs) }));
  }
  return {
    turnSent: listen,
    signOfLife() {
      // Re-arming a timer for every chunk of a fast stream would cost more than reading it.
      if (heard && silence) return silence.refresh();
      heard = true;
      listen();
    },
    toolsOpen(count) {
      paused = count > 0;
      listen();
    },
    deafUntil(listening) {
      isDeaf = true;
      rest();
      void listening.finally(() => {
        isDeaf = false;
        listen();
      });
    },
    stop,
  };
}

function silenceMessage(heard: boolean, waitMs: number): string {
  const time = timeShown(waitMs);
  return heard
    ? `The CLI printed nothing for ${time} while no tool was running.`
    : `The CLI printed nothing at all in the first ${time} of the turn.`;
}

/** As it was set: 100 ms, 1 second, 1.5 seconds. */
function timeShown(timeMs: number): string {
  if (timeMs < 1_000) return `${timeMs} ms`;
  return timeMs === 1_000 ? "1 second" : `${timeMs / 1_000} seconds`;
}
