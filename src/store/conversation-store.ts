import type { Database } from "bun:sqlite";
import type { Clock } from "../domain/clock.ts";
import type { ConversationHead, ConversationListItem } from "../domain/conversation.ts";
import type { Page } from "../domain/page.ts";
import type { ConversationLog, ConversationStore, PageRequest } from "../domain/ports.ts";
import { findAgentRow, findNewestAgentKey } from "./agents.ts";
import type { CommitQueue } from "./commit-queue.ts";
import {
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
import { listItemWithMatches, matchQueryOf, searchConversations } from "./search.ts";
import { listPendingTurns, listRecentTexts, listTurns } from "./turns.ts";

const durable = { durable: true };
const recentTurnsMax = 200;
const pendingTurnsMax = 500;

type ListRequest = PageRequest & { agentId: string | null; words: string | null };

export function createConversationStore(
  database: Database,
  queue: CommitQueue,
  clock: Clock,
  isStopping: () => boolean,
): ConversationStore & ConversationLog {
  async function removeConversation(conversationId: string): Promise<Removal> {
    const mark = () => markRemoved(database, conversationId, clock.wallMs());
    const removal = await queue.commit(mark, durable);
    if (typeof removal === "object") await deleteInBatches(database, queue, conversationId, isStopping);
    return removal;
  }

  return {
    findConversation: (conversationId) => headOrNull(findConversationRow(database, conversationId)),
    findActiveConversation: (agentId) => findActive(database, agentId),
    listConversations: (request) => list(database, request),
    pageTurns: (conversationId, page) => pageTurns(database, conversationId, page),
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

function pageTurns(
  database: Database,
  conversationId: string,
  { limit, before }: { limit: number; before: number | null },
) {
  const placed = listTurns(database, { conversationId, before, limit }).toReversed();
  const pending = before === null ? listPendingTurns(database, conversationId, pendingTurnsMax) : [];
  const firstSeq = placed[0]?.seq ?? 1;
  return { turns: [...placed, ...pending], nextBefore: firstSeq > 1 ? firstSeq : null };
}

function list(database: Database, request: ListRequest): Page<ConversationListItem> {
  const agentKey = request.agentId === null ? null : findNewestAgentKey(database, request.agentId);
  const words = request.words?.trim() ?? "";
  const matchQuery = words === "" ? null : matchQueryOf(words);
  const isHopeless = request.agentId !== null && agentKey === null;
  const isUnspoken = words !== "" && matchQuery === null;
  if (isHopeless || isUnspoken) return { items: [], nextCursor: null };
  const position = decodeCursor("conversations", request.cursor, 2);
  const before = position === null ? null : { updatedAtMs: position[0]!, key: position[1]! };
  const filter = { agentKey, before, limit: request.limit + 1 };
  return matchQuery === null
    ? pageOf(listConversationRows(database, filter), request.limit, headOf, cursorOf)
    : pageOfFound(database, { ...filter, matchQuery }, request.limit);
}

function pageOfFound(
  database: Database,
  filter: Parameters<typeof searchConversations>[1],
  limit: number,
): Page<ConversationListItem> {
  return pageOf(
    searchConversations(database, filter),
    limit,
    (found) => listItemWithMatches(database, filter.matchQuery, found),
    (found) => cursorOf(found.row),
  );
}

function cursorOf(row: ConversationRow): string {
  return encodeCursor("conversations", [row.updatedAt, row.key]);
}
