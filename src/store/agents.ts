import type { Database } from "bun:sqlite";
import type { AgentPatch, AgentSettings } from "../domain/agent.ts";
import { isoTime } from "../domain/clock.ts";

/** An agent as its row holds it. The key tells apart agents that had the same name one after the other. */
export interface AgentRow {
  key: number;
  id: string;
  cli: AgentSettings["cli"];
  acpAgent: string | null;
  commMode: AgentSettings["commMode"];
  cwd: string;
  model: string | null;
  systemPrompt: string | null;
  permissionMode: AgentSettings["permissionMode"];
  filePolicy: AgentSettings["filePolicy"];
  mcpConfigPath: string | null;
  timeoutMs: number | null;
  memoryLimitMb: number | null;
  metadata: string;
  quarantinedAt: number | null;
  createdAt: number;
  updatedAt: number;
}

const columns = `
  key, id, cli, acp_agent as acpAgent, comm_mode as commMode, cwd, model, system_prompt as systemPrompt,
  permission_mode as permissionMode, file_policy as filePolicy, mcp_config_path as mcpConfigPath, timeout_ms as timeoutMs,
  memory_limit_mb as memoryLimitMb, metadata, quarantined_at as quarantinedAt,
  created_at as createdAt, updated_at as updatedAt`;

export function settingsOf(row: AgentRow): AgentSettings {
  const { key: _key, quarantinedAt: _quarantinedAt, ...settings } = row;
  return {
    ...settings,
    metadata: JSON.parse(row.metadata) as AgentSettings["metadata"],
    createdAt: isoTime(row.createdAt),
    updatedAt: isoTime(row.updatedAt),
  };
}

export function findAgentRow(database: Database, agentId: string): AgentRow | null {
  return database
    .query<AgentRow, { agentId: string }>(
      `select ${columns} from agents where id = :agentId and deleted_at is null`,
    )
    .get({ agentId });
}

export function getAgentRow(database: Database, key: number): AgentRow {
  const row = database
    .query<AgentRow, { key: number }>(`select ${columns} from agents where key = :key`)
    .get({ key });
  if (row === null) throw new Error(`agent ${key} has no row`);
  return row;
}

/** The newest agent that bears or bore this name; older ones of the name are only reached without it. */
export function findNewestAgentKey(database: Database, agentId: string): number | null {
  const row = database
    .query<{ key: number }, { agentId: string }>(
      `select key from agents where id = :agentId order by key desc limit 1`,
    )
    .get({ agentId });
  return row?.key ?? null;
}

export function listAgentRows(database: Database, beforeKey: number | null, limit: number): AgentRow[] {
  return database
    .query<AgentRow, { beforeKey: number | null; limit: number }>(
      `select ${columns} from agents
       where deleted_at is null and (:beforeKey is null or key < :beforeKey)
       order by key desc limit :limit`,
    )
    .all({ beforeKey, limit });
}

export function insertAgent(database: Database, settings: AgentSettings): void {
  database
    .query(
      `insert into agents (
         id, cli, acp_agent, comm_mode, cwd, model, system_prompt, permission_mode, file_policy,
         mcp_config_path, timeout_ms, memory_limit_mb, metadata, created_at, updated_at)
       values (
         :id, :cli, :acpAgent, :commMode, :cwd, :model, :systemPrompt, :permissionMode, :filePolicy,
         :mcpConfigPath, :timeoutMs, :memoryLimitMb, :metadata, :createdAt, :updatedAt)`,
    )
    .run({
      ...settings,
      metadata: JSON.stringify(settings.metadata),
      createdAt: Date.parse(settings.createdAt),
      updatedAt: Date.parse(settings.updatedAt),
    });
}

/** What a patch makes of the settings: absent keeps, null clears. */
export function patched(settings: AgentSettings, patch: AgentPatch, atMs: number): AgentSettings {
  const given = Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined));
  const updatedAtMs = Math.max(atMs, Date.parse(settings.createdAt));
  const metadata = patch.metadata === undefined ? settings.metadata : (patch.metadata ?? {});
  return { ...settings, ...given, metadata, updatedAt: isoTime(updatedAtMs) };
}

export function updateAgent(database: Database, key: number, settings: AgentSettings): void {
  database
    .query(
      `update agents set
         comm_mode = :commMode, cwd = :cwd, model = :model, system_prompt = :systemPrompt,
         permission_mode = :permissionMode, file_policy = :filePolicy, mcp_config_path = :mcpConfigPath, timeout_ms = :timeoutMs,
         memory_limit_mb = :memoryLimitMb, metadata = :metadata, updated_at = :updatedAt
       where key = :key`,
    )
    .run({
      key,
      commMode: settings.commMode,
      cwd: settings.cwd,
      model: settings.model,
      systemPrompt: settings.systemPrompt,
      permissionMode: settings.permissionMode,
      filePolicy: settings.filePolicy,
      mcpConfigPath: settings.mcpConfigPath,
      timeoutMs: settings.timeoutMs,
      memoryLimitMb: settings.memoryLimitMb,
      metadata: JSON.stringify(settings.metadata),
      updatedAt: Date.parse(settings.updatedAt),
    });
}

export function markAgentDeleted(database: Database, key: number, atMs: number): void {
  database.query(`update agents set deleted_at = :atMs where key = :key`).run({ key, atMs });
}

/** An agent stays quarantined until somebody takes it out; the first moment is kept. */
export function markAgentQuarantined(database: Database, agentId: string, atMs: number): void {
  database
    .query(
      `update agents set quarantined_at = coalesce(quarantined_at, :atMs)
       where id = :agentId and deleted_at is null`,
    )
    .run({ agentId, atMs });
}

export function endAgentQuarantine(database: Database, agentId: string): void {
  database
    .query(`update agents set quarantined_at = null where id = :agentId and deleted_at is null`)
    .run({ agentId });
}

export function listQuarantinedAgents(database: Database): { agentId: string; sinceMs: number }[] {
  return database
    .query<{ agentId: string; sinceMs: number }, []>(
      `select id as agentId, quarantined_at as sinceMs from agents
       where quarantined_at is not null and deleted_at is null order by quarantined_at, key`,
    )
    .all();
}
