import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import type { Agent } from "../../src/domain/agent.ts";
import type { BreakerReport } from "../../src/domain/breaker.ts";
import type { Run } from "../../src/domain/run.ts";
import { expectJson, requestJson } from "../helpers/http.ts";
import { waitFor } from "../helpers/wait.ts";
import { openStage, type Stage, type StageAgent, startedPrompts } from "./stage.ts";

const failing = "is-error=The upstream is down";
const signedOut = "is-error=Invalid API key · Please run /login";

const agentOf = (stage: Stage, { id }: StageAgent) =>
  expectJson<Agent>(stage.server.fetch, 200, "GET", `/api/agents/${id}`);

async function breakerOf(stage: Stage, { id }: StageAgent): Promise<BreakerReport | undefined> {
  const path = "/api/breakers";
  const { items } = await expectJson<{ items: BreakerReport[] }>(stage.server.fetch, 200, "GET", path);
  return items.find(({ agentId }) => agentId === id);
}

const reset = (stage: Stage, { id }: StageAgent) =>
  expectJson<BreakerReport>(stage.server.fetch, 200, "POST", `/api/agents/${id}/breaker/reset`);

async function fail(agent: StageAgent, count: number): Promise<Run[]> {
  const runs: Run[] = [];
  for (let at = 0; at < count; at += 1) runs.push((await agent.execute(failing)).body);
  return runs;
}

describe("a breaker whose pause is long", () => {
  let stage: Stage;

  beforeAll(async () => {
    stage = await openStage({
      HEADWAY_BREAKER_PAUSE_MS: "600000",
      HEADWAY_BREAKER_PAUSE_MAX_MS: "3600000",
      HEADWAY_MAX_RUNS: "1",
    });
  });
  afterEach(() => stage.tidy());
  afterAll(() => stage[Symbol.asyncDispose]());

  /** Gives the agent these prompts while another one holds the only slot, and lets them go. */
  async function queueUp(agent: StageAgent, prompts: readonly string[]): Promise<Run[]> {
    const other = await stage.agent();
    const holder = await other.begin("hold wait=60000");
    await stage.reached(holder.id, "running");
    const runs: Run[] = [];
    for (const prompt of prompts) runs.push(await agent.begin(prompt));
    await stage.cancel(holder.id);
    return runs;
  }

  test("opens with the fifth failure in a row, refuses, says why and when, and is reset", async () => {
    const agent = await stage.agent();
    const other = await stage.agent();

    const failures = await fail(agent, 5);
    const refused = await agent.execute("hello");
    const retried = await requestJson(stage.server.fetch, "POST", `/api/runs/${failures[0]!.id}/retry`);
    const shown = await breakerOf(stage, agent);
    const { breaker, queueLength } = await agentOf(stage, agent);
    const elsewhere = await other.ask("hello");
    const closed = await reset(stage, agent);
    const again = await agent.ask("hello again");

    expect(failures.map(({ error }) => error?.code)).toEqual(failures.map(() => "cli_error"));
    expect([refused.status, refused.body]).toEqual([503, expect.objectContaining({ code: "breaker_open" })]);
    expect((refused.body as unknown as { detail: string }).detail).toContain("The upstream is down");
    const seconds = Number(refused.headers.get("retry-after"));
    const untilMs = Date.parse(breaker.retryAt ?? "") - Date.parse(failures[4]!.endedAt ?? "");
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(600);
    expect(untilMs).toBe(600_000);
    expect(retried.status).toBe(503);
    expect(breaker).toMatchObject({ state: "open", failures: 5 });
    expect(queueLength).toBe(0);
    expect(shown?.cause).toMatchObject({ code: "cli_error", runId: failures[4]!.id });
    expect(shown?.changes).toMatchObject([{ from: "closed", to: "open", reason: "failures" }]);
    expect(elsewhere).toBe("You said: hello");
    expect(closed).toMatchObject({ state: "closed", failures: 0, changes: [{ reason: "reset" }, {}] });
    expect(again).toContain("hello again");
  });

  test("doesn't count a cancel, and a success begins the count anew", async () => {
    const agent = await stage.agent();

    await fail(agent, 4);
    const cancelled = await agent.begin("hold wait=60000");
    await stage.reached(cancelled.id, "running");
    await stage.cancel(cancelled.id);
    const after = (await agentOf(stage, agent)).breaker;
    await agent.ask("hello");
    await fail(agent, 4);
    const later = (await agentOf(stage, agent)).breaker;

    expect(after).toEqual({ state: "closed", failures: 4, retryAt: null });
    expect(later).toEqual({ state: "closed", failures: 4, retryAt: null });
  });

  test("opens at once until the time that the CLI names for its limit", async () => {
    const agent = await stage.agent();
    const resetAtMs = (Math.floor(Date.now() / 1_000) + 7_200) * 1_000;

    const limited = await agent.execute(`is-error=Claude AI usage limit reached|${resetAtMs / 1_000}`);
    const refused = await agent.execute("hello");

    expect(limited.body.error?.code).toBe("rate_limited");
    expect((await agentOf(stage, agent)).breaker.retryAt).toBe(new Date(resetAtMs).toISOString());
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(600);
    await reset(stage, agent);
  });

  test("opens at once until the time that the CLI gives as a number, whatever its words are", async () => {
    const agent = await stage.agent();
    const resetsAt = Math.floor(Date.now() / 1_000) + 5_400;
    const steps = [
      { line: { type: "rate_limit_event", rate_limit_info: { status: "rejected", resetsAt } } },
      { result: { is_error: true, api_error_status: 429, result: "API Error: Request rejected (429)" } },
    ];

    const limited = await agent.execute(`play=${steps.map((step) => JSON.stringify(step)).join("\n")}`);

    expect(limited.body.error?.code).toBe("rate_limited");
    const { state, retryAt } = (await agentOf(stage, agent)).breaker;
    expect([state, retryAt]).toEqual(["open", new Date(resetsAt * 1_000).toISOString()]);
    await reset(stage, agent);
  });

  test("opens at once where somebody has to sign in, says how, and still answers a repeated key", async () => {
    const agent = await stage.agent();

    const first = await agent.execute(signedOut, { key: "once" });
    const refused = await agent.execute("hello");
    const replayed = await agent.execute(signedOut, { key: "once" });

    expect(first.body.error?.code).toBe("auth_required");
    expect((refused.body as unknown as { detail: string }).detail).toContain("claude auth login");
    expect((await breakerOf(stage, agent))?.changes).toMatchObject([{ reason: "auth_required" }]);
    expect([replayed.body.id, replayed.headers.get("idempotent-replay")]).toEqual([first.body.id, "true"]);
    await reset(stage, agent);
  });

  test("holds what waits, over a restart, until it is reset; what waits can be cancelled", async () => {
    const agent = await stage.agent();
    const [first, second, third] = await queueUp(agent, [signedOut, "stays", "taken back"]);
    await stage.settled(first!.id);
    const before = (await agentOf(stage, agent)).breaker;

    await stage.server.kill();
    await stage.server.restart();
    const after = await agentOf(stage, agent);
    const cancelled = await stage.cancel(third!.id);
    const waiting = await stage.getRun(second!.id);
    const refused = await agent.execute("hello");
    await reset(stage, agent);
    const settled = await stage.settled(second!.id);

    expect(before).toMatchObject({ state: "open" });
    expect(after.breaker).toEqual(before);
    expect(after.queueLength).toBe(2);
    expect(cancelled.state).toBe("cancelled");
    expect(waiting.state).toBe("queued");
    expect(refused.status).toBe(503);
    expect(settled.state).toBe("succeeded");
  });

  test("goes with its agent", async () => {
    const agent = await stage.agent();
    await agent.execute(signedOut);
    const { cwd } = agent;

    const { fetch } = stage.server;
    const removed = await fetch(`/api/agents/${agent.id}`, { method: "DELETE" });
    await expectJson(fetch, 201, "POST", "/api/agents", { body: { id: agent.id, cli: "claude", cwd } });
    const answer = await agent.ask("hello");

    expect(removed.status).toBe(204);
    expect(answer).toBe("You said: hello");
    expect(await breakerOf(stage, agent)).toBeUndefined();
  });
});

describe("a breaker whose pause is short", () => {
  let stage: Stage;

  beforeAll(async () => {
    stage = await openStage({
      HEADWAY_BREAKER_FAILURES: "2",
      HEADWAY_BREAKER_PAUSE_MS: "300",
      HEADWAY_BREAKER_PAUSE_MAX_MS: "3600000",
    });
  });
  afterEach(() => stage.tidy());
  afterAll(() => stage[Symbol.asyncDispose]());

  test("lets one of those who wait try when it is over; all go on when that one succeeds", async () => {
    const agent = await stage.agent();
    await fail(agent, 1);
    const holder = await agent.begin("hold wait=60000");
    await stage.reached(holder.id, "running");
    const waiting = [await agent.begin(failing), await agent.begin("one"), await agent.begin("two")];
    const client = agent.execute("three");

    await stage.cancel(holder.id);
    const runs = await Promise.all(waiting.map(({ id }) => stage.settled(id)));
    const last = await client;
    const shown = await breakerOf(stage, agent);

    expect(runs.map(({ state }) => state)).toEqual(["failed", "succeeded", "succeeded"]);
    expect(last.body).toMatchObject({ state: "succeeded", content: "You said: three" });
    expect(Date.parse(runs[1]!.startedAt!) - Date.parse(runs[0]!.endedAt!)).toBeGreaterThanOrEqual(299);
    expect(shown).toMatchObject({ state: "closed", failures: 0 });
    expect(shown?.changes.map(({ to, reason }) => [to, reason])).toEqual([
      ["closed", "probe_succeeded"],
      ["half_open", "retry_due"],
      ["open", "failures"],
    ]);
    expect(startedPrompts(stage.fakeLog()).slice(-3)).toEqual(["one", "two", "three"]);
  });

  test("lets exactly one new run try, and stays shut longer when that one fails", async () => {
    const agent = await stage.agent();
    await fail(agent, 2);
    await waitFor(async () => (await agentOf(stage, agent)).breaker.state === "half_open", {
      what: "the pause to be over",
    });

    const tries = await Promise.all([1, 2, 3, 4].map(() => agent.execute(failing)));
    const shown = await breakerOf(stage, agent);

    const statuses = tries.map(({ status }) => status).toSorted((a, b) => a - b);
    expect(statuses).toEqual([502, 503, 503, 503]);
    expect(tries.every(({ status, headers }) => status === 502 || headers.get("retry-after") !== null)).toBe(
      true,
    );
    expect(shown?.changes.map(({ reason }) => reason)).toContain("probe_failed");
    const opened = shown?.changes.find(({ reason }) => reason === "probe_failed");
    expect(opened?.runId).toBe(tries.find(({ status }) => status === 502)?.body.id ?? "");
    await reset(stage, agent);
  });

  test("leaves the next one to try when a probe was cancelled", async () => {
    const agent = await stage.agent();
    await fail(agent, 2);
    await waitFor(async () => (await agentOf(stage, agent)).breaker.state === "half_open", {
      what: "the pause to be over",
    });

    const probe = await agent.begin("hold wait=60000");
    await stage.reached(probe.id, "running");
    const refused = await agent.execute("too early");
    await stage.cancel(probe.id);
    const { breaker } = await agentOf(stage, agent);
    const answer = await agent.ask("hello");

    expect(refused.status).toBe(503);
    expect(breaker.state).toBe("half_open");
    expect(answer).toContain("hello");
    expect((await agentOf(stage, agent)).breaker).toEqual({ state: "closed", failures: 0, retryAt: null });
  });
});
