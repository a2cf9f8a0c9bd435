import type { Database } from "bun:sqlite";
import { deleteNewestEvents } from "./run-events.ts";

/**
 * Removes at most `eventsMax` events of one run that ended before, and answers with how many. The run says so from the
 * first of them on: one that has very many loses the rest in later calls, newest first.
 */
export function removeOldEvents(
  database: Database,
  { endedBeforeMs, atMs, eventsMax }: { endedBeforeMs: number; atMs: number; eventsMax: number },
): number {
  const runId = findLeaving(database) ?? beginNext(database, endedBeforeMs, atMs);
  if (runId === null) return 0;
  const before = countUpTo(database, runId, eventsMax);
  const isDone = deleteNewestEvents(database, runId, eventsMax);
  if (isDone) database.query(`update runs set events_leaving = 0 where id = :runId`).run({ runId });
  // One without any would end the sweep before its time.
  return Math.max(before, 1);
}

function findLeaving(database: Database): string | null {
  const row = database
    .query<{ id: string }, []>(`select id from runs where events_leaving = 1 order by key limit 1`)
    .get();
  return row?.id ?? null;
}

/** Rendered answers show what tools did, so they go too and are made anew of what is left. */
function beginNext(database: Database, endedBeforeMs: number, atMs: number): string | null {
  const row = database
    .query<{ id: string }, { endedBeforeMs: number }>(
      `select id from runs
       where ended_at is not null and events_removed_at is null and ended_at < :endedBeforeMs
       order by ended_at limit 1`,
    )
    .get({ endedBeforeMs });
  if (row === null) return null;
  const runId = row.id;
  database
    .query(`update runs set events_removed_at = max(:atMs, ended_at), events_leaving = 1 where id = :runId`)
    .run({ runId, atMs });
  database.query(`delete from answer_html where key = :runId`).run({ runId });
  return runId;
}

function countUpTo(database: Database, runId: string, eventsMax: number): number {
  const row = database
    .query<{ n: number }, { runId: string; eventsMax: number }>(
      `select count(*) as n from (select 1 from run_events where run_id = :runId limit :eventsMax)`,
    )
    .get({ runId, eventsMax });
  return row!.n;
}

export function endsOf(database: Database, runIds: readonly string[]): Map<string, number> {
  const rows = database
    .query<{ id: string; endedAt: number }, { runIds: string }>(
      `select id, ended_at as endedAt from runs
       where id in (select value from json_each(:runIds)) and ended_at is not null`,
    )
    .all({ runIds: JSON.stringify(runIds) });
  return new Map(rows.map(({ id, endedAt }) => [id, endedAt]));
}

export function noteLogsRemoved(database: Database, runIds: readonly string[], atMs: number): void {
  database
    .query(
      `update runs set log_removed_at = :atMs
       where id in (select value from json_each(:runIds)) and log_removed_at is null`,
    )
    .run({ runIds: JSON.stringify(runIds), atMs });
}
