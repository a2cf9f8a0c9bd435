import type { Database } from "bun:sqlite";
import type { Logins } from "../domain/login.ts";
import { StoreUnavailable } from "../domain/ports.ts";
import type { CommitQueue } from "./commit-queue.ts";
import { deleteLogin, findLogin, insertLogin, touchLogin } from "./logins.ts";

/** A use is written at most this often. */
const touchIntervalMs = 60_000;

export function createLoginStore(database: Database, queue: CommitQueue): Logins {
  function noteUse(secretHash: string, atMs: number): void {
    queue.commit(() => touchLogin(database, secretHash, atMs), { durable: false }).catch(ignoreUnavailable);
  }

  return {
    createLogin: (login) => queue.commit(() => insertLogin(database, login), { durable: true }),
    useLogin({ secretHash, tokenHash, atMs }) {
      const login = findLogin(database, secretHash);
      if (login === null || login.tokenHash !== tokenHash) return false;
      if (atMs - login.usedAt > login.idleMsMax) return false;
      if (atMs - login.usedAt >= touchIntervalMs) noteUse(secretHash, atMs);
      return true;
    },
    removeLogin: (secretHash) => queue.commit(() => deleteLogin(database, secretHash), { durable: true }),
  };
}

/** A login is still good when the disk is full; its use is noted the next time. */
function ignoreUnavailable(error: unknown): void {
  if (!(error instanceof StoreUnavailable)) throw error;
}
