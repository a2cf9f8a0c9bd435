import type { Run } from "../domain/run.ts";

type Resolve = (run: Run | "draining") => void;

/** Clients that wait for a run to end. */
export interface Waiters {
  /**
   * Resolves when the run settles, with "draining" when the server stops before it could start, and with "left" when
   * `signal` fires.
   */
  wait(runId: string, signal: AbortSignal): Promise<Run | "draining" | "left">;
  settled(run: Run): void;
  /** Tells those who wait for these runs that the server stops first. */
  drain(runIds: Iterable<string>): void;
}

export function createWaiters(): Waiters {
  const byRun = new Map<string, Set<Resolve>>();
  function tell(runId: string, news: Run | "draining"): void {
    const resolves = byRun.get(runId);
    byRun.delete(runId);
    if (resolves) for (const resolve of resolves) resolve(news);
  }
  return {
    wait(runId, signal) {
      const { promise, resolve } = Promise.withResolvers<Run | "draining" | "left">();
      const resolves = byRun.get(runId) ?? new Set();
      byRun.set(runId, resolves.add(resolve));
      const leave = () => {
        resolves.delete(resolve);
        if (resolves.size === 0 && byRun.get(runId) === resolves) byRun.delete(runId);
        resolve("left");
      };
      signal.addEventListener("abort", leave, { once: true });
      if (signal.aborted) leave();
      return promise.finally(() => signal.removeEventListener("abort", leave));
    },
    settled: (run) => tell(run.id, run),
    drain(runIds) {
      for (const runId of runIds) tell(runId, "draining");
    },
  };
}
