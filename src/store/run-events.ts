import type { Database } from "bun:sqlite";
import { isoTime } from "../domain/clock.ts";
import {
  emptyAnswer,
  foldAnswer,
  type AnswerText,
  type RunEvent,
  type RunEventBody,
} from "../domain/event.ts";

interface EventRow {
  seq: number;
  at: number;
  type: string;
  body: string;
}

export function lastEventSeq(database: Database, runId: string): number {
  const row = database
    .query<{ seq: number }, { runId: string }>(
      `select coalesce(max(seq), 0) as seq from run_events where run_id = :runId`,
    )
    .get({ runId });
  return row!.seq;
}

/** Appends events in order under the run's fence; the database refuses a stale one. */
export function insertEvents(
  database: Database,
  log: { runId: string; fence: number; atMs: number; afterSeq: number },
  events: readonly RunEventBody[],
): void {
  const insert = database.query(
    `insert into run_events (run_id, seq, fence, at, type, body)
     values (:runId, :seq, :fence, :atMs, :type, :body)`,
  );
  const { runId, fence, atMs } = log;
  let seq = log.afterSeq;
  for (const event of events) {
    seq += 1;
    insert.run({ runId, seq, fence, atMs, type: event.type, body: JSON.stringify(event) });
  }
}

function listEventRows(database: Database, runId: string, afterSeq: number, limit: number): EventRow[] {
  return database
    .query<EventRow, { runId: string; afterSeq: number; limit: number }>(
      `select seq, at, type, body from run_events
       where run_id = :runId and seq > :afterSeq order by seq limit :limit`,
    )
    .all({ runId, afterSeq, limit });
}

export function listEvents(database: Database, runId: string, afterSeq: number, limit: number): RunEvent[] {
  return listEventRows(database, runId, afterSeq, limit).map((row) => ({
    seq: row.seq,
    runId,
    at: isoTime(row.at),
    ...(JSON.parse(row.body) as RunEventBody),
  }));
}

/** The hot path of every stream: bodies were encoded once, when they were stored; here they are only completed. */
export function listEncodedEvents(
  database: Database,
  runId: string,
  afterSeq: number,
  limit: number,
): { seq: number; type: string; json: string }[] {
  const quotedRunId = JSON.stringify(runId);
  return listEventRows(database, runId, afterSeq, limit).map(({ seq, at, type, body }) => ({
    seq,
    type,
    json: `{"seq":${seq},"runId":${quotedRunId},"at":"${isoTime(at)}",${body.slice(1)}`,
  }));
}

/** The text that the log holds, folded anew; from the first `limit` events that matter for it. */
export function foldText(database: Database, runId: string, limit: number): AnswerText {
  const rows = database
    .query<{ body: string }, { runId: string; limit: number }>(
      `select body from run_events
       where run_id = :runId and type in ('text', 'text.discarded', 'tool.started') order by seq limit :limit`,
    )
    .all({ runId, limit });
  const answer = emptyAnswer();
  for (const row of rows) foldAnswer(answer, JSON.parse(row.body) as RunEventBody);
  return answer;
}

/** Names of the tools that the log says were started, each once, in the order of their first use. */
export function listToolNames(database: Database, runId: string): string[] {
  return database
    .query<{ name: string }, { runId: string }>(
      `select json_extract(body, '$.name') as name from run_events
       where run_id = :runId and type = 'tool.started' group by 1 order by min(seq)`,
    )
    .all({ runId })
    .map((row) => row.name);
}

/** Deletes a run's newest events, at most `limit`; true when none are left. */
export function deleteNewestEvents(database: Database, runId: string, limit: number): boolean {
  const firstSeq = lastEventSeq(database, runId) - limit + 1;
  database
    .query(`delete from run_events where run_id = :runId and seq >= :firstSeq`)
    .run({ runId, firstSeq });
  return firstSeq <= 1;
}
