import type { Cli } from "../domain/agent.ts";
import type { ConversationState } from "../domain/conversation.ts";

/** Which conversations a list shows, and where it goes on; null leaves a question open. */
export interface ConversationRowFilter {
  agentKey: number | null;
  cli: Cli | null;
  state: ConversationState | null;
  fromMs: number | null;
  toMs: number | null;
  /** The last one of the page before. */
  before: { updatedAtMs: number; key: number } | null;
  limit: number;
}

const inState: Record<ConversationState, string> = {
  active: "conversations.key in (select key from conversations where status = 'active')",
  ended: "conversations.status = 'ended'",
  running: `conversations.id in (
    select conversation_id from runs where state = 'queued'
    union all select conversation_id from runs where state in ('starting', 'running'))`,
  failed: "conversations.last_run_failed = 1",
};

/** Condition on the rows of `conversations` that are wanted. */
export function wantedBy({ agentKey, cli, state }: ConversationRowFilter): string {
  return [
    `conversations.removed_at is null`,
    agentKey === null ? [] : `conversations.agent_key = :agentKey`,
    cli === null ? [] : `conversations.agent_key in (select key from agents where cli = :cli)`,
    state === null ? [] : inState[state],
    `conversations.updated_at >= :fromMs`,
    `(conversations.updated_at, conversations.key) < (:updatedAtMs, :key)`,
  ]
    .flat()
    .join(" and ");
}

/** The one changed last first. */
export const newestFirst = `order by conversations.updated_at desc, conversations.key desc`;

export function bindingsOf(filter: ConversationRowFilter): Record<string, string | number> {
  const { agentKey, cli, fromMs, limit } = filter;
  return {
    ...(agentKey === null ? {} : { agentKey }),
    ...(cli === null ? {} : { cli }),
    fromMs: fromMs ?? 0,
    ...endOf(filter),
    limit,
  };
}

/** The page goes on below this place: a cursor's, or the end of the time asked for, whichever is earlier. */
function endOf({ before, toMs }: ConversationRowFilter): { updatedAtMs: number; key: number } {
  const place = before ?? { updatedAtMs: Number.MAX_SAFE_INTEGER, key: Number.MAX_SAFE_INTEGER };
  return toMs === null || place.updatedAtMs < toMs ? place : { updatedAtMs: toMs, key: 0 };
}
