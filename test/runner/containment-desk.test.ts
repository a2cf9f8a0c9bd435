import { expect, test } from "bun:test";
import {
  type ContainmentFinding,
  type ContainmentTest,
  endings,
  escapes,
} from "../../src/domain/containment-report.ts";
import type { Alarm } from "../../src/domain/clock.ts";
import type { Fact } from "../../src/domain/facts.ts";
import { StoreUnavailable } from "../../src/domain/ports.ts";
import { createContainmentDesk } from "../../src/runner/containment-desk.ts";
import type { SelfTestOutcome } from "../../src/runner/process/self-test-process.ts";

const tests: ContainmentTest[] = endings.flatMap((ending) =>
  escapes.map((escape) => ({ escape, ending, survivors: 0, note: null })),
);

/** A desk whose clock rings when it is told to, and whose self-test ends as it is told. */
function openDesk(options: { kept?: ContainmentFinding; refuses?: boolean } = {}) {
  const facts: Fact[] = [];
  const keptNow: ContainmentFinding[] = [];
  const rings: (() => void)[] = [];
  const stopped = { alarms: 0, selfTests: 0 };
  const { promise: outcome, resolve: endSelfTest } = Promise.withResolvers<SelfTestOutcome>();
  const desk = createContainmentDesk({
    containment: { rung: "bwrap", degradedBecause: null, fix: null },
    sandboxOff: false,
    fingerprint: "this machine",
    store: {
      findContainmentTests: () => options.kept ?? null,
      async keepContainmentTests(_fingerprint, finding) {
        if (options.refuses) throw new StoreUnavailable("full", "the disk is full");
        keptNow.push(finding);
      },
    },
    clock: {
      wallMs: () => 86_400_000,
      monotonicMs: () => 0,
      after(_delayMs, ring): Alarm {
        rings.push(ring);
        return { refresh() {}, stop: () => void (stopped.alarms += 1) };
      },
    },
    publish: (fact) => void facts.push(fact),
    startSelfTest: () => ({
      outcome,
      async stop() {
        stopped.selfTests += 1;
        endSelfTest({ kind: "failed", message: "stopped" });
      },
    }),
  });
  const settle = async (how: SelfTestOutcome) => {
    endSelfTest(how);
    await outcome;
    await Bun.sleep(0);
  };
  return { desk, facts, keptNow, rings, stopped, settle };
}

test("the self-test waits for a quiet moment, and its result is told and kept", async () => {
  const { desk, facts, keptNow, rings, settle } = openDesk();

  const atFirst = desk.report();
  desk.begin();
  rings.forEach((ring) => ring());
  await settle({ kind: "tested", tests });

  expect(atFirst).toMatchObject({ status: "unknown", testedAt: null, cached: false, tests: [] });
  expect(desk.report()).toEqual({
    status: "full",
    rung: "bwrap",
    because: null,
    fix: null,
    sandboxOff: false,
    filePolicy: true,
    testedAt: "1970-01-02T00:00:00.000Z",
    cached: false,
    tests,
  });
  expect(keptNow).toEqual([{ tests, testedAtMs: 86_400_000 }]);
  expect(facts).toMatchObject([{ type: "containment.tested", status: "full", survivors: 0, cached: false }]);
});

test("what an earlier start saw is told at once, and nothing is tried", () => {
  const { desk, facts, rings } = openDesk({ kept: { tests, testedAtMs: 1_000 } });

  desk.begin();

  expect(rings).toEqual([]);
  expect(desk.report()).toMatchObject({
    status: "full",
    cached: true,
    testedAt: "1970-01-01T00:00:01.000Z",
  });
  expect(facts).toMatchObject([{ type: "containment.tested", cached: true, tookMs: 0 }]);
});

test("a self-test that fails leaves the verdict unknown, with its words", async () => {
  const { desk, keptNow, rings, settle } = openDesk();

  desk.begin();
  rings.forEach((ring) => ring());
  await settle({ kind: "failed", message: "no mkfifo" });

  expect(desk.report()).toMatchObject({
    status: "unknown",
    because: "The self-test could not be made: no mkfifo.",
  });
  expect(keptNow).toEqual([]);
});

test("a result that can't be kept still holds", async () => {
  const { desk, rings, settle } = openDesk({ refuses: true });

  desk.begin();
  rings.forEach((ring) => ring());
  await settle({ kind: "tested", tests });

  expect(desk.report().status).toBe("full");
});

test("a server that stops waits for neither the moment nor the self-test", async () => {
  const waiting = openDesk();
  const testing = openDesk();

  waiting.desk.begin();
  await waiting.desk.stop();
  testing.desk.begin();
  testing.rings.forEach((ring) => ring());
  await testing.desk.stop();
  await Bun.sleep(0);

  expect([waiting.stopped, testing.stopped]).toEqual([
    { alarms: 1, selfTests: 0 },
    { alarms: 0, selfTests: 1 },
  ]);
  expect([...waiting.facts, ...testing.facts]).toEqual([]);
});
