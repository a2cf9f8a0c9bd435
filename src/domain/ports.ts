import type { Breaker, BreakerSettings } from "./breaker.ts";
import type { AgentPatch, AgentSettings, Cli, CommMode } from "./agent.ts";
import type {
  ConversationGlance,
  ConversationHead,
  ConversationListItem,
  ConversationState,
  Turn,
} from "./conversation.ts";
import type { RunErrorCode } from "./error-codes.ts";
import type { ServiceOutcome } from "./service-outcome.ts";
import type { NoticeCode, RunEvent, RunEventBody } from "./event.ts";
import type { Page } from "./page.ts";
import type { Anomaly, Run, RunListItem, Usage } from "./run.ts";
import type { RunState, TerminalState } from "./run-state.ts";
import type { ProcessIdentity } from "./process.ts";

/**
 * What the runner asks of a store. Every write resolves after its commit; a durable one after the disk
 * has it. A write that the database refuses because the run has moved on is the value "stale"; a store
 * that can't write (disk full, read-only, locked) rejects with `StoreUnavailable`.
 */
export class StoreUnavailable extends Error {
  override readonly name = "StoreUnavailable";
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** Where a secret's value was cut out of a stored text, so that the text can be delivered as it was sent. */
export interface Hole {
  /** Offset in UTF-16 units in the stored text, where the mask begins. */
  at: number;
  /** Length of the mask there. */
  length: number;
  /** The variable whose value it was, and its value's length and hash, to notice a changed one. */
  variable: string;
  sha256: string;
}

export interface Admission {
  runId: string;
  userTurnId: string;
  agentId: string;
  /** One of this agent's, to become active again; null for the active one, or a new one with `newConversationId`. */
  conversationId: string | null;
  newConversationId: string;
  newCliSessionId: string;
  prompt: string;
  promptHoles: readonly Hole[];
  timeoutMs: number | null;
  metadata: Record<string, unknown>;
  mode: CommMode;
  retryOf: string | null;
  idempotency: { key: string; bodyHash: string } | null;
  queueLimit: number;
  /** Asked inside the transaction: a server that ends takes no run, and still answers a repeat. */
  isDraining: () => boolean;
  /** Asked inside the transaction, last: true claims the run at once (`starting`), if the agent is free. */
  mayClaim: () => boolean;
  atMs: number;
}

export type AdmitResult =
  | { kind: "admitted"; run: Run; claimed: ClaimedRun | null }
  | { kind: "replay"; runId: string }
  | { kind: "refused"; code: "agent_not_found" | "agent_quarantined" | "conversation_not_found" }
  | { kind: "refused"; code: "draining" | "idempotency_mismatch" | "queue_full" }
  | { kind: "refused"; code: "breaker_open"; breaker: Breaker };

/** A run that holds its agent: state `starting`, under a fresh fence. */
export interface ClaimedRun {
  runId: string;
  fence: number;
  agent: AgentSettings;
  conversationId: string;
  /** The session that the conversation holds, begun or to be begun; null when it holds none (any more). */
  cliSessionId: string | null;
  /** True when the CLI has confirmed this session (its first event came). */
  sessionBegun: boolean;
  /** True when the conversation has answers: a session that isn't begun knows nothing of them. */
  answeredBefore: boolean;
  /** The fingerprint of the settings under which the session was begun; "" before. */
  sessionFingerprint: string;
  /** The prompt as stored (secrets masked) and the holes to fill. */
  prompt: string;
  promptHoles: readonly Hole[];
  timeoutMs: number | null;
  mode: CommMode;
  queuedAtMs: number;
  startedAtMs: number;
}

/** A claimed run gets a process and its prompt: `starting → running`. */
export interface RunStart {
  runId: string;
  fence: number;
  processId: string;
  warm: boolean;
  atMs: number;
}

export interface Settlement {
  runId: string;
  fence: number;
  /** What `begin` was told; made up for when the store refused it then, since the CLI went on meanwhile. */
  start?: RunStart | null;
  state: TerminalState;
  error: { code: RunErrorCode; message: string } | null;
  /** What came with the last output and isn't noted yet. */
  note: RunNote | null;
  /** Events that come before `run.finished` in the same transaction. */
  lastEvents: readonly RunEventBody[];
  content: string;
  contentFinal: boolean;
  /** An assistant turn is written when this is set or the content isn't empty. */
  assistantTurnId: string;
  usage: Usage | null;
  costUsd: number | null;
  toolNames: readonly string[];
  anomalies: readonly Anomaly[];
  exitCode: number | null;
  signal: string | null;
  peakRssBytes: number | null;
  cpuMs: number | null;
  survivors: number;
  durationMs: number;
  endedAtMs: number;
  /** What the end says of the service; the agent's breaker hears it in the same transaction. Nothing without it. */
  service?: { outcome: ServiceOutcome; settings: BreakerSettings };
}

/** Runs and their event logs. */
export interface RunLog {
  /** Durable: run, user turn, first event, idempotency record; and the claim, when `mayClaim` says so. */
  admit(admission: Admission): Promise<AdmitResult>;
  /** Durable: `queued → starting` under a new fence; the user turn gets its seq. Null when it isn't queued any more. */
  claim(runId: string, atMs: number): Promise<ClaimedRun | null>;
  /** `starting → running` and the event `run.started`. */
  begin(start: RunStart): Promise<"ok" | "stale">;
  /** Appends events in order; they get the next seqs. */
  append(
    runId: string,
    fence: number,
    events: readonly RunEventBody[],
    atMs: number,
  ): Promise<"ok" | "stale">;
  /**
   * Facts about the run that came with its output. Not durable by itself. "session_taken" when another
   * conversation holds the session that the CLI named: all else is noted, and the conversation holds none now.
   */
  note(runId: string, fence: number, note: RunNote): Promise<"ok" | "stale" | "session_taken">;
  /**
   * Durable: last events, assistant turn and terminal state, once. Resolves with the settled run, or "stale".
   * Where its note names a session that another conversation holds, the run gets the notice and the anomaly
   * `session_mismatch`.
   */
  settle(settlement: Settlement): Promise<Run | "stale">;
  /**
   * Durable. A queued run is settled as cancelled and its waiting turn leaves the conversation; an active
   * one is flagged; a terminal one is left alone. Resolves with the run that was settled: its conversation may be
   * deleted in the same transaction, and then nobody can read it any more.
   */
  requestCancel(runId: string, atMs: number): Promise<Run | "flagged" | "finished" | "missing">;
  getRun(runId: string): Run | null;
  /** What was asked, as it is stored, with the holes to fill when it is sent again. */
  findPrompt(
    runId: string,
  ): { prompt: string; promptHoles: readonly Hole[]; timeoutMs: number | null } | null;
  /** Queued runs, oldest first: what the dispatcher begins with after a start. */
  listQueued(): { runId: string; agentId: string }[];
}

export interface RunNote {
  firstOutputAtMs?: number;
  cliVersion?: string;
  model?: string;
  warm?: boolean;
  /** The CLI confirmed the session: it may be resumed from now on. */
  sessionBegun?: { cliSessionId: string; fingerprint: string };
}

/** Who holds which process. */
export interface Custody {
  /**
   * Committed before the process gets its first input. "occupied" when another process of the conversation has
   * no end on record: nothing is recorded then, and the new one may not go on.
   */
  recordProcess(process: {
    processId: string;
    agentId: string;
    conversationId: string;
    identity: ProcessIdentity;
    containment: string;
    atMs: number;
  }): Promise<"ok" | "occupied">;
  /** One that the store could not take is written with the next process of whatever agent. */
  recordProcessEnd(
    processId: string,
    end: { reason: string; exitCode: number | null; signal: string | null; atMs: number },
  ): Promise<void>;
  /** Processes without an end whose epoch is older than this server's. */
  listStrayProcesses(): OpenProcess[];
  /** The agent's processes without an end, of this server and of earlier ones. */
  listOpenProcesses(agentId: string): OpenProcess[];
  /** Processes without an end of agents that were deleted. */
  listDisownedProcesses(): OpenProcess[];
}

/** A process without an end on record. */
export interface OpenProcess {
  processId: string;
  agentId: string;
  /** The run in progress in its conversation. */
  runId: string | null;
  identity: ProcessIdentity;
}

/** What boot does with the runs that an earlier server left behind. */
export interface Recovery {
  /** Runs of older epochs in `starting` or `running`. */
  listInterrupted(): { runId: string; agentId: string; processIds: string[] }[];
  /**
   * Durable: adopts the run under a new fence of this epoch, then settles it `interrupted` with the text
   * that its log holds, `final: false`. A run whose cancellation was requested becomes `cancelled`.
   */
  settleInterrupted(
    runId: string,
    ids: { assistantTurnId: string },
    code: RunErrorCode,
    atMs: number,
  ): Promise<void>;
}

/** The conversation as the runner needs it. */
export interface ConversationLog {
  /** The newest turns of a conversation in ascending order, as text for a fresh CLI session, within `bytesMax`. */
  recentTurns(
    conversationId: string,
    bytesMax: number,
  ): { role: "user" | "assistant" | "system"; content: string }[];
  /** A fresh CLI session for the conversation; the old one isn't resumed again. */
  renewSession(conversationId: string, cliSessionId: string): Promise<void>;
}

export type Notice = { code: NoticeCode; message: string };

export interface PageRequest {
  limit: number;
  /** As an earlier page gave it; null for the newest. A cursor that isn't ours reads as the newest page. */
  cursor: string | null;
}

/** What the routes and pages read and the owners of agents write. */
export interface AgentStore {
  createAgent(settings: AgentSettings): Promise<"created" | "agent_exists">;
  findAgent(agentId: string): AgentSettings | null;
  listAgents(page: PageRequest): Page<AgentSettings>;
  patchAgent(agentId: string, patch: AgentPatch, atMs: number): Promise<AgentSettings | null>;
  /** Refused while runs are queued or active. Its conversations become `ended` and stay readable. */
  removeAgent(agentId: string, atMs: number): Promise<"removed" | "missing" | "run_active">;
  activityOf(agentId: string): AgentActivity;
}

export interface AgentActivity {
  queueLength: number;
  activeRunId: string | null;
  activeConversationId: string | null;
  quarantined: boolean;
}

/** Which conversations are wanted; null leaves a question open. */
export interface ConversationFilter {
  /** The newest agent that bears or bore this name: one made anew starts empty. */
  agentId: string | null;
  /**
   * Words that one turn holds in its first `searchedCharsMax` characters, without regard to case and accents, never
   * query syntax. The last may be the beginning of a word, from three letters on.
   */
  words: string | null;
  cli: Cli | null;
  state: ConversationState | null;
  /** Changed at or after. */
  fromMs: number | null;
  /** Changed before. */
  toMs: number | null;
}

/**
 * Which turns of a conversation: the newest before a seq, the newest of all (`before: null`), or the first
 * after a seq. A page around a seq is `{ after: seq - 1 - limit / 2 }`; a negative `after` is as good as 0.
 */
export type TurnRange = { limit: number; before: number | null } | { limit: number; after: number };

export interface TurnPage {
  /** In ascending order. Waiting ones stand last: with `before: null`, and after the newest with `after`. */
  turns: Turn[];
  /** `before` of the next older page; null when there is none. */
  nextBefore: number | null;
  /** `after` of the next newer page; null when there is none. */
  nextAfter: number | null;
}

export interface ConversationStore {
  findConversation(conversationId: string): ConversationHead | null;
  findActiveConversation(agentId: string): ConversationHead | null;
  listConversations(page: PageRequest & ConversationFilter): Page<ConversationListItem>;
  /** By conversation id; one that isn't there is left out. */
  conversationGlances(conversationIds: readonly string[]): Map<string, ConversationGlance>;
  pageTurns(conversationId: string, range: TurnRange): TurnPage;
  /** Ends the agent's active conversation. Refused while runs of it are queued or active. */
  endActiveConversation(
    agentId: string,
    atMs: number,
  ): Promise<{ conversationId: string | null; ended: boolean } | "run_active">;
  /** Removes turns, events and runs for good. Resolves with the removed runs' ids, whose logs go too. */
  removeConversation(conversationId: string): Promise<{ runIds: string[] } | "missing" | "run_active">;
}

/** What an agent is doing and has done last, in few and cheap reads. */
export interface AgentGlance {
  /** The run in progress. */
  active: {
    runId: string;
    state: RunState;
    startedAt: string | null;
    /** The newest event that tells what it does: text, thinking or a tool's start or end. */
    lastEvent: RunEvent | null;
  } | null;
  /** The run that ended last; one that was taken back while it waited doesn't count. */
  lastRun: {
    runId: string;
    state: TerminalState;
    errorCode: RunErrorCode | null;
    endedAt: string;
  } | null;
  /** The last line of the newest answer, at most `previewChars` long; null when it has said nothing. */
  lastLine: string | null;
}

export interface AgentGlances {
  /** By agent id; an agent that isn't there is left out. */
  glancesOf(agentIds: readonly string[]): Map<string, AgentGlance>;
}

/** One tool call, whole. */
export interface ToolCallRecord {
  toolId: string;
  name: string;
  input: unknown;
  startedAt: string;
  /** Null while it runs, or when its end was never told. */
  result: { isError: boolean; output: string; finishedAt: string } | null;
}

export interface RunReads {
  getRun(runId: string): Run | null;
  listRuns(page: PageRequest & { agentId: string | null; state: RunState | null }): Page<RunListItem>;
  /** Events after `afterSeq`, oldest first. */
  listEvents(runId: string, afterSeq: number, limit: number): RunEvent[];
  /** The seq of the newest event; 0 when there is none. */
  lastEventSeq(runId: string): number;
  /** The tool call with this id; of several, the last. */
  findToolCall(runId: string, toolId: string): ToolCallRecord | null;
  /** The same as JSON texts ready to send, without decoding them; `type` names the SSE event. */
  listEncodedEvents(
    runId: string,
    afterSeq: number,
    limit: number,
  ): { seq: number; type: string; json: string }[];
}

/** What the page of a run reads beside the run and its log. Types are those of events; null means all of them. */
export interface RunPageReads {
  /** The run without its answer, which would have to be made anew from the log of a run in progress. */
  findRunWithoutContent(runId: string): Omit<Run, "content"> | null;
  /** Events of these types after `afterSeq`, oldest first. */
  listEventsOfTypes(
    runId: string,
    types: readonly RunEvent["type"][] | null,
    afterSeq: number,
    limit: number,
  ): RunEvent[];
  /** The seq after which the last `count` events of these types stand, of those before `beforeSeq`; 0 when there are no more. */
  findWindowStart(
    runId: string,
    types: readonly RunEvent["type"][] | null,
    beforeSeq: number,
    count: number,
  ): number;
  /** Ids of the runs that repeat this one, oldest first. */
  listRetries(runId: string, limit: number): string[];
  /** The place of the run's message in its conversation; null while it waits, or when it was taken back. */
  findUserTurnSeq(runId: string): number | null;
}
