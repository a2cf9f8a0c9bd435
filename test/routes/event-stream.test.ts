import { afterEach, expect, test } from "bun:test";
import { Hono } from "hono";
import { systemClock } from "../../src/domain/clock.ts";
import type { Fact } from "../../src/domain/facts.ts";
import type { RouteEnvironment } from "../../src/routes/environment.ts";
import {
  createBell,
  createEventStreams,
  type EventStreamOptions,
  type FrameSource,
} from "../../src/routes/event-stream.ts";
import { waitFor } from "../helpers/wait.ts";

const opened: { stop(): void }[] = [];
afterEach(() => {
  for (const streams of opened.splice(0)) streams.stop();
});

function setUp(source: FrameSource, options: Partial<EventStreamOptions> = {}) {
  const facts: Fact[] = [];
  const streams = createEventStreams({
    streamsMax: 10,
    pingMs: 30_000,
    slowMs: 30_000,
    ageMsMax: 60_000,
    clock: systemClock,
    publish: (fact) => facts.push(fact),
    findHalfClosed: null,
    ...options,
  });
  opened.push(streams);
  const app = new Hono<RouteEnvironment>();
  app.get("/", (c) => streams.open(c, source));
  const closings = () => facts.flatMap((fact) => (fact.type === "stream.closed" ? [fact.reason] : []));
  return { streams, closings, open: (peer?: string) => app.request("/", {}, { peer }) };
}

/** A source that says one thing and then waits until it is hung up on. */
function patient(onEnd: () => void): FrameSource {
  return async function* (signal) {
    const bell = createBell(signal);
    try {
      yield "data: one\n\n";
      while (!signal.aborted) await bell.wait();
    } finally {
      onEnd();
    }
  };
}

test("frames arrive in order and the stream ends with its source", async () => {
  const { open, closings } = setUp(async function* () {
    yield "data: one\n\n";
    yield "data: two\n\n";
  });

  const response = await open();
  const text = await response.text();

  expect(response.headers.get("content-type")).toBe("text/event-stream");
  expect(text).toBe("data: one\n\ndata: two\n\n");
  expect(closings()).toEqual(["ended"]);
});

test("a quiet stream sends comments", async () => {
  const { open } = setUp(
    patient(() => {}),
    { pingMs: 20 },
  );

  const reader = (await open()).body!.getReader();
  let text = "";
  while (!text.includes(": ping")) text += new TextDecoder().decode((await reader.read()).value);
  await reader.cancel();

  expect(text).toStartWith("data: one\n\n");
});

test("a client that goes away lets its source end", async () => {
  let isOver = false;
  const { open, closings } = setUp(patient(() => (isOver = true)));

  const reader = (await open()).body!.getReader();
  await reader.read();
  await reader.cancel();
  await waitFor(() => isOver, { deadlineMs: 2_000, what: "the source to end" });

  expect(closings()).toEqual(["gone"]);
});

test("a client that takes nothing is cut, and its source isn't asked for more than it can hold", async () => {
  let made = 0;
  const { open, closings } = setUp(
    async function* () {
      for (;;) yield `data: ${made++}\n\n`;
    },
    { pingMs: 15, slowMs: 30 },
  );

  const response = await open();
  await waitFor(() => closings().length > 0, { deadlineMs: 5_000, what: "the cut" });

  expect(closings()).toEqual(["slow"]);
  expect(made).toBeLessThan(5);
  await response.body?.cancel();
});

test("a peer that has closed its side is let go", async () => {
  const half = new Set(["127.0.0.1:50000"]);
  const { open, closings, streams } = setUp(
    patient(() => {}),
    {
      pingMs: 15,
      findHalfClosed: () => Promise.resolve(half),
    },
  );

  const gone = await open("127.0.0.1:50000");
  const alive = await open("127.0.0.1:50001");
  await waitFor(() => closings().length > 0, { deadlineMs: 5_000, what: "the half-closed stream to end" });

  expect(closings()).toEqual(["half_closed"]);
  expect(streams.count).toBe(1);
  await Promise.all([gone.body?.cancel(), alive.body?.cancel()]);
});

test("a stream ends at its age, so that nothing is kept for ever", async () => {
  const { open, closings } = setUp(
    patient(() => {}),
    { pingMs: 15, ageMsMax: 40 },
  );

  const text = await (await open()).text();

  expect(text).toStartWith("data: one\n\n");
  expect(closings()).toEqual(["aged"]);
});

test("there are no more streams than allowed", async () => {
  const { open } = setUp(
    patient(() => {}),
    { streamsMax: 1 },
  );

  const first = await open();
  const second = await open();

  expect(second.status).toBe(429);
  expect(await second.json()).toMatchObject({ code: "too_many_streams" });
  await first.body?.cancel();
});

test("stopping ends every stream and refuses new ones", async () => {
  const { open, streams, closings } = setUp(patient(() => {}));
  const reader = (await open()).body!.getReader();
  await reader.read();

  streams.stop();
  const { done } = await reader.read();
  const later = await open();

  expect(done).toBe(true);
  expect(closings()).toEqual(["shutdown"]);
  expect(later.status).toBe(503);
});

test("a bell that rang while nobody waited answers at once, and once", async () => {
  const ending = new AbortController();
  const bell = createBell(ending.signal);

  bell.ring();
  bell.ring();
  await bell.wait();
  const second = bell.wait();
  ending.abort();
  await second;

  expect(ending.signal.aborted).toBe(true);
});
