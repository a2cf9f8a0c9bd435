import { expect, jest, test } from "bun:test";
import { systemClock } from "../../src/domain/clock.ts";
import type { Fact } from "../../src/domain/facts.ts";
import { createScheduler, type Job } from "../../src/jobs/scheduler.ts";
import { startStopContract } from "../contract/start-stop-contract.ts";

const clock = systemClock;
const everyMs = 60_000;
const firstAfterMs = 10_000;

function job(run: Job["run"]): Job {
  return { name: "logins", firstAfterMs, everyMs, run };
}

function scheduled(run: Job["run"]) {
  const facts: Fact[] = [];
  const scheduler = createScheduler({ jobs: [job(run)], clock, publish: (fact) => void facts.push(fact) });
  return { scheduler, facts };
}

startStopContract("the scheduler", () =>
  Promise.resolve({
    service: scheduled(() => Promise.resolve(0)).scheduler,
    cleanUp: () => Promise.resolve(),
  }),
);

test("a job runs soon after the start, then by its schedule, until the scheduler stops", async () => {
  jest.useFakeTimers();
  let runs = 0;
  const { scheduler } = scheduled(() => Promise.resolve(++runs));

  scheduler.start();
  jest.advanceTimersByTime(11_000);
  const soon = runs;
  await Promise.resolve();
  await Promise.resolve();
  jest.advanceTimersByTime(60_000);
  await scheduler.stop();
  const atStop = runs;
  jest.advanceTimersByTime(180_000);
  jest.useRealTimers();

  expect([soon, atStop, runs]).toEqual([1, 2, 2]);
});

test("what a job did away with is told", async () => {
  jest.useFakeTimers();
  const { scheduler, facts } = scheduled(() => Promise.resolve(7));

  scheduler.start();
  jest.advanceTimersByTime(11_000);
  await scheduler.stop();
  jest.useRealTimers();

  expect(facts).toEqual([{ type: "job.done", job: "logins", removed: 7, tookMs: expect.any(Number) }]);
});

test("a job that throws is reported by name and does not end the scheduler", async () => {
  jest.useFakeTimers();
  const { scheduler, facts } = scheduled(() => Promise.reject(new Error("broken")));

  scheduler.start();
  jest.advanceTimersByTime(11_000);
  await scheduler.stop();
  jest.useRealTimers();

  expect(facts).toEqual([{ type: "job.failed", job: "logins", error: "Error: broken" }]);
});

test("a job that takes longer than its interval isn't started twice", async () => {
  jest.useFakeTimers();
  let starts = 0;
  const { scheduler } = scheduled((signal) => {
    starts++;
    return new Promise((resolve) => signal.addEventListener("abort", () => resolve(0)));
  });

  scheduler.start();
  jest.advanceTimersByTime(200_000);
  await scheduler.stop();
  jest.useRealTimers();

  expect(starts).toBe(1);
});

test("stopping waits for a job that is running and tells it", async () => {
  jest.useFakeTimers();
  let wasTold = false;
  const { scheduler } = scheduled(async (signal) => {
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    wasTold = true;
    return 0;
  });

  scheduler.start();
  jest.advanceTimersByTime(61_000);
  await scheduler.stop();
  jest.useRealTimers();

  expect(wasTold).toBe(true);
});
