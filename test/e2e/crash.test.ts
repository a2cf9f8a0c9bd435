import { expect, test } from "bun:test";
import { crashRounds } from "./crash-rounds.ts";

test("8 × kill -9 amid the work: nothing acknowledged is lost, doubled or run again", async () => {
  const counts = await crashRounds(8);

  expect(counts.broken).toEqual([]);
  expect(counts.acknowledged).toBeGreaterThan(0);
  expect(counts.queued).toBeGreaterThan(0);
  expect(counts.starting + counts.running).toBeGreaterThan(0);
  expect(counts.resumedStreams).toBeGreaterThan(0);
});
