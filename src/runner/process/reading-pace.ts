import type { Clock } from "../../domain/clock.ts";

/**
 * After so much garbage it is collected, which takes about 18 ms. Left alone, the engine lets the heap grow to
 * several times its size first: a million events cost 220 MB then, against 95, for 2 % less processor time.
 * Ordinary turns leave so much behind once in a thousand.
 */
const collectAfterBytes = 16_777_216;
/** How long all who read may work before timers, requests and commits have their turn. */
const roundMs = 4;

/**
 * Shares the event loop between the outputs of all processes and everything else. A pipe that is never empty
 * would otherwise be read for as long as its writer goes on: a read that need not wait is done in the same tick.
 */
export interface ReadingPace {
  /** Counts memory that was made use of and isn't needed any more. */
  litter(bytes: number): void;
  /** Does a piece of work at once, and counts the time that it takes. */
  work<T>(deed: () => T): T;
  /** Null while there is time left in this round; otherwise what to wait for before one looks again. */
  rest(): Promise<void> | null;
}

export function createReadingPace(clock: Clock, collectGarbage: () => void): ReadingPace {
  let workedMs = 0;
  let uncollectedBytes = 0;
  let next: PromiseWithResolvers<void> | null = null;

  function endRound(): void {
    const ended = next;
    workedMs = 0;
    next = null;
    if (uncollectedBytes >= collectAfterBytes) {
      uncollectedBytes = 0;
      collectGarbage();
    }
    ended?.resolve();
  }

  /** A round lasts until the loop has been around. */
  function round(): PromiseWithResolvers<void> {
    if (next === null) {
      next = Promise.withResolvers();
      setImmediate(endRound);
    }
    return next;
  }

  return {
    litter: (bytes) => void (uncollectedBytes += bytes),
    work(deed) {
      const beganMs = clock.monotonicMs();
      round();
      const made = deed();
      workedMs += clock.monotonicMs() - beganMs;
      return made;
    },
    rest: () => (workedMs < roundMs ? null : round().promise),
  };
}
