import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import type { Conversation } from "../../src/domain/conversation.ts";
import type { RunEvent } from "../../src/domain/event.ts";
import type { Run } from "../../src/domain/run.ts";
import type { CancelReply } from "../../src/runner/runner-api.ts";
import { expectJson } from "../helpers/http.ts";
import { problemLine } from "../helpers/problems.ts";
import { checkedEvents, checkedRun, checkedRunList } from "../helpers/run-checks.ts";
import { jsonInit, quickClaude, startApp, type TestApp } from "../helpers/test-app.ts";

let app: TestApp;

beforeAll(async () => {
  app = await startApp();
  await app.makeAgent({ id: "anna" });
});
afterAll(() => app[Symbol.asyncDispose]());

const get = <T>(path: string) => expectJson<T>(app.fetch, 200, "GET", path);
const cancel = (runId: string) =>
  expectJson<CancelReply>(app.fetch, 200, "POST", `/api/runs/${runId}/cancel`);
const retry = (runId: string) => app.fetch(`/api/runs/${runId}/retry`, { method: "POST" });

describe("the list of runs", () => {
  test("is newest first, in pages without gap or double, with previews only", async () => {
    await using other = await startApp({ env: { HEADWAY_CLAUDE_PATH: quickClaude } });
    await other.makeAgent({ id: "anna" });
    const long = "🦊".repeat(400);
    const made: string[] = [];
    for (let i = 0; i < 7; i++) made.push((await other.run("anna", `${i} ${long}`)).id);

    const listed: string[] = [];
    let cursor = "";
    do {
      const answer = await other.fetch(`/api/runs?limit=3&cursor=${cursor}`);
      const page = checkedRunList(await answer.json());
      for (const { id, promptPreview, contentPreview } of page.items) {
        listed.push(id);
        expect(promptPreview.length).toBeLessThanOrEqual(200);
        expect(promptPreview.isWellFormed()).toBe(true);
        expect(contentPreview).toBe("ok");
      }
      cursor = page.nextCursor ?? "";
    } while (cursor !== "");

    expect(listed).toEqual(made.toReversed());
  });

  test("is narrowed down by agent and state", async () => {
    await app.makeAgent({ id: "list" });
    const good = await app.run("list", "hello");
    const bad = await app.run("list", "is-error=no");
    const idsOf = async (query: string) =>
      checkedRunList(await get(`/api/runs?${query}`)).items.map(({ id }) => id);

    expect(await idsOf("agentId=list")).toEqual([bad.id, good.id]);
    expect(await idsOf("agentId=list&state=failed")).toEqual([bad.id]);
    expect(await idsOf("agentId=list&state=queued")).toEqual([]);
    expect(await idsOf("agentId=nobody")).toEqual([]);
  });
});

describe("cancelling", () => {
  test("a run in progress answers when it is settled and nothing of it is left", async () => {
    const run = await app.submit("anna", "tool=sleep 60");
    await app.waitForState(run.id, "running");

    const reply = await cancel(run.id);

    expect(reply).toEqual({
      runId: run.id,
      state: "cancelled",
      alreadyFinished: false,
      survivors: 0,
      tookMs: expect.any(Number),
    });
    expect(checkedRun(await get(`/api/runs/${run.id}`))).toMatchObject({
      state: "cancelled",
      contentFinal: false,
    });
  });

  test("a run that is queued never starts it, and its turn leaves the conversation", async () => {
    await app.makeAgent({ id: "queue" });
    const running = await app.submit("queue", "forever");
    const waiting = await app.submit("queue", "never said");

    const reply = await cancel(waiting.id);
    const conversation = await get<Conversation>("/api/agents/queue/conversation");
    const { items } = await get<{ items: RunEvent[] }>(`/api/runs/${waiting.id}/events`);
    await cancel(running.id);

    expect(reply).toMatchObject({ state: "cancelled", alreadyFinished: false, survivors: 0 });
    expect(checkedRun(await get(`/api/runs/${waiting.id}`))).toMatchObject({
      startedAt: null,
      queuePosition: null,
    });
    expect(conversation.turns.map(({ content }) => content)).toEqual(["forever"]);
    expect(checkedEvents(items).map(({ type }) => type)).toEqual(["run.queued", "run.finished"]);
  });

  test("again and in parallel gives the first answer again", async () => {
    const run = await app.submit("anna", "forever");
    await app.waitForState(run.id, "running");

    const replies = await Promise.all(Array.from({ length: 50 }, () => cancel(run.id)));
    const later = await cancel(run.id);

    expect(new Set([...replies, later].map((reply) => JSON.stringify(reply))).size).toBe(1);
    expect(later).toMatchObject({ state: "cancelled", alreadyFinished: false });
  });

  test("what has ended otherwise tells how it ended", async () => {
    const run = await app.run("anna", "hello");

    const reply = await cancel(run.id);

    expect(reply).toMatchObject({ runId: run.id, state: "succeeded", alreadyFinished: true, survivors: 0 });
    expect(await get<Run>(`/api/runs/${run.id}`)).toEqual(run);
  });

  test("what isn't there is 404", async () => {
    expect(await problemLine(await app.fetch("/api/runs/run_none/cancel", { method: "POST" }))).toBe(
      "404 run_not_found",
    );
  });

  test("an agent ends the run in progress and leaves those that wait", async () => {
    await app.makeAgent({ id: "line" });
    const running = await app.submit("line", "forever");
    await app.waitForState(running.id, "running");
    const waiting = await app.submit("line", "my turn");

    const reply = await expectJson(app.fetch, 200, "POST", "/api/agents/line/cancel");

    expect(reply).toEqual({ cancelled: [running.id] });
    expect((await app.waitForState(waiting.id, "succeeded")).content).toContain("my turn");
  });

  test("an agent with its queue ends all, and an idle one nothing", async () => {
    await app.makeAgent({ id: "all" });
    const runs = [
      await app.submit("all", "forever"),
      await app.submit("all", "a"),
      await app.submit("all", "b"),
    ];
    const cancelAll = () =>
      expectJson<{ cancelled: string[] }>(app.fetch, 200, "POST", "/api/agents/all/cancel", {
        body: { queued: true },
      });

    const reply = await cancelAll();

    expect(reply.cancelled.toSorted()).toEqual(runs.map(({ id }) => id).toSorted());
    expect(await cancelAll()).toEqual({ cancelled: [] });
    expect(await problemLine(await app.fetch("/api/agents/nobody/cancel", { method: "POST" }))).toBe(
      "404 agent_not_found",
    );
  });
});

describe("retrying", () => {
  test("gives the same prompt again as a new run that names the old one", async () => {
    const failed = await app.run("anna", "is-error=not this time", { metadata: { ticket: 9 } });

    const response = await retry(failed.id);
    const run = checkedRun(await response.json());

    expect(response.status).toBe(202);
    expect(response.headers.get("location")).toBe(`/api/runs/${run.id}`);
    expect(run).toMatchObject({
      retryOf: failed.id,
      prompt: failed.prompt,
      conversationId: failed.conversationId,
      metadata: { ticket: 9 },
    });
    expect(run.id).not.toBe(failed.id);
    await app.waitForState(run.id, "failed");
    expect(await get<Run>(`/api/runs/${failed.id}`)).toEqual(failed);
  });

  test("is refused while the run lives", async () => {
    const run = await app.submit("anna", "forever");
    const early = await problemLine(await retry(run.id));
    await app.waitForState(run.id, "running");
    const late = await problemLine(await retry(run.id));
    await cancel(run.id);

    expect([early, late]).toEqual(["409 run_active", "409 run_active"]);
  });

  test("what isn't there, or whose agent isn't there any more, is 404", async () => {
    await app.makeAgent({ id: "left" });
    const run = await app.run("left", "hello");
    await app.fetch("/api/agents/left", { method: "DELETE" });

    const lines = [await problemLine(await retry("run_none")), await problemLine(await retry(run.id))];

    expect(lines).toEqual(["404 run_not_found", "404 agent_not_found"]);
  });

  test("keeps the time limit that the run had", async () => {
    const run = await app.run("anna", "forever", { timeoutMs: 1_000 });

    const again = checkedRun(await (await retry(run.id)).json());
    const ended = await app.waitForState(again.id, "timed_out");

    expect(ended.error?.code).toBe("deadline");
  });

  test("sends a masked secret as it was sent before", async () => {
    const secret = "sk-made-up-0123456789abcdef";
    await using other = await startApp({ env: { MY_API_KEY: secret } });
    await other.makeAgent({ id: "anna" });
    const sent = `${secret} echo-stdin-sha`;
    const first = await other.run("anna", sent);

    const again = (await (
      await other.fetch(`/api/runs/${first.id}/retry`, { method: "POST" })
    ).json()) as Run;
    const second = await other.waitForState(again.id, "succeeded");

    expect(first.prompt).not.toContain(secret);
    expect(first.content).toBe(createHash("sha256").update(sent).digest("hex"));
    expect(second.prompt).toBe(first.prompt);
    expect(second.content).toBe(first.content);
  });
});

describe("a run's log", () => {
  test("is what the CLI printed, as text", async () => {
    const run = await app.run("anna", "log me");

    const response = await app.fetch(`/api/runs/${run.id}/log`);
    const text = await response.text();

    expect(response.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(text).toContain('"type":"result"');
    expect(text).toContain("log me");
  });

  test("holds no secret", async () => {
    const secret = "sk-made-up-0123456789abcdef";
    await using other = await startApp({ env: { MY_API_KEY: secret, HEADWAY_PASS_ENV: "MY_API_KEY" } });
    await other.makeAgent({ id: "anna" });
    const run = await other.run("anna", `${secret} echo-env`);

    const log = await (await other.fetch(`/api/runs/${run.id}/log`)).text();
    const shown = await (await other.fetch(`/api/runs/${run.id}`)).text();
    const events = await (await other.fetch(`/api/runs/${run.id}/events`)).text();

    expect([log, shown, events, other.lines.join("\n")].filter((text) => text.includes(secret))).toEqual([]);
  });

  test("of a run that never started is empty, and of none 404", async () => {
    await app.makeAgent({ id: "unlogged" });
    const running = await app.submit("unlogged", "forever");
    const waiting = await app.submit("unlogged", "x");
    await app.fetch("/api/agents/unlogged/cancel", jsonInit("POST", { queued: true }));

    const response = await app.fetch(`/api/runs/${waiting.id}/log`);

    expect(response.status).toBe(200);
    expect(await response.text()).toBe("");
    expect(running.state).not.toBe("queued");
    expect(await problemLine(await app.fetch("/api/runs/run_none/log"))).toBe("404 run_not_found");
  });
});
