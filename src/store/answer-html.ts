import type { Database } from "bun:sqlite";

export interface AnswerHtmlRow {
  key: string;
  conversationId: string;
  rendererVersion: number;
  html: string;
}

/** The plus keeps SQLite from going through all rows of a version: their keys are few. */
export function listAnswerHtml(
  database: Database,
  keys: readonly string[],
  rendererVersion: number,
): { key: string; html: string }[] {
  return database
    .query<{ key: string; html: string }, { keys: string; rendererVersion: number }>(
      `select key, html from answer_html
       where key in (select value from json_each(:keys)) and +renderer_version = :rendererVersion`,
    )
    .all({ keys: JSON.stringify(keys), rendererVersion });
}

/** Whatever version was there before is overwritten; nothing is kept for a conversation that was removed. */
export function upsertAnswerHtml(database: Database, row: AnswerHtmlRow): void {
  database
    .query(
      `insert into answer_html (key, conversation_id, renderer_version, html)
       values (:key, :conversationId, :rendererVersion, :html)
       on conflict (key) do update set renderer_version = excluded.renderer_version, html = excluded.html`,
    )
    .run({ ...row });
}

/** Forgets at most `limit` rows that an older renderer made. */
export function deleteStaleAnswerHtml(database: Database, rendererVersion: number, limit: number): void {
  database
    .query(
      `delete from answer_html where rowid in (
         select rowid from answer_html where renderer_version < :rendererVersion limit :limit)`,
    )
    .run({ rendererVersion, limit });
}

/** Forgets at most `limit` rows that another version of the renderer made, older or newer. Answers with how many. */
export function deleteOtherAnswerHtml(database: Database, rendererVersion: number, limit: number): number {
  return database
    .query(
      `delete from answer_html where rowid in (
         select rowid from answer_html where renderer_version < :rendererVersion
         union all select rowid from answer_html where renderer_version > :rendererVersion limit :limit)`,
    )
    .run({ rendererVersion, limit }).changes;
}

/** Answers with how many rows went, at most `limit`. */
export function deleteAnswerHtmlOfConversation(
  database: Database,
  conversationId: string,
  limit: number,
): number {
  return database
    .query(
      `delete from answer_html where rowid in (
         select rowid from answer_html where conversation_id = :conversationId limit :limit)`,
    )
    .run({ conversationId, limit }).changes;
}
