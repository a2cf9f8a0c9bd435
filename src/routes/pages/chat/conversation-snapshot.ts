import type { Agent } from "../../../domain/agent.ts";
import type { ConversationHead, Turn } from "../../../domain/conversation.ts";
import type { Run } from "../../../domain/run.ts";
import { isTerminal } from "../../../domain/run-state.ts";
import type { OlderTurns } from "../../../views/chat/conversation.tsx";
import type { PageDependencies } from "../page-dependencies.ts";

/** Turns of one page; what is older is loaded when it is wanted, in pieces that a browser takes in at once. */
export const turnsShownMax = 40;
export const olderTurnsMax = 10;

/** One thing in a conversation, as it is shown. */
export type Entry =
  | { kind: "user"; key: string; turn: Turn }
  /** A settled answer. `turn` is null when the run ended without a word, `runId` when only the turn is left. */
  | { kind: "answer"; key: string; conversationId: string; runId: string | null; turn: Turn | null }
  | { kind: "live"; key: string; run: Run };

/** All that a page of an agent shows, read in one go and so consistent. */
export interface Snapshot {
  agent: Agent;
  conversation: ConversationHead | null;
  entries: Entry[];
  waiting: Turn[];
  lastSeq: number;
  liveRun: Run | null;
}

export type SnapshotReads = Pick<PageDependencies, "runner" | "conversations" | "runs">;

/** Null when there is no such agent. */
export function readSnapshot(reads: SnapshotReads, agentId: string): Snapshot | null {
  const agent = reads.runner.getAgent(agentId);
  if (agent === null) return null;
  const { activeConversationId: id } = agent;
  const conversation = id === null ? null : reads.conversations.findConversation(id);
  const turns =
    id === null ? [] : reads.conversations.pageTurns(id, { limit: turnsShownMax, before: null }).turns;
  const placed = turns.filter((turn) => !turn.pending);
  const entries = entriesOf(placed, (runId) => reads.runs.getRun(runId));
  return {
    agent,
    conversation,
    entries,
    waiting: turns.filter((turn) => turn.pending),
    lastSeq: placed.at(-1)?.seq ?? 0,
    liveRun: entries.find((entry) => entry.kind === "live")?.run ?? null,
  };
}

/** A run has one entry: beside its assistant turn, or after its user's turn when it has written none. */
export function entriesOf(turns: readonly Turn[], getRun: (runId: string) => Run | null): Entry[] {
  const answered = new Set(turns.filter((turn) => turn.role !== "user").map((turn) => turn.runId));
  return turns.flatMap((turn) => {
    const { runId, conversationId } = turn;
    if (turn.role !== "user") return [{ kind: "answer", key: runId ?? turn.id, conversationId, runId, turn }];
    const user: Entry = { kind: "user", key: turn.id, turn };
    if (runId === null || answered.has(runId)) return [user];
    const run = getRun(runId);
    return run === null ? [user] : [user, ...entriesWithoutTurn(run)];
  });
}

function entriesWithoutTurn(run: Run): Entry[] {
  const { id, conversationId } = run;
  if (!isTerminal(run.state)) return [{ kind: "live", key: id, run }];
  // Its turn stands on the next page.
  if (run.state === "succeeded" || run.content !== "") return [];
  return [{ kind: "answer", key: id, conversationId, runId: id, turn: null }];
}

/** What stands before the entries that are shown; null when nothing does. */
export function olderThan(entries: readonly Entry[]): OlderTurns | null {
  const turn = entries
    .map((entry) => (entry.kind === "live" ? null : entry.turn))
    .find((found) => found !== null);
  return turn && turn.seq !== null && turn.seq > 1
    ? { conversationId: turn.conversationId, before: turn.seq }
    : null;
}

/**
 * What a page shows, in a word: a stream that goes on from an equal one has nothing to catch up with but
 * the text of the live run. A tab sends it back when its stream begins anew, so any server process can read it.
 */
export function cursorOf(snapshot: Pick<Snapshot, "conversation" | "lastSeq" | "liveRun">): string {
  const { conversation, lastSeq, liveRun } = snapshot;
  return [conversation?.id ?? "", lastSeq, liveRun?.id ?? ""].join(":");
}
