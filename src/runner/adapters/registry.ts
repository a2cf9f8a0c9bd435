import type { AcpAgentConfig } from "../../domain/acp-agent.ts";
import type { AgentSettings, Cli } from "../../domain/agent.ts";
import { createAcpAdapter } from "./acp-adapter.ts";
import type { Adapter } from "./adapter.ts";
import { claudeAdapter } from "./claude.ts";
import { demoAdapter } from "./demo.ts";
import { droidAdapter } from "./droid.ts";
import { geminiAdapter } from "./gemini.ts";

/** The adapters of a server: one of each CLI that Headway knows, and one of each ACP agent of its owner's. */
export interface Adapters {
  /** Null for an ACP agent that isn't configured (any more). */
  find(agent: Pick<AgentSettings, "cli" | "acpAgent">): Adapter | null;
}

const known: Record<Exclude<Cli, "acp">, Adapter> = {
  claude: claudeAdapter,
  demo: demoAdapter,
  droid: droidAdapter,
  gemini: geminiAdapter,
};

/** The adapter of a CLI that Headway knows by name; null for ACP agents, which have names of their own. */
export function findAdapter(cli: Cli): Adapter | null {
  return cli === "acp" ? null : known[cli];
}

export function createAdapters(acpAgents: readonly AcpAgentConfig[]): Adapters {
  const configured = new Map(acpAgents.map((agent) => [agent.name, createAcpAdapter(agent)]));
  return {
    find: ({ cli, acpAgent }) => (cli === "acp" ? (configured.get(acpAgent ?? "") ?? null) : known[cli]),
  };
}
