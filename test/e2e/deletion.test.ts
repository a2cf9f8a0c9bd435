import { expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Run } from "../../src/domain/run.ts";
import { expectJson } from "../helpers/http.ts";
import { jsonInit, startApp, type TestApp } from "../helpers/test-app.ts";
import { waitFor } from "../helpers/wait.ts";

/** Stands in everything that a conversation leaves: prompts, answers, tool calls, metadata, keys, logs. */
const planted = "Zebrafishplanted";

/** Every row of every table, those of the search index too, that has one of the words in it. */
function rowsWith(dataDir: string, words: readonly string[]): string[] {
  const database = new Database(join(dataDir, "headway.db"), { readonly: true });
  const tables = database
    .query<{ name: string }, []>(`select name from sqlite_schema where type = 'table'`)
    .all();
  const found = tables.flatMap(({ name }) =>
    database
      .query(`select * from "${name}"`)
      .values()
      .filter((row) => row.some((value) => holds(value, words)))
      .map((row) => `${name}: ${JSON.stringify(row).slice(0, 200)}`),
  );
  database.close();
  return found;
}

/** The search index keeps its words in lower case. */
function holds(value: unknown, words: readonly string[]): boolean {
  const text = value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : String(value);
  return words.some((word) => text.toLowerCase().includes(word.toLowerCase()));
}

/** Every file below the folder that has one of the words in its name or in its bytes. */
function filesWith(folder: string, words: readonly string[]): string[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const paths = files.map(({ parentPath, name }) => join(parentPath, name));
  return paths.filter((path) => holds(path, words) || holds(readFileSync(path), words));
}

/** A conversation with everything in it: answered, with a tool, failed, cancelled, taken back, looked at, gone on with. */
async function fill(app: TestApp): Promise<Run[]> {
  await app.makeAgent();
  const say = (prompt: string, headers = {}) =>
    app.fetch(
      "/api/agents/anna/execute",
      jsonInit("POST", { prompt: `${planted} ${prompt}`, metadata: { note: planted } }, headers),
    );
  await say("hello", { "idempotency-key": `key-${planted}` });
  await say(`tool=echo ${planted}`);
  await say(`is-error=${planted}`);
  const busy = await app.submit("anna", `${planted} forever`);
  await app.waitForState(busy.id, "running");
  const waiting = await app.submit("anna", `${planted} taken back`);
  for (const { id } of [waiting, busy]) await app.fetch(`/api/runs/${id}/cancel`, { method: "POST" });
  await app.waitForState(busy.id, "cancelled");
  await app.fetch(`/conversations/${busy.conversationId}`);
  await waitFor(() => rowsWith(app.dataDir, [planted]).some((row) => row.startsWith("answer_html:")), {
    what: "the rendered answers to be kept",
  });
  // SQLite's log goes into the file when a server stops; the next turn is written behind it.
  await app.restart();
  await app.run("anna", `${planted} again`);
  const { items } = await expectJson<{ items: Run[] }>(app.fetch, 200, "GET", "/api/runs?agentId=anna");
  return items;
}

test("of a deleted conversation no row is left, and its text is in no file, SQLite's log included", async () => {
  await using app = await startApp();
  const runs = await fill(app);
  const { conversationId } = runs[0]!;
  const words = [planted, conversationId, ...runs.map(({ id }) => id)];
  const tables = [...new Set(rowsWith(app.dataDir, words).map((row) => row.split(":")[0]!))];
  const files = filesWith(app.dataDir, words).map((path) => path.split("/").at(-1)!);

  const deleted = await app.fetch(`/api/conversations/${conversationId}`, { method: "DELETE" });
  await waitFor(() => rowsWith(app.dataDir, words).length === 0, { what: "the last process to be dead" });

  expect(tables).toEqual(
    expect.arrayContaining([
      "conversations",
      "processes",
      "runs",
      "turns",
      "run_events",
      "run_transitions",
      "idempotency",
      "turns_search_data",
      "answer_html",
    ]),
  );
  expect(files).toEqual(expect.arrayContaining(["headway.db", "headway.db-wal", `${runs.at(-1)!.id}.log`]));
  expect(deleted.status).toBe(204);
  expect(filesWith(app.dataDir, [planted])).toEqual([]);
});

test("after the server has stopped, not even the ids of a deleted conversation are in any file", async () => {
  await using app = await startApp();
  const runs = await fill(app);
  const { conversationId } = runs[0]!;
  const words = [planted, conversationId, ...runs.map(({ id }) => id)];
  await app.fetch(`/api/conversations/${conversationId}`, { method: "DELETE" });

  await app.restart();

  expect(filesWith(app.dataDir, words)).toEqual([]);
});

test("a session that was ended leaves no process, and its conversation stays to be read", async () => {
  await using app = await startApp();
  await app.makeAgent();
  const run = await app.run("anna", planted);

  await app.fetch("/api/agents/anna/end-session", { method: "POST" });

  const conversation = await expectJson<{ status: string; turnCount: number }>(
    app.fetch,
    200,
    "GET",
    `/api/conversations/${run.conversationId}`,
  );
  expect(conversation).toMatchObject({ status: "ended", turnCount: 2 });
  expect(endsOfProcesses(app.dataDir)).toEqual(["warm_ended"]);
});

function endsOfProcesses(dataDir: string): (string | null)[] {
  const database = new Database(join(dataDir, "headway.db"), { readonly: true });
  const rows = database
    .query<{ reason: string | null }, []>(`select end_reason as reason from processes`)
    .all();
  database.close();
  return rows.map(({ reason }) => reason);
}
