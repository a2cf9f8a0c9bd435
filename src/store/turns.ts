import type { Database } from "bun:sqlite";
import { isoTime } from "../domain/clock.ts";
import type { Turn } from "../domain/conversation.ts";

interface TurnRow {
  id: string;
  conversationId: string;
  runId: string | null;
  seq: number | null;
  role: Turn["role"];
  content: string;
  final: number;
  source: Turn["source"];
  createdAt: number;
}

const columns = `
  id, conversation_id as conversationId, run_id as runId, seq, role, content, final, source,
  created_at as createdAt`;

export function turnOf(row: TurnRow): Turn {
  return {
    ...row,
    pending: row.seq === null,
    final: row.final === 1,
    createdAt: isoTime(row.createdAt),
  };
}

/** The user's turn, waiting: it has no seq until its run starts. */
export function insertPendingTurn(
  database: Database,
  turn: { id: string; conversationId: string; runId: string; content: string; atMs: number },
): void {
  database
    .query(
      `insert into turns (id, conversation_id, run_id, seq, role, content, final, source, created_at)
       values (:id, :conversationId, :runId, null, 'user', :content, 1, 'headless', :atMs)`,
    )
    .run(turn);
}

/** Gives the waiting turn of a run the next seq of its conversation. */
export function placePendingTurn(database: Database, runId: string, conversationId: string): void {
  database
    .query(
      `update turns set seq = (select next_seq from conversations where id = :conversationId)
       where run_id = :runId and role = 'user'`,
    )
    .run({ runId, conversationId });
}

export function hasAnswers(database: Database, conversationId: string): boolean {
  const found = database
    .query(`select 1 from turns where conversation_id = :conversationId and role = 'assistant' limit 1`)
    .get({ conversationId });
  return found !== null;
}

export function deletePendingTurn(database: Database, runId: string): void {
  database.query(`delete from turns where run_id = :runId and role = 'user' and seq is null`).run({ runId });
}

/** The text is a value and no column of a `select`: SQLite would copy it more often, 4 ms for each megabyte. */
export function insertAssistantTurn(
  database: Database,
  turn: { id: string; conversationId: string; runId: string; content: string; final: boolean; atMs: number },
): void {
  database
    .query(
      `insert into turns (id, conversation_id, run_id, seq, role, content, final, source, created_at)
       values (:id, :conversationId, :runId, (select next_seq from conversations where id = :conversationId),
         'assistant', :content, :final, 'headless', :atMs)`,
    )
    .run(turn);
}

/** Turns that have their place, newest first. */
export function listTurnsBefore(
  database: Database,
  page: { conversationId: string; before: number | null; limit: number },
): Turn[] {
  return database
    .query<TurnRow, { conversationId: string; before: number; limit: number }>(
      `select ${columns} from turns
       where conversation_id = :conversationId and seq is not null and seq < :before
       order by seq desc limit :limit`,
    )
    .all({ ...page, before: page.before ?? Number.MAX_SAFE_INTEGER })
    .map(turnOf);
}

/** Turns that have their place, oldest first. */
export function listTurnsAfter(
  database: Database,
  page: { conversationId: string; after: number; limit: number },
): Turn[] {
  return database
    .query<TurnRow, { conversationId: string; after: number; limit: number }>(
      `select ${columns} from turns
       where conversation_id = :conversationId and seq > :after order by seq limit :limit`,
    )
    .all(page)
    .map(turnOf);
}

/** Waiting turns in queue order. */
export function listPendingTurns(database: Database, conversationId: string, limit: number): Turn[] {
  return database
    .query<TurnRow, { conversationId: string; limit: number }>(
      `select ${columns} from turns where conversation_id = :conversationId and seq is null
       order by key limit :limit`,
    )
    .all({ conversationId, limit })
    .map(turnOf);
}

/** Newest turns in ascending order whose texts together stay within `bytesMax`; at most `limit`. */
export function listRecentTexts(
  database: Database,
  range: { conversationId: string; bytesMax: number; limit: number },
): { role: Turn["role"]; content: string }[] {
  return database
    .query<{ role: Turn["role"]; content: string }, typeof range>(
      `with newest as (
         select seq, role, content from turns
         where conversation_id = :conversationId and seq is not null order by seq desc limit :limit),
       measured as (
         select seq, role, content, sum(octet_length(content)) over (order by seq desc) as bytes from newest)
       select role, content from measured where bytes <= :bytesMax order by seq`,
    )
    .all(range);
}

export function deleteTurnsOfRun(database: Database, runId: string): void {
  database.query(`delete from turns where run_id = :runId`).run({ runId });
}

/** Turns that no run wrote (imported ones, say), a bounded number at a time. */
export function deleteTurnsOfConversation(database: Database, conversationId: string, limit: number): number {
  return database
    .query(
      `delete from turns where key in (
         select key from turns where conversation_id = :conversationId limit :limit)`,
    )
    .run({ conversationId, limit }).changes;
}
