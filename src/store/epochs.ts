import type { Database } from "bun:sqlite";

/** Begins a new epoch; what older ones hold is stale from now on. */
export function insertEpoch(
  database: Database,
  server: { bootId: string; pid: number; atMs: number },
): number {
  const row = database
    .query<{ epoch: number }, typeof server>(
      `insert into server_epochs (epoch, boot_id, pid, started_at, seen_at)
       select coalesce(max(epoch), 0) + 1, :bootId, :pid, :atMs, :atMs from server_epochs
       returning epoch`,
    )
    .get(server);
  return row!.epoch;
}

export function touchEpoch(database: Database, epoch: number, atMs: number): void {
  database.query(`update server_epochs set seen_at = :atMs where epoch = :epoch`).run({ epoch, atMs });
}

export function endEpoch(database: Database, epoch: number, atMs: number): void {
  database
    .query(`update server_epochs set seen_at = :atMs, clean_stop_at = :atMs where epoch = :epoch`)
    .run({ epoch, atMs });
}
