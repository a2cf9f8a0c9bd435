import { expect, test } from "bun:test";
import type { Fact } from "../../src/domain/facts.ts";
import { createStartGate, type StartGate, type StartPermit } from "../../src/runner/start-gate.ts";

/** A gate on a machine whose time, memory and idle processes the test has in its hands. */
function openGate(settings: { startsMax?: number; freeMemoryMb?: number; idle?: number } = {}) {
  let nowMs = 0;
  const alarms = new Set<{ atMs: number; ring: () => void }>();
  const world = { freeMb: 10_000, idle: settings.idle ?? 0, looks: 0 };
  const facts: Fact[] = [];
  const clock = {
    wallMs: () => nowMs,
    monotonicMs: () => nowMs,
    after(delayMs: number, ring: () => void) {
      const alarm = { atMs: nowMs + delayMs, ring };
      alarms.add(alarm);
      return { refresh() {}, stop: () => void alarms.delete(alarm) };
    },
  };
  const gate = createStartGate({
    startsMax: settings.startsMax ?? 2,
    freeMemoryMb: settings.freeMemoryMb ?? 500,
    clock,
    publish: (fact) => void facts.push(fact),
    readFreeBytes() {
      world.looks += 1;
      return world.freeMb * 1_048_576;
    },
    async giveUpIdle() {
      if (world.idle === 0) return false;
      world.idle -= 1;
      world.freeMb += 100;
      return true;
    },
  });
  async function pass(ms: number): Promise<void> {
    const untilMs = nowMs + ms;
    await settled();
    for (let next = nextBy(untilMs); next; next = nextBy(untilMs)) {
      alarms.delete(next);
      nowMs = Math.max(nowMs, next.atMs);
      next.ring();
      await settled();
    }
    nowMs = untilMs;
  }
  const nextBy = (untilMs: number) =>
    [...alarms].filter(({ atMs }) => atMs <= untilMs).toSorted((a, b) => a.atMs - b.atMs)[0];
  return { gate, world, facts, pass, alarms };
}

/** What has been resolved is handled by then. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

function enter(gate: StartGate) {
  const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
  const told: string[] = [];
  const seen = { permit: null as StartPermit | null };
  const onShortOfMemory = (message: string) => void told.push(message);
  // As a run does, which is stopped then.
  const request = { cli: "claude", stopped, onShortOfMemory, onClosing: stop } as const;
  void gate.enter(request).then((permit) => (seen.permit = permit));
  return {
    stop,
    told,
    get kind() {
      return seen.permit?.kind ?? null;
    },
    get message() {
      return seen.permit?.kind === "no_memory" ? seen.permit.message : null;
    },
    cameUp() {
      if (seen.permit?.kind === "entered") seen.permit.cameUp();
    },
  };
}

test("no more come up at once than may, and the next in the order in which they came", async () => {
  const { gate } = openGate({ startsMax: 2 });
  const starts = [1, 2, 3, 4].map(() => enter(gate));
  await settled();
  const first = starts.map(({ kind }) => kind);

  starts[1]?.cameUp();
  starts[1]?.cameUp();
  await settled();

  expect(first).toEqual(["entered", "entered", null, null]);
  expect(starts.map(({ kind }) => kind)).toEqual(["entered", "entered", "entered", null]);
  expect([gate.starting, gate.waiting]).toEqual([2, 1]);
});

test("a process that prints nothing gives its place up after ten seconds", async () => {
  const { gate, pass } = openGate({ startsMax: 1 });
  enter(gate);
  const second = enter(gate);

  await pass(9_999);
  const before = second.kind;
  await pass(1);

  expect([before, second.kind]).toEqual([null, "entered"]);
});

test("when the server is ending nothing waits for memory, but what waits for its turn still gets it", async () => {
  const { gate, world, pass } = openGate({ startsMax: 1 });
  const up = enter(gate);
  const next = enter(gate);
  await settled();
  gate.close();
  const atClose = next.kind;

  up.cameUp();
  await settled();
  const inTurn = next.kind;
  world.freeMb = 1;
  next.cameUp();
  const short = enter(gate);
  await pass(0);

  expect([up.kind, atClose, inTurn, short.kind]).toEqual(["entered", null, "entered", "stopped"]);
  expect([gate.waiting, short.told.length]).toEqual([0, 1]);
});

test("what waits for memory when the server begins to end is stopped at once", async () => {
  const { gate, world, pass } = openGate();
  world.freeMb = 1;
  const start = enter(gate);
  await pass(1_000);
  const before = start.kind;

  gate.close();
  await settled();

  expect([before, start.kind, gate.waiting]).toEqual([null, "stopped", 0]);
});

test("a start waits while memory is short, is told so once, and goes on when there is enough", async () => {
  const { gate, world, pass, facts } = openGate();
  world.freeMb = 499;
  const start = enter(gate);
  await pass(5_000);
  const before = start.kind;

  world.freeMb = 500;
  await pass(250);

  expect([before, start.kind]).toEqual([null, "entered"]);
  expect(start.told).toEqual([expect.stringContaining("HEADWAY_FREE_MEMORY_MB")]);
  expect(facts).toEqual([
    { type: "start.waited", cli: "claude", reason: "memory", outcome: "entered", tookMs: 5_250 },
  ]);
});

test("idle warm processes are ended one by one before anything waits", async () => {
  const { gate, world, pass } = openGate({ idle: 5 });
  world.freeMb = 250;
  const start = enter(gate);

  await pass(0);

  expect(start.kind).toBe("entered");
  expect(start.told).toEqual([]);
  expect(world.idle).toBe(2);
});

test("after a minute without memory all that waited as long are turned away, with the setting's name", async () => {
  const { gate, world, pass, alarms } = openGate();
  world.freeMb = 1;
  const early = [enter(gate), enter(gate)];
  await pass(30_000);
  const late = enter(gate);

  await pass(30_000);

  expect(early.map(({ kind }) => kind)).toEqual(["no_memory", "no_memory"]);
  expect(early[0]?.message).toContain("HEADWAY_FREE_MEMORY_MB");
  expect(late.kind).toBeNull();
  late.stop();
  await pass(250);
  expect(alarms.size).toBe(0);
});

test("a start that isn't wanted any more stops waiting at once, for its turn as for memory", async () => {
  const { gate, world, pass, facts } = openGate({ startsMax: 1 });
  enter(gate);
  const forTurn = enter(gate);
  forTurn.stop();
  await settled();
  world.freeMb = 1;
  const other = openGate();
  other.world.freeMb = 1;
  const forMemory = enter(other.gate);
  await other.pass(1_000);
  forMemory.stop();
  await settled();
  await pass(0);

  expect([forTurn.kind, forMemory.kind]).toEqual(["stopped", "stopped"]);
  expect(facts).toMatchObject([{ reason: "turn", outcome: "stopped" }]);
  expect(other.facts).toMatchObject([{ reason: "memory", outcome: "stopped" }]);
});

test("nobody looks at the memory when nothing waits, nor ever when none is asked for", async () => {
  const asking = openGate();
  enter(asking.gate).cameUp();
  await asking.pass(60_000);
  const careless = openGate({ freeMemoryMb: 0 });
  careless.world.freeMb = 0;
  const start = enter(careless.gate);
  await careless.pass(60_000);

  expect(asking.world.looks).toBe(1);
  expect(careless.world.looks).toBe(0);
  expect(start.kind).toBe("entered");
});
