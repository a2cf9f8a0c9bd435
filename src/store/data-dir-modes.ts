import { chmodSync, lstatSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";

const ownFiles = ["headway.db", "headway.db-wal", "headway.db-shm", "lock.db", "token"];
const ownFolders = ["logs", "backups"];

/** A file system without modes, and one that leaves them to its mount. */
const withoutModes = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP"]);

/**
 * Takes from everybody else what they may do with our own files and folders, where these are this user's: a copy
 * or a backup that was put back may have been given modes of its own.
 */
export function closeToOthers(dataDir: string): void {
  for (const name of ownFiles) close(join(dataDir, name), 0o600, statSync);
  // A link to a folder elsewhere may be to one that others use, too.
  for (const name of ownFolders) close(join(dataDir, name), 0o700, lstatSync);
}

function close(path: string, mode: number, look: typeof statSync | typeof lstatSync): void {
  const found = look(path, { throwIfNoEntry: false });
  if (found === undefined || found.isSymbolicLink()) return;
  if (found.uid !== process.getuid?.() || !isOpen(found)) return;
  try {
    chmodSync(path, mode);
  } catch (error) {
    if (!withoutModes.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}

/**
 * True when other users of the machine can look into the data directory, or change what is in it. Its mode is its
 * owner's to set: it may be somebody's home, or a folder that is shared on purpose.
 */
export function isOpenToOthers(dataDir: string): boolean {
  const found = statSync(dataDir, { throwIfNoEntry: false });
  return found !== undefined && isOpen(found);
}

function isOpen({ mode }: Stats): boolean {
  return (mode & 0o077) !== 0;
}
