import { statfsSync } from "node:fs";
import { resolve, sep } from "node:path";
import { storageFailure } from "./failures.ts";

/** Why a server can't use its data directory: one line for a person, with what to do. */
export interface OpeningRefusal {
  /** 64: the folder, or its disk, can't be used. 75: somebody else is using it. 78: what is there is damaged. */
  exitCode: 64 | 75 | 78;
  message: string;
}

const rights =
  "must belong to the user that runs Headway, and that user must be able to read and write it: see chown and chmod";
const owner = `it ${rights}`;
const ownerOfAll = `headway.db, and each file beside it whose name begins so, ${rights}`;
const room = "free some room on its disk";
const inTheWay = "something else is in its place: move that away, or choose another HEADWAY_DATA_DIR";
const writableDisk = "its disk takes no writes: mount it for writing, or choose another HEADWAY_DATA_DIR";

const adviceByErrno: Record<string, string> = {
  EACCES: owner,
  EPERM: owner,
  EROFS: writableDisk,
  ENOSPC: room,
  EDQUOT: room,
  EEXIST: inTheWay,
  EISDIR: inTheWay,
  ENOTDIR: inTheWay,
  ENOENT:
    "a folder or a disk on the way to it is missing: make or mount it, or choose another HEADWAY_DATA_DIR",
  ELOOP: inTheWay,
  EIO: "its disk reported an error: look at the disk, or choose another HEADWAY_DATA_DIR",
};

const adviceBySqlite: Record<string, { exitCode: OpeningRefusal["exitCode"]; advice: string }> = {
  FULL: { exitCode: 64, advice: room },
  IOERR: { exitCode: 64, advice: "look at its disk, or choose another HEADWAY_DATA_DIR" },
  READONLY: { exitCode: 64, advice: ownerOfAll },
  CANTOPEN: { exitCode: 64, advice: ownerOfAll },
  PERM: { exitCode: 64, advice: ownerOfAll },
  AUTH: { exitCode: 64, advice: ownerOfAll },
  BUSY: { exitCode: 75, advice: "end that program, then start Headway again" },
  LOCKED: { exitCode: 75, advice: "end that program, then start Headway again" },
  CORRUPT: { exitCode: 78, advice: "restore a backup from backups/" },
  NOTADB: { exitCode: 78, advice: "restore a backup from backups/" },
};

/**
 * The one place where what the system or SQLite says while the data directory is opened becomes a refusal; null for
 * what is of no file of it, and so a bug.
 */
export function refusalOfOpening(error: unknown, dataDir: string): OpeningRefusal | null {
  return refusalOfStorage(error, dataDir) ?? refusalOfSystem(error, dataDir);
}

function refusalOfStorage(error: unknown, dataDir: string): OpeningRefusal | null {
  const failure = storageFailure(error);
  if (failure === null) return null;
  // Without room for its files beside it, SQLite may say no more than that it can't open the database.
  const isFull = /^SQLITE_(IOERR|CANTOPEN)/.test(failure.code) && isDiskFull(dataDir);
  const word = isFull ? "FULL" : /^SQLITE_([A-Z]+)/.exec(failure.code)?.[1];
  const found = adviceBySqlite[word ?? ""];
  if (found === undefined) return null;
  const why = isFull ? "the disk is full" : failure.message;
  const message = `the database in ${dataDir} can't be opened (${failure.code}): ${why}; ${found.advice}`;
  return { exitCode: found.exitCode, message };
}

/** What SQLite asks for at once is at least a page of shared memory. */
const roomBytesMin = 65_536;

function isDiskFull(dataDir: string): boolean {
  const { bavail, bsize } = statfsSync(dataDir);
  return bavail * bsize < roomBytesMin;
}

function refusalOfSystem(error: unknown, dataDir: string): OpeningRefusal | null {
  const { code, syscall, path } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined || path === undefined) return null;
  if (!isWithin(path, dataDir)) return null;
  const advice = adviceOn(code);
  return advice === undefined
    ? null
    : { exitCode: 64, message: `${path} can't be used (${code}): ${advice}` };
}

/** What a person can do about a file or folder of which the system says this; undefined where that isn't known. */
export function adviceOn(errno: string): string | undefined {
  return adviceByErrno[errno];
}

function isWithin(path: string, dataDir: string): boolean {
  const folder = resolve(dataDir);
  return resolve(path) === folder || resolve(path).startsWith(folder + sep);
}
