import type { Agent, AgentInput, AgentPatch, AgentSettings } from "../domain/agent.ts";
import { type Clock, isoTime, isoTimeOrNull } from "../domain/clock.ts";
import type { PublishFact } from "../domain/facts.ts";
import type { BreakerStore } from "../domain/hold-ports.ts";
import { type AgentStore, StoreUnavailable } from "../domain/ports.ts";
import { agentNotFound, storeUnavailable } from "./admission.ts";
import { type CliAbilities, refuseKind, refuseWanted } from "./agent-refusals.ts";
import type { Refusal, Wakeups, Workspaces } from "./runner-api.ts";
import type { WarmPool } from "./warm-pool.ts";

export interface AgentDeskOptions extends CliAbilities {
  agents: AgentStore & Pick<BreakerStore, "findBreaker">;
  workspaces: Workspaces;
  clock: Clock;
  publish: PublishFact;
  wakeups: Wakeups;
  pool: Pick<WarmPool, "isWarm">;
}

export type AgentOutcome = { kind: "ok"; agent: Agent } | Refusal;

/** Where agents are made, changed and looked at. */
export interface AgentDesk {
  create(input: AgentInput): Promise<AgentOutcome>;
  patch(agentId: string, patch: AgentPatch): Promise<AgentOutcome>;
  find(agentId: string): Agent | null;
  list(page: { limit: number; cursor: string | null }): { items: Agent[]; nextCursor: string | null };
}

export function createAgentDesk(options: AgentDeskOptions): AgentDesk {
  const view = (settings: AgentSettings) => viewOf(options, settings);
  return {
    async create(input) {
      const kind = { cli: input.cli, acpAgent: input.acpAgent ?? null };
      const refusal = refuseKind(options, kind) ?? refuseWanted(options, kind, input);
      if (refusal) return refusal;
      const folder = await options.workspaces.check(input.cwd);
      if (folder.kind === "refused") return invalidFolder(folder.message);
      const settings = settingsOf(input, folder.realPath, isoTime(options.clock.wallMs()));
      return guarded(async () => {
        const created = await options.agents.createAgent(settings);
        if (created === "agent_exists") return agentExists(input.id);
        options.publish({ type: "agent.created", agentId: input.id });
        options.wakeups.announce({ runId: "", agentId: input.id });
        return { kind: "ok", agent: view(settings) };
      });
    },
    async patch(agentId, patch) {
      const settings = options.agents.findAgent(agentId);
      if (!settings) return agentNotFound(agentId);
      const refusal = refuseWanted(options, settings, patch);
      if (refusal) return refusal;
      const folder = patch.cwd === undefined ? null : await options.workspaces.check(patch.cwd);
      if (folder?.kind === "refused") return invalidFolder(folder.message);
      const checked = folder ? { ...patch, cwd: folder.realPath } : patch;
      return guarded(async () => {
        const patched = await options.agents.patchAgent(agentId, checked, options.clock.wallMs());
        if (!patched) return agentNotFound(agentId);
        options.publish({ type: "agent.changed", agentId });
        options.wakeups.announce({ runId: "", agentId });
        return { kind: "ok", agent: view(patched) };
      });
    },
    find(agentId) {
      const settings = options.agents.findAgent(agentId);
      return settings && view(settings);
    },
    list(page) {
      const { items, nextCursor } = options.agents.listAgents(page);
      return { items: items.map(view), nextCursor };
    },
  };
}

async function guarded(write: () => Promise<AgentOutcome>): Promise<AgentOutcome> {
  try {
    return await write();
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    return storeUnavailable(error);
  }
}

function invalidFolder(message: string): Refusal {
  return {
    kind: "refused",
    code: "invalid",
    detail: `The folder can't be used: ${message}`,
    errors: [{ path: "cwd", message }],
  };
}

function agentExists(agentId: string): Refusal {
  return { kind: "refused", code: "agent_exists", detail: `There is an agent named ${agentId} already.` };
}

function settingsOf(input: AgentInput, cwd: string, at: string): AgentSettings {
  return {
    id: input.id,
    cli: input.cli,
    acpAgent: input.acpAgent ?? null,
    commMode: input.commMode,
    cwd,
    model: input.model ?? null,
    systemPrompt: input.systemPrompt ?? null,
    permissionMode: input.permissionMode,
    filePolicy: input.filePolicy,
    mcpConfigPath: input.mcpConfigPath ?? null,
    timeoutMs: input.timeoutMs ?? null,
    memoryLimitMb: input.memoryLimitMb ?? null,
    metadata: input.metadata ?? {},
    createdAt: at,
    updatedAt: at,
  };
}

function viewOf({ agents, pool }: AgentDeskOptions, settings: AgentSettings): Agent {
  const { queueLength, activeRunId, activeConversationId, quarantined } = agents.activityOf(settings.id);
  const { state, failures, retryAtMs } = agents.findBreaker(settings.id);
  return {
    ...settings,
    effectiveMode: settings.commMode,
    status: quarantined ? "quarantined" : activeRunId ? "running" : "idle",
    queueLength,
    activeRunId,
    activeConversationId,
    breaker: { state, failures, retryAt: isoTimeOrNull(retryAtMs) },
    warm: pool.isWarm(activeConversationId),
  };
}
