import type { Database } from "bun:sqlite";
import type { OpenProcess } from "../domain/ports.ts";
import type { ProcessIdentity } from "../domain/process.ts";

interface ProcessStart {
  processId: string;
  agentKey: number;
  conversationId: string;
  epoch: number;
  pid: number;
  pidStart: string;
  bootId: string;
  marker: string;
  containment: string;
  atMs: number;
}

/** True while a process of the conversation has no end on record. */
export function hasOpenProcess(
  database: Database,
  { agentKey, conversationId }: Pick<ProcessStart, "agentKey" | "conversationId">,
): boolean {
  const found = database
    .query(
      `select 1 from processes
       where agent_key = :agentKey and ended_at is null and conversation_id = :conversationId`,
    )
    .get({ agentKey, conversationId });
  return found !== null;
}

export function insertProcess(database: Database, start: ProcessStart): void {
  database
    .query(
      `insert into processes (
         id, agent_key, conversation_id, epoch, pid, pid_start, boot_id, marker, containment, started_at)
       values (
         :processId, :agentKey, :conversationId, :epoch, :pid, :pidStart, :bootId, :marker, :containment, :atMs)`,
    )
    .run({ ...start });
}

export interface ProcessEnd {
  processId: string;
  reason: string;
  exitCode: number | null;
  signal: string | null;
  atMs: number;
}

/** The first end that is told stays. */
export function endProcess(database: Database, end: ProcessEnd): void {
  database
    .query(
      `update processes set ended_at = max(:atMs, started_at), end_reason = :reason, exit_code = :exitCode,
         signal = :signal
       where id = :processId and ended_at is null`,
    )
    .run({ ...end });
}

/** Of a conversation that was deleted while the process was still to be proven dead. */
export function deleteProcessOfDeletedConversation(database: Database, processId: string): void {
  database
    .query(
      `delete from processes
       where id = :processId and not exists (select 1 from conversations where id = processes.conversation_id)`,
    )
    .run({ processId });
}

/** Records of ended processes, at most `limit`; runs that still name one have to be gone. Answers with how many. */
export function deleteEndedProcessesOfConversation(
  database: Database,
  conversationId: string,
  limit: number,
): number {
  return database
    .query(
      `delete from processes where id in (
         select id from processes where conversation_id = :conversationId and ended_at is not null limit :limit)`,
    )
    .run({ conversationId, limit }).changes;
}

/** Forgets processes that ended before `beforeMs`, at most `limit`. Answers with how many. */
export function deleteOldProcesses(database: Database, beforeMs: number, limit: number): number {
  const ids = JSON.stringify(listOldProcesses(database, beforeMs, limit));
  database
    .query(`update runs set process_id = null where process_id in (select value from json_each(:ids))`)
    .run({ ids });
  return database.query(`delete from processes where id in (select value from json_each(:ids))`).run({ ids })
    .changes;
}

/** Those of a run in progress are left, however long ago they ended: what becomes of the run is about to be told. */
function listOldProcesses(database: Database, beforeMs: number, limit: number): string[] {
  return database
    .query<{ id: string }, { beforeMs: number; limit: number }>(
      `select id from processes
       where ended_at < :beforeMs and not exists (
         select 1 from runs where process_id = processes.id and state in ('starting', 'running'))
       limit :limit`,
    )
    .all({ beforeMs, limit })
    .map((row) => row.id);
}

interface OpenProcessRow extends ProcessIdentity {
  processId: string;
  agentId: string;
  runId: string | null;
}

/**
 * The run is the one that is in progress in the process's conversation: a run that is only starting has not been
 * tied to its process yet.
 */
const openProcesses = `
  select processes.id as processId, agents.id as agentId, runs.id as runId, processes.pid,
    processes.pid_start as pidStart, processes.boot_id as bootId, processes.marker
  from processes
  join agents on agents.key = processes.agent_key
  left join runs on runs.agent_key = processes.agent_key and runs.state in ('starting', 'running')
    and runs.conversation_id = processes.conversation_id
  where processes.ended_at is null`;

function openProcessOf({ processId, agentId, runId, ...identity }: OpenProcessRow): OpenProcess {
  return { processId, agentId, runId, identity };
}

/** Processes without an end that an older server started. */
export function listStrayProcesses(database: Database, epoch: number): OpenProcess[] {
  return database
    .query<OpenProcessRow, { epoch: number }>(
      `${openProcesses} and processes.epoch < :epoch order by processes.rowid`,
    )
    .all({ epoch })
    .map(openProcessOf);
}

/** Processes without an end of agents that were deleted. */
export function listDisownedProcesses(database: Database): OpenProcess[] {
  return database
    .query<OpenProcessRow, []>(`${openProcesses} and agents.deleted_at is not null order by processes.rowid`)
    .all()
    .map(openProcessOf);
}

/** Processes without an end of the agent that has this name now. */
export function listOpenProcesses(database: Database, agentId: string): OpenProcess[] {
  return database
    .query<OpenProcessRow, { agentId: string }>(
      `${openProcesses} and agents.id = :agentId and agents.deleted_at is null order by processes.rowid`,
    )
    .all({ agentId })
    .map(openProcessOf);
}
