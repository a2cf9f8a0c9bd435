import type { AgentInput, AgentPatch, Cli, PermissionMode } from "../domain/agent.ts";
import { acpAgentsFile } from "../domain/acp-agent.ts";
import { modeUnavailable } from "./admission.ts";
import { type KnownCli, knownClis } from "./known-clis.ts";
import type { Refusal } from "./runner-api.ts";

/** What an agent is carried by; it never changes. */
export interface AgentKind {
  cli: Cli;
  /** One of the configured ACP agents; null for every other CLI. */
  acpAgent: string | null;
}

/** What the CLIs can do here and now. */
export interface CliAbilities {
  /** Names of the ACP agents that this server's owner configured. */
  readonly acpAgentNames: readonly string[];
  permissionModesOf(cli: Cli, acpAgent: string | null): readonly PermissionMode[];
  /** Whether it can be given an MCP configuration file of the agent's own. */
  takesMcpConfig(cli: Cli, acpAgent: string | null): boolean;
  /** Whether this server can keep an agent from writing outside of its folder. */
  readonly hasFilePolicy: boolean;
}

/** Why no agent of this kind can be made; one whose ACP agent was taken out of the file later may be changed all the same. */
export function refuseKind({ acpAgentNames }: CliAbilities, { cli, acpAgent }: AgentKind): Refusal | null {
  if (cli !== "acp") return acpAgent === null ? null : acpAgentUnwanted(cli);
  return acpAgent !== null && acpAgentNames.includes(acpAgent) ? null : acpAgentUnknown(acpAgentNames);
}

/** What its CLI, this release or this machine doesn't allow of what is wanted. */
export function refuseWanted(
  abilities: CliAbilities,
  { cli, acpAgent }: AgentKind,
  wanted: AgentInput | AgentPatch,
): Refusal | null {
  if (wanted.commMode && wanted.commMode !== "headless") return modeUnavailable(wanted.commMode);
  const allowed = abilities.permissionModesOf(cli, acpAgent);
  if (wanted.permissionMode && acpAgent && !abilities.acpAgentNames.includes(acpAgent)) {
    return invalid("acpAgent", `${acpAgent} is not configured any more: nobody knows what it allows`);
  }
  if (wanted.permissionMode && !allowed.includes(wanted.permissionMode)) {
    return permissionUnavailable(cli, wanted.permissionMode, allowed);
  }
  if (wanted.filePolicy === "workspace" && !abilities.hasFilePolicy) return filePolicyUnavailable;
  if (wanted.mcpConfigPath && !abilities.takesMcpConfig(cli, acpAgent))
    return mcpConfigUnwanted(cli, acpAgent);
  return null;
}

function acpAgentUnwanted(cli: Cli): Refusal {
  return invalid("acpAgent", `only with the CLI acp, not with ${cli}`);
}

function acpAgentUnknown(names: readonly string[]): Refusal {
  const allowed =
    names.length > 0
      ? `one of ${names.join(", ")}`
      : `none is configured: name one in DATA_DIR/${acpAgentsFile} and start Headway again (docs/configuration.md)`;
  return invalid("acpAgent", allowed);
}

function mcpConfigUnwanted(cli: Cli, acpAgent: string | null): Refusal {
  const name = acpAgent ?? nameOf(cli);
  return invalid("mcpConfigPath", `${name} takes its MCP servers from its own settings: set them up there.`);
}

const filePolicyUnavailable = invalid(
  "filePolicy",
  "workspace needs bwrap to contain runs, which it doesn't on this server: GET /api/containment tells what to install",
);

function nameOf(cli: Cli): string {
  return cli in knownClis ? knownClis[cli as KnownCli].name : cli;
}

function permissionUnavailable(cli: Cli, mode: PermissionMode, allowed: readonly PermissionMode[]): Refusal {
  return {
    kind: "refused",
    code: "permission_unavailable",
    detail: `${cli} refuses the permission mode ${mode} on this server (as root, for one); it allows ${allowed.join(", ")}.`,
    errors: [{ path: "permissionMode", message: `one of ${allowed.join(", ")}` }],
  };
}

function invalid(path: string, message: string): Refusal {
  return { kind: "refused", code: "invalid", detail: `${path}: ${message}`, errors: [{ path, message }] };
}
