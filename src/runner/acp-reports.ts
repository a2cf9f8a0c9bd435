import { type AcpAgentConfig, acpAgentsFile } from "../domain/acp-agent.ts";
import type { PermissionMode } from "../domain/agent.ts";
import { type Drift, noteOnAcpDrift } from "./drift-tally.ts";
import type { Executable } from "./process/find-executable.ts";
import type { CliReport } from "./runner-api.ts";

export interface AcpReportsOptions {
  acpAgents: readonly AcpAgentConfig[];
  keepsWarm: boolean;
  findExecutable(acpAgent: string): Executable | null;
  permissionModesOf(acpAgent: string): readonly PermissionMode[];
  /** What ACP agents told that Headway doesn't know; whichever it was, so each of them shows it. */
  listDrift(): readonly Drift[];
}

/** What the server found of each configured ACP agent. They aren't started for it, so that they tell no version. */
export function listAcpAgents(options: AcpReportsOptions): CliReport[] {
  return options.acpAgents.map((config) => reportOf(options, config));
}

function reportOf(options: AcpReportsOptions, { name, title, command }: AcpAgentConfig): CliReport {
  const executable = options.findExecutable(name);
  const notes = [`${title} speaks ACP and is configured in ${acpAgentsFile}; Headway's tests don't know it.`];
  if (!executable) notes.push(`${command} was not found: install it, or give its path in ${acpAgentsFile}.`);
  notes.push(...options.listDrift().map(noteOnAcpDrift));
  return {
    cli: "acp",
    acpAgent: name,
    found: executable !== null,
    path: executable?.path ?? null,
    version: null,
    tested: null,
    minimum: null,
    signedIn: "unknown",
    warm: options.keepsWarm,
    permissionModes: [...options.permissionModesOf(name)],
    notes,
  };
}
