import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Turn } from "../../src/domain/conversation.ts";
import { expectJson } from "../helpers/http.ts";
import { fakeClaude, jsonInit, startApp, type TestApp } from "../helpers/test-app.ts";

const runs = 48;

let app: TestApp;
let longId: string;
let turns: Turn[];

const page = async (path: string) => (await app.fetch(path)).text();
const post = (path: string, fields: Record<string, string> = {}) =>
  app.fetch(path, { method: "POST", body: new URLSearchParams(fields) });
const endSession = (agentId: string) => app.fetch(`/api/agents/${agentId}/end-session`, jsonInit("POST", {}));
/** The first and the last turn that an answer shows, and how many. */
const seqsIn = (html: string) => {
  const seqs = [...html.matchAll(/id="(turn_\w+)"/g)].map(
    ([, id]) => turns.find((turn) => turn.id === id)?.seq,
  );
  return { first: seqs[0], last: seqs.at(-1), count: seqs.length };
};
const linkTo = (html: string, text: string) =>
  new RegExp(`href="([^"]*)">${text}</a>`).exec(html)?.[1]?.replaceAll("&amp;", "&");

beforeAll(async () => {
  app = await startApp({ env: { HEADWAY_CLAUDE_PATH: fakeClaude } });
  await app.makeAgent({ id: "anna" });
  for (let n = 1; n <= runs; n++) longId = (await app.run("anna", `question ${n}`)).conversationId;
  ({ turns } = await expectJson<{ turns: Turn[] }>(
    app.fetch,
    200,
    "GET",
    `/api/conversations/${longId}?limit=500`,
  ));
}, 60_000);
afterAll(() => app[Symbol.asyncDispose]());

describe("reading a long conversation", () => {
  test("begins with its newest turns", async () => {
    const html = await page(`/conversations/${longId}`);

    expect(seqsIn(html)).toEqual({ first: 57, last: 96, count: 40 });
    expect(html).toContain("Turns 57–96 of 96");
    expect(html).toContain("<h1><bdi>question 1</bdi></h1>");
    expect(html).toContain("You said: question 48");
    for (const fact of ["Claude Code", "96 turns", "active", 'href="/agents/anna"'])
      expect(html).toContain(fact);
  });

  test("opens at a turn, with what was said before and after, and the turn's own anchor", async () => {
    const turn = turns[49]!;

    const html = await page(`/conversations/${longId}?at=${turn.seq}`);

    expect(seqsIn(html)).toEqual({ first: 29, last: 70, count: 42 });
    expect(html.split(`id="${turn.id}"`)).toHaveLength(2);
  });

  test("goes to older turns and back by links, without leaving one out", async () => {
    const newest = await page(`/conversations/${longId}`);
    const older = await page(linkTo(newest, "older")!);
    const oldest = await page(linkTo(older, "older")!);
    const newer = await page(linkTo(oldest, "newer")!);

    expect(linkTo(newest, "newer")).toBeUndefined();
    expect(linkTo(newest, "older")).toBe(`/conversations/${longId}?before=57#turns-end`);
    expect(newest).toContain('id="turns-end"');
    expect(seqsIn(older)).toEqual({ first: 17, last: 56, count: 40 });
    expect(seqsIn(oldest)).toEqual({ first: 1, last: 16, count: 16 });
    expect(linkTo(oldest, "older")).toBeUndefined();
    expect(seqsIn(newer)).toEqual({ first: 17, last: 56, count: 40 });
    expect(seqsIn(await page(linkTo(newest, "first")!))).toEqual({ first: 1, last: 40, count: 40 });
    expect(seqsIn(await page(linkTo(oldest, "newest")!))).toEqual({ first: 57, last: 96, count: 40 });
  });

  test("takes a place that isn't one for the newest turns", async () => {
    for (const place of ["at=9999999999999999999", "at=-1", "at=x", "before=%00", "at=500"])
      expect(seqsIn(await page(`/conversations/${longId}?${place}`))).toMatchObject({ last: 96 });
  });

  test("offers its export and its command, and leads to the chat while it is the active one", async () => {
    const html = await page(`/conversations/${longId}`);

    for (const format of ["md", "json", "jsonl"])
      expect(html).toContain(`href="/api/conversations/${longId}/export?format=${format}"`);
    expect(html).toMatch(/<code id="resume-command">cd \S+ &amp;&amp; claude --resume [\w-]{36}<\/code>/);
    expect(html).toContain("Open the chat with anna");
    expect(html).not.toContain("Take this conversation up again");
  });
});

describe("a conversation's state", () => {
  test("that has ended can be taken up again by a message", async () => {
    await app.makeAgent({ id: "ended" });
    const { conversationId } = await app.run("ended", "first words");
    await endSession("ended");

    const html = await page(`/conversations/${conversationId}`);

    expect(html).toContain('<form class="take-up stack" method="post" action="/agents/ended/turns">');
    expect(html).toContain(`<input type="hidden" name="conversationId" value="${conversationId}"/>`);
    expect(html).toMatch(/<input type="hidden" name="key" value="[\w-]{8,}"\/>/);
    expect(html).not.toContain("Open the chat");
  });

  test("is the chat's once more after such a message", async () => {
    await app.makeAgent({ id: "again" });
    const { conversationId } = await app.run("again", "first words");
    await endSession("again");
    await app.run("again", "words of a newer conversation");

    const answer = await post("/agents/again/turns", {
      prompt: "recall",
      key: "a-key-of-the-form",
      conversationId,
    });

    expect([answer.status, answer.headers.get("location")]).toEqual([303, "/agents/again#newest"]);
    const html = await page(`/conversations/${conversationId}`);
    expect(html).toContain("Open the chat with again");
    expect(html).not.toContain("Take this conversation up again");
  });

  test("of a deleted agent is to be read, whoever has its name now", async () => {
    await app.makeAgent({ id: "twice" });
    const { conversationId } = await app.run("twice", "words of the first");
    await app.fetch("/api/agents/twice", { method: "DELETE" });
    await app.makeAgent({ id: "twice" });

    const html = await page(`/conversations/${conversationId}`);

    expect(html).toContain("You said: words of the first");
    expect(html).toContain("twice was deleted, so this conversation can&#39;t be taken up again here.");
    expect(html).not.toContain('action="/agents/twice/turns"');
    expect(html).toContain("claude --resume");
  });

  test("that goes on shows what is settled and the way to the chat", async () => {
    await app.makeAgent({ id: "busy" });
    const { conversationId } = await app.run("busy", "settled words");
    const run = await app.submit("busy", "forever");
    await app.waitForState(run.id, "running");

    const html = await page(`/conversations/${conversationId}`);

    expect(html).toContain("You said: settled words");
    expect(html).toContain("Follow it in the chat");
    expect(html).not.toContain('class="turn answer live"');
    await app.fetch(`/api/runs/${run.id}/cancel`, { method: "POST" });
  });

  test("without an answer to its only message shows the message and why", async () => {
    await app.makeAgent({ id: "failing" });
    const run = await app.run("failing", "exit=3");

    const html = await page(`/conversations/${run.conversationId}`);

    expect(html).toContain("last run failed");
    expect(html).toContain("exit_nonzero");
    expect(html).toContain("Claude Code has confirmed no session of it yet.");
  });

  test("with hostile words in all places shows them as they are", async () => {
    const hostile = `"><script>alert(1)</script>\u202e <img src=x onerror=alert(1)>`;
    await app.makeAgent({ id: "hostile", metadata: { [hostile]: hostile }, model: "m[1]" });
    const { conversationId } = await app.run("hostile", hostile);

    const html = await page(`/conversations/${conversationId}`);

    expect(html).not.toContain("<script>alert");
    expect(html).not.toContain("<img src=x");
    expect(html).toContain("<h1><bdi>&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;\u202e &lt;img");
    expect(/<title>[^<]*<\/title>/.exec(html)?.[0]).not.toContain("\u202e");
  });
});

describe("deleting a conversation", () => {
  test("is told of with its consequences, done by a form, and leads to the others", async () => {
    await app.makeAgent({ id: "short" });
    const { conversationId } = await app.run("short", "to be deleted");
    const path = `/conversations/${conversationId}`;
    const html = await page(path);

    const answer = await post(`${path}/delete`);

    expect(html).toContain(
      "What was said in it (2 turns), its runs, their events and logs are deleted for good.",
    );
    expect(html).toContain(`<form class="card stack" method="post" action="${path}/delete">`);
    expect([answer.status, answer.headers.get("location")]).toEqual([303, "/conversations"]);
    expect((await app.fetch(path)).status).toBe(404);
  });

  test("while a run of it goes on is refused on its own page, unfolded", async () => {
    await app.makeAgent({ id: "working" });
    const run = await app.submit("working", "forever");
    await app.waitForState(run.id, "running");

    const answer = await post(`/conversations/${run.conversationId}/delete`);

    const html = await answer.text();
    expect(answer.status).toBe(409);
    expect(html).toContain("Runs of this conversation are queued or in progress.");
    expect(html).toContain('<details class="manage" open="">');
    expect((await app.fetch(`/conversations/${run.conversationId}`)).status).toBe(200);
    await app.fetch(`/api/runs/${run.id}/cancel`, { method: "POST" });
  });

  test("that isn't there, like reading it, says so and leads to the search", async () => {
    const answers = [
      await app.fetch("/conversations/conv_none"),
      await post("/conversations/conv_none/delete"),
    ];

    for (const answer of answers) {
      const html = await answer.text();
      expect(answer.status).toBe(404);
      expect(html).toContain("It was deleted, or the address was cut short on its way here.");
      expect(html).toContain('<a href="/conversations">Search the conversations</a>');
    }
  });
});
