import { test } from "bun:test";
import { survivesCrashes } from "./crash-rounds.ts";

test("what was acknowledged is there after kill -9, and the invariants hold, 10 times over", async () => {
  await survivesCrashes(10);
}, 120_000);
