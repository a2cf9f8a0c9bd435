import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import type { Run } from "../../src/domain/run.ts";
import { expectJson, requestJson } from "../helpers/http.ts";
import { openStage, overlapOf, type Stage, type StageAgent, startedPrompts } from "./stage.ts";

interface ShownConversation {
  turns: { role: string; content: string; seq: number | null; pending: boolean }[];
}

const conversationOf = (stage: Stage, agent: StageAgent) =>
  expectJson<ShownConversation>(stage.server.fetch, 200, "GET", `/api/agents/${agent.id}/conversation`);

describe("many executes on one agent", () => {
  let stage: Stage;

  beforeAll(async () => {
    stage = await openStage();
  });
  afterEach(() => stage.tidy());
  afterAll(() => stage[Symbol.asyncDispose]());

  test("100 at once run one after the other, in order of their admission, and all settle", async () => {
    const agent = await stage.agent();
    const prompts = Array.from({ length: 100 }, (_, at) => `n${at}`);

    const answers = await Promise.all(prompts.map((prompt) => agent.execute(prompt)));

    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    expect(answers.map(({ body }) => body.content)).toEqual(prompts.map((prompt) => `You said: ${prompt}`));
    const entries = stage.fakeLog().filter(({ prompt }) => /^n\d+$/.test(prompt));
    const byAdmission = answers.map(({ body }) => body).toSorted((a, b) => (a.id < b.id ? -1 : 1));
    expect(overlapOf(entries)).toBe(1);
    expect(startedPrompts(entries)).toEqual(byAdmission.map(({ prompt }) => prompt));
    const { turns } = await conversationOf(stage, agent);
    expect(turns.at(-1)).toMatchObject({ role: "assistant", seq: 200 });
  });

  test("the same Idempotency-Key 20 times at once is one run, and with another body it is refused", async () => {
    const agent = await stage.agent();

    const answers = await Promise.all(
      Array.from({ length: 20 }, () => agent.execute("only once", { key: "k1" })),
    );
    const other = await agent.execute("something else", { key: "k1" });
    const replayed = await agent.begin("only once", { key: "k1" });

    expect(new Set(answers.map(({ body }) => body.id))).toEqual(new Set([replayed.id]));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    expect(answers.filter(({ headers }) => headers.get("idempotent-replay") === "true")).toHaveLength(19);
    expect([other.status, other.body]).toEqual([
      422,
      expect.objectContaining({ code: "idempotency_mismatch" }),
    ]);
    expect(startedPrompts(stage.fakeLog()).filter((prompt) => prompt === "only once")).toHaveLength(1);
  });

  test("a run that is cancelled while it waits is never started, and leaves the conversation", async () => {
    const agent = await stage.agent();
    const first = await agent.begin("hold wait=60000");
    await stage.eventSeen(first.id, ({ type }) => type === "session");
    const waiting = [await agent.begin("taken back"), await agent.begin("stays")];

    const before = await conversationOf(stage, agent);
    const positions = waiting.map(({ state, queuePosition, startedAt }) => ({
      state,
      queuePosition,
      startedAt,
    }));
    const reply = await stage.cancel(waiting[0]!.id);
    await stage.cancel(first.id);
    const last = await stage.settled(waiting[1]!.id);
    const after = await conversationOf(stage, agent);

    expect(positions).toEqual([
      { state: "queued", queuePosition: 1, startedAt: null },
      { state: "queued", queuePosition: 2, startedAt: null },
    ]);
    expect(before.turns.map(({ content, seq, pending }) => [content, seq, pending])).toEqual([
      ["hold wait=60000", 1, false],
      ["taken back", null, true],
      ["stays", null, true],
    ]);
    expect(reply).toMatchObject({ state: "cancelled", alreadyFinished: false, survivors: 0 });
    expect(last).toMatchObject({ state: "succeeded", content: "You said: stays" });
    expect(after.turns.map(({ seq }) => seq)).toEqual(after.turns.map((_, at) => at + 1));
    expect(after.turns.map(({ content }) => content)).not.toContain("taken back");
    expect(startedPrompts(stage.fakeLog())).not.toContain("taken back");
    expect(await stage.events(reply.runId)).toMatchObject([
      { type: "run.queued", seq: 1 },
      { type: "run.finished", seq: 2, state: "cancelled" },
    ]);
  });

  test("a run stays what the first answer of its key said, also after a restart", async () => {
    const agent = await stage.agent();
    const done = await agent.execute("done before", { key: "k2" });
    const holder = await agent.begin("hold wait=60000");
    await stage.eventSeen(holder.id, ({ type }) => type === "session");
    const waiting = await agent.begin("waits over the restart", { key: "k3" });

    await stage.server.stop();
    await stage.server.restart();
    const again = await agent.execute("done before", { key: "k2" });
    const resumed = await agent.execute("waits over the restart", { key: "k3" });
    const mismatch = await agent.execute("another body", { key: "k3" });

    expect(again.body.id).toBe(done.body.id);
    expect(again.headers.get("idempotent-replay")).toBe("true");
    expect(resumed.body).toMatchObject({ id: waiting.id, state: "succeeded" });
    expect(mismatch.status).toBe(422);
    expect(await stage.getRun(holder.id)).toMatchObject({
      state: "interrupted",
      error: { code: "shutdown" },
    });
    const prompts = startedPrompts(stage.fakeLog());
    expect(prompts.filter((prompt) => prompt === "waits over the restart")).toHaveLength(1);
    expect(prompts.filter((prompt) => prompt === "done before")).toHaveLength(1);
  });
});

describe("limits and fairness", () => {
  let stage: Stage;

  beforeAll(async () => {
    stage = await openStage({ HEADWAY_MAX_RUNS: "2", HEADWAY_QUEUE_LIMIT: "3" });
  });
  afterEach(() => stage.tidy());
  afterAll(() => stage[Symbol.asyncDispose]());

  test("a full queue refuses with 429 and leaves no trace", async () => {
    const agent = await stage.agent();
    const holder = await agent.begin("hold wait=60000");
    await stage.reached(holder.id, "running");
    for (const prompt of ["a", "b", "c"]) await agent.begin(prompt);

    const refused = await agent.execute("d", { key: "d" });
    const listed = await listRuns(agent);
    const swept = await requestJson<{ cancelled: string[] }>(
      stage.server.fetch,
      "POST",
      `/api/agents/${agent.id}/cancel`,
      { body: { queued: true } },
    );
    const accepted = await agent.execute("d", { key: "d" });

    expect([refused.status, refused.body]).toEqual([429, expect.objectContaining({ code: "queue_full" })]);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(listed).toHaveLength(4);
    expect(swept.body.cancelled).toHaveLength(4);
    expect(accepted.body).toMatchObject({ state: "succeeded", content: "You said: d" });
    expect(accepted.headers.get("idempotent-replay")).toBeNull();
  });

  test("never more runs than allowed are in progress, and an agent with a long queue doesn't hold up others", async () => {
    const busy = await stage.agent();
    const alsoBusy = await stage.agent();
    const late = await stage.agent();
    const holders = [await busy.begin("hold wait=60000"), await alsoBusy.begin("hold wait=60000")];
    for (const { id } of holders) await stage.reached(id, "running");
    const waiting: Run[] = [];
    for (const at of [1, 2, 3]) {
      for (const agent of [busy, alsoBusy]) waiting.push(await agent.begin(`fair ${agent.id}-${at} wait=50`));
    }
    waiting.push(await late.begin("fair late"));

    for (const { id } of holders) await stage.cancel(id);
    const runs = await Promise.all(waiting.map(({ id }) => stage.settled(id)));

    const entries = stage.fakeLog().filter(({ prompt }) => prompt.startsWith("fair "));
    const order = startedPrompts(entries);
    expect(runs.map(({ state }) => state)).toEqual(runs.map(() => "succeeded"));
    expect(overlapOf(entries)).toBeLessThanOrEqual(2);
    expect(runs.filter(({ startedAt }) => startedAt! < runs.at(-1)!.startedAt!).length).toBeLessThanOrEqual(
      2,
    );
    for (const { id } of [busy, alsoBusy]) {
      expect(order.filter((prompt) => prompt.includes(`${id}-`))).toEqual(
        [1, 2, 3].map((at) => `fair ${id}-${at} wait=50`),
      );
    }
  });

  async function listRuns(agent: StageAgent): Promise<Run[]> {
    const path = `/api/runs?agentId=${agent.id}`;
    return (await expectJson<{ items: Run[] }>(stage.server.fetch, 200, "GET", path)).items;
  }
});
