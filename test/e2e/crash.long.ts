import { expect, test } from "bun:test";
import { crashRounds } from "./crash-rounds.ts";

test("100 × kill -9 amid the work: nothing acknowledged is lost, doubled or run again", async () => {
  const counts = await crashRounds(100);

  console.info(JSON.stringify(counts));
  expect(counts.broken).toEqual([]);
  for (const state of ["queued", "starting", "running", "settling", "finished"] as const) {
    expect(counts[state]).toBeGreaterThan(0);
  }
  expect(counts.resumedStreams).toBeGreaterThan(0);
}, 900_000);
