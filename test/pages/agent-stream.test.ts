import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { expectJson, openEvents, type ServerSentEvent } from "../helpers/http.ts";
import { startServer, type TestServer } from "../helpers/server-process.ts";
import { waitFor } from "../helpers/wait.ts";

const fakeClaude = join(import.meta.dir, "..", "fixtures", "bin", "fake-claude");

describe("the stream of an agent's page", () => {
  let server: TestServer;
  let agents = 0;

  beforeAll(async () => {
    server = await startServer({ env: { HEADWAY_CLAUDE_PATH: fakeClaude } });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  async function makeAgent(): Promise<string> {
    const id = `agent-${++agents}`;
    await expectJson(server.fetch, 201, "POST", "/api/agents", {
      body: { id, cli: "claude", cwd: server.workspace },
    });
    return id;
  }
  const execute = (id: string, prompt: string, headers: Record<string, string> = {}) =>
    server.fetch(`/api/agents/${id}/execute`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ prompt }),
    });
  const start = (id: string, prompt: string) => execute(id, prompt, { prefer: "respond-async" });

  /** The address that the page itself connects to. */
  async function streamAddress(id: string): Promise<string> {
    const html = await (await server.fetch(`/agents/${id}`)).text();
    return (/hx-sse:connect="([^"]+)"/.exec(html)?.[1] ?? "").replaceAll("&amp;", "&");
  }
  /** Frames up to the first one that the condition holds for. */
  async function framesUntil(
    address: string,
    isLast: (frame: ServerSentEvent) => boolean,
    lastEventId?: string,
  ): Promise<ServerSentEvent[]> {
    await using stream = await openEvents(
      server.fetch,
      address,
      lastEventId === undefined ? {} : { lastEventId },
    );
    const frames: ServerSentEvent[] = [];
    for await (const frame of stream) {
      frames.push(frame);
      if (isLast(frame)) break;
    }
    return frames;
  }
  const settled = ({ data }: ServerSentEvent) => data.includes("state-succeeded");

  test("doesn't send again what the page shows already", async () => {
    const id = await makeAgent();
    await execute(id, "the first message");

    const [first] = await framesUntil(await streamAddress(id), () => true);

    expect(first?.data).toContain('hx-target="#agent-status"');
    expect(first?.data).not.toContain("the first message");
  });

  test("sends everything to a page that it knows nothing of", async () => {
    const id = await makeAgent();
    await execute(id, "the first message");

    const [first] = await framesUntil(`/agents/${id}/stream`, () => true, "run_of_another_time:7");

    expect(first?.data).toContain('hx-target="#conversation"');
    expect(first?.data).toContain("You said: the first message");
  });

  test("brings a message, its growing answer and its end, each once", async () => {
    const id = await makeAgent();
    const reading = framesUntil(await streamAddress(id), settled);
    await start(id, "chatty=40 slow=15");

    const frames = await reading;

    const all = frames.map(({ data }) => data).join("\n");
    expect(all.split('class="turn user"')).toHaveLength(2);
    expect(all.split('aria-busy="true"')).toHaveLength(2);
    expect(all.split("state-succeeded")).toHaveLength(2);
    expect(frames.length).toBeGreaterThan(4);
    expect(frames.at(-1)?.data).toContain("w1 w2 w3");
  });

  test("begins in mid-run with the whole answer so far", async () => {
    const id = await makeAgent();
    await start(id, "chatty=60 slow=20");
    await waitFor(async () => (await (await server.fetch(`/agents/${id}`)).text()).includes("w4 w5"), {
      what: "five words",
    });

    const frames = await framesUntil(await streamAddress(id), settled);

    expect(frames[0]?.data).toMatch(/hx-target="#run_\w+" hx-swap="outerMorph"[\s\S]*w1 w2 w3 w4 w5/);
    expect(frames[1]?.data).not.toContain('aria-busy="true"');
  });

  test("sends only the open end of a long answer again", async () => {
    const id = await makeAgent();
    const paragraphs = Array.from({ length: 40 }, (_, index) => `Paragraph ${index}.\n\n`).join("");
    const reading = framesUntil(await streamAddress(id), settled);
    await start(id, `slow=10 ${paragraphs}`);

    const frames = await reading;

    const growing = frames.filter(({ data }) => data.includes("-frozen") && !data.includes("aria-busy"));
    const early =
      growing
        .map(({ data }) => data)
        .join("")
        .split("<p>Paragraph 3.</p>").length - 1;
    expect(growing.length).toBeGreaterThan(2);
    expect(early).toBeLessThanOrEqual(3);
  });

  test("goes on run after run", async () => {
    const id = await makeAgent();
    const seen = new Set<string>();
    const reading = framesUntil(await streamAddress(id), ({ data }) => {
      for (const word of ["one", "two", "three"]) if (data.includes(`You said: ${word}`)) seen.add(word);
      return seen.size === 3;
    });

    for (const word of ["one", "two", "three"]) await execute(id, word);

    await reading;
    expect([...seen]).toEqual(["one", "two", "three"]);
  });

  test("shows who waits, and the conversation anew when it was ended", async () => {
    const id = await makeAgent();
    const address = await streamAddress(id);
    const waiting = framesUntil(address, ({ data }) => data.includes("waits, place 2"));
    await start(id, "forever");
    await start(id, "second");
    await start(id, "third");
    await waiting;

    const ended = framesUntil(await streamAddress(id), ({ data }) =>
      data.includes("Nothing has been said yet"),
    );
    await server.fetch(`/api/agents/${id}/end-session?force=true`, { method: "POST" });

    expect((await ended).at(-1)?.data).toContain('hx-target="#conversation"');
  });

  test("tells that there is no such agent, and ends", async () => {
    const frames = await framesUntil("/agents/nobody/stream?after=", () => false);

    expect(frames).toHaveLength(1);
    expect(frames[0]?.data).toContain("nobody is gone");
  });
});
