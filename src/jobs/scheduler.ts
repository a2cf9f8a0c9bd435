import type { Alarm, Clock } from "../domain/clock.ts";
import type { JobName, PublishFact } from "../domain/facts.ts";

/** What the clock starts, and when. */
export interface Job {
  name: JobName;
  /** From the scheduler's start to the job's first. */
  firstAfterMs: number;
  /** From one start to the next. */
  everyMs: number;
  /** Resolves with how many things it did away with. */
  run(signal: AbortSignal): Promise<number>;
}

export interface Scheduler {
  start(): void;
  /** Waits for the jobs that are running. */
  stop(): Promise<void>;
}

export interface SchedulerOptions {
  jobs: readonly Job[];
  clock: Clock;
  publish: PublishFact;
}

/**
 * Runs each job by its schedule, never twice at once. A job that throws is reported and comes again.
 * Plain timers, because `Bun.cron` loads the world's time zones: 3 MB that a server keeps for ever.
 */
export function createScheduler({ jobs, clock, publish }: SchedulerOptions): Scheduler {
  const stopping = new AbortController();
  const running = new Map<Job, Promise<void>>();
  const alarms = new Map<Job, Alarm>();

  async function runOnce(job: Job): Promise<void> {
    const begunMs = clock.monotonicMs();
    try {
      const removed = await job.run(stopping.signal);
      publish({ type: "job.done", job: job.name, removed, tookMs: clock.monotonicMs() - begunMs });
    } catch (error) {
      publish({ type: "job.failed", job: job.name, error: String(error) });
    } finally {
      running.delete(job);
    }
  }
  /** One that still runs when its next start comes is left out for once. */
  function startAfter(job: Job, delayMs: number): void {
    const start = () => {
      startAfter(job, job.everyMs);
      if (!running.has(job)) running.set(job, runOnce(job));
    };
    alarms.set(job, clock.after(delayMs, start));
  }
  return {
    start() {
      for (const job of jobs) startAfter(job, job.firstAfterMs);
    },
    async stop() {
      stopping.abort();
      for (const alarm of alarms.values()) alarm.stop();
      alarms.clear();
      await Promise.all(running.values());
    },
  };
}
