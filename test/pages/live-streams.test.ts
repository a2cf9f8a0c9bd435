import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { expectJson } from "../helpers/http.ts";
import { followingOf, type LiveFrame, openLiveStream } from "../helpers/live-stream.ts";
import { startServer, type TestServer } from "../helpers/server-process.ts";
import { waitFor } from "../helpers/wait.ts";

const fakeClaude = join(import.meta.dir, "..", "fixtures", "bin", "fake-claude");

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
const pageOf = (id: string) => followingOf(server.fetch, `/agents/${id}`);
const settled = ({ html }: LiveFrame) => html.includes("state-succeeded");
const allOf = (frames: readonly LiveFrame[]) => frames.map(({ html }) => html).join("\n");

describe("a page of an agent that is followed", () => {
  test("isn't sent again what it shows already", async () => {
    const id = await makeAgent();
    await execute(id, "the first message");
    await using stream = await openLiveStream(server.fetch, [await pageOf(id)]);

    const [first] = await stream.until(() => true);

    expect(first?.html).toContain('hx-target="#agent-status"');
    expect(first?.html).not.toContain("the first message");
  });

  test("is sent everything when the server knows nothing of what it shows", async () => {
    const id = await makeAgent();
    await execute(id, "the first message");
    const cursor = "of another time";
    await using stream = await openLiveStream(server.fetch, [{ view: `agent/${id}`, cursor }]);

    const [first] = await stream.until(() => true);

    expect(first?.html).toContain('hx-target="#conversation" hx-swap="outerHTML"');
    expect(first?.html).toContain("You said: the first message");
  });

  test("gets a message, its growing answer and its end, each once, and the news of it", async () => {
    const id = await makeAgent();
    await using stream = await openLiveStream(server.fetch, [await pageOf(id)]);
    await start(id, "chatty=40 slow=15");

    const frames = await stream.until(settled);

    const all = allOf(frames);
    expect(all.split('class="turn user"')).toHaveLength(2);
    expect(all.split('aria-busy="true"')).toHaveLength(2);
    expect(all.split("state-succeeded")).toHaveLength(2);
    expect(frames.length).toBeGreaterThan(4);
    expect(frames.flatMap(({ news }) => news)).toMatchObject([{ agentId: id, state: "succeeded" }]);
  });

  test("keeps the words that it has when an answer ends as it was streamed", async () => {
    const id = await makeAgent();
    await using stream = await openLiveStream(server.fetch, [await pageOf(id)]);
    await start(id, `slow=5 ${"A paragraph.\n\n".repeat(20)}The end.`);

    const frames = await stream.until(settled);

    const last = frames.at(-1)?.html ?? "";
    expect(last).toMatch(/hx-swap="outerMorph"[\s\S]*hx-morph-skip-children=""><\/div>/);
    expect(last.split("A paragraph.").length).toBeLessThan(20);
  });

  test("gets the whole answer so far when it comes in mid-run", async () => {
    const id = await makeAgent();
    await start(id, "chatty=60 slow=20");
    await waitFor(async () => (await (await server.fetch(`/agents/${id}`)).text()).includes("w4 w5"), {
      what: "five words",
    });
    await using stream = await openLiveStream(server.fetch, [await pageOf(id)]);

    const frames = await stream.until(settled);

    expect(frames[0]?.html).toMatch(/hx-target="#run_\w+" hx-swap="outerHTML"[\s\S]*w1 w2 w3 w4 w5/);
    expect(allOf(frames.slice(1))).not.toContain('aria-busy="true"');
  });

  test("is sent only the open end of a long answer again", async () => {
    const id = await makeAgent();
    const paragraphs = Array.from({ length: 40 }, (_, index) => `Paragraph ${index}.\n\n`).join("");
    await using stream = await openLiveStream(server.fetch, [await pageOf(id)]);
    await start(id, `slow=10 ${paragraphs}`);

    const frames = await stream.until(settled);

    const growing = frames.filter(({ html }) => html.includes("-frozen") && !html.includes("aria-busy"));
    expect(growing.length).toBeGreaterThan(2);
    expect(allOf(growing).split("<p>Paragraph 3.</p>").length - 1).toBeLessThanOrEqual(3);
  });

  test("goes on run after run", async () => {
    const id = await makeAgent();
    await using stream = await openLiveStream(server.fetch, [await pageOf(id)]);
    const words = ["one", "two", "three"];

    for (const word of words) await execute(id, word);

    const missing = new Set(words);
    await stream.until(({ html }) => {
      for (const word of words) if (html.includes(`You said: ${word}`)) missing.delete(word);
      return missing.size === 0;
    });
  });

  test("shows who waits, and the conversation anew when it was ended", async () => {
    const id = await makeAgent();
    await using stream = await openLiveStream(server.fetch, [await pageOf(id)]);
    for (const prompt of ["forever", "second", "third"]) await start(id, prompt);
    await stream.until(({ html }) => html.includes("waits, place 2"));

    await server.fetch(`/api/agents/${id}/end-session?force=true`, { method: "POST" });

    const frames = await stream.until(({ html }) => html.includes("Nothing has been said yet"));
    expect(frames.at(-1)?.html).toContain('hx-target="#conversation"');
  });

  test("is told when the agent is gone, and followed no longer", async () => {
    const id = await makeAgent();
    await using stream = await openLiveStream(server.fetch, [await pageOf(id)]);

    await server.fetch(`/api/agents/${id}`, { method: "DELETE" });

    const frames = await stream.until(({ gone }) => gone);
    expect(frames.at(-1)?.html).toContain(`${id} is gone`);
  });
});

describe("the one stream of a browser", () => {
  test("carries many tabs, of one agent and of several", async () => {
    const [anna, ben] = [await makeAgent(), await makeAgent()];
    const tabs = [await pageOf(anna), await pageOf(anna), await pageOf(ben)];
    await using stream = await openLiveStream(server.fetch, tabs);

    await execute(anna, "to anna");
    await execute(ben, "to ben");

    const heard = new Set<string>();
    const frames = await stream.until(({ tab, html }) => {
      if (html.includes("You said:")) heard.add(tab);
      return heard.size === 3;
    });
    expect(allOf(frames.filter(({ tab }) => tab !== "2"))).not.toContain("to ben");
  });

  test("takes tabs in and lets them go while it is open", async () => {
    const [anna, ben] = [await makeAgent(), await makeAgent()];
    await using stream = await openLiveStream(server.fetch, [await pageOf(anna)]);

    const joined = await stream.follow("late", await pageOf(ben));
    await execute(ben, "to ben");
    const toBen = await stream.until(({ html }) => html.includes("You said: to ben"));
    const left = await stream.leave("late");
    await execute(ben, "again");
    await execute(anna, "to anna");
    const toAnna = await stream.until(({ html }) => html.includes("You said: to anna"));

    expect([joined.status, left.status]).toEqual([204, 204]);
    expect(toBen.at(-1)?.tab).toBe("late");
    expect(new Set(toAnna.map(({ tab }) => tab))).toEqual(new Set(["0"]));
  });

  test("says so when a tab shows what it can't follow", async () => {
    const views = ["nothing/here", "", "constructor/x", "__proto__/x"];
    const tabs = views.map((view) => ({ view, cursor: "" }));
    await using stream = await openLiveStream(server.fetch, tabs);

    const gone = new Set<string>();
    await stream.until((frame) => frame.gone && gone.add(frame.tab).size === views.length);

    expect(gone.size).toBe(views.length);
  });

  test("has an end to how many tabs it carries", async () => {
    await using stream = await openLiveStream(server.fetch, []);
    const id = await makeAgent();

    const answers: number[] = [];
    for (let tab = 0; tab < 65; tab++) {
      answers.push((await stream.follow(`${tab}`, { view: `agent/${id}`, cursor: "" })).status);
    }

    expect([answers[63], answers[64]]).toEqual([204, 429]);
  });

  test("that has ended takes no tabs", async () => {
    const stream = await openLiveStream(server.fetch, []);
    await stream[Symbol.asyncDispose]();

    const status = async () => (await stream.follow("0", { view: "agents/", cursor: "" })).status;

    await waitFor(async () => (await status()) === 404, { what: "the end of the stream" });
  });
});
