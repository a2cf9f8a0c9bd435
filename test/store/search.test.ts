import { expect, test } from "bun:test";
import fc from "fast-check";
import { matchQueryOf, trimmed, unmarked } from "../../src/store/search.ts";
import { answered, openTestStore, queued, settings, type TestStore } from "./fixture.ts";

function search(
  at: TestStore,
  words: string,
  over: { agentId?: string; limit?: number; cursor?: string | null } = {},
) {
  const { agentId = null, limit = 10, cursor = null } = over;
  return at.store.listConversations({ limit, cursor, agentId, words });
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

test("a turn that holds the marks themselves still has true ranges", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  await answered(at.store, { prompt: "a \u{fdd0}trap\u{fdd1} and a needle" });

  const [match] = search(at, "needle").items[0]!.matches!;

  expect(match!.ranges.map(([from, to]) => match!.snippet.slice(from, to))).toEqual(["needle"]);
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
