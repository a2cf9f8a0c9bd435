import { SQLiteError } from "bun:sqlite";
import { StoreUnavailable } from "../domain/ports.ts";

/** Codes that speak of the disk or the file, not of the statement. Extended codes begin with the same words. */
const storageCodes =
  /^SQLITE_(BUSY|LOCKED|FULL|READONLY|IOERR|CORRUPT|CANTOPEN|NOTADB|PROTOCOL|NOMEM|AUTH|PERM)/;

const meanings: Record<string, string> = {
  BUSY: "another program holds the database's lock",
  LOCKED: "another connection holds the database's lock",
  FULL: "the disk is full",
  READONLY: "the database can't be written",
  IOERR: "the disk reported an error",
  CORRUPT: "the database is damaged",
  CANTOPEN: "the database can't be opened",
  NOTADB: "the file is not a database",
};

/** The error as `StoreUnavailable` when the store can't write at all; null when the statement itself is at fault. */
export function storageFailure(error: unknown): StoreUnavailable | null {
  if (error instanceof StoreUnavailable) return error;
  if (!(error instanceof SQLiteError) || error.code === undefined) return null;
  const word = storageCodes.exec(error.code)?.[1];
  if (word === undefined) return null;
  return new StoreUnavailable(error.code, meanings[word] ?? error.message);
}

/** True when somebody else has the write lock for the moment: worth another try. */
export function isBusy(error: unknown): boolean {
  return error instanceof SQLiteError && /^SQLITE_(BUSY|LOCKED)/.test(error.code ?? "");
}
