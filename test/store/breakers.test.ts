import { describe, expect, test } from "bun:test";
import { type Breaker, type BreakerSettings, pristineBreaker } from "../../src/domain/breaker.ts";
import type { ServiceOutcome } from "../../src/domain/service-outcome.ts";
import {
  admission,
  answered,
  atMs,
  openTestStore,
  queued,
  running,
  settings,
  settlement,
  starting,
  type TestStore,
} from "./fixture.ts";

const breakerSettings: BreakerSettings = { failuresMax: 2, pauseMs: 30_000, pauseMaxMs: 900_000 };
const endedAtMs = atMs + 1_000;
const retryAtMs = endedAtMs + 30_000;

const failure: ServiceOutcome = {
  kind: "failed",
  code: "overloaded",
  message: "529",
  advice: "Wait a little.",
  resetAtMs: null,
};

function endOf(outcome: ServiceOutcome) {
  const service = { outcome, settings: breakerSettings };
  if (outcome.kind !== "failed") return { service };
  const error = { code: outcome.code, message: outcome.message };
  return { service, state: "failed" as const, error, content: "", contentFinal: false };
}

async function withAgent(): Promise<TestStore> {
  const at = openTestStore();
  await at.store.createAgent(settings());
  return at;
}

async function fail({ store }: TestStore, count: number): Promise<void> {
  for (let at = 0; at < count; at += 1) await answered(store, {}, endOf(failure));
}

/** What the store says to a new run at that moment. */
async function admitted({ store }: TestStore, laterMs: number, mayClaim = true) {
  const result = await store.admit(admission({ atMs: endedAtMs + laterMs, mayClaim: () => mayClaim }));
  return result.kind === "refused" ? result.code : result.kind;
}

describe("an agent's breaker", () => {
  test("hears of a run's end in the transaction that settles it", async () => {
    await using at = await withAgent();

    await fail(at, 1);
    const once = at.store.findBreaker("ada");
    await fail(at, 1);

    expect(once).toEqual({ ...pristineBreaker("ada"), failures: 1 });
    expect(at.store.findBreaker("ada")).toMatchObject({ state: "open", openings: 1, retryAtMs });
    expect(at.store.listBreakerChanges("ada", 9)).toMatchObject([
      { from: "closed", to: "open", reason: "failures", code: "overloaded" },
    ]);
    expect(at.violations()).toEqual([]);
  });

  test("hears nothing of a settlement that comes too late", async () => {
    await using at = await withAgent();
    const claimed = await running(at.store);
    await at.store.settle(settlement(claimed, endOf(failure)));

    const again = await at.store.settle(settlement(claimed, endOf(failure)));

    expect(again).toBe("stale");
    expect(at.store.findBreaker("ada").failures).toBe(1);
  });

  test("leaves no row where nothing has happened, or where a success came after", async () => {
    await using at = await withAgent();
    await answered(at.store, {}, endOf({ kind: "succeeded" }));
    const before = at.store.listBreakers(9);
    await fail(at, 1);
    const failed = at.store.listBreakers(9).length;
    await answered(at.store, {}, endOf({ kind: "succeeded" }));

    expect([before.length, failed, at.store.listBreakers(9).length]).toEqual([0, 1, 0]);
  });

  test("survives a restart as it is", async () => {
    await using at = await withAgent();
    await fail(at, 2);
    const before = at.store.findBreaker("ada");

    await at.reopen();

    expect(at.store.findBreaker("ada")).toEqual(before);
    expect(at.store.listBreakers(9)).toEqual([before]);
  });

  test("goes with its agent, and a new one of the name begins closed", async () => {
    await using at = await withAgent();
    await fail(at, 2);

    await at.store.removeAgent("ada", atMs + 5_000);
    await at.store.createAgent(settings());

    expect(at.store.findBreaker("ada")).toEqual(pristineBreaker("ada"));
    expect(at.store.listBreakerChanges("ada", 9)).toEqual([]);
    expect(at.violations()).toEqual([]);
  });

  test("keeps its newest hundred changes", async () => {
    await using at = await withAgent();
    for (let index = 0; index < 60; index += 1) {
      await fail(at, 2);
      await at.store.moveBreaker("ada", { kind: "reset", atMs: atMs + index }, breakerSettings);
    }

    const changes = at.store.listBreakerChanges("ada", 1_000);

    expect(changes).toHaveLength(100);
    expect(changes[0]).toMatchObject({ to: "closed", reason: "reset", atMs: atMs + 59 });
    expect(at.violations()).toEqual([]);
  });
});

describe("admission", () => {
  test("is refused while it is open, without a trace", async () => {
    await using at = await withAgent();
    await fail(at, 2);
    const runs = at.store.listRuns({ limit: 9, cursor: null, agentId: "ada", state: null }).items.length;

    const result = await at.store.admit(admission({ atMs: endedAtMs + 29_999 }));

    expect(result).toMatchObject({ kind: "refused", code: "breaker_open", breaker: { retryAtMs } });
    expect(at.store.listRuns({ limit: 9, cursor: null, agentId: "ada", state: null }).items.length).toBe(
      runs,
    );
    expect(at.store.findBreaker("ada").state).toBe("open");
  });

  test("lets exactly one of many in that come when it is due", async () => {
    await using at = await withAgent();
    await fail(at, 2);

    const answers = await Promise.all(Array.from({ length: 8 }, () => admitted(at, 30_000)));

    expect(answers.filter((answer) => answer === "admitted")).toHaveLength(1);
    expect(answers.filter((answer) => answer === "breaker_open")).toHaveLength(7);
    expect(at.store.findBreaker("ada")).toMatchObject({ state: "half_open", retryAtMs: null });
    expect(at.violations()).toEqual([]);
  });

  test("counts a probe that waits for a slot, and leaves the next one to those who wait already", async () => {
    await using at = await withAgent();
    await fail(at, 2);

    const first = await admitted(at, 30_000, false);
    const second = await admitted(at, 30_001);

    expect([first, second]).toEqual(["admitted", "breaker_open"]);
  });

  test("doesn't open the way for a probe that the queue has no room for", async () => {
    await using at = await withAgent();
    await fail(at, 2);
    const full = admission({ atMs: endedAtMs + 30_000, mayClaim: () => false, queueLimit: 0 });

    const result = await at.store.admit(full);

    expect(result).toEqual({ kind: "refused", code: "queue_full" });
    expect(at.store.findBreaker("ada").state).toBe("open");
  });

  test("is open to all again once the probe has succeeded, and to nobody once it has failed", async () => {
    await using at = await withAgent();
    const probe = async (outcome: ServiceOutcome) => {
      const claimed = await starting(at.store, { atMs: endedAtMs + 30_000 });
      await at.store.settle(
        settlement(claimed, { ...endOf(outcome), endedAtMs: endedAtMs + 31_000, ...inNoProcess(outcome) }),
      );
      return at.store.findBreaker("ada");
    };
    await fail(at, 2);

    const failed = await probe(failure);
    await at.store.moveBreaker("ada", { kind: "reset", atMs }, breakerSettings);
    await fail(at, 2);
    await at.store.moveBreaker("ada", { kind: "retry_due", retryAtMs, atMs: retryAtMs }, breakerSettings);
    await answered(at.store, {}, endOf({ kind: "succeeded" }));

    expect(failed).toMatchObject({
      state: "open",
      openings: 2,
      retryAtMs: endedAtMs + 31_000 + 60_000,
    } satisfies Partial<Breaker>);
    expect(at.store.findBreaker("ada")).toEqual(pristineBreaker("ada"));
    expect(await admitted(at, 40_000)).toBe("admitted");
  });

  test("answers a repeat of a key also while it is open", async () => {
    await using at = await withAgent();
    const idempotency = { key: "k", bodyHash: "h" };
    const run = await answered(at.store, { idempotency }, endOf(failure));
    await fail(at, 1);

    const again = await at.store.admit(admission({ idempotency }));

    expect(again).toEqual({ kind: "replay", runId: run.id });
  });

  test("leaves runs that wait where they are", async () => {
    await using at = await withAgent();
    const claimed = await running(at.store);
    const waiting = await queued(at.store);
    await at.store.settle(settlement(claimed, endOf(failure)));
    await at.store.moveBreaker("ada", authNeeded, breakerSettings);

    expect(at.store.findBreaker("ada").state).toBe("open");
    expect(at.store.listQueued()).toEqual([{ runId: waiting.id, agentId: "ada" }]);
    expect(await at.store.requestCancel(waiting.id, atMs)).toMatchObject({ state: "cancelled" });
  });
});

const authNeeded = {
  kind: "run_ended",
  runId: "run_x",
  atMs,
  outcome: { kind: "failed", code: "auth_required", message: "", advice: "", resetAtMs: null },
} as const;

/** A run that never got a process may fail, but not succeed. */
function inNoProcess(outcome: ServiceOutcome) {
  return outcome.kind === "failed" ? { start: null } : {};
}
