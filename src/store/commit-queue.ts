import type { Database } from "bun:sqlite";
import type { Alarm, Clock } from "../domain/clock.ts";
import type { PublishFact } from "../domain/facts.ts";
import { StoreUnavailable } from "../domain/ports.ts";
import { isBusy, storageFailure } from "./failures.ts";
import { createTransactions, type Outcome } from "./transactions.ts";

/** More jobs than these wait for the next transaction, so that none of them waits long. */
const jobsPerTransactionMax = 64;
/** More jobs than these are refused: a store that is this far behind doesn't catch up by being asked for more. */
const jobsWaitingMax = 10_000;
/** How long another program's lock is waited for, without holding up the event loop. */
const busyDelaysMs = [20, 60, 150, 400, 900];
const probeIntervalMs = 1_000;

export interface CommitQueue {
  /**
   * Runs `work` inside a transaction and resolves with its value after the commit; a durable one after the
   * disk has it. What `work` throws undoes its own writes only and rejects this promise alone. Rejects with
   * `StoreUnavailable` when the store can't write. With `lazyMs` it may wait that long for another job's
   * transaction; the order of jobs stays that of the calls.
   */
  commit<T>(work: () => T, options: CommitOptions): Promise<T>;
  /** Why the last write failed; null when it did not. */
  failure(): StoreUnavailable | null;
  /** Resolves when nothing waits any more. */
  drained(): Promise<void>;
  /** Refuses every write from now on. */
  stop(): void;
}

export interface CommitOptions {
  durable: boolean;
  lazyMs?: number;
}

interface Job {
  durable: boolean;
  work: () => unknown;
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
}

export interface CommitQueueOptions {
  database: Database;
  clock: Clock;
  publish: PublishFact;
  /** Why the file can't be written though SQLite would not notice; null when all is well. */
  checkFile: () => StoreUnavailable | null;
  /** A write that proves that the disk takes writes again. */
  probe: () => void;
}

/**
 * Group commit: what arrives in the same turn of the event loop shares one transaction and one fsync. 50
 * executes at once with an fsync each would hold up the loop for 40 to 80 ms.
 */
export function createCommitQueue(options: CommitQueueOptions): CommitQueue {
  const waiting: Job[] = [];
  const idleListeners: (() => void)[] = [];
  const transactions = createTransactions(options.database);
  const health = createHealth(
    options,
    () => void commit(() => {}, { durable: true }).catch(ignoreUnavailable),
  );
  let underWay = false;
  let stopped = false;
  let lazyAlarm: Alarm | null = null;

  function commit<T>(work: () => T, { durable, lazyMs = 0 }: CommitOptions): Promise<T> {
    if (stopped) return Promise.reject(new StoreUnavailable("closed", "the store is closed"));
    if (waiting.length >= jobsWaitingMax) {
      return Promise.reject(new StoreUnavailable("backlog", "too many writes are waiting"));
    }
    return new Promise<T>((resolve, reject) => {
      waiting.push({ durable, work, resolve: resolve as Job["resolve"], reject });
      if (lazyMs === 0) wake();
      else lazyAlarm ??= options.clock.after(lazyMs, wake);
    });
  }

  function wake(): void {
    lazyAlarm?.stop();
    lazyAlarm = null;
    if (underWay) return;
    underWay = true;
    setImmediate(flush);
  }

  function flush(): void {
    attempt(waiting.splice(0, jobsPerTransactionMax), 0);
  }

  function attempt(batch: Job[], triesBefore: number): void {
    const delayMs = busyDelaysMs[triesBefore];
    try {
      const outcomes = commitBatch(batch);
      health.worked();
      deliver(batch, outcomes);
    } catch (error) {
      if (isBusy(error) && delayMs !== undefined) {
        options.clock.after(delayMs, () => attempt(batch, triesBefore + 1));
        return;
      }
      refuse(batch, error);
    }
    proceed();
  }

  function commitBatch(batch: Job[]): Outcome[] {
    const startedMs = options.clock.monotonicMs();
    const durable = batch.some((job) => job.durable);
    const unusable = options.checkFile();
    if (unusable !== null) throw unusable;
    const works = batch.map((job) => job.work);
    const outcomes = transactions.run(works, { durable, before: health.isFailed() ? options.probe : null });
    const tookMs = options.clock.monotonicMs() - startedMs;
    options.publish({ type: "commit.done", durable, jobs: batch.length, tookMs });
    return outcomes;
  }

  function refuse(batch: Job[], error: unknown): void {
    const unavailable = storageFailure(error);
    if (unavailable !== null) health.failed(unavailable);
    for (const job of batch) job.reject(unavailable ?? error);
  }

  function proceed(): void {
    underWay = false;
    if (waiting.length > 0) wake();
    else for (const listener of idleListeners.splice(0)) listener();
  }

  function drained(): Promise<void> {
    if (waiting.length > 0) wake();
    if (!underWay) return Promise.resolve();
    return new Promise((resolve) => idleListeners.push(resolve));
  }

  function stop(): void {
    stopped = true;
    health.stop();
  }

  return { commit, failure: health.failure, drained, stop };
}

function deliver(batch: Job[], outcomes: Outcome[]): void {
  for (const [index, job] of batch.entries()) {
    const outcome = outcomes[index]!;
    if (outcome.kind === "done") job.resolve(outcome.value);
    else job.reject(outcome.error);
  }
}

function ignoreUnavailable(error: unknown): void {
  if (!(error instanceof StoreUnavailable)) throw error;
}

/** Knows whether the last write went well, says so when that changes, and tries again while it did not. */
function createHealth(options: Pick<CommitQueueOptions, "publish" | "clock">, tryAgain: () => void) {
  let failure: StoreUnavailable | null = null;
  let alarm: Alarm | null = null;
  let stopped = false;

  function failed(error: StoreUnavailable): void {
    if (failure === null) {
      options.publish({ type: "store.failed", code: error.code, message: error.message });
    }
    failure = error;
    if (!stopped) alarm ??= options.clock.after(probeIntervalMs, probeAgain);
  }

  function probeAgain(): void {
    alarm = null;
    tryAgain();
  }

  function worked(): void {
    if (failure === null) return;
    failure = null;
    options.publish({ type: "store.recovered" });
  }

  function stop(): void {
    stopped = true;
    alarm?.stop();
    alarm = null;
  }

  return { failed, worked, stop, failure: () => failure, isFailed: () => failure !== null };
}
