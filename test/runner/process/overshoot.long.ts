import { expect, test } from "bun:test";
import { openSeenCgroups } from "./cgroups.ts";
import { containmentOf } from "./harness.ts";
import { type HogTree, measureOvershoot, overshootMax } from "./overshoot.ts";

const repetitions = 5;

const trees: HogTree[] = [
  { limitMb: 256, hogs: 1 },
  { limitMb: 512, hogs: 1 },
  { limitMb: 256, hogs: 4 },
  { limitMb: 512, hogs: 4 },
  { limitMb: 512, hogs: 1, sleepers: 100 },
];

const seen = await openSeenCgroups();

for (const rung of ["bwrap", "unshare", "process-group"] as const) {
  const containment = await containmentOf(rung);

  test.skipIf(containment === null).each(trees)(
    `${rung}: a tree that takes 500 MB a second is ended within 15 percent of its limit, half the time at least (%o)`,
    async (tree) => {
      if (containment === null) return;

      const found = [];
      for (let at = 0; at < repetitions; at += 1) found.push(await measureOvershoot(containment, tree));

      const held = found.map(({ heldOfLimit }) => heldOfLimit).toSorted((a, b) => a - b);
      const shown = held.map((part) => `${Math.round(part * 100)} %`).join(", ");
      console.log(`${rung} ${JSON.stringify(tree)}: ended at ${shown} of its limit`);
      expect(found.map(({ codes }) => codes)).toEqual(found.map(() => ["memory_limit"]));
      // A machine with no core to spare delays looks: those that came late are shown above.
      expect(held[Math.floor(held.length / 2)]).toBeLessThan(1 + overshootMax);
    },
    60_000,
  );

  test.skipIf(containment === null || seen === null).each(trees)(
    `${rung}: in a control group the same tree never gets more than 15 percent past its limit (%o)`,
    async (tree) => {
      if (containment === null || seen === null) return;
      seen.ends.length = 0;

      const found = [];
      for (let at = 0; at < repetitions; at += 1)
        found.push(await measureOvershoot(containment, tree, seen.cgroups));

      const peaks = seen.ends.map(({ peakBytes, limitBytes }) => peakBytes / limitBytes);
      const shown = peaks.map((part) => `${Math.round(part * 100)} %`).join(", ");
      console.log(`${rung} ${JSON.stringify(tree)}: by its control group at most ${shown} of its limit`);
      expect(found.map(({ codes }) => codes)).toEqual(found.map(() => ["memory_limit"]));
      expect(peaks).toHaveLength(repetitions);
      expect(Math.max(...peaks)).toBeLessThan(1 + overshootMax);
    },
    60_000,
  );
}
