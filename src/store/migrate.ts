import type { Database } from "bun:sqlite";
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isoTime } from "../domain/clock.ts";

export interface Migration {
  number: number;
  name: string;
  sql: string;
  sha256: string;
}

interface AppliedRow {
  number: number;
  name: string;
  sha256: string;
}

export type MigrateResult = { kind: "migrated"; applied: string[] } | { kind: "refused"; message: string };

/** Migrations of a folder, in order. A gap, a double number or a file without its reason is our own mistake. */
export function readMigrations(migrationsDir: string): Migration[] {
  const names = readdirSync(migrationsDir)
    .filter((name) => name.endsWith(".sql"))
    .toSorted();
  return names.map((name, index) => readMigration(migrationsDir, name, index + 1));
}

function readMigration(migrationsDir: string, name: string, expectedNumber: number): Migration {
  const number = Number(/^(\d{4})_[a-z0-9_]+\.sql$/.exec(name)?.[1]);
  if (number !== expectedNumber) {
    throw new Error(`migrations/${name}: number ${String(expectedNumber).padStart(4, "0")} is expected here`);
  }
  const sql = readFileSync(join(migrationsDir, name), "utf8");
  if (!sql.startsWith("-- ")) throw new Error(`migrations/${name}: line 1 says why, as a comment`);
  return { number, name, sql, sha256: new Bun.CryptoHasher("sha256").update(sql).digest("hex") };
}

/**
 * Brings the schema up to date, one transaction per migration. Two servers that start at once wait for
 * each other and apply each migration once; one that is killed midway leaves what a finished transaction
 * left, and the next goes on from there.
 */
export function migrate(
  database: Database,
  migrations: readonly Migration[],
  options: { backupsDir: string; atMs: number },
): MigrateResult {
  const before = listApplied(database);
  const refusal = refuseApplied(before, migrations);
  if (refusal !== null) return { kind: "refused", message: refusal };
  const pending = migrations.slice(before.length);
  if (pending.length > 0 && before.length > 0) backUp(database, pending[0]!, options);
  const applied = pending.filter((migration) => applyOnce(database, migration, options.atMs));
  return { kind: "migrated", applied: applied.map((migration) => migration.name) };
}

/** Asks for the table first: before the first migration there is none. */
function listApplied(database: Database): AppliedRow[] {
  const table = database.query(`select 1 from sqlite_schema where name = 'schema_migrations'`).get();
  if (table === null) return [];
  return database
    .query<AppliedRow, []>(`select number, name, sha256 from schema_migrations order by number`)
    .all();
}

function refuseApplied(applied: readonly AppliedRow[], migrations: readonly Migration[]): string | null {
  for (const [index, row] of applied.entries()) {
    const migration = migrations[index];
    if (migration === undefined) {
      return `was written by a newer Headway (migration ${row.name}). Start that version, or restore a backup.`;
    }
    if (migration.number !== row.number || migration.sha256 !== row.sha256) {
      return `was made with another text of migration ${row.name}. Start the Headway version that made it.`;
    }
  }
  return null;
}

/** True when it was applied here; false when another server was faster. */
function applyOnce(database: Database, migration: Migration, atMs: number): boolean {
  // Tables can be rebuilt only while foreign keys aren't enforced; they are checked before the commit.
  database.run("pragma foreign_keys = off");
  database.run("begin immediate");
  try {
    const isNew = !listApplied(database).some((row) => row.number === migration.number);
    if (isNew) apply(database, migration, atMs);
    database.run("commit");
    return isNew;
  } catch (error) {
    if (database.inTransaction) database.run("rollback");
    throw error;
  } finally {
    database.run("pragma foreign_keys = on");
  }
}

function apply(database: Database, migration: Migration, atMs: number): void {
  database.run(
    `create table if not exists schema_migrations (
       number integer primary key, name text not null, sha256 text not null, applied_at integer not null
     ) strict`,
  );
  database.run(migration.sql);
  const dangling = database.query(`select "table" from pragma_foreign_key_check`).all();
  if (dangling.length > 0) {
    throw new Error(`migration ${migration.name} leaves ${dangling.length} rows that refer to nothing`);
  }
  const { number, name, sha256 } = migration;
  database
    .query(
      `insert into schema_migrations (number, name, sha256, applied_at) values (:number, :name, :sha256, :atMs)`,
    )
    .run({ number, name, sha256, atMs });
}

/** A whole copy of the database as it was, readable by its owner only. */
function backUp(database: Database, next: Migration, options: { backupsDir: string; atMs: number }): void {
  mkdirSync(options.backupsDir, { recursive: true, mode: 0o700 });
  const stamp = isoTime(options.atMs).replaceAll(/[:.]/g, "-");
  const path = join(options.backupsDir, `before-${String(next.number).padStart(4, "0")}-${stamp}.db`);
  // SQLite takes an empty file for the copy, and leaves its mode as it is.
  closeSync(openSync(path, "a", 0o600));
  database.query(`vacuum into :path`).run({ path });
}
