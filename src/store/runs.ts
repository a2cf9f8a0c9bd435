import type { Database } from "bun:sqlite";
import type { RunState, TerminalState } from "../domain/run-state.ts";

/** One function per statement that changes runs or finds one to change; `run-views.ts` reads them for people. */

export type NewRun = {
  runId: string;
  agentKey: number;
  conversationId: string;
  userTurnId: string;
  epoch: number;
  mode: string;
  timeoutMs: number | null;
  retryOf: string | null;
  metadata: string;
  promptHoles: string;
  atMs: number;
};

export function insertRun(database: Database, run: NewRun): void {
  database
    .query(
      `insert into runs (
         id, agent_key, conversation_id, user_turn_id, state, moved_at, epoch, mode, timeout_ms, retry_of,
         metadata, prompt_holes, queued_at)
       values (
         :runId, :agentKey, :conversationId, :userTurnId, 'queued', :atMs, :epoch, :mode, :timeoutMs, :retryOf,
         :metadata, :promptHoles, :atMs)`,
    )
    .run(run);
}

export interface QueueOfAgent {
  queued: number;
  activeRunId: string | null;
}

export function findQueueOfAgent(database: Database, agentKey: number): QueueOfAgent {
  return database
    .query<QueueOfAgent, { agentKey: number }>(
      `select
         (select count(*) from runs where agent_key = :agentKey and state = 'queued') as queued,
         (select id from runs where agent_key = :agentKey and state in ('starting', 'running')) as activeRunId`,
    )
    .get({ agentKey })!;
}

/** `queued → starting`; the database refuses it while another run holds the agent. */
export function startRun(database: Database, start: { runId: string; epoch: number; atMs: number }): boolean {
  return (
    database
      .query(
        `update runs set state = 'starting', fence = fence + 1, epoch = :epoch,
           started_at = max(:atMs, queued_at), moved_at = max(:atMs, queued_at)
         where id = :runId and state = 'queued'`,
      )
      .run(start).changes === 1
  );
}

export interface StartedRow {
  runId: string;
  fence: number;
  agentKey: number;
  conversationId: string;
  prompt: string;
  promptHoles: string;
  timeoutMs: number | null;
  mode: string;
  queuedAtMs: number;
  startedAtMs: number;
}

export function getStartedRow(database: Database, runId: string): StartedRow {
  const row = database
    .query<StartedRow, { runId: string }>(
      `select runs.id as runId, runs.fence, runs.agent_key as agentKey, runs.conversation_id as conversationId,
         (select content from turns where run_id = runs.id and role = 'user') as prompt,
         runs.prompt_holes as promptHoles, runs.timeout_ms as timeoutMs, runs.mode,
         runs.queued_at as queuedAtMs, runs.started_at as startedAtMs
       from runs where runs.id = :runId`,
    )
    .get({ runId });
  if (row === null) throw new Error(`run ${runId} was started and has no turn`);
  return row;
}

/** `starting → running`. */
export function markRunning(
  database: Database,
  start: { runId: string; fence: number; processId: string; warm: boolean; atMs: number },
): boolean {
  return (
    database
      .query(
        `update runs set state = 'running', process_id = :processId, warm = :warm, moved_at = :atMs
         where id = :runId and state = 'starting' and fence = :fence`,
      )
      .run(start).changes === 1
  );
}

/** What a server must hold to write for a run; null when another start, server or end has come between. */
export interface Hold {
  state: "starting" | "running";
  agentKey: number;
  conversationId: string;
  startedAt: number;
  lastSeq: number;
}

export function findHold(
  database: Database,
  held: { runId: string; fence: number; epoch: number },
): Hold | null {
  return database
    .query<Hold, typeof held>(
      `select state, agent_key as agentKey, conversation_id as conversationId, started_at as startedAt,
         (select coalesce(max(seq), 0) from run_events where run_id = runs.id) as lastSeq
       from runs
       where id = :runId and fence = :fence and epoch = :epoch and state in ('starting', 'running')`,
    )
    .get(held);
}

export interface NoteColumns {
  runId: string;
  fence: number;
  epoch: number;
  firstOutputAtMs: number | null;
  cliVersion: string | null;
  model: string | null;
  warm: boolean | null;
  cliSessionId: string | null;
}

/** Null leaves a column as it is; the first output is noted once. */
export function noteRun(database: Database, note: NoteColumns): string | null {
  const row = database
    .query<{ conversationId: string }, NoteColumns & Record<string, never>>(
      `update runs set
         first_output_at = coalesce(first_output_at, :firstOutputAtMs),
         cli_version = coalesce(:cliVersion, cli_version),
         model = coalesce(:model, model),
         warm = coalesce(:warm, warm),
         cli_session_id = coalesce(:cliSessionId, cli_session_id)
       where id = :runId and fence = :fence and epoch = :epoch and state in ('starting', 'running')
       returning conversation_id as conversationId`,
    )
    .get(note as NoteColumns & Record<string, never>);
  return row?.conversationId ?? null;
}

export interface RunEnd {
  runId: string;
  fence: number;
  epoch: number;
  state: TerminalState;
  errorCode: string | null;
  errorMessage: string | null;
  usage: string | null;
  costUsd: number | null;
  toolNames: string;
  anomalies: string;
  exitCode: number | null;
  signal: string | null;
  peakRssBytes: number | null;
  cpuMs: number | null;
  survivors: number;
  durationMs: number;
  endedAtMs: number;
}

/** Moves an active run to its end. The last event and the assistant turn have been written before. */
export function finishRun(database: Database, end: RunEnd): boolean {
  return (
    database
      .query(
        `update runs set
           state = :state, error_code = :errorCode, error_message = :errorMessage, usage = :usage,
           cost_usd = :costUsd, tool_names = :toolNames, anomalies = :anomalies, exit_code = :exitCode,
           signal = :signal, peak_rss_bytes = :peakRssBytes, cpu_ms = :cpuMs, survivors = :survivors,
           duration_ms = :durationMs, ended_at = max(:endedAtMs, started_at),
           moved_at = max(:endedAtMs, started_at)
         where id = :runId and fence = :fence and epoch = :epoch and state in ('starting', 'running')`,
      )
      .run({ ...end }).changes === 1
  );
}

export function findRunState(
  database: Database,
  runId: string,
): { state: RunState; cancelRequestedAt: number | null } | null {
  return database
    .query<{ state: RunState; cancelRequestedAt: number | null }, { runId: string }>(
      `select state, cancel_requested_at as cancelRequestedAt from runs
       where id = :runId and (select removed_at from conversations where id = runs.conversation_id) is null`,
    )
    .get({ runId });
}

/** The first request's time is kept. */
export function flagCancel(database: Database, runId: string, atMs: number): void {
  database
    .query(
      `update runs set cancel_requested_at = coalesce(cancel_requested_at, :atMs)
       where id = :runId and state in ('queued', 'starting', 'running')`,
    )
    .run({ runId, atMs });
}

/** Keeps the prompt of a waiting run on its row, since its turn is about to leave the conversation. */
export function withdrawPrompt(database: Database, runId: string): void {
  database
    .query(
      `update runs set withdrawn_prompt = (select content from turns where run_id = :runId and role = 'user')
       where id = :runId and state = 'queued'`,
    )
    .run({ runId });
}

export function cancelQueuedRun(database: Database, runId: string, atMs: number): void {
  database
    .query(
      `update runs set state = 'cancelled', survivors = 0, ended_at = max(:atMs, queued_at),
         moved_at = max(:atMs, queued_at), cancel_requested_at = coalesce(cancel_requested_at, :atMs)
       where id = :runId and state = 'queued'`,
    )
    .run({ runId, atMs });
}

export function listQueuedRuns(database: Database): { runId: string; agentId: string }[] {
  return database
    .query<{ runId: string; agentId: string }, []>(
      `select runs.id as runId, agents.id as agentId
       from runs join agents on agents.key = runs.agent_key
       where runs.state = 'queued' order by runs.key`,
    )
    .all();
}

interface InterruptedRow {
  runId: string;
  agentId: string;
  processIds: string;
}

/** Active runs of older epochs with the processes that may still work for them. */
export function listInterruptedRuns(database: Database, epoch: number) {
  return database
    .query<InterruptedRow, { epoch: number }>(
      `select runs.id as runId, agents.id as agentId,
         (select json_group_array(processes.id) from processes
          where processes.agent_key = runs.agent_key and processes.ended_at is null
            and processes.epoch < :epoch and processes.conversation_id = runs.conversation_id) as processIds
       from runs join agents on agents.key = runs.agent_key
       where runs.state in ('starting', 'running') and runs.epoch < :epoch
       order by runs.key`,
    )
    .all({ epoch })
    .map((row) => ({ ...row, processIds: JSON.parse(row.processIds) as string[] }));
}

export interface AdoptedRow {
  fence: number;
  startedAt: number;
  cancelRequestedAt: number | null;
}

/** Takes an active run over under a fresh fence of this epoch: whoever held it can't write any more. */
export function adoptRun(database: Database, runId: string, epoch: number): AdoptedRow | null {
  return database
    .query<AdoptedRow, { runId: string; epoch: number }>(
      `update runs set fence = fence + 1, epoch = :epoch
       where id = :runId and state in ('starting', 'running')
       returning fence, started_at as startedAt, cancel_requested_at as cancelRequestedAt`,
    )
    .get({ runId, epoch });
}

/** Ids of a conversation's runs, in order of admission. */
export function listRunIds(database: Database, conversationId: string, limit: number): string[] {
  return database
    .query<{ id: string }, { conversationId: string; limit: number }>(
      `select id from runs where conversation_id = :conversationId order by key limit :limit`,
    )
    .all({ conversationId, limit })
    .map((row) => row.id);
}

/** Of these, the ids that no run has. */
export function listMissingRuns(database: Database, runIds: readonly string[]): string[] {
  return database
    .query<{ id: string }, { runIds: string }>(
      `select value as id from json_each(:runIds) where not exists (select 1 from runs where id = value)`,
    )
    .all({ runIds: JSON.stringify(runIds) })
    .map((row) => row.id);
}

/** True while runs of the agent's conversation are queued or active. */
export function hasLivingRuns(database: Database, agentKey: number, conversationId: string): boolean {
  return (
    database
      .query<{ found: number }, { agentKey: number; conversationId: string }>(
        `select 1 as found from runs
         where agent_key = :agentKey and state = 'queued' and conversation_id = :conversationId
         union all
         select 1 from runs
         where agent_key = :agentKey and state in ('starting', 'running') and conversation_id = :conversationId
         limit 1`,
      )
      .get({ agentKey, conversationId }) !== null
  );
}

export function deleteTransitions(database: Database, runId: string): void {
  database.query(`delete from run_transitions where run_id = :runId`).run({ runId });
}

export function deleteRun(database: Database, runId: string): void {
  database.query(`delete from runs where id = :runId`).run({ runId });
}

/** The prompt with its holes, wherever it is kept, and its time limit; null for an unknown run. */
export function findPrompt(
  database: Database,
  runId: string,
): { prompt: string; promptHoles: string; timeoutMs: number | null } | null {
  return database
    .query<{ prompt: string; promptHoles: string; timeoutMs: number | null }, { runId: string }>(
      `select coalesce((select content from turns where run_id = runs.id and role = 'user'), withdrawn_prompt)
         as prompt, prompt_holes as promptHoles, timeout_ms as timeoutMs
       from runs where id = :runId`,
    )
    .get({ runId });
}
