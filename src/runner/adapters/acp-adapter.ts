import type { AcpAgentConfig } from "../../domain/acp-agent.ts";
import { createAcpDialect } from "./acp-dialect.ts";
import type { Adapter } from "./adapter.ts";

const xdgFolders = {
  XDG_CONFIG_HOME: ".config",
  XDG_DATA_HOME: ".local/share",
  XDG_STATE_HOME: ".local/state",
  XDG_CACHE_HOME: ".cache",
} as const;

/** Where a program of this name keeps its own things by the XDG convention, as OpenCode and Goose do. */
function foldersByName(command: string, environment: Readonly<Record<string, string>>): string[] {
  const name = command.slice(command.lastIndexOf("/") + 1);
  return Object.entries(xdgFolders).map(
    ([variable, inHome]) => `${environment[variable] ?? `${environment["HOME"]}/${inHome}`}/${name}`,
  );
}

/** Any agent that speaks ACP; what it can do it tells when it is started. */
export function createAcpAdapter({
  title,
  command,
  args,
  env,
  passEnv,
  writableFolders = [],
}: AcpAgentConfig): Adapter {
  const dialect = createAcpDialect({
    cli: "acp",
    label: title,
    args: () => args,
    env,
    modelByArgs: false,
    permissionModeByArgs: false,
  });
  return {
    cli: "acp",
    program: command,
    signInVariables: passEnv,
    // A session is loaded with the folder in which it goes on, and whether it may be another one the protocol leaves open.
    sessionsKeepFolder: true,
    takesMcpConfig: false,
    ownFolders: (environment) => [...foldersByName(command, environment), ...writableFolders],
    dialects: { warm: dialect, oneTurn: dialect },
    permissionModes: () => ["read", "edit", "full"],
  };
}
