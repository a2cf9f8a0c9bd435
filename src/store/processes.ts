import type { Database } from "bun:sqlite";
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

/** The first end that is told stays. */
export function endProcess(
  database: Database,
  end: { processId: string; reason: string; exitCode: number | null; signal: string | null; atMs: number },
): void {
  database
    .query(
      `update processes set ended_at = max(:atMs, started_at), end_reason = :reason, exit_code = :exitCode,
         signal = :signal
       where id = :processId and ended_at is null`,
    )
    .run(end);
}

interface StrayRow extends ProcessIdentity {
  processId: string;
  agentId: string;
  runId: string | null;
}

/**
 * Processes without an end that an older server started. The run is the one that was in progress in the
 * process's conversation: a run that was only starting has not been tied to its process yet.
 */
export function listStrayProcesses(database: Database, epoch: number) {
  return database
    .query<StrayRow, { epoch: number }>(
      `select processes.id as processId, agents.id as agentId, runs.id as runId, processes.pid,
         processes.pid_start as pidStart, processes.boot_id as bootId, processes.marker
       from processes
       join agents on agents.key = processes.agent_key
       left join runs on runs.agent_key = processes.agent_key and runs.state in ('starting', 'running')
         and runs.conversation_id = processes.conversation_id
       where processes.ended_at is null and processes.epoch < :epoch
       order by processes.rowid`,
    )
    .all({ epoch })
    .map(({ processId, agentId, runId, ...identity }) => ({ processId, agentId, runId, identity }));
}
