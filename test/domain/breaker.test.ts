import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  type Breaker,
  type BreakerEvent,
  type BreakerSettings,
  pristineBreaker,
} from "../../src/domain/breaker.ts";
import { authPauseMs, breakerEntry, decideBreaker } from "../../src/domain/breaker-decider.ts";
import type { ServiceOutcome } from "../../src/domain/service-outcome.ts";

const settings: BreakerSettings = { failuresMax: 5, pauseMs: 30_000, pauseMaxMs: 900_000 };
const startMs = 1_800_000_000_000;

type Failure = Extract<ServiceOutcome, { kind: "failed" }>;

function failure(over: Partial<Failure> = {}): Failure {
  return { kind: "failed", code: "overloaded", message: "529", advice: "Wait.", resetAtMs: null, ...over };
}

const succeeded: ServiceOutcome = { kind: "succeeded" };
const uncounted: ServiceOutcome = { kind: "uncounted" };

function ended(outcome: ServiceOutcome, atMs = startMs): BreakerEvent {
  return { kind: "run_ended", runId: "run_1", atMs, outcome };
}

/** What these events make of a pristine breaker. */
function after(events: readonly BreakerEvent[], by = settings): Breaker {
  return events.reduce((breaker, event) => decideBreaker(breaker, event, by).breaker, pristineBreaker("ada"));
}

const times = <T>(count: number, item: T): T[] => Array.from({ length: count }, () => item);
const openedByFailures = times(5, ended(failure()));
const openedAt = after(openedByFailures);
const halfOpen = after([
  ...openedByFailures,
  { kind: "retry_due", retryAtMs: startMs + 30_000, atMs: startMs + 30_000 },
]);

describe("a closed breaker", () => {
  test("opens with the fifth failure of the service in a row, for as long as the settings say", () => {
    const before = after(times(4, ended(failure())));
    const { breaker, change } = decideBreaker(before, ended(failure()), settings);

    expect(before).toEqual({ ...pristineBreaker("ada"), failures: 4 });
    expect(breaker).toEqual({
      agentId: "ada",
      state: "open",
      failures: 5,
      openings: 1,
      openedAtMs: startMs,
      retryAtMs: startMs + 30_000,
      cause: { code: "overloaded", message: "529", advice: "Wait.", runId: "run_1" },
    });
    expect(change).toEqual({
      agentId: "ada",
      atMs: startMs,
      from: "closed",
      to: "open",
      reason: "failures",
      runId: "run_1",
      code: "overloaded",
    });
  });

  test("begins to count anew with a success, and doesn't hear what says nothing of the service", () => {
    const heard = after([...times(4, ended(failure())), ended(succeeded), ...times(4, ended(failure()))]);
    const deaf = after([...times(4, ended(failure())), ...times(9, ended(uncounted))]);

    expect(heard).toMatchObject({ state: "closed", failures: 4 });
    expect(deaf).toMatchObject({ state: "closed", failures: 4 });
  });

  test("opens at once until the time that the CLI names for its limit, and counts a limit without one", () => {
    const named = after([ended(failure({ code: "rate_limited", resetAtMs: startMs + 7_200_000 }))]);
    const unnamed = after([ended(failure({ code: "rate_limited" }))]);

    expect(named).toMatchObject({ state: "open", openings: 1, retryAtMs: startMs + 7_200_000 });
    expect(unnamed).toEqual({ ...pristineBreaker("ada"), failures: 1 });
  });

  test("opens at once when somebody has to sign in, for five minutes", () => {
    const { breaker, change } = decideBreaker(
      pristineBreaker("ada"),
      ended(failure({ code: "auth_required", advice: "Sign in." })),
      settings,
    );

    expect(breaker).toMatchObject({ state: "open", retryAtMs: startMs + authPauseMs });
    expect(breaker.cause).toMatchObject({ code: "auth_required", advice: "Sign in." });
    expect(change?.reason).toBe("auth_required");
  });

  test("never opens when the settings say so", () => {
    const never = { ...settings, failuresMax: 0 };
    const refused = [
      ...times(50, ended(failure())),
      ended(failure({ code: "auth_required" })),
      ended(failure({ code: "rate_limited", resetAtMs: startMs + 1 })),
    ];

    expect(after(refused, never)).toMatchObject({ state: "closed", openings: 0 });
  });
});

describe("an open breaker", () => {
  test("becomes half open when its pause is over, and not when an earlier one is", () => {
    const due = { kind: "retry_due", retryAtMs: startMs + 30_000, atMs: startMs + 30_000 } as const;

    const moved = decideBreaker(openedAt, due, settings);
    const stale = decideBreaker(openedAt, { ...due, retryAtMs: startMs + 1 }, settings);

    expect(moved.breaker).toEqual({ ...openedAt, state: "half_open", retryAtMs: null });
    expect(moved.change).toMatchObject({ from: "open", to: "half_open", reason: "retry_due", runId: null });
    expect(stale).toEqual({ breaker: openedAt, change: null });
  });

  test("closes and forgets by a reset", () => {
    const { breaker, change } = decideBreaker(openedAt, { kind: "reset", atMs: startMs + 5 }, settings);

    expect(breaker).toEqual(pristineBreaker("ada"));
    expect(change).toMatchObject({ from: "open", to: "closed", reason: "reset", code: "overloaded" });
  });

  test("waits no longer than a whole pause after a start, however the wall clock jumped back", () => {
    const started = (breaker: Breaker, atMs: number) =>
      decideBreaker(breaker, { kind: "server_started", atMs }, settings).breaker.retryAtMs;
    const named = after([ended(failure({ code: "rate_limited", resetAtMs: startMs + 86_400_000 }))]);

    expect(started(openedAt, startMs + 10_000)).toBe(startMs + 30_000);
    expect(started(openedAt, startMs - 1_000_000_000)).toBe(startMs - 1_000_000_000 + 900_000);
    expect(started(named, startMs + 10_000)).toBe(startMs + 86_400_000);
    expect(started(named, startMs - 1_000_000_000)).toBe(startMs - 1_000_000_000 + 86_400_000);
  });

  test("is closed by the start of a server that never opens one", () => {
    const never = { ...settings, failuresMax: 0 };
    const start = { kind: "server_started", atMs: startMs } as const;

    expect(decideBreaker(openedAt, start, never)).toMatchObject({
      breaker: { state: "closed" },
      change: { reason: "reset" },
    });
  });
});

describe("a half-open breaker", () => {
  test("closes when its probe succeeds", () => {
    const { breaker, change } = decideBreaker(halfOpen, ended(succeeded, startMs + 40_000), settings);

    expect(breaker).toEqual(pristineBreaker("ada"));
    expect(change).toMatchObject({ from: "half_open", to: "closed", reason: "probe_succeeded" });
  });

  test("opens for twice as long when its probe fails, each time", () => {
    const pauses: number[] = [];
    let breaker = halfOpen;
    for (let atMs = startMs; pauses.length < 7; atMs += 10_000_000) {
      breaker = decideBreaker({ ...breaker, state: "half_open" }, ended(failure(), atMs), settings).breaker;
      pauses.push((breaker.retryAtMs ?? 0) - atMs);
    }

    expect(pauses).toEqual([60_000, 120_000, 240_000, 480_000, 900_000, 900_000, 900_000]);
  });

  test("stays as it is when its probe says nothing of the service", () => {
    expect(decideBreaker(halfOpen, ended(uncounted), settings)).toEqual({ breaker: halfOpen, change: null });
  });

  test("doesn't believe a CLI that named too early a time before", () => {
    const early = failure({ code: "rate_limited", resetAtMs: startMs + 1_000 });

    const { breaker } = decideBreaker(halfOpen, ended(early), settings);

    expect(breaker.retryAtMs).toBe(startMs + 60_000);
  });
});

describe("a new run", () => {
  const empty = { queued: 0, isActive: false };

  test.each([
    ["enters freely where it is closed", pristineBreaker("ada"), { queued: 9, isActive: true }, 0, "free"],
    ["is refused while it is open", openedAt, empty, 29_999, "refused"],
    ["probes from the time on at which it may", openedAt, empty, 30_000, "probe"],
    ["is refused then where others wait", openedAt, { queued: 1, isActive: false }, 30_000, "refused"],
    ["probes where it is half open", halfOpen, empty, 0, "probe"],
    ["is refused while another one probes", halfOpen, { queued: 0, isActive: true }, 0, "refused"],
    ["is refused while another one is to probe", halfOpen, { queued: 1, isActive: false }, 0, "refused"],
  ] as const)("%s", (_name, breaker, line, laterMs, entry) => {
    expect(breakerEntry(breaker, line, startMs + laterMs)).toBe(entry);
  });
});

describe("under any events, with a wall clock that jumps", () => {
  const outcome = fc.oneof(
    fc.constant(succeeded),
    fc.constant(uncounted),
    fc.constant(failure()),
    fc.constant(failure({ code: "auth_required" })),
    fc.integer({ min: 1, max: 10_000_000 }).map((inMs) => ({ named: inMs })),
  );
  const step = fc.record({
    jumpMs: fc.integer({ min: -5_000_000, max: 5_000_000 }),
    act: fc.constantFrom("arrive", "end", "ring", "reset", "restart" as const),
    outcome,
  });
  const anySettings = fc.record({
    failuresMax: fc.integer({ min: 1, max: 4 }),
    pauseMs: fc.integer({ min: 100, max: 100_000 }),
    pauseMaxMs: fc.integer({ min: 100, max: 1_000_000 }),
  });

  test("no two runs probe, a closed one has never opened, and an open one has a time ahead", () => {
    fc.assert(
      fc.property(anySettings, fc.array(step, { maxLength: 80 }), (by, steps) => {
        let breaker = pristineBreaker("ada");
        let atMs = startMs;
        const line = { queued: 0, isActive: false };
        const decide = (event: BreakerEvent) => (breaker = decideBreaker(breaker, event, by).breaker);
        const handOver = () => {
          if (breaker.state === "open" || line.isActive || line.queued === 0) return;
          line.queued -= 1;
          line.isActive = true;
        };
        for (const { jumpMs, act, outcome: drawn } of steps) {
          atMs = Math.max(1, atMs + jumpMs);
          const before = breaker.state;
          if (act === "arrive") {
            const entry = breakerEntry(breaker, line, atMs);
            if (entry === "probe") {
              expect(line).toEqual({ queued: 0, isActive: false });
              decide({ kind: "retry_due", retryAtMs: breaker.retryAtMs ?? 0, atMs });
            }
            if (entry !== "refused") line.queued += 1;
          }
          if (act === "end" && line.isActive) {
            line.isActive = false;
            const told =
              "named" in drawn ? failure({ code: "rate_limited", resetAtMs: atMs + drawn.named }) : drawn;
            decide(ended(told, atMs));
            if (breaker.state === "open") expect(breaker.retryAtMs).toBeGreaterThan(atMs);
          }
          if (act === "ring") decide({ kind: "retry_due", retryAtMs: breaker.retryAtMs ?? 0, atMs });
          if (act === "reset") decide({ kind: "reset", atMs });
          if (act === "restart") decide({ kind: "server_started", atMs });
          handOver();

          expect(breaker.state === "closed").toBe(breaker.openings === 0);
          expect(breaker.state === "closed").toBe(breaker.cause === null);
          expect(breaker.state === "open").toBe(breaker.retryAtMs !== null);
          // Nothing starts while it is open: what runs then would have been let in before.
          if (breaker.state === "open" && before === "open") expect(line.isActive).toBe(false);
        }
      }),
    );
  });

  test("pauses of failures in a row never grow shorter, nor longer than the longest", () => {
    fc.assert(
      fc.property(anySettings, fc.integer({ min: 2, max: 60 }), (by, openings) => {
        let last = 0;
        let breaker: Breaker = { ...halfOpen, openings: 0 };
        for (let at = 0; at < openings; at += 1) {
          const probing: Breaker = { ...breaker, state: "half_open", retryAtMs: null };
          breaker = decideBreaker(probing, ended(failure()), by).breaker;
          const pause = (breaker.retryAtMs ?? 0) - startMs;
          expect(pause).toBeGreaterThanOrEqual(last);
          expect(pause).toBeLessThanOrEqual(by.pauseMaxMs);
          last = pause;
        }
      }),
    );
  });
});
