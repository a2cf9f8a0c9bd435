import type { Database } from "bun:sqlite";
import { isoTime } from "../domain/clock.ts";
import type { ConversationHead } from "../domain/conversation.ts";
import { bindingsOf, newestFirst, wantedBy, type ConversationRowFilter } from "./conversation-filter.ts";

export interface ConversationRow {
  key: number;
  id: string;
  agentId: string;
  agentKey: number;
  cli: ConversationHead["cli"];
  cliSessionId: string;
  sessionBegun: number;
  sessionFingerprint: string;
  status: ConversationHead["status"];
  title: string;
  nextSeq: number;
  createdAt: number;
  updatedAt: number;
}

/** Subqueries, not joins: SQLite prepares a join with bound values anew each time. */
export const conversationColumns = `
  conversations.key, conversations.id, conversations.agent_key as agentKey,
  (select id from agents where key = conversations.agent_key) as agentId,
  (select cli from agents where key = conversations.agent_key) as cli,
  conversations.cli_session_id as cliSessionId, conversations.session_begun as sessionBegun,
  conversations.session_fingerprint as sessionFingerprint, conversations.status, conversations.title,
  conversations.next_seq as nextSeq, conversations.created_at as createdAt,
  conversations.updated_at as updatedAt`;

const keptConversations = `from conversations where conversations.removed_at is null`;

/** The head as the API shows it; a session id that no CLI has confirmed yet isn't shown. */
export function headOf(row: ConversationRow): ConversationHead {
  return {
    id: row.id,
    agentId: row.agentId,
    cli: row.cli,
    cliSessionId: row.sessionBegun === 1 ? row.cliSessionId : null,
    status: row.status,
    title: row.title,
    turnCount: row.nextSeq - 1,
    createdAt: isoTime(row.createdAt),
    updatedAt: isoTime(row.updatedAt),
  };
}

export function findConversationRow(database: Database, conversationId: string): ConversationRow | null {
  return database
    .query<ConversationRow, { conversationId: string }>(
      `select ${conversationColumns} ${keptConversations} and conversations.id = :conversationId`,
    )
    .get({ conversationId });
}

export function findActiveConversationRow(database: Database, agentKey: number): ConversationRow | null {
  return database
    .query<ConversationRow, { agentKey: number }>(
      `select ${conversationColumns} ${keptConversations}
       and conversations.agent_key = :agentKey and conversations.status = 'active'`,
    )
    .get({ agentKey });
}

export function listConversationRows(database: Database, filter: ConversationRowFilter): ConversationRow[] {
  return database
    .query<ConversationRow, ReturnType<typeof bindingsOf>>(
      `select ${conversationColumns} from conversations
       where ${wantedBy(filter)} ${newestFirst} limit :limit`,
    )
    .all(bindingsOf(filter));
}

/** Turns that have their place; their seqs are 1 to this. */
export function countTurns(database: Database, conversationId: string): number {
  const row = database
    .query<{ count: number }, { conversationId: string }>(
      `select next_seq - 1 as count from conversations where id = :conversationId`,
    )
    .get({ conversationId });
  return row?.count ?? 0;
}

export function insertConversation(
  database: Database,
  conversation: { id: string; agentKey: number; title: string; cliSessionId: string; atMs: number },
): void {
  database
    .query(
      `insert into conversations (id, agent_key, status, title, cli_session_id, created_at, updated_at)
       values (:id, :agentKey, 'active', :title, :cliSessionId, :atMs, :atMs)`,
    )
    .run(conversation);
}

export function touchConversation(database: Database, conversationId: string, atMs: number): void {
  database
    .query(`update conversations set updated_at = max(updated_at, :atMs) where id = :conversationId`)
    .run({ conversationId, atMs });
}

export function markConversationActive(database: Database, conversationId: string): void {
  database
    .query(`update conversations set status = 'active' where id = :conversationId`)
    .run({ conversationId });
}

export function endActiveConversations(database: Database, agentKey: number, atMs: number): void {
  database
    .query(
      `update conversations set status = 'ended', updated_at = max(updated_at, :atMs)
       where agent_key = :agentKey and status = 'active'`,
    )
    .run({ agentKey, atMs });
}

/** False when another conversation holds this session, or the CLI named none. */
export function markSessionBegun(
  database: Database,
  session: { conversationId: string; cliSessionId: string; fingerprint: string },
): boolean {
  return (
    database
      .query(
        `update conversations set cli_session_id = :cliSessionId, session_begun = 1,
           session_fingerprint = :fingerprint
         where id = :conversationId and :cliSessionId <> '' and not exists (
           select 1 from session_holders as other
           where other.cli_session_id = :cliSessionId and other.key <> conversations.key
             and other.carried_by = (
               select cli || ' ' || coalesce(acp_agent, '') from agents where key = conversations.agent_key))`,
      )
      .run(session).changes === 1
  );
}

export function replaceSession(database: Database, conversationId: string, cliSessionId: string): void {
  database
    .query(
      `update conversations set cli_session_id = :cliSessionId, session_begun = 0, session_fingerprint = ''
       where id = :conversationId`,
    )
    .run({ conversationId, cliSessionId });
}

/** The conversation holds no session: what the CLI keeps of it isn't resumed again. */
export function dropSession(database: Database, conversationId: string): void {
  replaceSession(database, conversationId, "");
}

/**
 * Drops sessions that nobody goes on with: of conversations that ended before `beforeMs` and of deleted agents.
 * At most `limit`; answers with how many.
 */
export function dropOldSessions(database: Database, beforeMs: number, limit: number): number {
  return database
    .query(
      `update conversations set cli_session_id = '', session_begun = 0, session_fingerprint = ''
       where key in (
         select key from conversations
         where status = 'ended' and cli_session_id <> '' and removed_at is null and (
           updated_at < :beforeMs
           or (select deleted_at from agents where key = conversations.agent_key) is not null)
         limit :limit)`,
    )
    .run({ beforeMs, limit }).changes;
}

export function markConversationRemoved(database: Database, conversationId: string, atMs: number): void {
  database
    .query(`update conversations set status = 'ended', removed_at = :atMs where id = :conversationId`)
    .run({ conversationId, atMs });
}

export function listRemovedConversations(database: Database): string[] {
  return database
    .query<{ id: string }, []>(`select id from conversations where removed_at is not null`)
    .all()
    .map((row) => row.id);
}

export function deleteConversation(database: Database, conversationId: string): void {
  database.query(`delete from conversations where id = :conversationId`).run({ conversationId });
}
