import type { Database } from "bun:sqlite";
import type { ConversationGlance } from "../domain/conversation.ts";
import { preview, previewChars } from "../domain/run.ts";

/** How many messages may have got no answer before the first that did. */
const turnsLookedThroughMax = 20;

interface GlanceRow {
  id: string;
  running: number;
  failed: number;
  beginning: string | null;
  cwd: string;
  agentLives: number;
}

/** What lists show of these conversations beside their heads; one that isn't there is left out. */
export function conversationGlances(
  database: Database,
  conversationIds: readonly string[],
): Map<string, ConversationGlance> {
  const rows = listGlanceRows(database, conversationIds);
  return new Map(rows.map((row) => [row.id, glanceOf(row)]));
}

function listGlanceRows(database: Database, conversationIds: readonly string[]): GlanceRow[] {
  return database
    .query<GlanceRow, { conversationIds: string }>(
      `select conversations.id,
         exists (select 1 from runs where state = 'queued' and agent_key = conversations.agent_key
             and conversation_id = conversations.id)
           or exists (select 1 from runs where state in ('starting', 'running')
             and agent_key = conversations.agent_key and conversation_id = conversations.id) as running,
         conversations.last_run_failed as failed,
         (select substr(content, 1, ${previewChars + 1}) from turns
          where conversation_id = conversations.id and seq <= ${turnsLookedThroughMax}
            and role = 'assistant' and octet_length(content) > 0
          order by seq limit 1) as beginning,
         (select cwd from agents where key = conversations.agent_key) as cwd,
         (select deleted_at from agents where key = conversations.agent_key) is null as agentLives
       from conversations
       where conversations.id in (select value from json_each(:conversationIds))
         and conversations.removed_at is null`,
    )
    .all({ conversationIds: JSON.stringify(conversationIds) });
}

function glanceOf({ running, failed, beginning, cwd, agentLives }: GlanceRow): ConversationGlance {
  return {
    running: running === 1,
    failed: failed === 1,
    firstLines: preview(beginning ?? ""),
    cwd,
    agentLives: agentLives === 1,
  };
}
