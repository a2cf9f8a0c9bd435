import { expect, test } from "bun:test";
import {
  type ContainmentFinding,
  type ContainmentTest,
  endings,
  escapes,
} from "../../src/domain/containment-report.ts";
import type { Alarm } from "../../src/domain/clock.ts";
import type { Fact } from "../../src/domain/facts.ts";
import type { ContainmentRung } from "../../src/domain/process.ts";
import { StoreUnavailable } from "../../src/domain/ports.ts";
import { createContainmentDesk, type MemoryGuard } from "../../src/runner/containment-desk.ts";
import type { SelfTestOutcome } from "../../src/runner/process/self-test-process.ts";

const tests: ContainmentTest[] = endings.flatMap((ending) =>
  escapes.map((escape) => ({ escape, ending, survivors: 0, note: null })),
);

interface DeskOptions {
  kept?: ContainmentFinding;
  refuses?: boolean;
  rung?: ContainmentRung;
  memory?: MemoryGuard;
}

/** A desk whose clock rings when it is told to, and whose self-test ends as it is told. */
function openDesk(options: DeskOptions = {}) {
  const facts: Fact[] = [];
  const keptNow: ContainmentFinding[] = [];
  const rings: (() => void)[] = [];
  const stopped = { alarms: 0, selfTests: 0 };
  const { promise: outcome, resolve: endSelfTest } = Promise.withResolvers<SelfTestOutcome>();
  const desk = createContainmentDesk({
    containment: { rung: options.rung ?? "bwrap", degradedBecause: null, fix: null },
    sandboxOff: false,
    memory: options.memory ?? { kind: "found", cgroups: { trouble: null } },
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
    memoryLimit: { by: "cgroup", because: null },
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

test("who holds runs to their memory limit is told, and why it isn't the kernel, or not for certain", () => {
  const found = (trouble: string | null): MemoryGuard => ({ kind: "found", cgroups: { trouble } });
  const limitOf = (given: DeskOptions) => openDesk(given).desk.report().memoryLimit;

  expect(limitOf({ memory: found(null) })).toEqual({ by: "cgroup", because: null });
  expect(limitOf({ memory: found("No room.") })).toEqual({ by: "polling", because: "No room." });
  expect(limitOf({ memory: { kind: "none", because: "Off." } })).toEqual({ by: "polling", because: "Off." });
  for (const rung of ["unshare", "process-group"] as const) {
    expect(limitOf({ memory: found(null), rung })).toEqual({
      by: "cgroup",
      because: "A run could raise its limit: only bubblewrap keeps it from writing to control groups.",
    });
  }
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
