import { describe, expect, test } from "bun:test";
import { type BreakerSettings, pristineBreaker } from "../../src/domain/breaker.ts";
import type { Clock } from "../../src/domain/clock.ts";
import type { Fact } from "../../src/domain/facts.ts";
import type { BreakerStore } from "../../src/domain/hold-ports.ts";
import { StoreUnavailable } from "../../src/domain/ports.ts";
import type { RunErrorCode } from "../../src/domain/error-codes.ts";
import { createBreakers } from "../../src/runner/breakers.ts";
import { createWakeups } from "../../src/runner/wakeups.ts";
import { openTestStore, settings, type TestStore } from "../store/fixture.ts";

const breakerSettings: BreakerSettings = { failuresMax: 5, pauseMs: 30_000, pauseMaxMs: 900_000 };
const startMs = 1_800_000_000_000;
const dayMs = 86_400_000;

/** A clock that stands still until it is moved, with a wall clock that can be set apart from it. */
function handClock() {
  const alarms = new Set<{ dueMs: number; ring: () => void }>();
  let nowMs = 0;
  let wallAheadMs = 0;
  const clock: Clock = {
    wallMs: () => startMs + nowMs + wallAheadMs,
    monotonicMs: () => nowMs,
    after(delayMs, ring) {
      // As the real one, which rings at once when it is asked for more than 2³¹ − 1 milliseconds.
      const alarm = { dueMs: nowMs + (delayMs > 2_147_483_647 ? 1 : delayMs), ring };
      alarms.add(alarm);
      return { refresh() {}, stop: () => void alarms.delete(alarm) };
    },
  };
  return {
    clock,
    get armed() {
      return alarms.size;
    },
    jumpWall: (byMs: number) => void (wallAheadMs += byMs),
    /** Moves time on, ringing what is due, and lets what that began come to its end. */
    async advance(byMs: number) {
      const untilMs = nowMs + byMs;
      for (;;) {
        const due = [...alarms]
          .filter(({ dueMs }) => dueMs <= untilMs)
          .toSorted((a, b) => a.dueMs - b.dueMs)[0];
        if (due === undefined) break;
        nowMs = Math.max(nowMs, due.dueMs);
        alarms.delete(due);
        due.ring();
        await settled();
      }
      nowMs = untilMs;
      await settled();
    },
  };
}

/** Commits take a few turns of the event loop. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 8; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

async function openDesk(by = breakerSettings) {
  const at = openTestStore();
  await at.store.createAgent(settings());
  return { at, ...deskOn(at, at.store, by) };
}

function deskOn(at: TestStore, store: BreakerStore, by = breakerSettings) {
  const hand = handClock();
  const held = new Set<string>();
  const facts: Fact[] = [];
  const woken: string[] = [];
  const wakeups = createWakeups();
  wakeups.onAny((agentId) => void woken.push(agentId));
  const breakers = createBreakers({
    store,
    dispatcher: {
      hold: (agentId) => void held.add(agentId),
      release: (agentId) => void held.delete(agentId),
    },
    settings: by,
    clock: hand.clock,
    publish: (fact) => void facts.push(fact),
    wakeups,
  });
  return {
    hand,
    held,
    facts,
    woken,
    breakers,
    state: () => at.store.findBreaker("ada").state,
    /** A run has failed, and its end was committed. */
    async failed(code: RunErrorCode, resetAtMs: number | null = null) {
      const outcome = { kind: "failed", code, message: "No", advice: "Do.", resetAtMs } as const;
      const event = { kind: "run_ended", runId: "run_1", atMs: hand.clock.wallMs(), outcome } as const;
      await at.store.moveBreaker("ada", event, by);
      breakers.follow("ada");
    },
  };
}

describe("an agent whose breaker opens", () => {
  test("is held until the pause is over, and that is told", async () => {
    const desk = await openDesk();
    await using _at = desk.at;

    await desk.failed("auth_required");
    const whileOpen = [...desk.held];
    await desk.hand.advance(299_999);
    const shortly = desk.state();
    await desk.hand.advance(1);

    expect([whileOpen, shortly, desk.state()]).toEqual([["ada"], "open", "half_open"]);
    expect([...desk.held]).toEqual([]);
    expect(desk.hand.armed).toBe(0);
    expect(desk.facts).toMatchObject([
      { type: "breaker.changed", agentId: "ada", to: "open", code: "auth_required" },
      { type: "breaker.changed", agentId: "ada", to: "half_open", reason: "retry_due", retryAt: null },
    ]);
    expect(desk.woken).toEqual(["ada", "ada"]);
  });

  test("waits as long as was said, however the wall clock jumps meanwhile", async () => {
    const desk = await openDesk();
    await using _at = desk.at;

    await desk.failed("auth_required");
    desk.hand.jumpWall(-dayMs);
    await desk.hand.advance(100_000);
    const back = desk.breakers.retryAfterSeconds(desk.at.store.findBreaker("ada"));
    desk.hand.jumpWall(2 * dayMs);
    await desk.hand.advance(199_999);
    const ahead = desk.breakers.retryAfterSeconds(desk.at.store.findBreaker("ada"));
    const shortly = desk.state();
    await desk.hand.advance(1);

    expect([back, ahead]).toEqual([200, 1]);
    expect([shortly, desk.state()]).toEqual(["open", "half_open"]);
  });

  test("waits also for a day next month", async () => {
    const desk = await openDesk();
    await using _at = desk.at;

    await desk.failed("rate_limited", startMs + 40 * dayMs);
    await desk.hand.advance(40 * dayMs - 1);
    const shortly = desk.state();
    await desk.hand.advance(1);

    expect([shortly, desk.state()]).toEqual(["open", "half_open"]);
  });

  test("is tried again when the store takes no writes at that moment", async () => {
    const at = openTestStore();
    await using _at = at;
    await at.store.createAgent(settings());
    let refusals = 2;
    const refusing: BreakerStore = {
      ...at.store,
      moveBreaker: (...move) =>
        refusals-- > 0
          ? Promise.reject(new StoreUnavailable("full", "disk full"))
          : at.store.moveBreaker(...move),
    };
    const desk = deskOn(at, refusing);

    await desk.failed("auth_required");
    await desk.hand.advance(301_999);
    const stillHeld = [...desk.held];
    await desk.hand.advance(1);

    expect(stillHeld).toEqual(["ada"]);
    expect([desk.state(), [...desk.held]]).toEqual(["half_open", []]);
  });

  test("is free at once by a reset, and no alarm is left", async () => {
    const desk = await openDesk();
    await using _at = desk.at;

    await desk.failed("auth_required");
    const report = await desk.breakers.reset("ada");

    expect(report).toMatchObject({ state: "closed", changes: [{ reason: "reset" }, { to: "open" }] });
    expect([[...desk.held], desk.hand.armed]).toEqual([[], 0]);
    expect(desk.breakers.counts()).toEqual({ open: 0, halfOpen: 0 });
  });

  test("is not rung for when it was deleted, nor when the server stops", async () => {
    const desk = await openDesk();
    await using _at = desk.at;

    await desk.failed("auth_required");
    desk.breakers.stop();
    const afterStop = desk.hand.armed;
    desk.breakers.forget("ada");

    expect(afterStop).toBe(0);
    expect([...desk.held]).toEqual([]);
  });
});

describe("a server that starts", () => {
  test("takes up what an earlier one left: the hold, the rest of the pause, and no old news", async () => {
    const desk = await openDesk();
    await using _at = desk.at;
    await desk.failed("auth_required");

    const next = deskOn(desk.at, desk.at.store);
    await next.hand.advance(100_000);
    await next.breakers.restore();
    const heldThen = [...next.held];
    await next.hand.advance(200_000);

    expect(heldThen).toEqual(["ada"]);
    expect(next.state()).toBe("half_open");
    expect(next.facts).toMatchObject([{ to: "half_open" }]);
  });

  test("waits no longer than the longest pause where its wall clock is far behind", async () => {
    const desk = await openDesk();
    await using _at = desk.at;
    await desk.failed("auth_required");

    const next = deskOn(desk.at, desk.at.store);
    next.hand.jumpWall(-365 * dayMs);
    await next.breakers.restore();
    await next.hand.advance(breakerSettings.pauseMaxMs);

    expect(next.state()).toBe("half_open");
  });

  test("closes them all where it never opens one", async () => {
    const desk = await openDesk();
    await using _at = desk.at;
    await desk.failed("auth_required");

    const next = deskOn(desk.at, desk.at.store, { ...breakerSettings, failuresMax: 0 });
    await next.breakers.restore();

    expect(desk.at.store.findBreaker("ada")).toEqual(pristineBreaker("ada"));
    expect([...next.held]).toEqual([]);
  });
});
