import { Database, SQLiteError } from "bun:sqlite";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";

/** Held for the server's life; the kernel lets go of it when the process dies, however it dies. */
export interface DataDirLock {
  release(): void;
}

/**
 * Null when another server owns the data directory, also one that is stopped just now. `lock.db` must not be
 * opened by anything else in this process: closing any handle of the file would give up the lock.
 */
export function acquireDataDir(dataDir: string): DataDirLock | null {
  const path = join(dataDir, "lock.db");
  closeSync(openSync(path, "a", 0o600));
  const database = new Database(path, { readwrite: true, create: false });
  try {
    database.run("pragma busy_timeout = 0");
    database.run("begin exclusive");
  } catch (error) {
    database.close();
    if (error instanceof SQLiteError && error.code === "SQLITE_BUSY") return null;
    throw error;
  }
  return { release: () => database.close() };
}
