import { expect, test } from "bun:test";
import type { Clock } from "../../../src/domain/clock.ts";
import type { StopReason } from "../../../src/runner/live-run.ts";
import { startWatchdogs } from "../../../src/runner/policies/watchdogs.ts";

/** A clock whose time is told to it. */
function handClock() {
  let nowMs = 0;
  const alarms = new Set<{ atMs: number; ring: () => void }>();
  const clock: Clock = {
    wallMs: () => nowMs,
    monotonicMs: () => nowMs,
    after(delayMs, ring) {
      const alarm = { atMs: nowMs + delayMs, ring };
      alarms.add(alarm);
      return { refresh: () => void (alarm.atMs = nowMs + delayMs), stop: () => void alarms.delete(alarm) };
    },
  };
  function pass(ms: number): void {
    nowMs += ms;
    for (const alarm of [...alarms].filter(({ atMs }) => atMs <= nowMs)) {
      alarms.delete(alarm);
      alarm.ring();
    }
  }
  return { clock, pass };
}

function setUp() {
  const { clock, pass } = handClock();
  const bites: string[] = [];
  const limits = { deadlineInMs: 60_000, stallTimeoutMs: 1_000, firstOutputMs: 1_000 };
  const watchdogs = startWatchdogs(clock, limits, ({ kind }) => void bites.push(kind));
  watchdogs.turnSent();
  watchdogs.signOfLife();
  return { watchdogs, pass, bites };
}

test("a CLI that isn't read because the store is behind has not stalled", async () => {
  const { watchdogs, pass, bites } = setUp();
  const { promise: caughtUp, resolve } = Promise.withResolvers<void>();

  watchdogs.deafUntil(caughtUp);
  watchdogs.signOfLife();
  pass(10_000);
  const whileDeaf = [...bites];
  resolve();
  await caughtUp;
  pass(999);
  const soonAfter = [...bites];
  pass(1);

  expect([whileDeaf, soonAfter, bites]).toEqual([[], [], ["stalled"]]);
});

test("the deadline bites whether one reads or not, and once the turn is over nothing does", async () => {
  const { watchdogs, pass, bites } = setUp();
  const { promise: caughtUp, resolve } = Promise.withResolvers<void>();

  watchdogs.deafUntil(caughtUp);
  pass(60_000);
  resolve();
  await caughtUp;
  pass(60_000);

  expect(bites).toEqual(["deadline"]);
});

test.each([
  [100, "100 ms"],
  [1_000, "1 second"],
  [1_500, "1.5 seconds"],
  [90_000, "90 seconds"],
])("a limit of %i ms is told as it was set", (limitMs, told) => {
  const messages = [true, false].map((hasSpoken) => {
    const { clock, pass } = handClock();
    const limits = { deadlineInMs: 900_000, stallTimeoutMs: limitMs, firstOutputMs: limitMs };
    const { promise: bitten, resolve } = Promise.withResolvers<StopReason>();
    const watchdogs = startWatchdogs(clock, limits, resolve);
    watchdogs.turnSent();
    if (hasSpoken) watchdogs.signOfLife();
    pass(limitMs);
    return bitten;
  });

  return expect(Promise.all(messages)).resolves.toEqual([
    { kind: "stalled", message: `The CLI printed nothing for ${told} while no tool was running.` },
    { kind: "stalled", message: `The CLI printed nothing at all in the first ${told} of the turn.` },
  ]);
});
