import type { Database } from "bun:sqlite";
import type { Clock } from "../domain/clock.ts";
import type { ConversationHead, ConversationListItem, Turn } from "../domain/conversation.ts";
import type { Page } from "../domain/page.ts";
import type {
  ConversationFilter,
  ConversationLog,
  ConversationStore,
  PageRequest,
  TurnPage,
  TurnRange,
} from "../domain/ports.ts";
import { findAgentRow, findNewestAgentKey } from "./agents.ts";
import type { CommitQueue } from "./commit-queue.ts";
import type { ConversationRowFilter } from "./conversation-filter.ts";
import { conversationGlances } from "./conversation-glances.ts";
import {
  countTurns,
  endActiveConversations,
  findActiveConversationRow,
  findConversationRow,
  headOf,
  listConversationRows,
  replaceSession,
  type ConversationRow,
} from "./conversations.ts";
import { decodeCursor, encodeCursor, pageOf } from "./cursors.ts";
import { deleteInBatches, markRemoved, type Removal } from "./removal.ts";
import { hasLivingRuns } from "./runs.ts";
import { matchQueryOf, searchConversations, withMatches, type SearchFilter } from "./search.ts";
import { listPendingTurns, listRecentTexts, listTurnsAfter, listTurnsBefore } from "./turns.ts";

const durable = { durable: true };
const recentTurnsMax = 200;
const pendingTurnsMax = 500;

export function createConversationStore(
  database: Database,
  queue: CommitQueue,
  clock: Clock,
  isStopping: () => boolean,
): ConversationStore & ConversationLog {
  async function removeConversation(conversationId: string): Promise<Removal> {
    const mark = () => markRemoved(database, conversationId, clock.wallMs());
    const removal = await queue.commit(mark, durable);
    if (typeof removal === "object")
      await deleteInBatches(database, queue, clock, conversationId, isStopping);
    return removal;
  }

  return {
    findConversation: (conversationId) => headOrNull(findConversationRow(database, conversationId)),
    findActiveConversation: (agentId) => findActive(database, agentId),
    listConversations: (request) => list(database, request),
    conversationGlances: (conversationIds) => conversationGlances(database, conversationIds),
    pageTurns: (conversationId, range) => pageTurns(database, conversationId, range),
    endActiveConversation: (agentId, atMs) => queue.commit(() => endActive(database, agentId, atMs), durable),
    removeConversation,
    recentTurns: (conversationId, bytesMax) =>
      listRecentTexts(database, { conversationId, bytesMax, limit: recentTurnsMax }),
    renewSession: (conversationId, cliSessionId) =>
      queue.commit(() => replaceSession(database, conversationId, cliSessionId), durable),
  };
}

function headOrNull(row: ConversationRow | null): ConversationHead | null {
  return row === null ? null : headOf(row);
}

function findActive(database: Database, agentId: string): ConversationHead | null {
  const agent = findAgentRow(database, agentId);
  return agent === null ? null : headOrNull(findActiveConversationRow(database, agent.key));
}

function endActive(
  database: Database,
  agentId: string,
  atMs: number,
): { conversationId: string | null; ended: boolean } | "run_active" {
  const agent = findAgentRow(database, agentId);
  const active = agent === null ? null : findActiveConversationRow(database, agent.key);
  if (agent === null || active === null) return { conversationId: null, ended: false };
  if (hasLivingRuns(database, agent.key, active.id)) return "run_active";
  endActiveConversations(database, agent.key, atMs);
  return { conversationId: active.id, ended: true };
}

function pageTurns(database: Database, conversationId: string, range: TurnRange): TurnPage {
  const placed = listPlacedTurns(database, conversationId, range);
  const count = countTurns(database, conversationId);
  const asked = "after" in range ? range.after : (range.before ?? Infinity) - 1;
  // Where a page without turns stands: behind this seq.
  const edge = Math.max(0, Math.min(count, asked));
  const firstSeq = placed[0]?.seq ?? edge + 1;
  const lastSeq = placed.at(-1)?.seq ?? edge;
  const isNewest = "after" in range ? lastSeq >= count : range.before === null;
  const pending = isNewest ? listPendingTurns(database, conversationId, pendingTurnsMax) : [];
  return {
    turns: [...placed, ...pending],
    nextBefore: firstSeq > 1 ? firstSeq : null,
    nextAfter: lastSeq < count ? lastSeq : null,
  };
}

function listPlacedTurns(database: Database, conversationId: string, range: TurnRange): Turn[] {
  return "after" in range
    ? listTurnsAfter(database, { conversationId, ...range })
    : listTurnsBefore(database, { conversationId, ...range }).toReversed();
}

function list(database: Database, request: PageRequest & ConversationFilter): Page<ConversationListItem> {
  const filter = filterOf(database, request);
  if (filter === null) return { items: [], nextCursor: null };
  const { matchQuery, ...rest } = filter;
  return matchQuery === null
    ? pageOf(listConversationRows(database, rest), request.limit, headOf, cursorOf)
    : pageOfFound(database, { ...rest, matchQuery }, request.limit);
}

/** Null when nothing can be found: nobody bore that name, or the words hold no letter and no digit. */
function filterOf(
  database: Database,
  { agentId, words, cursor, limit, cli, state, fromMs, toMs }: PageRequest & ConversationFilter,
): (ConversationRowFilter & { matchQuery: string | null }) | null {
  const agentKey = agentId === null ? null : findNewestAgentKey(database, agentId);
  if (agentId !== null && agentKey === null) return null;
  const isSearch = words !== null && words.trim() !== "";
  const matchQuery = isSearch ? matchQueryOf(words) : null;
  if (isSearch && matchQuery === null) return null;
  const position = decodeCursor("conversations", cursor, 2);
  const before = position === null ? null : { updatedAtMs: position[0]!, key: position[1]! };
  return { agentKey, cli, state, fromMs, toMs, before, limit: limit + 1, matchQuery };
}

function pageOfFound(database: Database, filter: SearchFilter, limit: number): Page<ConversationListItem> {
  const found = searchConversations(database, filter);
  const page = pageOf(
    found,
    limit,
    (item) => item,
    ({ row }) => cursorOf(row),
  );
  return { ...page, items: withMatches(database, filter.matchQuery, page.items) };
}

function cursorOf(row: ConversationRow): string {
  return encodeCursor("conversations", [row.updatedAt, row.key]);
}
