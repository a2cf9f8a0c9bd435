import { expect, test } from "bun:test";
import { anyMoment, crashRounds, fullHouse } from "./crash-rounds.ts";

test("8 × kill -9 amid the work: nothing acknowledged is lost, doubled or run again", async () => {
  const counts = await crashRounds(8, anyMoment);

  expect(counts.broken).toEqual([]);
  expect(counts.acknowledged).toBeGreaterThan(0);
  expect(counts.queued).toBeGreaterThan(0);
  expect(counts.starting + counts.running).toBeGreaterThan(0);
  expect(counts.resumedStreams).toBeGreaterThan(0);
});

test("3 × kill -9 with 5 runs in progress and 10 waiting: the same holds", async () => {
  const counts = await crashRounds(3, fullHouse);

  expect(counts.broken).toEqual([]);
  expect(counts.acknowledged).toBe(45);
  expect(counts.queued).toBeGreaterThan(0);
  expect(counts.running).toBeGreaterThan(0);
});
