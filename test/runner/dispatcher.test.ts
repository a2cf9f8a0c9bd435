import { expect, test } from "bun:test";
import fc from "fast-check";
import { systemClock } from "../../src/domain/clock.ts";
import { type ClaimedRun, StoreUnavailable } from "../../src/domain/ports.ts";
import { createDispatcher } from "../../src/runner/dispatcher.ts";

/** Runs that end when the test says so. */
function createStage(runsMax: number, claim?: (runId: string) => Promise<ClaimedRun | null>) {
  const carried: string[] = [];
  const ends = new Map<string, () => void>();
  const agentOf = new Map<string, string>();
  const claimed = (runId: string) => ({ runId, agent: { id: agentOf.get(runId) } }) as ClaimedRun;
  const dispatcher = createDispatcher({
    runsMax,
    clock: systemClock,
    claim: claim ?? ((runId) => Promise.resolve(claimed(runId))),
    carry: (run) => {
      carried.push(run.runId);
      return new Promise((resolve) => ends.set(run.runId, resolve));
    },
  });
  return {
    dispatcher,
    carried,
    claimed,
    enqueue(runId: string, agentId: string) {
      agentOf.set(runId, agentId);
      dispatcher.enqueue({ runId, agentId });
    },
    async end(runId: string) {
      ends.get(runId)?.();
      await settle();
    },
  };
}

/** Lets promises that are ready have their turn. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test("an agent's runs are handed over in order, one at a time", async () => {
  const stage = createStage(10);

  for (const runId of ["a1", "a2", "a3"]) stage.enqueue(runId, "a");
  await settle();
  const first = [...stage.carried];
  await stage.end("a1");
  await stage.end("a2");

  expect(first).toEqual(["a1"]);
  expect(stage.carried).toEqual(["a1", "a2", "a3"]);
});

test("agents take turns, however long one's line is", async () => {
  const stage = createStage(1);

  for (const runId of ["a1", "a2", "a3"]) stage.enqueue(runId, "a");
  stage.enqueue("b1", "b");
  await settle();
  await stage.end("a1");
  await stage.end("a2");
  await stage.end("b1");

  expect(stage.carried.indexOf("b1")).toBeLessThan(stage.carried.indexOf("a3"));
});

test("no more runs are in progress than allowed", async () => {
  const stage = createStage(2);

  for (const agent of ["a", "b", "c"]) stage.enqueue(`${agent}1`, agent);
  await settle();

  expect(stage.carried).toEqual(["a1", "b1"]);
  expect(stage.dispatcher.active).toBe(2);
  expect(stage.dispatcher.queued).toBe(1);
});

test("a reservation holds the agent until it is given back", async () => {
  const stage = createStage(10);

  const reserved = stage.dispatcher.reserve("a");
  stage.enqueue("a1", "a");
  await settle();
  const whileReserved = [...stage.carried];
  stage.dispatcher.unreserve("a");
  await settle();

  expect(reserved).toBe(true);
  expect(stage.dispatcher.reserve("a")).toBe(false);
  expect(whileReserved).toEqual([]);
  expect(stage.carried).toEqual(["a1"]);
});

test("a cancelled run is not handed over", async () => {
  const stage = createStage(1);
  stage.enqueue("a1", "a");
  stage.enqueue("a2", "a");
  stage.enqueue("a3", "a");
  await settle();

  stage.dispatcher.forget("a2", "a");
  await stage.end("a1");

  expect(stage.carried).toEqual(["a1", "a3"]);
});

test("a run that is queued no more frees its agent for the next", async () => {
  const stage = createStage(1, (runId) => Promise.resolve(runId === "a1" ? null : stage.claimed(runId)));

  stage.enqueue("a1", "a");
  stage.enqueue("a2", "a");
  await settle();

  expect(stage.carried).toEqual(["a2"]);
});

test("a held agent's runs wait in their order, count as queued, and go on when it is released for each reason", async () => {
  const stage = createStage(10);

  stage.dispatcher.hold("a", "breaker");
  stage.dispatcher.hold("a", "quarantine");
  for (const runId of ["a1", "a2"]) stage.enqueue(runId, "a");
  stage.enqueue("b1", "b");
  stage.dispatcher.release("a", "breaker");
  await settle();
  const whileHeld = [...stage.carried];
  const reserved = stage.dispatcher.reserve("a");
  const queued = stage.dispatcher.queueLength("a");
  stage.dispatcher.release("a", "quarantine");
  await settle();
  await stage.end("a1");

  expect(whileHeld).toEqual(["b1"]);
  expect([reserved, queued]).toEqual([false, 2]);
  expect(stage.carried).toEqual(["b1", "a1", "a2"]);
});

test("after a refusal of the store a run is first in its line again", async () => {
  let refusals = 1;
  const stage = createStage(2, (runId) => {
    if (refusals-- > 0) return Promise.reject(new StoreUnavailable("full", "disk full"));
    return Promise.resolve(stage.claimed(runId));
  });

  stage.enqueue("a1", "a");
  stage.enqueue("a2", "a");
  await settle();
  const others = stage.dispatcher.reserve("b");

  expect(stage.carried).toEqual([]);
  expect(stage.dispatcher.queueLength("a")).toBe(2);
  expect(others).toBe(true);
  stage.dispatcher.pause();
});

test("nothing is handed over once it is paused, and idle comes when the last run ends", async () => {
  const stage = createStage(2);
  stage.enqueue("a1", "a");
  await settle();

  stage.dispatcher.pause();
  stage.enqueue("b1", "b");
  let isIdle = false;
  const idle = stage.dispatcher.idle().then(() => (isIdle = true));
  await settle();
  const before = isIdle;
  await stage.end("a1");
  await idle;

  expect(before).toBe(false);
  expect(stage.carried).toEqual(["a1"]);
});

test("under any arrivals and ends: one run per agent, in order, within the limit", async () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant("enqueue" as const), agent: fc.constantFrom("a", "b", "c") }),
    fc.record({ do: fc.constant("end" as const), at: fc.nat(5) }),
  );

  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const stage = createStage(2);
      const open = () => stage.carried.filter((runId) => !ended.has(runId));
      const ended = new Set<string>();
      let made = 0;
      for (const one of steps) {
        if (one.do === "enqueue") stage.enqueue(`${one.agent}-${String(made++).padStart(3, "0")}`, one.agent);
        const runId = one.do === "end" ? open()[one.at] : undefined;
        if (runId) ended.add(runId);
        if (runId) await stage.end(runId);
        await settle();
        const agents = open().map((id) => id[0]);
        expect(new Set(agents).size).toBe(agents.length);
        expect(agents.length).toBeLessThanOrEqual(2);
      }
      for (const agent of ["a", "b", "c"]) {
        const order = stage.carried.filter((runId) => runId.startsWith(agent));
        expect(order).toEqual(order.toSorted());
      }
    }),
    { numRuns: 40 },
  );
});
