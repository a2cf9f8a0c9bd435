import { expect, test } from "bun:test";
import type { RunEventBody } from "../../src/domain/event.ts";
import { atMs, openTestStore, running, settings } from "./fixture.ts";

const started = (toolId: string, input: unknown): RunEventBody => ({
  type: "tool.started",
  toolId,
  name: "Bash",
  input,
});
const finished = (toolId: string, output: string, isError = false): RunEventBody => ({
  type: "tool.finished",
  toolId,
  isError,
  output,
});

/** A run with these events, each a second after the one before. */
async function openRun(events: readonly RunEventBody[]) {
  const at = openTestStore();
  await at.store.createAgent(settings());
  const { runId, fence } = await running(at.store);
  for (const [index, event] of events.entries()) {
    await at.store.append(runId, fence, [event], atMs + (index + 1) * 1_000);
  }
  return { at, runId, fence, [Symbol.asyncDispose]: () => at[Symbol.asyncDispose]() };
}

test("a tool call is found whole by its id, among others", async () => {
  await using run = await openRun([
    started("t1", { command: "ls" }),
    started("t2", { command: "pwd" }),
    finished("t2", "/srv"),
    finished("t1", "no such file", true),
  ]);

  const call = run.at.store.findToolCall(run.runId, "t1");

  expect(call).toEqual({
    toolId: "t1",
    name: "Bash",
    input: { command: "ls" },
    startedAt: "2027-01-15T08:00:01.000Z",
    result: { isError: true, output: "no such file", finishedAt: "2027-01-15T08:00:04.000Z" },
  });
});

test("a call without an end has no result; unknown ids, runs and ends without a start find nothing", async () => {
  await using run = await openRun([started("t1", null), finished("t9", "stray")]);
  const find = (toolId: string, runId = run.runId) => run.at.store.findToolCall(runId, toolId);

  expect(find("t1")).toMatchObject({ input: null, result: null });
  expect([find("t9"), find("t2"), find(""), find("t1", "run_x")]).toEqual([null, null, null, null]);
});

test("of several calls with one id the last is found, with its own end", async () => {
  await using run = await openRun([started("t1", 1), finished("t1", "first"), started("t1", 2)]);
  const whileItRuns = run.at.store.findToolCall(run.runId, "t1");

  await run.at.store.append(run.runId, run.fence, [finished("t1", "second")], atMs);

  expect(whileItRuns).toMatchObject({ input: 2, result: null });
  expect(run.at.store.findToolCall(run.runId, "t1")).toMatchObject({
    input: 2,
    result: { output: "second" },
  });
});

test("ids and inputs of any kind are kept and found", async () => {
  const deep = JSON.parse(`${"[".repeat(900)}${"]".repeat(900)}`) as unknown;
  const names = ["'", '"', "%_\\", "🦊", "a\nb", "\ud800"];
  await using run = await openRun([...names.map((name) => started(name, name)), started("deep", deep)]);

  const found = names.map((name) => run.at.store.findToolCall(run.runId, name)?.input);

  expect(found.slice(0, 5)).toEqual(names.slice(0, 5));
  expect(run.at.store.findToolCall(run.runId, "deep")?.input).toEqual(deep);
});

test("an input that SQLite can't read as JSON is kept in the log all the same", async () => {
  const tooDeep = JSON.parse(`${"[".repeat(1_500)}${"]".repeat(1_500)}`) as unknown;
  await using run = await openRun([started("t1", tooDeep)]);

  const events = run.at.store.listEvents(run.runId, 0, 10);

  expect(events.at(-1)).toMatchObject({ type: "tool.started", input: tooDeep });
  expect(run.at.store.findToolCall(run.runId, "t1")).toBeNull();
});

test("the newest event's number is told, and 0 for a run that isn't there", async () => {
  await using run = await openRun([started("t1", null)]);

  expect(run.at.store.lastEventSeq(run.runId)).toBe(3);
  expect(run.at.store.lastEventSeq("run_x")).toBe(0);
});
