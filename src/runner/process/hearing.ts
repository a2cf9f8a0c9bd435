import type { ProcessListener } from "./cli-process.ts";

export interface Hearing {
  /** Says something to whoever listens. */
  tell(say: (listener: ProcessListener) => void): void;
  /** Replaces the listener. The first one hears what was said before it came, too, but not before this returns. */
  listen(next: ProcessListener): void;
}

/** Hands on what a process says. Nothing is lost before the first listener has come. */
export function createHearing(): Hearing {
  let listener: ProcessListener | null = null;
  let held: ((listener: ProcessListener) => void)[] = [];

  function sayHeld(): void {
    const kept = held;
    held = [];
    if (listener !== null) for (const say of kept) say(listener);
  }

  return {
    tell(say) {
      if (listener === null || held.length > 0) held.push(say);
      else say(listener);
    },
    listen(next) {
      if (listener === null && held.length > 0) queueMicrotask(sayHeld);
      listener = next;
    },
  };
}
