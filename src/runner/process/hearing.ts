import type { ProcessListener } from "./cli-process.ts";

type Say = (listener: ProcessListener) => void | Promise<void>;

export interface Hearing {
  /** Says something to whoever listens. What comes back is to be waited for before more is said. */
  tell(say: Say): void | Promise<void>;
  /** Replaces the listener. The first one hears what was said before it came, too, but not before this returns. */
  listen(next: ProcessListener): void;
}

/** Hands on what a process says. Nothing is lost before the first listener has come. */
export function createHearing(): Hearing {
  let listener: ProcessListener | null = null;
  let held: Say[] = [];

  function sayHeld(): void {
    const kept = held;
    held = [];
    if (listener !== null) for (const say of kept) void say(listener);
  }

  return {
    tell(say) {
      if (listener !== null && held.length === 0) return say(listener);
      held.push(say);
    },
    listen(next) {
      if (listener === null && held.length > 0) queueMicrotask(sayHeld);
      listener = next;
    },
  };
}
