import type { Database } from "bun:sqlite";

export interface LoginRow {
  tokenHash: string;
  usedAt: number;
  idleMsMax: number;
}

export function insertLogin(
  database: Database,
  login: { secretHash: string; tokenHash: string; atMs: number; idleMsMax: number },
): void {
  database
    .query(
      `insert into logins (secret_hash, token_hash, created_at, used_at, idle_ms_max)
       values (:secretHash, :tokenHash, :atMs, :atMs, :idleMsMax)`,
    )
    .run(login);
}

export function findLogin(database: Database, secretHash: string): LoginRow | null {
  return database
    .query<LoginRow, { secretHash: string }>(
      `select token_hash as tokenHash, used_at as usedAt, idle_ms_max as idleMsMax
       from logins where secret_hash = :secretHash`,
    )
    .get({ secretHash });
}

export function touchLogin(database: Database, secretHash: string, atMs: number): void {
  database
    .query(`update logins set used_at = max(used_at, :atMs) where secret_hash = :secretHash`)
    .run({ secretHash, atMs });
}

export function deleteLogin(database: Database, secretHash: string): void {
  database.query(`delete from logins where secret_hash = :secretHash`).run({ secretHash });
}

/** Logins that nobody can use any more, at most `limit`. Answers with how many. */
export function deleteIdleLogins(database: Database, atMs: number, limit: number): number {
  return database
    .query(
      `delete from logins where secret_hash in (
         select secret_hash from logins where used_at + idle_ms_max < :atMs limit :limit)`,
    )
    .run({ atMs, limit }).changes;
}
