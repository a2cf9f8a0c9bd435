import type { Database } from "bun:sqlite";
import type { AgentPatch, AgentSettings } from "../domain/agent.ts";
import type { AgentActivity, AgentStore, PageRequest } from "../domain/ports.ts";
import {
  findAgentRow,
  insertAgent,
  listAgentRows,
  markAgentDeleted,
  patched,
  settingsOf,
  updateAgent,
} from "./agents.ts";
import { forgetBreaker } from "./breakers.ts";
import type { CommitQueue } from "./commit-queue.ts";
import { endActiveConversations, findActiveConversationRow } from "./conversations.ts";
import { decodeCursor, encodeCursor, pageOf } from "./cursors.ts";
import { findQueueOfAgent } from "./runs.ts";

const durable = { durable: true };

export function createAgentStore(database: Database, queue: CommitQueue): AgentStore {
  return {
    createAgent: (settings) => queue.commit(() => create(database, settings), durable),
    findAgent: (agentId) => find(database, agentId),
    listAgents: (page) => list(database, page),
    patchAgent: (agentId, patch, atMs) => queue.commit(() => change(database, agentId, patch, atMs), durable),
    removeAgent: (agentId, atMs) => queue.commit(() => remove(database, agentId, atMs), durable),
    activityOf: (agentId) => activityOf(database, agentId),
  };
}

function create(database: Database, settings: AgentSettings): "created" | "agent_exists" {
  if (findAgentRow(database, settings.id) !== null) return "agent_exists";
  insertAgent(database, settings);
  return "created";
}

function find(database: Database, agentId: string): AgentSettings | null {
  const row = findAgentRow(database, agentId);
  return row === null ? null : settingsOf(row);
}

function list(database: Database, page: PageRequest) {
  const [beforeKey] = decodeCursor("agents", page.cursor, 1) ?? [null];
  return pageOf(listAgentRows(database, beforeKey ?? null, page.limit + 1), page.limit, settingsOf, (row) =>
    encodeCursor("agents", [row.key]),
  );
}

function change(database: Database, agentId: string, patch: AgentPatch, atMs: number): AgentSettings | null {
  const row = findAgentRow(database, agentId);
  if (row === null) return null;
  const settings = patched(settingsOf(row), patch, atMs);
  updateAgent(database, row.key, settings);
  return settings;
}

function remove(database: Database, agentId: string, atMs: number): "removed" | "missing" | "run_active" {
  const row = findAgentRow(database, agentId);
  if (row === null) return "missing";
  const { queued, activeRunId } = findQueueOfAgent(database, row.key);
  if (queued > 0 || activeRunId !== null) return "run_active";
  endActiveConversations(database, row.key, atMs);
  forgetBreaker(database, row.key);
  markAgentDeleted(database, row.key, atMs);
  return "removed";
}

function activityOf(database: Database, agentId: string): AgentActivity {
  const row = findAgentRow(database, agentId);
  if (row === null) {
    return { queueLength: 0, activeRunId: null, activeConversationId: null, quarantined: false };
  }
  const { queued, activeRunId } = findQueueOfAgent(database, row.key);
  const conversation = findActiveConversationRow(database, row.key);
  return {
    queueLength: queued,
    activeRunId,
    activeConversationId: conversation?.id ?? null,
    quarantined: row.quarantinedAt !== null,
  };
}
