import { expect, test } from "bun:test";
import type { RunEventBody } from "../../../src/domain/event.ts";
import { systemClock } from "../../../src/domain/clock.ts";
import { type ClaimedRun, type RunLog, StoreUnavailable } from "../../../src/domain/ports.ts";
import { createEventWriter } from "../../../src/runner/transports/event-writer.ts";
import { createWakeups } from "../../../src/runner/wakeups.ts";

/** A log that refuses for as long as it is told to, and keeps what it took. */
function setUp() {
  const taken: RunEventBody[] = [];
  const failures: string[] = [];
  const store = { refuses: false };
  const append: RunLog["append"] = (_runId, _fence, events) => {
    if (store.refuses) return Promise.reject(new StoreUnavailable("full", "the disk is full"));
    taken.push(...events);
    return Promise.resolve("ok");
  };
  const note: RunLog["note"] = () => Promise.resolve("ok");
  const writer = createEventWriter({
    run: { runId: "run_1", fence: 1, agent: { id: "a" } } as ClaimedRun,
    log: { append, note } as RunLog,
    wakeups: createWakeups(),
    clock: systemClock,
    eventLimit: 1_000,
    onSessionTaken() {},
    onFailure: (message) => failures.push(message),
  });
  return { writer, taken, failures, store };
}

const tool = (toolId: string): RunEventBody => ({ type: "tool.started", toolId, name: "Bash", input: {} });
const text = (piece: string): RunEventBody => ({ type: "text", text: piece, block: 0 });

test("what the store did not take goes into the settlement, in order and once", async () => {
  const { writer, taken, failures, store } = setUp();
  writer.write(tool("one"));
  await writer.flushed();

  store.refuses = true;
  writer.write(tool("two"));
  await writer.flushed();
  writer.write(tool("three"));
  writer.flushSoon();
  const { lastEvents } = await writer.finish();

  expect(taken).toEqual([tool("one")]);
  expect(lastEvents).toEqual([tool("two"), tool("three")]);
  expect(failures).toEqual(["the disk is full"]);
});

test("pieces of one block that wait for a commit are joined, those of another are not", async () => {
  const { writer, taken } = setUp();

  writer.write(text("a"));
  writer.write(text("b"));
  writer.write({ ...text("c"), block: 1 } as RunEventBody);
  await writer.flushed();

  expect(taken).toEqual([text("ab"), { type: "text", text: "c", block: 1 }]);
});

test("what is left at the end is handed over, and more than a batch is committed before", async () => {
  const { writer, taken } = setUp();

  for (let at = 0; at < 100; at++) writer.write(tool(String(at)));
  const { lastEvents } = await writer.finish();

  expect([...taken, ...lastEvents]).toEqual(Array.from({ length: 100 }, (_, at) => tool(String(at))));
});
