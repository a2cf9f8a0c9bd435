import { Database } from "bun:sqlite";
import { join } from "node:path";
import { applicationId } from "../../src/store/database.ts";
import { migrate, readMigrations } from "../../src/store/migrate.ts";
import { atMs, migrationsDir } from "./fixture.ts";
import recorded from "./fixtures/first-release.json" with { type: "json" };

/** What the first release's own store wrote: conversations that went well, failed, and failed before. */
export const { made } = recorded;

/** A data directory as the first release left it: its schema, and rows that its own code wrote. */
export function makeFirstRelease(dataDir: string): void {
  const database = new Database(join(dataDir, "headway.db"), { create: true, strict: true });
  database.run(`pragma application_id = ${applicationId}`);
  const first = readMigrations(migrationsDir).slice(0, 1);
  migrate(database, first, { backupsDir: dataDir, atMs });
  withoutTriggers(database, () => {
    for (const [table, rows] of Object.entries(recorded.rows)) insertRows(database, table, rows);
    database.run(
      `insert into turns_search (rowid, content) select key, content from turns where seq is not null`,
    );
  });
  database.close();
}

/** Rows that were let in one after the other aren't let in as they are in the end. */
function withoutTriggers(database: Database, write: () => void): void {
  const triggers = database
    .query<{ name: string; sql: string }, []>(`select name, sql from sqlite_schema where type = 'trigger'`)
    .all();
  for (const { name } of triggers) database.run(`drop trigger ${name}`);
  write();
  for (const { sql } of triggers) database.run(sql);
}

function insertRows(database: Database, table: string, rows: readonly Record<string, unknown>[]): void {
  for (const row of rows) {
    const columns = Object.keys(row);
    const values = columns.map((column) => `:${column}`).join(", ");
    database
      .query(`insert into ${table} (${columns.join(", ")}) values (${values})`)
      .run(row as Record<string, string | number | null>);
  }
}
