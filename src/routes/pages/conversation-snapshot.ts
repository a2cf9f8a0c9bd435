import type { Agent } from "../../domain/agent.ts";
import type { Turn } from "../../domain/conversation.ts";
import { pageLimitDefault } from "../../domain/page.ts";
import type { Run } from "../../domain/run.ts";
import { isTerminal } from "../../domain/run-state.ts";
import type { PageDependencies } from "./page-dependencies.ts";

/** One thing in a conversation, as it is shown. */
export type Entry =
  | { kind: "user"; key: string; turn: Turn }
  /** `turn` is null when the run ended without a word, `run` when only the turn is left. */
  | { kind: "answer"; key: string; run: Run | null; turn: Turn | null }
  | { kind: "live"; key: string; run: Run };

/** All that a page of an agent shows, read in one go and so consistent. */
export interface Snapshot {
  agent: Agent;
  conversationId: string | null;
  entries: Entry[];
  waiting: Turn[];
  nextBefore: number | null;
  lastSeq: number;
  liveRun: Run | null;
}

export type SnapshotReads = Pick<PageDependencies, "runner" | "conversations" | "runs">;

/** Null when there is no such agent. */
export function readSnapshot(reads: SnapshotReads, agentId: string, before: number | null): Snapshot | null {
  const agent = reads.runner.getAgent(agentId);
  if (agent === null) return null;
  const conversationId = agent.activeConversationId;
  const page =
    conversationId === null
      ? { turns: [], nextBefore: null }
      : reads.conversations.pageTurns(conversationId, { limit: pageLimitDefault, before });
  const placed = page.turns.filter((turn) => !turn.pending);
  const entries = entriesOf(placed, (runId) => reads.runs.getRun(runId));
  return {
    agent,
    conversationId,
    entries,
    waiting: page.turns.filter((turn) => turn.pending),
    nextBefore: page.nextBefore,
    lastSeq: placed.at(-1)?.seq ?? 0,
    liveRun: entries.find((entry) => entry.kind === "live")?.run ?? null,
  };
}

/** A run has one entry: beside its assistant turn, or after its user's turn when it has written none. */
export function entriesOf(turns: readonly Turn[], getRun: (runId: string) => Run | null): Entry[] {
  const answered = new Set(turns.filter((turn) => turn.role !== "user").map((turn) => turn.runId));
  return turns.flatMap((turn) => {
    const run = turn.runId === null ? null : getRun(turn.runId);
    if (turn.role !== "user") return [{ kind: "answer", key: run?.id ?? turn.id, run, turn }];
    const user: Entry = { kind: "user", key: turn.id, turn };
    if (run === null || answered.has(run.id)) return [user];
    return [user, isTerminal(run.state) ? { kind: "answer", key: run.id, run, turn: null } : live(run)];
  });
}

function live(run: Run): Entry {
  return { kind: "live", key: run.id, run };
}

/**
 * What a page shows, in a word: a stream that goes on from an equal one has nothing to catch up with but
 * the text of the live run. It is the stream's `Last-Event-ID`, so any server process can read it.
 */
export function cursorOf(snapshot: Pick<Snapshot, "conversationId" | "lastSeq" | "liveRun">): string {
  const { conversationId, lastSeq, liveRun } = snapshot;
  return [conversationId ?? "", lastSeq, liveRun?.id ?? ""].join(":");
}
