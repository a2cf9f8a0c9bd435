import { expect, test } from "bun:test";
import { Hono } from "hono";
import { systemClock } from "../../src/domain/clock.ts";
import type { Page } from "../../src/domain/page.ts";
import type { RunLog } from "../../src/domain/ports.ts";
import type { RunListItem } from "../../src/domain/run.ts";
import type { RouteEnvironment } from "../../src/routes/environment.ts";
import { answerRun, type ExecuteDeps } from "../../src/routes/execute.ts";
import { type AdmissionOptions, admit } from "../../src/runner/admission.ts";
import { type CancellationOptions, createCancellation } from "../../src/runner/cancellation.ts";
import { expectJson } from "../helpers/http.ts";
import { problemLine } from "../helpers/problems.ts";
import { jsonInit, startApp, type TestApp } from "../helpers/test-app.ts";
import { waitFor } from "../helpers/wait.ts";

const execute = "/api/agents/anna/execute";

const queuedRuns = async (app: TestApp) =>
  (await expectJson<Page<RunListItem>>(app.fetch, 200, "GET", "/api/runs?state=queued")).items;

/** A store whose conversations are deleted in the very transaction that was asked for something else. */
function vanishing(log: Partial<RunLog>): RunLog {
  return { getRun: () => null, ...log } as RunLog;
}

test("a cancel of a run that was finished, and is deleted with its conversation, finds no run", async () => {
  const log = vanishing({ requestCancel: async () => "finished" });
  const cancel = createCancellation({
    log,
    clock: systemClock,
    publish() {},
  } as unknown as CancellationOptions);

  const reply = await cancel("run_1");

  expect(reply).toMatchObject({ kind: "refused", code: "run_not_found" });
});

test("who waits for a queued run hears that it was cancelled, though its conversation is deleted in the same transaction", async () => {
  await using app = await startApp();
  await app.makeAgent();
  const { conversationId } = await app.run("anna", "hello");
  await app.fetch("/api/agents/anna/end-session", { method: "POST" });
  const holder = await app.submit("anna", "forever");
  const key = { "idempotency-key": "once" };
  const ask = () => app.fetch(execute, jsonInit("POST", { prompt: "later", conversationId }, key));
  const answers = [ask(), ask()];
  const { id } = await waitFor(async () => (await queuedRuns(app))[0], { what: "the run to wait" });

  const [cancelled, deleted] = await Promise.all([
    app.fetch(`/api/runs/${id}/cancel`, { method: "POST" }),
    app.fetch(`/api/conversations/${conversationId}`, { method: "DELETE" }),
  ]);
  const told = await Promise.all(answers);
  const late = await ask();
  await expectJson(app.fetch, 200, "POST", `/api/runs/${holder.id}/cancel`);

  expect([cancelled.status, await cancelled.json()]).toMatchObject([200, { runId: id, state: "cancelled" }]);
  expect(deleted.status).toBe(204);
  expect(told.map(({ status }) => status)).toEqual([409, 409]);
  for (const answer of told) expect(await answer.json()).toMatchObject({ id, state: "cancelled" });
  expect(await problemLine(late)).toBe("404 conversation_not_found");
});

test("who comes to wait for a run that is deleted already is told so", async () => {
  await using app = await startApp();
  await app.makeAgent();
  const run = await app.run("anna", "hello");
  const outcome = { kind: "accepted", run, replay: true } as const;
  const deps = { runner: { whenSettled: async () => "gone" } } as unknown as ExecuteDeps;
  const routes = new Hono<RouteEnvironment>().post("/", (c) => answerRun(c, deps, outcome));

  const response = await routes.request("/", { method: "POST" });

  expect(response.status).toBe(404);
  expect(await response.json()).toMatchObject({ code: "conversation_not_found", runId: run.id });
});

test("a repeated request whose run is deleted with its conversation is refused", async () => {
  const log = vanishing({ admit: async () => ({ kind: "replay", runId: "run_1" }) });
  const options = {
    log,
    agents: {
      findAgent: () => ({ id: "ada", commMode: "headless" }),
      activityOf: () => ({ quarantined: false }),
    },
    redactor: { prompt: (text: string) => ({ text, holes: [] }) },
    clock: systemClock,
    makeId: (prefix: string) => `${prefix}_1`,
    newSessionId: () => "session",
    hash: (text: string) => text,
    isDraining: () => false,
    publish() {},
  } as unknown as AdmissionOptions;
  const asked = { agentId: "ada", prompt: "Hi", idempotencyKey: "k" };

  const outcome = await admit(options, asked);

  expect(outcome).toMatchObject({ kind: "refused", code: "conversation_not_found" });
});
