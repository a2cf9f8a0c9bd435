import { expect, test } from "bun:test";
import { type ContainmentTest, endings, escapes } from "../../src/domain/containment-report.ts";
import { judgeContainment } from "../../src/domain/containment-verdict.ts";

const clean: ContainmentTest[] = endings.flatMap((ending) =>
  escapes.map((escape) => ({ escape, ending, survivors: 0, note: null })),
);
const best = { rung: "bwrap", degradedBecause: null, tests: clean, failure: null } as const;

function seen(escape: ContainmentTest["escape"], change: Partial<ContainmentTest>): ContainmentTest[] {
  return clean.map((each) =>
    each.escape === escape && each.ending === "killed" ? { ...each, ...change } : each,
  );
}

test("is full when everything was tried and nothing lived on, without a word", () => {
  expect(judgeContainment(best)).toEqual({ status: "full", because: null });
});

test("is full on a lower rung with namespaces too, and says why it isn't the best one", () => {
  const lower = { ...best, rung: "unshare", degradedBecause: "bwrap isn't installed" } as const;

  expect(judgeContainment(lower)).toEqual({ status: "full", because: "Bwrap isn't installed." });
});

test("is unknown until the self-test has ended, and when it could not be made or not wholly", () => {
  const untried = seen("undumpable", { survivors: null, note: "It didn't come up." });

  expect(judgeContainment({ ...best, tests: [] })).toEqual({ status: "unknown", because: null });
  expect(judgeContainment({ ...best, tests: [], failure: "no mkfifo" })).toEqual({
    status: "unknown",
    because: "The self-test could not be made: no mkfifo.",
  });
  expect(judgeContainment({ ...best, tests: untried })).toEqual({
    status: "unknown",
    because: "The kill could not be tried on one that nobody may look into.",
  });
});

test("is degraded when anything lived on, and on the process group in any case", () => {
  const tests = seen("scrubbed_environment", { survivors: 1 });

  expect(judgeContainment({ ...best, tests })).toEqual({
    status: "degraded",
    because: "Of the hostile processes one that scrubbed its environment outlived the kill.",
  });
  expect(judgeContainment({ ...best, rung: "process-group", tests: [] }).status).toBe("degraded");
  expect(judgeContainment({ ...best, rung: "process-group" }).status).toBe("degraded");
});
