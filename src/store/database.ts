import { Database, SQLiteError } from "bun:sqlite";
import { closeSync, mkdirSync, openSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { StoreUnavailable } from "../domain/ports.ts";
import { closeToOthers } from "./data-dir-modes.ts";
import { refuseByKind } from "./file-kind.ts";

/** "HDWY" in the header of the file: how we know our own database. */
export const applicationId = 0x48445759;
const busyTimeoutMs = 5;
/** Every statement of the store stays prepared. */
const statementsKept = 500;
const cacheKib = 8_192;
/** 8 MiB of log between checkpoints: 1,000 pages cost more in sum, 4,000 hold up the loop for longer at a time. */
const pagesBetweenCheckpoints = 2_000;
/** Small enough to be checked page by page at every start (about 1.5 ms per MiB). */
export const checkedAtStartBytesMax = 16 * 1024 * 1024;

export interface Opened {
  database: Database;
  path: string;
  isNew: boolean;
}

export type OpenResult = { kind: "opened"; opened: Opened } | { kind: "refused"; message: string };

/** The data directory, for its owner only. One that exists keeps its mode: it may be somebody's home. */
export function makeDataDir(dataDir: string): void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
}

/**
 * Opens our database or makes it; a file that isn't ours, or is damaged, is refused untouched. Throws what the
 * system or SQLite says of one that can't be used.
 */
export function openDatabase(dataDir: string): OpenResult {
  const path = join(dataDir, "headway.db");
  const refusal = refuseByKind(path);
  if (refusal !== null) return { kind: "refused", message: `${path} ${refusal}` };
  const isNew = makeFile(path);
  const reason = isNew ? null : (refuseByHeader(path) ?? refuseByContent(path));
  if (reason !== null) return { kind: "refused", message: `${path} ${reason}` };
  closeToOthers(dataDir);
  Database.MAX_QUERY_CACHE_SIZE = statementsKept;
  const database = new Database(path, { readwrite: true, create: false, strict: true });
  try {
    configure(database);
  } catch (error) {
    database.close();
    throw error;
  }
  return { kind: "opened", opened: { database, path, isNew } };
}

/** SQLite's `-wal` and `-shm` files take over the mode of the file, which therefore exists before SQLite opens it. */
function makeFile(path: string): boolean {
  closeSync(openSync(path, "a", 0o600));
  return statSync(path).size === 0;
}

const headerBytes = 100;

interface Header {
  isSqlite: boolean;
  bytes: number;
}

function readHeader(path: string): Header {
  const header = Buffer.alloc(headerBytes);
  const file = openSync(path, "r");
  readSync(file, header, 0, headerBytes, 0);
  closeSync(file);
  const pageSize = header.readUInt16BE(16);
  return {
    isSqlite: header.toString("latin1", 0, 16) === "SQLite format 3\0",
    bytes: (pageSize === 1 ? 65_536 : pageSize) * header.readUInt32BE(28),
  };
}

function refuseByHeader(path: string): string | null {
  const header = readHeader(path);
  if (!header.isSqlite) {
    return "is not a database. Move it away, or restore a backup from backups/.";
  }
  // With a log beside it the file may be shorter than it says: SQLite completes it from the log.
  const logBytes = statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  if (logBytes === 0 && header.bytes > statSync(path).size) {
    return "is shorter than it should be. Restore a backup from backups/.";
  }
  return null;
}

/** Looks through a connection that can't write, so that a file that isn't ours stays as it is. */
function refuseByContent(path: string): string | null {
  const database = new Database(path, { readonly: true, strict: true });
  try {
    database.run(waitForOthers);
    if (!isOurs(database)) {
      return "belongs to another program. Choose another HEADWAY_DATA_DIR.";
    }
    return statSync(path).size <= checkedAtStartBytesMax ? findDamage(database) : null;
  } catch (error) {
    if (!isDamage(error)) throw error;
    return `can't be read (${error.message}). Restore a backup from backups/.`;
  } finally {
    database.close();
  }
}

function isOurs(database: Database): boolean {
  const found = database
    .query<{ id: number; tables: number }, []>(
      `select application_id as id, (select count(*) from sqlite_schema) as tables from pragma_application_id`,
    )
    .get()!;
  return found.id === applicationId || (found.id === 0 && found.tables === 0);
}

function findDamage(database: Database): string | null {
  const found = database
    .query<{ result: string }, []>(`select quick_check as result from pragma_quick_check`)
    .get();
  return found === null || found.result === "ok"
    ? null
    : `is damaged (${found.result.split("\n", 1)[0]}). Restore a backup from backups/.`;
}

/**
 * What is wrong with the pages of a database that others may be using; null when it is sound. Reads the whole
 * file (about 1.5 ms per MiB), so it is no work for the thread that serves.
 */
export function lookForDamage(path: string): string | null {
  const database = openReader(path);
  try {
    return findDamage(database);
  } catch (error) {
    if (!isDamage(error)) throw error;
    return `is damaged (${error.message}). Restore a backup from backups/.`;
  } finally {
    database.close();
  }
}

function isDamage(error: unknown): error is SQLiteError {
  return error instanceof SQLiteError && /^SQLITE_(CORRUPT|NOTADB)/.test(error.code ?? "");
}

/** At a start another program's lock may be waited for. */
const waitForOthers = "pragma busy_timeout = 5000";

function configure(database: Database): void {
  database.run(waitForOthers);
  markAsOurs(database);
  database.run(`pragma journal_mode = wal`);
  database.run(`pragma foreign_keys = on`);
  database.run(`pragma cache_size = ${-cacheKib}`);
  database.run(`pragma wal_autocheckpoint = ${pagesBetweenCheckpoints}`);
  database.run(`pragma temp_store = memory`);
  // What is deleted is overwritten: SQLite would leave it in the file until the room is needed.
  database.run(`pragma secure_delete = on`);
  const { on } = database
    .query<{ on: number }, []>(`select foreign_keys as "on" from pragma_foreign_keys`)
    .get()!;
  if (on !== 1) throw new Error("this SQLite doesn't enforce foreign keys");
}

/** Written once: opening a database that is refused afterwards must not change it. */
function markAsOurs(database: Database): void {
  const { id } = database
    .query<{ id: number }, []>(`select application_id as id from pragma_application_id`)
    .get()!;
  if (id !== applicationId) database.run(`pragma application_id = ${applicationId}`);
}

/**
 * Brings SQLite's log into the file and leaves it empty, so that it holds nothing that was deleted. False when
 * somebody who reads keeps it from that. Between transactions only.
 */
export function emptyLog(database: Database): boolean {
  const row = database.query<{ busy: number }, []>(`pragma wal_checkpoint(truncate)`).get()!;
  return row.busy === 0;
}

/** From now on nothing may hold up the event loop; the commit queue tries again instead. */
export function neverWaitLong(database: Database): void {
  database.run(`pragma busy_timeout = ${busyTimeoutMs}`);
}

/** A connection of its own that can't write: for checks, backups and workers. */
export function openReader(path: string): Database {
  const database = new Database(path, { readonly: true, strict: true });
  database.run(`pragma busy_timeout = 1000`);
  return database;
}

/**
 * SQLite goes on writing into a file that was deleted or replaced, and the writes are lost. The check
 * costs about 3 µs.
 */
export function watchFile(path: string): () => StoreUnavailable | null {
  const opened = statSync(path);
  return () => {
    const now = statSync(path, { throwIfNoEntry: false });
    if (now !== undefined && now.dev === opened.dev && now.ino === opened.ino) return null;
    return new StoreUnavailable("replaced", `${path} was deleted or replaced while the server was using it`);
  };
}
