import { expect, jest, test } from "bun:test";
import { createScheduler, type Job } from "../../src/jobs/scheduler.ts";
import { sweepIdempotency } from "../../src/jobs/sweep-idempotency.ts";
import { startStopContract } from "../contract/start-stop-contract.ts";

const everyMs = 60_000;

function job(run: Job["run"]): Job {
  return { name: "job", everyMs, run };
}

startStopContract("the scheduler", () =>
  Promise.resolve({
    service: createScheduler([job(() => Promise.resolve())], () => {}),
    cleanUp: () => Promise.resolve(),
  }),
);

test("a job runs by its schedule until the scheduler stops", async () => {
  jest.useFakeTimers();
  let runs = 0;
  const scheduler = createScheduler([job(() => Promise.resolve(void runs++))], () => {});

  scheduler.start();
  jest.advanceTimersByTime(61_000);
  await scheduler.stop();
  const atStop = runs;
  jest.advanceTimersByTime(180_000);
  jest.useRealTimers();

  expect(atStop).toBe(1);
  expect(runs).toBe(atStop);
});

test("a job that throws is reported by name and does not end the scheduler", async () => {
  jest.useFakeTimers();
  const errors: [string, unknown][] = [];
  const broken = new Error("broken");
  const scheduler = createScheduler([job(() => Promise.reject(broken))], (name, error) =>
    errors.push([name, error]),
  );

  scheduler.start();
  jest.advanceTimersByTime(61_000);
  await scheduler.stop();
  jest.useRealTimers();

  expect(errors).toEqual([["job", broken]]);
});

test("a job that takes longer than its interval isn't started twice", async () => {
  jest.useFakeTimers();
  let starts = 0;
  const slow = job((signal) => {
    starts++;
    return new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
  });
  const scheduler = createScheduler([slow], () => {});

  scheduler.start();
  jest.advanceTimersByTime(200_000);
  await scheduler.stop();
  jest.useRealTimers();

  expect(starts).toBe(1);
});

test("stopping waits for a job that is running and tells it", async () => {
  jest.useFakeTimers();
  let wasTold = false;
  const scheduler = createScheduler(
    [
      job(async (signal) => {
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
        wasTold = true;
      }),
    ],
    () => {},
  );

  scheduler.start();
  jest.advanceTimersByTime(61_000);
  await scheduler.stop();
  jest.useRealTimers();

  expect(wasTold).toBe(true);
});

test("the sweep of idempotency keys asks the store with the present time", async () => {
  const asked: number[] = [];
  const sweep = sweepIdempotency(
    (atMs) => Promise.resolve(asked.push(atMs)),
    () => 1_000,
  );

  await sweep.run(new AbortController().signal);

  expect(asked).toEqual([1_000]);
});
