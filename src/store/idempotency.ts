import type { Database } from "bun:sqlite";

export function findIdempotency(
  database: Database,
  agentKey: number,
  idempotencyKey: string,
): { bodyHash: string; runId: string } | null {
  return database
    .query<{ bodyHash: string; runId: string }, { agentKey: number; idempotencyKey: string }>(
      `select body_hash as bodyHash, run_id as runId from idempotency
       where agent_key = :agentKey and idempotency_key = :idempotencyKey`,
    )
    .get({ agentKey, idempotencyKey });
}

export function insertIdempotency(
  database: Database,
  record: { agentKey: number; idempotencyKey: string; bodyHash: string; runId: string; atMs: number },
): void {
  database
    .query(
      `insert into idempotency (agent_key, idempotency_key, body_hash, run_id, created_at)
       values (:agentKey, :idempotencyKey, :bodyHash, :runId, :atMs)`,
    )
    .run(record);
}

export function deleteIdempotencyOfRun(database: Database, runId: string): void {
  database.query(`delete from idempotency where run_id = :runId`).run({ runId });
}

/** A key stands for its run as long as that can be seen. */
export function deleteIdempotencyOfConversation(database: Database, conversationId: string): void {
  database
    .query(
      `delete from idempotency where run_id in (select id from runs where conversation_id = :conversationId)`,
    )
    .run({ conversationId });
}

/** Forgets the oldest records whose run ended before `beforeMs`, at most `limit`. Answers with how many. */
export function deleteOldIdempotency(database: Database, beforeMs: number, limit: number): number {
  return database
    .query(
      `delete from idempotency where run_id in (
         select idempotency.run_id from idempotency join runs on runs.id = idempotency.run_id
         where idempotency.created_at < :beforeMs and runs.ended_at < :beforeMs limit :limit)`,
    )
    .run({ beforeMs, limit }).changes;
}
