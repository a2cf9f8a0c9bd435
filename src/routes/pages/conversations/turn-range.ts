import type { Turn } from "../../../domain/conversation.ts";
import type { ConversationStore } from "../../../domain/ports.ts";
import { turnsShownMax } from "../chat/conversation-snapshot.ts";

/** Which turns of a conversation a page shows, by seq, both ends included. */
export interface SeqRange {
  from: number;
  to: number;
}

/** Where a page of a conversation begins, ends or has its middle; at most one of them counts. */
export interface AskedSeqs {
  at: number | null;
  before: number | null;
  after: number | null;
}

/** The page that is asked for, or the newest one. Of `turnCount` turns; none at all is `from: 1, to: 0`. */
export function rangeOf(turnCount: number, { at, before, after }: AskedSeqs): SeqRange {
  const within = (seq: number) => Math.max(1, Math.min(turnCount, seq));
  const newestFrom = Math.max(1, turnCount - turnsShownMax + 1);
  if (at !== null) {
    const from = Math.max(1, Math.min(newestFrom, at - turnsShownMax / 2));
    return { from, to: Math.min(turnCount, from + turnsShownMax - 1) };
  }
  if (before !== null) {
    const to = Math.min(turnCount, within(before - 1));
    return { from: Math.max(1, to - turnsShownMax + 1), to };
  }
  const from = after === null ? newestFrom : within(after + 1);
  return { from, to: Math.min(turnCount, from + turnsShownMax - 1) };
}

/** The turns of the range, and at either end the other half of a run that it would cut in two. */
export function readTurns(
  conversations: Pick<ConversationStore, "pageTurns">,
  conversationId: string,
  { from, to }: SeqRange,
): Turn[] {
  const wide = { limit: to - from + 3, after: from - 2 };
  const { turns } = conversations.pageTurns(conversationId, wide);
  const find = (seq: number) => turns.find((turn) => turn.seq === seq);
  const isOtherHalf = (turn: Turn, seq: number) => turn.runId !== null && turn.runId === find(seq)?.runId;
  return turns.filter((turn) => {
    if (turn.seq === null || turn.seq > to + 1) return false;
    if (turn.seq < from) return isOtherHalf(turn, from);
    return turn.seq <= to || isOtherHalf(turn, to);
  });
}
