import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { join } from "node:path";
import fc from "fast-check";
import { searchedCharsMax } from "../../src/domain/conversation.ts";
import { matchQueryOf } from "../../src/store/search.ts";
import { trimmed, unmarked } from "../../src/store/snippets.ts";
import type { ConversationFilter, PageRequest } from "../../src/domain/ports.ts";
import {
  answered,
  atMs,
  importConversations,
  openTestStore,
  queued,
  settings,
  wanted,
  type TestStore,
} from "./fixture.ts";

function search(at: TestStore, words: string, over: Partial<PageRequest & ConversationFilter> = {}) {
  return at.store.listConversations(wanted({ words, ...over }));
}

test("words are found in questions and answers, and shown where they stand", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const run = await answered(
    at.store,
    { prompt: "Where is the blue door?" },
    { content: "The Blue Door is in the hall." },
  );

  const [found] = search(at, "blue door").items;

  expect(found).toMatchObject({ id: run.conversationId, title: "Where is the blue door?" });
  expect(found!.matches!.map((match) => match.seq)).toEqual([2, 1]);
  const [answer] = found!.matches!;
  expect(answer!.ranges.map(([from, to]) => answer!.snippet.slice(from, to))).toEqual(["Blue", "Door"]);
});

test("all words must be there, the last as the beginning of one, without regard to accents", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  await answered(at.store, { prompt: "un élève studieux" });

  const counts = ["eleve stud", "stud eleve", "tud", "eleve door", "ÉLÈVE"].map(
    (words) => search(at, words).items.length,
  );

  expect(counts).toEqual([1, 0, 0, 0, 1]);
});

test("at most the three newest turns of a conversation are shown, and waiting ones are not found", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  for (let index = 0; index < 4; index += 1) await answered(at.store, { prompt: `needle ${index}` });
  await queued(at.store, { prompt: "needle waiting" });

  const [found] = search(at, "needle").items;

  expect(found!.matches!.map((match) => match.snippet)).toEqual(["needle 3", "needle 2", "needle 1"]);
});

test("search goes by agent and in pages", async () => {
  await using at = openTestStore();
  for (const agent of ["ada", "bob"]) await at.store.createAgent(settings({ id: agent }));
  await answered(at.store, { prompt: "needle" });
  await answered(at.store, { prompt: "needle", agentId: "bob" });

  const first = search(at, "needle", { limit: 1 });
  const second = search(at, "needle", { limit: 1, cursor: first.nextCursor });

  expect([...first.items, ...second.items].map((item) => item.agentId)).toEqual(["bob", "ada"]);
  expect(second.nextCursor).toBeNull();
  expect(search(at, "needle", { agentId: "ada" }).items).toHaveLength(1);
});

test("a word that stands in thousands of turns finds all conversations in order, with their newest turns", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  await at.store.createAgent(settings({ id: "bob" }));
  const { conversationId: bobs } = await answered(at.store, { agentId: "bob", prompt: "needle of bob" });
  const long = Array.from({ length: 2_100 }, (_, index) => `needle ${index + 1}`);
  importConversations(at, [
    { id: "conv_old", turns: ["needle", "hay"], updatedAtMs: 10 },
    { id: "conv_hay", turns: ["hay"], updatedAtMs: 20 },
    { id: "conv_long", turns: long, updatedAtMs: atMs },
    { id: "conv_new", turns: ["hay", "a needle"], updatedAtMs: atMs + 9_000 },
  ]);

  const all = search(at, "needle").items;
  const pages = [search(at, "needle", { limit: 3 }), search(at, "needle", { limit: 3, agentId: "ada" })];

  const shown = all.map((item) => [item.id, item.matches!.map((match) => match.snippet)]);
  expect(shown).toEqual([
    ["conv_new", ["a needle"]],
    [bobs, ["needle of bob"]],
    ["conv_long", ["needle 2100", "needle 2099", "needle 2098"]],
    ["conv_old", ["needle"]],
  ]);
  expect(pages.map((page) => page.items.map((item) => item.id))).toEqual([
    ["conv_new", bobs, "conv_long"],
    ["conv_new", "conv_long", "conv_old"],
  ]);
  expect(search(at, "needle", { limit: 3, cursor: pages[0]!.nextCursor }).items).toEqual(all.slice(3));
  expect(search(at, "needle", { toMs: 15 }).items.map((item) => item.id)).toEqual(["conv_old"]);
  expect(search(at, "needle hay").items).toEqual([]);
});

test("one or two letters at the end are a word of their own, but for scripts that write words in one", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  await answered(at.store, { prompt: "go golang gopher 東京都" });

  const counts = ["go", "g", "gol", "東", "東京"].map((words) => search(at, words).items.length);

  expect(counts).toEqual([1, 0, 1, 1, 1]);
});

test("a turn that holds the marks themselves still has true ranges", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  await answered(at.store, { prompt: "a \u{fdd0}trap\u{fdd1} and a needle" });

  const [match] = search(at, "needle").items[0]!.matches!;

  expect(match!.ranges.map(([from, to]) => match!.snippet.slice(from, to))).toEqual(["needle"]);
});

/** A text in which `word` ends where the search does, and `behind` comes after it. */
function longText(first: string, word: string, behind: string): string {
  const hay = "hay ".repeat(searchedCharsMax / 4);
  return `${first} ${hay}`.slice(0, searchedCharsMax - word.length - 1) + ` ${word} ${behind}`;
}

/** What SQLite says of an index that isn't what the turns' texts make of it. */
function checkIndex({ dataDir }: TestStore): void {
  using database = new Database(join(dataDir, "headway.db"));
  database.run("pragma busy_timeout = 2000");
  database.run("insert into turns_search (turns_search, rank) values ('integrity-check', 1)");
}

test("of a very long turn the beginning is searched, and its text is kept whole", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const [prompt, content] = [
    longText("harbour", "pier", "lighthouse"),
    longText("forest", "birch", "clearing"),
  ];

  const run = await answered(at.store, { prompt }, { content });

  const words = ["harbour", "pier", "lighthouse", "forest", "birch", "clearing"];
  expect(words.map((word) => search(at, word).items.length)).toEqual([1, 1, 0, 1, 1, 0]);
  expect(at.store.getRun(run.id)).toMatchObject({ prompt, content });
  expect(() => checkIndex(at)).not.toThrow();
  expect(at.violations()).toEqual([]);
});

test("a very long turn leaves the index as it came", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const { conversationId } = await answered(at.store, {}, { content: longText("forest", "birch", "hill") });
  await at.store.endActiveConversation("ada", atMs);
  await answered(at.store, { prompt: "birch and hill" });

  await at.store.removeConversation(conversationId);

  expect(search(at, "birch").items.map((item) => item.title)).toEqual(["birch and hill"]);
  expect(() => checkIndex(at)).not.toThrow();
  expect(at.violations()).toEqual([]);
});

test("of a long turn the piece is shown in which most of the words stand together", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const hay = "hay ".repeat(2_000);
  await answered(at.store, {}, { content: `Blue ${hay} the blue Door, a door ${hay} door` });

  const [match] = search(at, "blue door").items[0]!.matches!;

  expect(match!.snippet).toStartWith("…");
  expect(match!.snippet).toContain("the blue Door, a door");
  expect(match!.snippet.length).toBeLessThanOrEqual(200);
  expect(match!.ranges.map(([from, to]) => match!.snippet.slice(from, to))).toEqual(["blue", "Door", "door"]);
});

test("of a long turn whose words stand far apart, or in one line without a space, a piece with some of them is shown", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const hay = "hay ".repeat(2_000);
  await answered(at.store, {}, { content: `A harbour ${hay} lighthouse ${hay} and the harbour` });
  await answered(at.store, {}, { content: `${"0,".repeat(4_000)}needle,${"0,".repeat(4_000)}` });

  const matches = ["harbour lighthouse", "needle"].map((words) => search(at, words).items[0]!.matches![0]!);

  const marked = matches.map(({ snippet, ranges }) => ranges.map(([from, to]) => snippet.slice(from, to)));
  expect(marked).toEqual([["lighthouse"], ["needle"]]);
  for (const { snippet } of matches) expect(snippet).toStartWith("…");
});

test("a piece of a long turn is marked as one, and is cut between characters", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const hay = "hay ".repeat(1_024);
  const texts = [`${hay}needle and thread ${hay}`, `x${"👩".repeat(515)} pin ${hay}`];
  for (const content of texts) await answered(at.store, {}, { content });

  const [needle, pin] = ["needle", "pin"].map((words) => search(at, words).items[0]!.matches![0]!.snippet);

  expect(needle).toStartWith("…needle and thread hay");
  expect(texts[1]).toContain(pin!.replaceAll("…", ""));
});

test("whatever is looked for in a long turn, its snippet is a piece of it with true ranges", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const words = ["Straße", "naïve", "東京都", "👩‍🚀 crew", 'say "hi"', "x1", "foo-bar", "NEAR(a b)", "- OR *"];
  const arbitraryText = fc
    .array(fc.oneof(fc.constantFrom(...words), fc.string({ unit: "binary", maxLength: 12 })), {
      minLength: 40,
    })
    .map((parts) => parts.join(" ").repeat(60).replaceAll("\0", "").toWellFormed());

  await fc.assert(
    fc.asyncProperty(arbitraryText, fc.subarray(words, { minLength: 1 }), async (content, wordsAsked) => {
      await answered(at.store, {}, { content: `${content} ${words.join(" ")}` });

      const [match] = search(at, wordsAsked.join(" "), { limit: 1 }).items[0]!.matches!;

      const { snippet, ranges } = match!;
      expect(`${content} ${words.join(" ")}`).toContain(snippet.replace(/^…/, "").replace(/…$/, ""));
      expect(snippet.length).toBeLessThanOrEqual(200);
      expect(ranges.length).toBeGreaterThan(0);
      for (const [from, to] of ranges) expect(snippet.slice(from, to)).toMatch(/[\p{L}\p{N}]/u);
    }),
    { numRuns: 40 },
  );
});

test("blank words list everything; words without a letter or a digit find nothing", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  await answered(at.store);

  expect(search(at, "   ").items).toHaveLength(1);
  expect(search(at, '"* ( ) - :').items).toEqual([]);
});

test("nothing that somebody types is query syntax", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  await answered(at.store, { prompt: "NEAR and OR and NOT" });

  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.string({ unit: "binary" }),
        fc.constantFrom('a" OR "b', "NEAR(a b)", "content:x", "a AND", "^a", "{a b}: c", "a*b"),
      ),
      (words) => {
        expect(Array.isArray(search(at, words).items)).toBe(true);
      },
    ),
    { numRuns: 200 },
  );
});

test("words become quoted strings", () => {
  expect(matchQueryOf('say "hi" now')).toBe('"say" """hi""" "now"*');
  expect(matchQueryOf("is it")).toBe('"is" "it"');
  expect(matchQueryOf("src/routes/a")).toBe('"src/routes/a"');
  expect(matchQueryOf("--- ***")).toBeNull();
});

test("a snippet is at most 200 characters long, keeps the first match and cuts no character in half", () => {
  const mark = ["\u{fdd0}", "\u{fdd1}"] as const;
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme", maxLength: 400 }),
      fc.string({ unit: "grapheme", minLength: 1, maxLength: 10 }),
      fc.string({ unit: "grapheme", maxLength: 400 }),
      (before, word, after) => {
        const { snippet, ranges } = trimmed(
          unmarked(`${before}${mark[0]}${word}${mark[1]}${after}`, ...mark),
        );

        expect(snippet.length).toBeLessThanOrEqual(200);
        expect(snippet.isWellFormed()).toBe(true);
        expect(ranges.map(([from, to]) => snippet.slice(from, to))).toEqual([word]);
      },
    ),
  );
});
