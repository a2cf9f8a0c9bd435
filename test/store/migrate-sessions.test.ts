import { expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { migrate, readMigrations } from "../../src/store/migrate.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { made, makeFirstRelease } from "./first-release.ts";
import {
  answered,
  atMs,
  migrationsDir,
  reapStrays,
  storeOptions,
  temporaryDir,
  violationsOf,
} from "./fixture.ts";

/** A data directory as the second release left it, after `change` was done to its rows. */
function makeSecondRelease(dataDir: string, change: string): void {
  makeFirstRelease(dataDir);
  const database = new Database(join(dataDir, "headway.db"), { strict: true });
  migrate(database, readMigrations(migrationsDir).slice(0, 2), { backupsDir: dataDir, atMs });
  database.run(change);
  database.close();
}

function open(dataDir: string): Store {
  const result = openStore(storeOptions(dataDir));
  if (result.kind === "refused") throw new Error(result.message);
  return result.store;
}

test("where several conversations held one session, the newest goes on with it", async () => {
  using dir = temporaryDir();
  const { well, tool, dees } = made;
  makeSecondRelease(
    dir.path,
    `update conversations set cli_session_id = 'one', session_begun = 1, session_fingerprint = 'f';
     update conversations set updated_at = updated_at + 5 where id = '${tool.conversationId}'`,
  );

  const store = open(dir.path);
  const sessions = [well, tool, dees].map(
    ({ conversationId }) => store.findConversation(conversationId)!.cliSessionId,
  );

  expect(sessions).toEqual([null, "one", null]);
  expect(violationsOf(store, { recovered: false })).toEqual([]);
  await store.close();
});

test("conversations that held sessions of their own keep them, ended ones too", async () => {
  using dir = temporaryDir();
  const { well, tool } = made;
  makeSecondRelease(
    dir.path,
    `update conversations set cli_session_id = id, session_begun = 1, session_fingerprint = 'f';
     update conversations set status = 'ended' where id = '${well.conversationId}'`,
  );

  const store = open(dir.path);
  const heads = [well, tool].map(({ conversationId }) => store.findConversation(conversationId)!);

  expect(heads.map((head) => head.cliSessionId)).toEqual([well.conversationId, tool.conversationId]);
  await store.close();
});

test("two processes of a conversation that an earlier release left open end in recovery", async () => {
  using dir = temporaryDir();
  makeSecondRelease(dir.path, `select 1`);
  const store = open(dir.path);
  const before = store.listStrayProcesses();

  await reapStrays(store);
  await answered(store, { agentId: "cy" });

  expect(before.filter(({ agentId }) => agentId === "cy")).toHaveLength(2);
  expect(violationsOf(store, { recovered: false })).toEqual([]);
  await store.close();
});

test("what deleted conversations left behind goes: records of processes, and words in the index", async () => {
  using dir = temporaryDir();
  makeSecondRelease(
    dir.path,
    `insert into processes values (
       'proc_left', 1, 'conv_gone', 1, 4242, '99', 'boot', 'm', 'bwrap', 1, 2, 'turn_over', 0, null);
     insert into turns_search (rowid, content) values (999, 'plantedword');
     insert into turns_search (turns_search, rowid, content) values ('delete', 999, 'plantedword')`,
  );
  const inIndexBefore = wordsInIndex(dir.path);

  await open(dir.path).close();

  expect(inIndexBefore).toContain("plantedword");
  expect(wordsInIndex(dir.path)).not.toContain("plantedword");
  expect(readFileSync(join(dir.path, "headway.db")).includes("proc_left")).toBe(false);
});

/** The index's own pages as text. */
function wordsInIndex(dataDir: string): string {
  const database = new Database(join(dataDir, "headway.db"), { readonly: true });
  const rows = database.query<{ block: Uint8Array }, []>(`select block from turns_search_data`).all();
  database.close();
  return rows.map(({ block }) => Buffer.from(block).toString("latin1")).join("\n");
}
