import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { requestJson } from "../helpers/http.ts";
import { raceCancelWithCompletion, raceDeadlineWithCompletion } from "./cancel-race.ts";
import { openStage, type Stage, startedPrompts } from "./stage.ts";

const killGraceMs = 600;

describe.each([
  ["warm", { HEADWAY_WARM_PROCESSES: "8" }],
  ["one-turn", { HEADWAY_WARM_PROCESSES: "0" }],
])("cancelling (%s)", (mode, modeEnv) => {
  let stage: Stage;

  beforeAll(async () => {
    stage = await openStage({ ...modeEnv, HEADWAY_KILL_GRACE_MS: String(killGraceMs) });
  });
  afterEach(() => stage.tidy());
  afterAll(() => stage[Symbol.asyncDispose]());

  test("a cooperative CLI ends its turn; a warm one lives on and remembers", async () => {
    const agent = await stage.agent();
    const run = await agent.begin("count slow=200");
    await stage.eventSeen(run.id, ({ type }) => type === "text");

    const reply = await stage.cancel(run.id);
    const cancelled = await stage.getRun(run.id);
    const next = await agent.execute("recall");

    expect(reply).toMatchObject({ state: "cancelled", alreadyFinished: false, survivors: 0 });
    expect(cancelled).toMatchObject({ state: "cancelled", error: null, contentFinal: false, survivors: 0 });
    expect("You said: count slow=200").toStartWith(cancelled.content);
    expect(cancelled.content).not.toBe("");
    expect(next.body).toMatchObject({
      content: "Earlier you said: count slow=200",
      transport: { warm: mode === "warm" },
    });
  });

  test("a CLI that ignores everything polite is killed, and the next turn resumes its session", async () => {
    const agent = await stage.agent();
    await agent.ask("remember me");
    const run = await agent.begin("deaf");
    await stage.eventSeen(run.id, ({ type }) => type === "session");

    const reply = await stage.cancel(run.id);
    const next = await agent.execute("recall");

    expect(reply).toMatchObject({ state: "cancelled", alreadyFinished: false, survivors: 0 });
    expect(reply.tookMs).toBeGreaterThanOrEqual(killGraceMs * 0.9);
    expect(stage.fakeLog().filter(({ event }) => event.startsWith("ignored"))).not.toEqual([]);
    expect(next.body).toMatchObject({
      content: "Earlier you said: remember me | deaf",
      transport: { warm: false },
    });
  });

  test("in the middle of a tool that runs in its own session, nothing is left of it", async () => {
    const agent = await stage.agent();
    const run = await agent.begin("tool=setsid sleep 300 & sleep 300");
    await stage.eventSeen(run.id, ({ type }) => type === "tool.started");
    await stage.eventSeen(run.id, () => sleepers().length >= 2);

    const reply = await stage.cancel(run.id);

    expect(reply).toMatchObject({ state: "cancelled", survivors: 0 });
    expect(sleepers()).toEqual([]);
    expect((await stage.getRun(run.id)).toolNames).toEqual(["Bash"]);
  });

  function sleepers() {
    return stage.server.survivors().filter(({ argv }) => argv[0] === "sleep");
  }

  test("20 parallel cancels and a later one hear the same answer", async () => {
    const agent = await stage.agent();
    const run = await agent.begin("deaf");
    await stage.eventSeen(run.id, ({ type }) => type === "session");

    const replies = await Promise.all(Array.from({ length: 20 }, () => stage.cancel(run.id)));
    const later = await stage.cancel(run.id);

    expect(new Set([...replies, later].map((reply) => JSON.stringify(reply))).size).toBe(1);
    expect(later).toMatchObject({ state: "cancelled", alreadyFinished: false, survivors: 0 });
    expect((await stage.events(run.id)).filter(({ type }) => type === "run.finished")).toHaveLength(1);
  });

  test("a run that ended otherwise says so, whatever its end was", async () => {
    const agent = await stage.agent();
    const runs = [await agent.execute("fine"), await agent.execute("exit=1")].map(({ body }) => body);

    const replies = [];
    for (const { id } of runs) replies.push(await stage.cancel(id));
    const unknown = await requestJson(stage.server.fetch, "POST", "/api/runs/run_nobody/cancel");

    expect(replies).toMatchObject([
      { state: "succeeded", alreadyFinished: true, survivors: 0 },
      { state: "failed", alreadyFinished: true, survivors: 0 },
    ]);
    expect(unknown).toMatchObject({ status: 404, body: { code: "run_not_found" } });
  });

  test("cancelling an agent takes the run in progress, and those that wait only when asked", async () => {
    const agent = await stage.agent();
    const begin = async () => {
      const active = await agent.begin("hold forever");
      await stage.eventSeen(active.id, ({ type }) => type === "session");
      return [active.id, (await agent.begin("waiting 1")).id, (await agent.begin("waiting 2")).id];
    };
    const cancelAgent = (body?: object) =>
      requestJson<{ cancelled: string[] }>(
        stage.server.fetch,
        "POST",
        `/api/agents/${agent.id}/cancel`,
        body ? { body } : {},
      );

    const first = await begin();
    const one = await cancelAgent();
    const others = [await stage.settled(first[1]!), await stage.settled(first[2]!)];
    const second = await begin();
    const all = await cancelAgent({ queued: true });

    expect(one.body.cancelled).toEqual([first[0]!]);
    expect(others.map(({ state }) => state)).toEqual(["succeeded", "succeeded"]);
    expect(all.body.cancelled.toSorted()).toEqual(second.toSorted());
    expect(startedPrompts(stage.fakeLog()).filter((prompt) => prompt.startsWith("waiting"))).toHaveLength(2);
  });

  test("a cancel that races the completion leaves one end, and tells it truly", async () => {
    const told = await raceCancelWithCompletion(stage, 20);

    expect(told.untrue).toEqual([]);
    expect(told.cancelled + told.succeeded).toBe(20);
    expect(Math.min(told.cancelled, told.succeeded)).toBeGreaterThan(0);
  });

  test("a time limit that races the completion leaves one end, and tells it truly", async () => {
    const untrue = await raceDeadlineWithCompletion(stage, 8);

    expect(untrue).toEqual([]);
  });
});
