import { expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { openStore, type Store } from "../../src/store/store.ts";
import { made, makeFirstRelease } from "./first-release.ts";
import { answered, reapStrays, storeOptions, temporaryDir, violationsOf, wanted } from "./fixture.ts";

const tables = ["agents", "conversations", "turns", "runs", "run_events", "run_transitions", "idempotency"];

function open(dataDir: string): Store {
  const result = openStore(storeOptions(dataDir));
  if (result.kind === "refused") throw new Error(result.message);
  return result.store;
}

/** Every row of every table, but for the columns that a later migration added. */
function rowsOf(dataDir: string, columns: Record<string, string>): Record<string, unknown[]> {
  const database = new Database(join(dataDir, "headway.db"), { readonly: true });
  const rows = tables.map((table) => {
    return [table, database.query(`select ${columns[table]} from ${table} order by 1, 2`).all()];
  });
  database.close();
  return Object.fromEntries(rows) as Record<string, unknown[]>;
}

function columnsOf(dataDir: string): Record<string, string> {
  const database = new Database(join(dataDir, "headway.db"), { readonly: true });
  const names = tables.map((table) => {
    const columns = database.query(`select name from pragma_table_info('${table}')`).all() as {
      name: string;
    }[];
    return [table, columns.map((column) => column.name).join(", ")];
  });
  database.close();
  return Object.fromEntries(names) as Record<string, string>;
}

test("a database of the first release is brought up to date with nothing lost", async () => {
  using dir = temporaryDir();
  makeFirstRelease(dir.path);
  const columns = columnsOf(dir.path);
  const before = rowsOf(dir.path, columns);

  const store = open(dir.path);

  expect(rowsOf(dir.path, columns)).toEqual(before);
  expect(violationsOf(store, { recovered: false })).toEqual([]);
  expect(readdirSync(join(dir.path, "backups"))).toEqual([expect.stringMatching(/^before-0002-/)]);
  const listed = store.listConversations(wanted({ state: "failed" })).items.map((item) => item.id);
  expect(listed.toSorted()).toEqual([made.tool.conversationId, made.dees.conversationId].toSorted());
  expect(store.findToolCall(made.tool.runId, "t1")).toMatchObject({ name: "Bash", result: { output: "a" } });
  expect(store.glancesOf(["ada"]).get("ada")).toMatchObject({
    lastRun: { runId: made.well.id },
    lastLine: "Hello",
  });
  await store.close();
});

test("what was migrated is written on as if it had always been so", async () => {
  using dir = temporaryDir();
  makeFirstRelease(dir.path);
  const store = open(dir.path);
  const { conversationId } = made.tool;
  await reapStrays(store);

  await answered(store, { agentId: "bob" });
  await store.keepAnswerHtml({ key: made.tool.runId, conversationId, rendererVersion: 1, html: "x" });
  const kept = store.findAnswerHtml([made.tool.runId], 1).size;
  await store.removeConversation(conversationId);

  expect(kept).toBe(1);
  expect(store.findAnswerHtml([made.tool.runId], 1).size).toBe(0);
  expect(store.listConversations(wanted({ state: "failed" })).items).toHaveLength(1);
  expect(violationsOf(store, { recovered: false })).toEqual([]);
  await store.close();
});
