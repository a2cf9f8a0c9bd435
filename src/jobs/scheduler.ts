/** What the clock starts, and when. */
export interface Job {
  name: string;
  /** From one start to the next, in milliseconds; the first comes after as long. */
  everyMs: number;
  run(signal: AbortSignal): Promise<void>;
}

export interface Scheduler {
  start(): void;
  /** Waits for the jobs that are running. */
  stop(): Promise<void>;
}

/**
 * Runs each job by its schedule, never twice at once. A job that throws is reported and comes again.
 * Plain timers, because `Bun.cron` loads the world's time zones: 3 MB that a server keeps for ever.
 */
export function createScheduler(
  jobs: readonly Job[],
  onError: (job: string, error: unknown) => void,
): Scheduler {
  const stopping = new AbortController();
  const running = new Map<Job, Promise<void>>();
  let timers: Timer[] = [];

  async function runOnce(job: Job): Promise<void> {
    try {
      await job.run(stopping.signal);
    } catch (error) {
      onError(job.name, error);
    } finally {
      running.delete(job);
    }
  }
  function startJob(job: Job): void {
    if (!running.has(job)) running.set(job, runOnce(job));
  }
  return {
    start() {
      timers = jobs.map((job) => setInterval(() => startJob(job), job.everyMs).unref());
    },
    async stop() {
      stopping.abort();
      for (const timer of timers) clearInterval(timer);
      timers = [];
      await Promise.all(running.values());
    },
  };
}
