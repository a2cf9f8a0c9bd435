import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  canMove,
  isActive,
  isTerminal,
  type RunState,
  runStates,
  terminalStates,
} from "../../src/domain/run-state.ts";

const edges: [from: RunState, to: RunState[]][] = [
  ["queued", ["starting", "failed", "cancelled", "timed_out", "interrupted"]],
  ["starting", ["running", "failed", "cancelled", "timed_out", "interrupted"]],
  ["running", ["succeeded", "failed", "cancelled", "timed_out", "interrupted"]],
  ...terminalStates.map((state): [RunState, RunState[]] => [state, []]),
];

describe("a run", () => {
  for (const [from, allowed] of edges) {
    test(`that is ${from} can become ${allowed.join(", ") || "nothing else"}`, () => {
      const reached = runStates.filter((to) => canMove(from, to));

      expect(reached.toSorted()).toEqual(allowed.toSorted());
    });
  }

  test("is over in exactly the states that nothing leads out of", () => {
    expect(runStates.filter(isTerminal)).toEqual([...terminalStates]);
  });

  test("holds its agent from its start to its end", () => {
    expect(runStates.filter(isActive)).toEqual(["starting", "running"]);
  });

  test("ends once, whatever is tried in whatever order", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...runStates), { maxLength: 40 }), (wanted) => {
        let state: RunState = "queued";
        let ends = 0;
        for (const to of wanted) {
          if (!canMove(state, to)) continue;
          state = to;
          if (isTerminal(state)) ends += 1;
        }
        return ends <= 1 && (ends === 1) === isTerminal(state);
      }),
    );
  });

  test("never goes back to where it was", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...runStates), { maxLength: 40 }), (wanted) => {
        const path: RunState[] = ["queued"];
        for (const to of wanted) if (canMove(path.at(-1)!, to)) path.push(to);
        return new Set(path).size === path.length;
      }),
    );
  });
});
