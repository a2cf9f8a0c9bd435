import type { AcpAgentConfig } from "../../domain/acp-agent.ts";
import { createAcpDialect } from "./acp-dialect.ts";
import type { Adapter } from "./adapter.ts";

/** Any agent that speaks ACP; what it can do it tells when it is started. */
export function createAcpAdapter({ title, command, args, env, passEnv }: AcpAgentConfig): Adapter {
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
    dialects: { warm: dialect, oneTurn: dialect },
    permissionModes: () => ["read", "edit", "full"],
  };
}
