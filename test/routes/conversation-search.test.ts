import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { ConversationListItem, Match } from "../../src/domain/conversation.ts";
import { expectJson } from "../helpers/http.ts";
import { jsonInit, quickClaude, startApp, type TestApp } from "../helpers/test-app.ts";

const said = {
  plain: "The quick brown fox jumps over the lazy dog",
  operators: "cats AND dogs OR birds NOT fish NEAR water",
  quoted: `she said "hello world" and 'goodbye'`,
  starred: "wild* cards ^start -minus +plus col:umn (paren) {brace}",
  unicode: "Köln liegt am Rhein, 東京 は日本, naïve café, Ёлка",
  marked: "private \ue000 marks inside \ue001 and \ufdd0 too",
  long: `${"filler ".repeat(400)}needle ${"filler ".repeat(400)}`,
  code: "const value = await fetch(`/api/runs/${id}`); // src/routes/access.ts",
};

let app: TestApp;
const idOf: Record<string, string> = {};

beforeAll(async () => {
  app = await startApp({ env: { HEADWAY_CLAUDE_PATH: quickClaude } });
  await app.makeAgent({ id: "anna" });
  await app.makeAgent({ id: "bert" });
  for (const [name, prompt] of Object.entries(said)) {
    idOf[name] = (await app.run("anna", prompt)).conversationId;
    await app.fetch("/api/agents/anna/end-session", jsonInit("POST", {}));
  }
  idOf["theirs"] = (await app.run("bert", "a fox of another agent")).conversationId;
});
afterAll(() => app[Symbol.asyncDispose]());

const search = async (q: string, more = "") =>
  (
    await expectJson<{ items: ConversationListItem[] }>(
      app.fetch,
      200,
      "GET",
      `/api/conversations?q=${encodeURIComponent(q)}${more}`,
    )
  ).items;
const found = async (q: string, more = "") => {
  const ids = new Set((await search(q, more)).map(({ id }) => id));
  return Object.keys(idOf).filter((name) => ids.has(idOf[name]!));
};
const matchedTexts = ({ snippet, ranges }: Match) => ranges.map(([from, to]) => snippet.slice(from, to));

describe("a search", () => {
  const searches: [q: string, names: string[]][] = [
    ["fox", ["plain", "theirs"]],
    ["FOX", ["plain", "theirs"]],
    ["quick dog", ["plain"]],
    ["quick cats", []],
    ["jum", ["plain"]],
    ["AND", ["operators", "quoted", "marked"]],
    ["cats AND dogs", ["operators"]],
    ["dogs OR nothing", []],
    ["NOT fish", ["operators"]],
    ["cats NEAR water", ["operators"]],
    ["NEAR(cats water)", []],
    [`"hello world"`, ["quoted"]],
    [`hello"`, ["quoted"]],
    [`"`, []],
    [`""`, []],
    ["*", []],
    ["wild*", ["starred"]],
    ["^start", ["starred"]],
    ["-minus", ["starred"]],
    ["col:umn", ["starred"]],
    ["content:fox", []],
    ["(paren)", ["starred"]],
    ["Köln", ["unicode"]],
    ["café", ["unicode"]],
    ["東京", ["unicode"]],
    ["ёлка", ["unicode"]],
    ["src/routes/access.ts", ["code"]],
    ["x'); drop table turns; --", []],
    ["\0", []],
    ["%", []],
    ["🦊", []],
  ];
  for (const [q, names] of searches) {
    test(`for ${JSON.stringify(q)} takes words for words`, async () => {
      const hits = await found(q);

      const ofWords = /[\p{L}\p{N}]/u.test(q);
      if (ofWords) expect(hits.toSorted()).toEqual(names.toSorted());
      else expect([0, Object.keys(idOf).length]).toContain(hits.length);
    });
  }

  test("with bytes that are no text finds nothing and is no bug", async () => {
    const statuses = await Promise.all(
      ["%ED%A0%80", "%ff", "%", "%00%00", "a%00b"].map(
        async (q) => (await app.fetch(`/api/conversations?q=${q}`)).status,
      ),
    );

    expect(statuses).toEqual(statuses.map(() => 200));
  });

  test("can be narrowed down to an agent", async () => {
    expect(await found("fox", "&agentId=anna")).toEqual(["plain"]);
    expect(await found("fox", "&agentId=bert")).toEqual(["theirs"]);
    expect(await found("fox", "&agentId=nobody")).toEqual([]);
  });

  test("comes in pages", async () => {
    const first = await expectJson<{ items: ConversationListItem[]; nextCursor: string }>(
      app.fetch,
      200,
      "GET",
      "/api/conversations?q=fox&limit=1",
    );
    const second = await search("fox", `&limit=1&cursor=${first.nextCursor}`);

    expect(first.items.map(({ id }) => id)).toEqual([idOf["theirs"]!]);
    expect(second.map(({ id }) => id)).toEqual([idOf["plain"]!]);
  });
});

describe("a match", () => {
  test("names its turn and marks the words in a snippet", async () => {
    const [item] = await search("quick dog", "&agentId=anna");
    const match = item?.matches?.[0];

    expect(item?.matches).toHaveLength(1);
    expect(match).toMatchObject({ seq: 1, turnId: expect.stringMatching(/^turn_/) as unknown as string });
    expect(match?.snippet).toBe(said.plain);
    expect(matchedTexts(match!)).toEqual(["quick", "dog"]);
  });

  test("marks the right place among characters of two units", async () => {
    const run = await app.run("bert", "🦊🦊 Größe 𝔘𝔫𝔦 ünïcödé badger 🦡 end");

    const [item] = await search("badger ünïcödé");

    expect(item?.id).toBe(run.conversationId);
    const texts = matchedTexts(item!.matches![0]!).map((text) => text.normalize("NFC"));
    expect(texts.toSorted()).toEqual(["badger", "ünïcödé"]);
  });

  test("of a long turn is a short piece around the word", async () => {
    const [item] = await search("needle");
    const match = item!.matches![0]!;

    expect(match.snippet.length).toBeLessThanOrEqual(200);
    expect(matchedTexts(match)).toEqual(["needle"]);
  });

  test("is right also where the text holds the marks that we use ourselves", async () => {
    const [item] = await search("inside");

    expect(item?.id).toBe(idOf["marked"]);
    expect(matchedTexts(item!.matches![0]!)).toEqual(["inside"]);
  });

  test("isn't there without a search", async () => {
    const { items } = await expectJson<{ items: ConversationListItem[] }>(
      app.fetch,
      200,
      "GET",
      "/api/conversations",
    );

    expect(items.every((item) => item.matches === undefined)).toBe(true);
  });
});

describe("a list of conversations", () => {
  const listed = async (query: string) => {
    const path = `/api/conversations?limit=100&${query}`;
    const { items } = await expectJson<{ items: ConversationListItem[] }>(app.fetch, 200, "GET", path);
    return items.map(({ id }) => id);
  };
  const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);
  const dayMs = 86_400_000;

  test("can be narrowed down by CLI, state and time, each alone and all together with a search", async () => {
    const everything = await listed("");
    const today = Date.now();
    const together = `q=fox&agentId=bert&cli=claude&state=active&from=${day(today - dayMs)}`;

    expect(await listed("cli=claude")).toEqual(everything);
    expect(await listed("cli=gemini")).toEqual([]);
    expect(await listed("state=running")).toEqual([]);
    expect(await listed("state=failed")).toEqual([]);
    expect(await listed("state=active")).toHaveLength(1);
    expect(await listed("state=ended")).toHaveLength(everything.length - 1);
    expect(await listed(`from=${day(today - dayMs)}&to=${day(today + dayMs)}`)).toEqual(everything);
    expect(await listed(`to=${day(today - 2 * dayMs)}`)).toEqual([]);
    expect(await listed(`from=${new Date(today + 60_000).toISOString()}`)).toEqual([]);
    expect(await listed(together)).toEqual([idOf["theirs"]!]);
    expect(await listed(`${together}&to=${day(today - dayMs)}`)).toEqual([]);
  });

  test("takes a date for the whole day, and a time as it is, with any offset", async () => {
    const { updatedAt } = await expectJson<ConversationListItem>(
      app.fetch,
      200,
      "GET",
      `/api/conversations/${idOf["plain"]}`,
    );
    const atMs = Date.parse(updatedAt);
    const isListed = async (query: string) => (await listed(query)).includes(idOf["plain"]!);
    const inTokyo = `${new Date(atMs + 9 * 3_600_000).toISOString().slice(0, -1)}%2B09:00`;

    expect(await isListed(`from=${day(atMs)}&to=${day(atMs)}`)).toBe(true);
    expect(await isListed(`from=${updatedAt}`)).toBe(true);
    expect(await isListed(`to=${updatedAt}`)).toBe(false);
    expect(await isListed(`from=${inTokyo}`)).toBe(true);
    expect(await isListed(`to=${inTokyo}`)).toBe(false);
    expect(await isListed(`from=${new Date(atMs + 1).toISOString()}`)).toBe(false);
  });

  const bad: [query: string, path: string][] = [
    ["cli=cobol", "cli"],
    ["cli=", "cli"],
    ["state=asleep", "state"],
    ["state=active&state=ended", "state"],
    ["from=yesterday", "from"],
    ["from=2026-02-30", "from"],
    ["from=2026-01-01T08:00:00", "from"],
    ["to=1767225600000", "to"],
    ["to=", "to"],
    ["from=2026-01-02&to=2026-01-01", "to"],
    ["from=2026-01-01T08:00:00Z&to=2026-01-01T08:00:00Z", "to"],
  ];
  test.each(bad)("refuses %s and says where", async (query, path) => {
    const problem = await expectJson<{ code: string; errors: { path: string; message: string }[] }>(
      app.fetch,
      422,
      "GET",
      `/api/conversations?${query}`,
    );

    expect(problem.code).toBe("invalid");
    expect(problem.errors.map((error) => error.path)).toEqual([path]);
    expect(problem.errors[0]!.message).not.toBe("");
  });
});

test("conversations are listed as running while a run waits or is in progress, and as failed after one failed", async () => {
  await using busy = await startApp();
  for (const id of ["anna", "bert", "carl"]) await busy.makeAgent({ id });
  const failed = await busy.run("anna", "is-error=no");
  await busy.run("carl", "hello");
  const active = await busy.submit("bert", "forever");
  const waiting = await busy.submit("bert", "hello");
  const agents = async (state: string) => {
    const path = `/api/conversations?state=${state}`;
    const { items } = await expectJson<{ items: ConversationListItem[] }>(busy.fetch, 200, "GET", path);
    return items.map((item) => item.agentId);
  };

  const whileRunning = [await agents("running"), await agents("failed")];
  await busy.fetch(`/api/agents/bert/cancel`, jsonInit("POST", { queued: true }));
  await busy.waitForState(active.id, "cancelled");
  await busy.waitForState(waiting.id, "cancelled");

  expect(failed.state).toBe("failed");
  expect(whileRunning).toEqual([["bert"], ["anna"]]);
  expect([await agents("running"), await agents("failed")]).toEqual([[], ["anna"]]);
});
