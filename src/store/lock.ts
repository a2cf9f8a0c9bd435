import { Database, SQLiteError } from "bun:sqlite";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { refuseByKind } from "./file-kind.ts";

/** Held for the server's life; the kernel lets go of it when the process dies, however it dies. */
export interface DataDirLock {
  release(): void;
}

export type LockResult =
  | { kind: "locked"; lock: DataDirLock }
  /** By another server, also one that is stopped just now. */
  | { kind: "taken" }
  | { kind: "refused"; message: string };

/**
 * `lock.db` must not be opened by anything else in this process: closing any handle of the file would give up the
 * lock. Throws what the system or SQLite says of a file that can't be used.
 */
export function acquireDataDir(dataDir: string): LockResult {
  const path = join(dataDir, "lock.db");
  const refusal = refuseByKind(path);
  if (refusal !== null) return { kind: "refused", message: `${path} ${refusal}` };
  closeSync(openSync(path, "a", 0o600));
  const database = new Database(path, { readwrite: true, create: false });
  try {
    database.run("pragma busy_timeout = 0");
    database.run("begin exclusive");
  } catch (error) {
    database.close();
    const code = error instanceof SQLiteError ? error.code : undefined;
    if (code === "SQLITE_BUSY") return { kind: "taken" };
    if (code === "SQLITE_NOTADB") return { kind: "refused", message: `${path} ${notALock}` };
    throw error;
  }
  return { kind: "locked", lock: { release: () => database.close() } };
}

/** Nobody holds it: SQLite asks for the lock before it reads the file. */
const notALock =
  "holds something else than Headway's lock. Delete it if it is of no other program; otherwise choose another HEADWAY_DATA_DIR.";
