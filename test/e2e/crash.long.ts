import { expect, test } from "bun:test";
import { anyMoment, crashRounds, fullHouse } from "./crash-rounds.ts";

test("100 × kill -9 amid the work: nothing acknowledged is lost, doubled or run again", async () => {
  const counts = await crashRounds(100, anyMoment);

  console.info(JSON.stringify(counts));
  expect(counts.broken).toEqual([]);
  for (const state of ["queued", "starting", "running", "settling", "finished"] as const) {
    expect(counts[state]).toBeGreaterThan(0);
  }
  expect(counts.resumedStreams).toBeGreaterThan(0);
}, 900_000);

test("200 × kill -9 with 5 runs in progress and 10 waiting: the same holds", async () => {
  const counts = await crashRounds(200, fullHouse);

  console.info(JSON.stringify(counts));
  expect(counts.broken).toEqual([]);
  expect(counts.acknowledged).toBe(3_000);
  expect(counts.running).toBeGreaterThan(500);
  expect(counts.queued).toBeGreaterThan(1_000);
}, 1_800_000);
