import type { Database } from "bun:sqlite";
import { breakerEntry } from "../domain/breaker-decider.ts";
import { titleOf } from "../domain/conversation.ts";
import type { Admission, AdmitResult, ClaimedRun, Hole } from "../domain/ports.ts";
import type { CommMode } from "../domain/agent.ts";
import { findAgentRow, getAgentRow, settingsOf, type AgentRow } from "./agents.ts";
import { findBreaker, halfOpenBreaker } from "./breakers.ts";
import {
  endActiveConversations,
  findActiveConversationRow,
  findConversationRow,
  insertConversation,
  markConversationActive,
  touchConversation,
} from "./conversations.ts";
import { findIdempotency, insertIdempotency } from "./idempotency.ts";
import { insertEvents } from "./run-events.ts";
import { findRun } from "./run-views.ts";
import { findQueueOfAgent, getStartedRow, insertRun, startRun } from "./runs.ts";
import { hasAnswers, insertPendingTurn, placePendingTurn } from "./turns.ts";

type Refused = Extract<AdmitResult, { kind: "refused" }>;
/** The conversation that the run joins; null for a new one. */
type Joined = { kind: "joined"; conversationId: string; status: "active" | "ended" } | { kind: "new" };

/** Inside a transaction: refuse, replay, or write everything that an acknowledged run consists of. */
export function admit(database: Database, epoch: number, admission: Admission): AdmitResult {
  const agent = findAgentRow(database, admission.agentId);
  if (agent === null) return refused("agent_not_found");
  const replay = replayOf(database, agent.key, admission);
  if (replay !== null) return replay;
  if (admission.isDraining()) return refused("draining");
  if (agent.quarantinedAt !== null) return refused("agent_quarantined");
  const joined = findJoined(database, agent.key, admission.conversationId);
  if (joined === null) return refused("conversation_not_found");
  const queue = findQueueOfAgent(database, agent.key);
  const breaker = findBreaker(database, agent.key, agent.id);
  const line = { queued: queue.queued, isActive: queue.activeRunId !== null };
  const entry = breakerEntry(breaker, line, admission.atMs);
  if (entry === "refused") return { kind: "refused", code: "breaker_open", breaker };
  const isFree = queue.activeRunId === null && queue.queued === 0;
  const claimsNow = isFree && admission.mayClaim();
  if (!claimsNow && queue.queued >= admission.queueLimit) return refused("queue_full");
  if (entry === "probe") halfOpenBreaker(database, agent.key, admission.atMs);
  const conversationId = join(database, agent, admission, joined);
  insertEverything(database, epoch, agent, conversationId, admission);
  const claimed = claimsNow ? claim(database, epoch, admission.runId, admission.atMs) : null;
  return { kind: "admitted", run: findRun(database, admission.runId)!, claimed };
}

type PlainRefusal = Exclude<Refused, { code: "breaker_open" }>;

function refused(code: PlainRefusal["code"]): PlainRefusal {
  return { kind: "refused", code };
}

/** A repeat is answered also when its agent or the server takes no new run by now, or the run is long over. */
function replayOf(database: Database, agentKey: number, { idempotency }: Admission): AdmitResult | null {
  if (idempotency === null) return null;
  const record = findIdempotency(database, agentKey, idempotency.key);
  if (record === null) return null;
  const isSame = record.bodyHash === idempotency.bodyHash;
  return isSame ? { kind: "replay", runId: record.runId } : refused("idempotency_mismatch");
}

function findJoined(database: Database, agentKey: number, conversationId: string | null): Joined | null {
  const row =
    conversationId === null
      ? findActiveConversationRow(database, agentKey)
      : findConversationRow(database, conversationId);
  if (row === null) return conversationId === null ? { kind: "new" } : null;
  if (row.agentKey !== agentKey) return null;
  return { kind: "joined", conversationId: row.id, status: row.status };
}

/** Makes the conversation the agent's active one. */
function join(database: Database, agent: AgentRow, admission: Admission, joined: Joined): string {
  const { newConversationId, newCliSessionId, prompt, atMs } = admission;
  if (joined.kind === "new") {
    const identity = { id: newConversationId, agentKey: agent.key, cliSessionId: newCliSessionId };
    insertConversation(database, { ...identity, title: titleOf(prompt), atMs });
    return newConversationId;
  }
  if (joined.status === "ended") {
    endActiveConversations(database, agent.key, atMs);
    markConversationActive(database, joined.conversationId);
  }
  touchConversation(database, joined.conversationId, atMs);
  return joined.conversationId;
}

function insertEverything(
  database: Database,
  epoch: number,
  agent: AgentRow,
  conversationId: string,
  admission: Admission,
): void {
  const { runId, userTurnId, idempotency, atMs } = admission;
  insertRun(database, {
    runId,
    agentKey: agent.key,
    conversationId,
    userTurnId,
    epoch,
    mode: admission.mode,
    timeoutMs: admission.timeoutMs,
    retryOf: admission.retryOf,
    metadata: JSON.stringify(admission.metadata),
    promptHoles: JSON.stringify(admission.promptHoles),
    atMs,
  });
  insertPendingTurn(database, { id: userTurnId, conversationId, runId, content: admission.prompt, atMs });
  insertEvents(database, { runId, fence: 0, atMs, afterSeq: 0 }, [{ type: "run.queued" }]);
  if (idempotency === null) return;
  const { key: idempotencyKey, bodyHash } = idempotency;
  insertIdempotency(database, { agentKey: agent.key, idempotencyKey, bodyHash, runId, atMs });
}

/** Inside a transaction: `queued → starting` under a fresh fence; null when the run isn't queued any more. */
export function claim(database: Database, epoch: number, runId: string, atMs: number): ClaimedRun | null {
  if (!startRun(database, { runId, epoch, atMs })) return null;
  const row = getStartedRow(database, runId);
  placePendingTurn(database, runId, row.conversationId);
  const session = findConversationRow(database, row.conversationId)!;
  const { agentKey, ...run } = row;
  return {
    ...run,
    agent: settingsOf(getAgentRow(database, agentKey)),
    cliSessionId: session.cliSessionId || null,
    sessionBegun: session.sessionBegun === 1,
    answeredBefore: hasAnswers(database, row.conversationId),
    sessionFingerprint: session.sessionFingerprint,
    promptHoles: JSON.parse(row.promptHoles) as Hole[],
    mode: row.mode as CommMode,
  };
}
