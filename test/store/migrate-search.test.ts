import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { join } from "node:path";
import { searchedCharsMax } from "../../src/domain/conversation.ts";
import { migrate, readMigrations } from "../../src/store/migrate.ts";
import { openStore } from "../../src/store/store.ts";
import { makeFirstRelease } from "./first-release.ts";
import {
  atMs,
  importConversations,
  migrationsDir,
  storeOptions,
  temporaryDir,
  violationsOf,
  wanted,
} from "./fixture.ts";

/** A data directory as the release left it that indexed every turn whole. */
function makeSixthRelease(dataDir: string, turn: string): void {
  makeFirstRelease(dataDir);
  const database = new Database(join(dataDir, "headway.db"), { strict: true });
  migrate(database, readMigrations(migrationsDir).slice(0, 6), { backupsDir: dataDir, atMs });
  database.close();
  importConversations({ dataDir }, [{ id: "conv_long", turns: [turn, "short"], updatedAtMs: atMs }]);
}

/** Words that the index holds. */
function wordsInIndex(dataDir: string): string[] {
  const database = new Database(join(dataDir, "headway.db"));
  database.run("pragma busy_timeout = 2000");
  database.run("create virtual table temp.words using fts5vocab (main, turns_search, row)");
  const rows = database.query<{ term: string }, []>("select term from temp.words").all();
  database.close();
  return rows.map(({ term }) => term);
}

test("a long turn that was indexed whole is found by its beginning, and leaves with all its words", async () => {
  using dir = temporaryDir();
  makeSixthRelease(dir.path, `harbour ${"hay ".repeat(searchedCharsMax / 4)} lighthouse`);
  const wordsBefore = wordsInIndex(dir.path);

  const result = openStore(storeOptions(dir.path));
  if (result.kind === "refused") throw new Error(result.message);
  const { store } = result;
  const found = ["harbour", "lighthouse", "short", "hello"].map(
    (words) => store.listConversations(wanted({ words })).items.length,
  );
  const violations = violationsOf(store, { recovered: false });
  await store.removeConversation("conv_long");
  await store.close();

  expect(wordsBefore).toContain("lighthouse");
  expect(found).toEqual([1, 0, 1, 4]);
  expect(violations).toEqual([]);
  expect(wordsInIndex(dir.path)).not.toContain("harbour");
  expect(wordsInIndex(dir.path)).toContain("hello");
});
