import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import type { RunEvent } from "../../src/domain/event.ts";
import type { Run } from "../../src/domain/run.ts";
import { collectEvents, openEvents, type ServerSentEvent } from "../helpers/http.ts";
import { waitFor } from "../helpers/wait.ts";
import { openStage, type Stage } from "./stage.ts";
import { openStreamsOf, streamsOpen } from "./raw-streams.ts";

const eventsOf = (events: ServerSentEvent[]) => events.map(({ data }) => JSON.parse(data) as RunEvent);
const countTo = (count: number) => Array.from({ length: count }, (_, at) => at + 1);

describe("a run's events as a stream", () => {
  let stage: Stage;

  beforeAll(async () => {
    stage = await openStage();
  });
  afterEach(async () => {
    await stage.tidy();
    await waitFor(async () => (await streamsOpen(stage)) === 0, { what: "all streams to be over" });
  });
  afterAll(() => stage[Symbol.asyncDispose]());

  const follow = (runId: string, options = {}, query = "") =>
    openEvents(stage.server.fetch, `/api/runs/${runId}/events${query}`, options);

  test("each event comes once, in order, as it is kept, and the stream ends with the run", async () => {
    const agent = await stage.agent();
    const run = await agent.begin("chatty=30 slow=5");

    const streams = await Promise.all(countTo(5).map(() => follow(run.id)));
    const read = await Promise.all(streams.map((stream) => collectEvents(stream)));
    const late = await collectEvents(await follow(run.id));

    const kept = await stage.events(run.id);
    for (const events of [...read, late]) {
      expect(eventsOf(events)).toEqual(kept);
      expect(events.map(({ id, event }) => [id, event])).toEqual(
        kept.map(({ seq, type }) => [String(seq), type]),
      );
    }
    expect(kept.map(({ seq }) => seq)).toEqual(countTo(kept.length));
    expect(kept.filter(({ type }) => type === "run.finished")).toEqual([kept.at(-1)!]);
    expect(streams[0]!.headers.get("content-type")).toBe("text/event-stream");
  });

  test("a stream resumes strictly after the event that the client names", async () => {
    const agent = await stage.agent();
    const run = await agent.begin("chatty=40 slow=5");
    const first = await follow(run.id);
    const before = await collectEvents(first, ({ id }) => id === "5");
    await first.close();

    const byHeader = await collectEvents(await follow(run.id, { lastEventId: "5" }));
    const byQuery = await collectEvents(await follow(run.id, {}, "?after=5"));
    const atEnd = await collectEvents(await follow(run.id, { lastEventId: byQuery.at(-1)!.id }));
    const strange = await collectEvents(await follow(run.id, { lastEventId: "'; drop table runs" }));

    const kept = await stage.events(run.id);
    expect(eventsOf([...before, ...byHeader])).toEqual(kept);
    expect(byQuery).toEqual(byHeader);
    expect(atEnd).toEqual([]);
    expect(eventsOf(strange)).toEqual(kept);
  });

  test("an execute that accepts a stream is answered with its run's events", async () => {
    const agent = await stage.agent();

    const stream = await openEvents(stage.server.fetch, `/api/agents/${agent.id}/execute`, {
      body: { prompt: "hello there" },
    });
    const events = eventsOf(await collectEvents(stream));

    const text = events.flatMap((event) => (event.type === "text" ? [event.text] : [])).join("");
    expect(stream.headers.get("location")).toBe(`/api/runs/${events[0]!.runId}`);
    expect(events[0]).toMatchObject({ seq: 1, type: "run.queued" });
    expect(text).toBe("You said: hello there");
    expect(events.at(-1)).toMatchObject({ type: "run.finished", state: "succeeded" });
  });

  test("a client that goes away doesn't cancel its run, whichever way it waited", async () => {
    const agents = [await stage.agent(), await stage.agent()];
    const prompt = "chatty=60 slow=10";
    const streaming = await openEvents(stage.server.fetch, `/api/agents/${agents[0]!.id}/execute`, {
      body: { prompt },
    });
    const { value } = await streaming[Symbol.asyncIterator]().next();
    const leave = new AbortController();
    const waiting = stage.server
      .fetch(`/api/agents/${agents[1]!.id}/execute`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ prompt }),
        signal: leave.signal,
      })
      .catch((error: Error) => error.name);
    await waitFor(() => stage.fakeLog().filter((entry) => entry.prompt === prompt).length >= 2, {
      what: "both turns",
    });

    await streaming.close();
    leave.abort();
    const gone = await waiting;
    const streamed = await stage.settled((JSON.parse(value!.data) as RunEvent).runId);
    const [waited] = await runsOf(agents[1]!.id);
    const settled = await stage.settled(waited!.id);

    expect(gone).toBe("AbortError");
    expect([streamed.state, settled.state]).toEqual(["succeeded", "succeeded"]);
  });

  async function runsOf(agentId: string): Promise<Run[]> {
    const response = await stage.server.fetch(`/api/runs?agentId=${agentId}`);
    return ((await response.json()) as { items: Run[] }).items;
  }

  test("readers that stop reading hold up neither the run nor another reader", async () => {
    const agent = await stage.agent();
    const run = await agent.begin(`chatty=300 slow=1 ${"x".repeat(1_000)}`);

    const silent = await openStreamsOf(stage, run.id, 40, { reads: false });
    const read = await collectEvents(await follow(run.id));
    const open = await streamsOpen(stage);
    silent.end();

    expect(eventsOf(read)).toEqual(await stage.events(run.id));
    expect(eventsOf(read).at(-1)).toMatchObject({ type: "run.finished", state: "succeeded" });
    // What a kernel takes for a silent reader is sent; nobody is kept for more than that.
    expect(open).toBeLessThanOrEqual(40);
  });

  test("what a CLI says at once, however much, comes in events of a bounded size", async () => {
    const agent = await stage.agent();
    const letters = "😀".repeat(100_000);

    const { body } = await agent.execute(`${letters} tell me`);
    const events = await stage.events(body.id);

    const texts = events.flatMap((event) => (event.type === "text" ? [event.text] : []));
    expect(texts.join("")).toBe(`You said: ${letters} tell me`);
    expect(Math.max(...texts.map((text) => text.length))).toBeLessThanOrEqual(16_385);
    expect(texts.filter((text) => !text.isWellFormed())).toEqual([]);
  });
});
