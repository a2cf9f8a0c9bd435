import { describe, expect, test } from "bun:test";
import { describeReport } from "./report.ts";
import type { Sabotage } from "./server.ts";
import { simulate } from "./simulation.ts";

const steps = 1_500;

describe("whatever clients, CLIs, the disk and the machine do", () => {
  test.each([1, 2, 3, 4])("the promises are kept, seed %i", async (seed) => {
    const report = await simulate({ seed, steps });

    expect(report.violations, describeReport(report)).toEqual([]);
    expect(report.runs).toBeGreaterThan(20);
  });

  test("a seed is the same simulation each time, and another one another", async () => {
    const first = await simulate({ seed: 6, steps: 400 });
    const again = await simulate({ seed: 6, steps: 400 });
    const other = await simulate({ seed: 7, steps: 400 });

    expect(again.hash).toBe(first.hash);
    expect(other.hash).not.toBe(first.hash);
  });
});

/** Each breaks one promise, from outside of the runner; the checker has to see that. */
const sabotages: [what: string, seen: RegExp, sabotage: Sabotage][] = [
  [
    "a recovery that forgets a queued run",
    /never ends|wait for ever|started before/,
    { store: (store) => ({ ...store, listQueued: () => store.listQueued().slice(1) }) },
  ],
  [
    "a queue that is taken up from its end",
    /started before/,
    { store: (store) => ({ ...store, listQueued: () => store.listQueued().toReversed() }) },
  ],
  [
    "a process that is on record nowhere",
    /before it was in custody/,
    { store: (store) => ({ ...store, recordProcess: async () => "ok", begin: async () => "ok" }) },
  ],
  [
    "a repeated request that begins a second run",
    /was asked for once and has 2 runs|stands for/,
    { store: (store) => ({ ...store, admit: (asked) => store.admit({ ...asked, idempotency: null }) }) },
  ],
  [
    "a breaker that nobody heeds",
    /although its breaker is open/,
    {
      store: (store) => ({
        ...store,
        findBreaker: (agentId) => ({ ...store.findBreaker(agentId), state: "closed", retryAtMs: null }),
      }),
    },
  ],
  [
    "a kill that says it succeeded and did not",
    /two processes|in two turns|lives on/,
    {
      supervisor: (supervisor) => ({
        ...supervisor,
        async spawn(spec) {
          const outcome = await supervisor.spawn(spec);
          if (outcome.kind === "spawned") outcome.process.killTree = async () => 0;
          if (outcome.kind === "spawned") outcome.process.closeInput = () => {};
          return outcome;
        },
      }),
    },
  ],
];

test.each(sabotages)("the checker sees %s", async (_what, seen, sabotage) => {
  const found: string[] = [];

  for (let seed = 1; !seen.test(found.join("\n")) && seed <= 10; seed++) {
    found.push(...(await simulate({ seed, steps: 1_000, sabotage })).violations);
  }

  expect(found.join("\n")).toMatch(seen);
});
