import { expect, test } from "bun:test";
import type { Agent } from "../../src/domain/agent.ts";
import { expectJson } from "../helpers/http.ts";
import { startApp, type TestApp } from "../helpers/test-app.ts";
import { waitFor } from "../helpers/wait.ts";

async function isWarm(app: TestApp, agentId: string): Promise<boolean> {
  const agent = await expectJson<Agent>(app.fetch, 200, "GET", `/api/agents/${agentId}`);
  return agent.warm;
}

async function noticesOf(app: TestApp, runId: string): Promise<string[]> {
  type Items = { items: { type: string; code?: string }[] };
  const { items } = await expectJson<Items>(app.fetch, 200, "GET", `/api/runs/${runId}/events?limit=500`);
  return items.flatMap((event) => (event.type === "notice" && event.code ? [event.code] : []));
}

const deadlineMs = 4_000;

test("the second turn of a conversation is carried by the process of the first, and remembers it", async () => {
  await using app = await startApp();
  const { id } = await app.makeAgent({ id: "a", cli: "claude" });

  const first = await app.run(id, "the number is 42");
  const second = await app.run(id, "recall");

  expect([first.transport.warm, second.transport.warm]).toEqual([false, true]);
  expect(second.content).toContain("the number is 42");
});

test("without warm processes each turn has a process of its own, and the session still remembers", async () => {
  await using app = await startApp({ env: { HEADWAY_WARM_PROCESSES: "0" } });
  const { id } = await app.makeAgent({ id: "a", cli: "claude" });

  await app.run(id, "the number is 42");
  const second = await app.run(id, "recall");

  expect(second.transport.warm).toBe(false);
  expect(second.exitCode).toBe(0);
  expect(second.content).toContain("the number is 42");
});

test("the least recently used process goes when there are too many", async () => {
  await using app = await startApp({ env: { HEADWAY_WARM_PROCESSES: "2" } });
  for (const id of ["a", "b", "c"]) await app.makeAgent({ id, cli: "claude" });

  for (const id of ["a", "b", "a", "c"]) await app.run(id, "hello");
  await waitFor(async () => !(await isWarm(app, "b")), { deadlineMs, what: "b's process to be ended" });

  expect([await isWarm(app, "a"), await isWarm(app, "c")]).toEqual([true, true]);
});

test("an idle process is ended after its time", async () => {
  await using app = await startApp({ env: { HEADWAY_WARM_IDLE_MS: "80" } });
  const { id } = await app.makeAgent({ id: "a", cli: "claude" });

  await app.run(id, "the number is 42");
  await waitFor(async () => !(await isWarm(app, id)), { deadlineMs, what: "the idle process to be ended" });
  const next = await app.run(id, "recall");

  expect(next.transport.warm).toBe(false);
  expect(next.content).toContain("the number is 42");
});

test("a process that dies before it answers is replaced within the run", async () => {
  await using app = await startApp();
  const { id } = await app.makeAgent({ id: "a", cli: "claude" });

  await app.run(id, "hello");
  const second = await app.run(id, "die-before-output-once");

  expect(second).toMatchObject({ state: "succeeded", transport: { warm: false } });
  expect(await noticesOf(app, second.id)).toEqual(["cold_start"]);
});

test("a process that gives a result between turns is not used again", async () => {
  await using app = await startApp();
  const { id } = await app.makeAgent({ id: "a", cli: "claude" });

  const first = await app.run(id, "late-result=30");
  await waitFor(async () => !(await isWarm(app, id)), { deadlineMs, what: "the process to be retired" });
  const second = await app.run(id, "recall");

  expect(first.state).toBe("succeeded");
  expect(second).toMatchObject({ state: "succeeded", transport: { warm: false } });
});

test("a changed model or permission mode takes a new process, in the same session", async () => {
  await using app = await startApp();
  const { id } = await app.makeAgent({ id: "a", cli: "claude" });
  const first = await app.run(id, "the number is 42");

  const body = { model: "opus", permissionMode: "read" };
  await expectJson(app.fetch, 200, "PATCH", `/api/agents/${id}`, { body });
  const argv = await app.run(id, "echo-argv");
  const memory = await app.run(id, "recall");

  expect(argv.transport.warm).toBe(false);
  expect(argv.content).toContain("opus");
  expect(argv.content).toContain("plan");
  expect(argv.cliSessionId).toBe(first.cliSessionId);
  expect(memory.content).toContain("the number is 42");
});

test("a changed system prompt takes a fresh session, which is told the conversation so far", async () => {
  await using app = await startApp();
  const { id } = await app.makeAgent({ id: "a", cli: "claude", systemPrompt: "Be brief." });
  const first = await app.run(id, "the number is 42");

  const body = { systemPrompt: "Be long." };
  await expectJson(app.fetch, 200, "PATCH", `/api/agents/${id}`, { body });
  const second = await app.run(id, "hello again");
  const third = await app.run(id, "recall");

  expect(await noticesOf(app, second.id)).toEqual(["session_restarted"]);
  expect(second.cliSessionId).not.toBe(first.cliSessionId);
  expect(third.transport.warm).toBe(true);
  expect(third.content).toContain("the number is 42");
});

test("a session that the CLI has lost is replaced by one that is told the conversation so far", async () => {
  await using app = await startApp({ env: { HEADWAY_WARM_PROCESSES: "0" } });
  const { id } = await app.makeAgent({ id: "a", cli: "claude" });
  const first = await app.run(id, "the number is 42");

  await Bun.$`rm -r ${app.home}/.fake-claude`.quiet();
  const second = await app.run(id, "recall");

  expect(second).toMatchObject({ state: "succeeded" });
  expect(second.cliSessionId).not.toBe(first.cliSessionId);
  expect(await noticesOf(app, second.id)).toContain("session_lost");
});

test("ending the session ends its process", async () => {
  await using app = await startApp();
  const { id } = await app.makeAgent({ id: "a", cli: "claude" });
  await app.run(id, "the number is 42");

  await expectJson(app.fetch, 200, "POST", `/api/agents/${id}/end-session`);
  const next = await app.run(id, "recall");

  expect(next.transport.warm).toBe(false);
  expect(next.content).not.toContain("42");
});

test("a CLI that fails at once is tried as a one-turn process, and its failure is told", async () => {
  await using app = await startApp();
  const { id } = await app.makeAgent({ id: "a", cli: "claude" });

  const run = await app.run(id, "exit=4");

  expect(run).toMatchObject({ state: "failed", error: { code: "exit_nonzero" }, exitCode: 4 });
  expect(await noticesOf(app, run.id)).toEqual(["cold_start"]);
});
