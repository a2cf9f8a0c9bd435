import type { Agent, AgentInput, AgentPatch, PermissionMode } from "../domain/agent.ts";
import type { BreakerReport } from "../domain/breaker.ts";
import type { ProblemCode } from "../domain/error-codes.ts";
import type { ExecuteInput, Run } from "../domain/run.ts";
import type { RunState } from "../domain/run-state.ts";

/** A refusal that leaves no trace. */
export interface Refusal {
  kind: "refused";
  code: ProblemCode;
  detail: string;
  /** For 429 and 503: when to come again. */
  retryAfterSeconds?: number;
  errors?: { path: string; message: string }[];
}

export interface ExecuteRequest extends ExecuteInput {
  agentId: string;
  idempotencyKey: string | null;
}

export type ExecuteOutcome = { kind: "accepted"; run: Run; replay: boolean } | Refusal;

export interface CancelReply {
  runId: string;
  state: RunState;
  /** True only when the run had ended otherwise than by this cancellation. */
  alreadyFinished: boolean;
  survivors: number;
  tookMs: number;
}

/** What the routes and pages ask of the runner. Every write here is durable when it resolves. */
export interface Runner {
  execute(request: ExecuteRequest): Promise<ExecuteOutcome>;
  /**
   * The run as it is when it has ended, or when `signal` fires; "draining" when the server stops before it started,
   * "gone" when it was deleted with its conversation before it could be read.
   */
  whenSettled(runId: string, signal: AbortSignal): Promise<Run | "draining" | "gone">;
  getRun(runId: string): Run | null;
  cancelRun(runId: string): Promise<CancelReply | Refusal>;
  retryRun(runId: string): Promise<ExecuteOutcome>;
  cancelAgent(
    agentId: string,
    options: { queued: boolean },
  ): Promise<{ kind: "ok"; cancelled: string[] } | Refusal>;
  endSession(
    agentId: string,
    options: { force: boolean },
  ): Promise<{ kind: "ok"; conversationId: string | null; ended: boolean } | Refusal>;
  removeConversation(conversationId: string): Promise<{ kind: "ok" } | Refusal>;

  createAgent(input: AgentInput): Promise<{ kind: "ok"; agent: Agent } | Refusal>;
  getAgent(agentId: string): Agent | null;
  patchAgent(agentId: string, patch: AgentPatch): Promise<{ kind: "ok"; agent: Agent } | Refusal>;
  removeAgent(agentId: string, options: { force: boolean }): Promise<{ kind: "ok" } | Refusal>;
  listAgents(page: { limit: number; cursor: string | null }): { items: Agent[]; nextCursor: string | null };

  /** Breakers that aren't as they were made, at most 500, those that aren't closed first; each with its newest changes. */
  listBreakers(): BreakerReport[];
  /** Null for an agent whose breaker is as it was made. */
  breakerOf(agentId: string): BreakerReport | null;
  /** Closes the agent's breaker; what waits goes on. */
  resetBreaker(agentId: string): Promise<{ kind: "ok"; breaker: BreakerReport } | Refusal>;
  listQuarantined(): { agentId: string; sinceMs: number }[];
  /** Kills once more what is left of the agent's processes; when none is, it is free. */
  recheckQuarantine(agentId: string): Promise<QuarantineChecked | Refusal>;
}

export interface QuarantineReply {
  agentId: string;
  quarantined: boolean;
  /** Processes that live on. */
  survivors: number;
}

export interface QuarantineChecked extends QuarantineReply {
  kind: "ok";
}

/** Wakes those who read the log; a wake-up says "look again", nothing more. */
export interface Wakeups {
  onRun(runId: string, wake: () => void): () => void;
  /** Any run of the agent: admitted, claimed, spoke, settled; or the agent itself was changed. */
  onAgent(agentId: string, wake: () => void): () => void;
  /** As `onAgent`, for whatever agent. */
  onAny(wake: (agentId: string) => void): () => void;
  announce(at: { runId: string; agentId: string }): void;
}

/** One CLI as `GET /api/clis` shows it. */
export interface CliReport {
  cli: string;
  /** Which of the configured ACP agents, where `cli` is "acp"; null for the others. */
  acpAgent: string | null;
  found: boolean;
  path: string | null;
  version: string | null;
  tested: string | null;
  minimum: string | null;
  signedIn: "yes" | "no" | "unknown";
  warm: boolean;
  permissionModes: string[];
  notes: string[];
}

/** What a CLI lacks on this machine, and how to get it. */
export interface CliNeed {
  what: "install" | "update" | "sign_in";
  /** What is, and what to do: sentences for people. */
  advice: string;
  /** To be typed in a terminal on the server's machine; null where no one command does it. */
  command: string | null;
}

/** What a CLI's version means: the last one but "unknown" is later than any that the tests know. */
export type VersionJudgement = "ok" | "too_old" | "newer_than_tested" | "unknown";

/** One CLI as people are shown it. */
export interface CliFinding {
  report: CliReport;
  /** True when this release can run it. */
  carried: boolean;
  /** What keeps it from running; nothing, as far as can be seen, when empty. */
  missing: CliNeed[];
  /** How to sign in, should it turn out to be needed; null where there is nothing to sign in to. */
  signIn: CliNeed | null;
  judgement: VersionJudgement;
  /** What else is good to know before it is chosen: sentences for people. */
  hints: string[];
  /** What our permission modes are in its own words; null where it has none. */
  permissionWords: Readonly<Record<PermissionMode, string>> | null;
  takesMcpConfig: boolean;
}

/** Folders that agents may work in. */
export interface Workspaces {
  /** The roots, as real paths. */
  readonly roots: readonly string[];
  /** The real path, or why it can't be an agent's folder. */
  check(path: string): Promise<{ kind: "ok"; realPath: string } | { kind: "refused"; message: string }>;
  /** Sub-folders of a folder at or below a root, names only, hidden ones left out, at most 200. */
  listFolders(path: string): Promise<string[] | null>;
  /** Makes a folder below a root, mode 0755, and answers with its real path. */
  makeFolder(
    parent: string,
    name: string,
  ): Promise<{ kind: "ok"; realPath: string } | { kind: "refused"; message: string }>;
}
