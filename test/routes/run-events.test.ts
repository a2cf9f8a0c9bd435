import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { RunEvent } from "../../src/domain/event.ts";
import { collectEvents, expectJson, openEvents, type ServerSentEvent } from "../helpers/http.ts";
import { problemLine } from "../helpers/problems.ts";
import { checkedEvents } from "../helpers/run-checks.ts";
import { startApp, type TestApp } from "../helpers/test-app.ts";
import { waitFor } from "../helpers/wait.ts";

let app: TestApp;

beforeAll(async () => {
  app = await startApp({ overrides: { streamPingMs: 300 } });
  await app.makeAgent({ id: "anna" });
});
afterAll(() => app[Symbol.asyncDispose]());

interface EventPage {
  items: RunEvent[];
  nextCursor: string | null;
}
const listEvents = (runId: string, query = "") =>
  expectJson<EventPage>(app.fetch, 200, "GET", `/api/runs/${runId}/events${query}`);
const eventOf = ({ data }: ServerSentEvent) => JSON.parse(data) as RunEvent;
const openStreams = async () =>
  Number(/^headway_streams_open (\d+)$/m.exec(await (await app.fetch("/metrics")).text())?.[1]);

describe("the events as a list", () => {
  test("are oldest first, dense, and whole over all pages", async () => {
    const run = await app.run("anna", "chatty=30");

    const whole = checkedEvents((await listEvents(run.id, "?limit=500")).items);
    const paged: RunEvent[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const page: EventPage = await listEvents(run.id, `?limit=7${cursor && `&cursor=${cursor}`}`);
      paged.push(...page.items);
      cursor = page.nextCursor;
    }

    expect(paged).toEqual(whole);
    expect(whole[0]?.type).toBe("run.queued");
    expect(whole.at(-1)?.type).toBe("run.finished");
    expect(whole.map(({ type }) => type)).toContain("session");
    expect(whole.map(({ type }) => type)).toContain("usage");
  });

  test("come strictly after the seq that is given", async () => {
    const run = await app.run("anna", "hello");
    const { items } = await listEvents(run.id);

    const after = await listEvents(run.id, "?after=3");
    const afterTheEnd = await listEvents(run.id, `?after=${items.length}`);
    const farAfter = await listEvents(run.id, "?after=9007199254740991");

    expect(after.items).toEqual(items.slice(3));
    expect(afterTheEnd).toEqual({ items: [], nextCursor: null });
    expect(farAfter.items).toEqual([]);
  });

  test("tell of tools by name, input and output", async () => {
    const run = await app.run("anna", "tool=echo out-of-the-tool");

    const { items } = await listEvents(run.id);

    const started = items.find((event) => event.type === "tool.started");
    const finished = items.find((event) => event.type === "tool.finished");
    expect(started).toMatchObject({ name: "Bash", input: { command: "echo out-of-the-tool" } });
    expect(finished).toMatchObject({
      toolId: started?.type === "tool.started" && started.toolId,
      isError: false,
    });
    expect(finished?.type === "tool.finished" && finished.output).toContain("out-of-the-tool");
  });

  test("of a run that isn't there are 404, as list and as stream", async () => {
    const asStream = { headers: { accept: "text/event-stream" } };

    const lines = [
      await problemLine(await app.fetch("/api/runs/run_none/events")),
      await problemLine(await app.fetch("/api/runs/run_none/events", asStream)),
    ];

    expect(lines).toEqual(["404 run_not_found", "404 run_not_found"]);
  });

  for (const after of ["-1", "x", "1.5", "1e999", ""]) {
    test(`refuse or ignore what is no seq: ${JSON.stringify(after)}`, async () => {
      const run = await app.run("anna", "hello");

      const response = await app.fetch(`/api/runs/${run.id}/events?after=${after}`);

      expect(after === "" ? [200, 422] : [422]).toContain(response.status);
    });
  }
});

describe("the events as a stream", () => {
  test("are the list, framed with id, type and JSON, and end after the last", async () => {
    const run = await app.run("anna", "two\nlines and \u2028 more");
    const { items } = await listEvents(run.id, "?limit=500");

    const response = await app.fetch(`/api/runs/${run.id}/events`, {
      headers: { accept: "text/event-stream" },
    });
    const text = await response.text();

    expect(response.headers.get("content-type")).toStartWith("text/event-stream");
    expect(response.headers.get("cache-control")).toBe("no-store");
    const frames = text.split("\n\n").filter((frame) => frame !== "" && !frame.startsWith(":"));
    expect(frames.map((frame) => frame.split("\n").length)).toEqual(frames.map(() => 3));
    expect(frames).toEqual(
      items.map((event) => `id: ${event.seq}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}`),
    );
  });

  test("come as they happen, before the run has ended", async () => {
    const run = await app.submit("anna", "slow=40 chatty=12");
    const path = `/api/runs/${run.id}/events`;

    await using stream = await openEvents(app.fetch, path);
    const early = await collectEvents(stream, ({ event }) => event === "text");
    const { state } = await expectJson<{ state: string }>(app.fetch, 200, "GET", `/api/runs/${run.id}`);

    expect(state).toBe("running");
    checkedEvents(early.map(eventOf));
    await app.waitForState(run.id, "succeeded");
  });

  test("resume strictly after Last-Event-ID or after, and the header wins", async () => {
    const run = await app.run("anna", "chatty=20");
    const { items } = await listEvents(run.id, "?limit=500");
    const path = `/api/runs/${run.id}/events`;
    const seqs = async (query: string, lastEventId?: string) => {
      await using stream = await openEvents(app.fetch, path + query, lastEventId ? { lastEventId } : {});
      return (await collectEvents(stream)).map(({ id }) => Number(id));
    };
    const from = (seq: number) => items.map((event) => event.seq).filter((known) => known > seq);

    expect(await seqs("", "5")).toEqual(from(5));
    expect(await seqs("?after=7")).toEqual(from(7));
    expect(await seqs("?after=7", "9")).toEqual(from(9));
    expect(await seqs("", "nonsense")).toEqual(from(0));
    expect(await seqs("", String(items.length))).toEqual([]);
    expect(await seqs("", "999999")).toEqual([]);
  });

  test("reach every one of many tabs whole, wherever it came in", async () => {
    const run = await app.submit("anna", "slow=5 chatty=40");
    const path = `/api/runs/${run.id}/events`;

    const tabs = await Promise.all(
      Array.from({ length: 12 }, async (_, tab) => {
        await using stream = await openEvents(app.fetch, path, { lastEventId: String(tab % 3) });
        return (await collectEvents(stream)).map(({ id }) => Number(id));
      }),
    );

    const { items } = await listEvents(run.id, "?limit=500");
    tabs.forEach((seqs, tab) =>
      expect(seqs).toEqual(items.map(({ seq }) => seq).filter((seq) => seq > tab % 3)),
    );
  });

  test("are kept alive by pings while nothing happens", async () => {
    const run = await app.submit("anna", "forever");
    await using stream = await openEvents(app.fetch, `/api/runs/${run.id}/events`);
    const reading = collectEvents(stream);

    await waitFor(() => stream.comments >= 2, { what: "two pings" });
    await app.fetch(`/api/runs/${run.id}/cancel`, { method: "POST" });
    const events = await reading;

    expect(eventOf(events.at(-1)!)).toMatchObject({ type: "run.finished", state: "cancelled" });
  });

  test("go away with their client, while the run goes on", async () => {
    const run = await app.submit("anna", "forever");
    const stream = await openEvents(app.fetch, `/api/runs/${run.id}/events`);
    await collectEvents(stream, ({ event }) => event === "run.started");

    await stream.close();
    await waitFor(async () => (await openStreams()) === 0, { what: "the stream to be gone" });
    const { state } = await expectJson<{ state: string }>(app.fetch, 200, "GET", `/api/runs/${run.id}`);
    await app.fetch(`/api/runs/${run.id}/cancel`, { method: "POST" });

    expect(["starting", "running"]).toContain(state);
  });

  test("aren't opened by HEAD", async () => {
    const run = await app.submit("anna", "forever");
    const headers = { accept: "text/event-stream" };

    const response = await app.fetch(`/api/runs/${run.id}/events`, { method: "HEAD", headers });
    const streams = await openStreams();
    await app.fetch(`/api/runs/${run.id}/cancel`, { method: "POST" });

    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toStartWith("text/event-stream");
    expect(streams).toBe(0);
  });
});
