import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { openStage, type Stage } from "../e2e/stage.ts";
import { expectAgentWorks } from "./agent-works.ts";

/** C cases of the fault list: what happens at the same moment. */

describe.each([
  ["warm", "8"],
  ["one-turn", "0"],
])("at the same moment (%s)", (_mode, warmProcesses) => {
  let stage: Stage;

  beforeAll(async () => {
    stage = await openStage({ HEADWAY_WARM_PROCESSES: warmProcesses, HEADWAY_KILL_GRACE_MS: "600" });
  });
  afterEach(() => stage.tidy());
  afterAll(() => stage[Symbol.asyncDispose]());

  test("C3: 50 cancels at once are one: no signal is sent twice, and all hear the same answer", async () => {
    const agent = await stage.agent();
    const run = await agent.begin("deaf");
    await stage.eventSeen(run.id, ({ type }) => type === "session");

    const replies = await Promise.all(Array.from({ length: 50 }, () => stage.cancel(run.id)));

    const ignored = stage.fakeLog().flatMap(({ event }) => (event.startsWith("ignored") ? [event] : []));
    const signals = ignored.filter((event) => event !== "ignored interrupt");
    expect(new Set(replies.map((reply) => JSON.stringify(reply))).size).toBe(1);
    expect(replies[0]).toMatchObject({ state: "cancelled", alreadyFinished: false, survivors: 0 });
    expect(signals.length).toBeGreaterThan(0);
    expect(signals).toEqual([...new Set(signals)]);
    // One cancel repeats its interrupt each 100 ms, for half of the grace.
    expect(ignored.length - signals.length).toBeLessThanOrEqual(3);
    await expectAgentWorks(agent);
  });

  test("C4: of 20 that wait, those that are cancelled never start, and the others do, in order", async () => {
    const agent = await stage.agent();
    const holder = await agent.begin("hold wait=60000");
    await stage.eventSeen(holder.id, ({ type }) => type === "session");
    const waiting = await Promise.all(Array.from({ length: 20 }, (_, at) => agent.begin(`waits ${at}`)));

    const replies = await Promise.all(
      waiting.filter((_, at) => at % 2 === 0).map(({ id }) => stage.cancel(id)),
    );
    await stage.cancel(holder.id);
    const others = await Promise.all(
      waiting.filter((_, at) => at % 2 === 1).map(({ id }) => stage.settled(id)),
    );

    expect(replies.map(({ state, survivors }) => [state, survivors])).toEqual(
      replies.map(() => ["cancelled", 0]),
    );
    expect(others.map(({ state }) => state)).toEqual(others.map(() => "succeeded"));
    const started = stage
      .fakeLog()
      .filter(({ event, prompt }) => event === "start" && prompt.startsWith("waits"));
    expect(started.map(({ prompt }) => Number(prompt.slice(6)) % 2)).toEqual(others.map(() => 1));
    await expectAgentWorks(agent);
  });
});
