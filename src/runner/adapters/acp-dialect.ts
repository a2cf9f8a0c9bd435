import type { Cli } from "../../domain/agent.ts";
import type { RunEventBody } from "../../domain/event.ts";
import { openAcpDialogue } from "./acp-dialogue.ts";
import { explainAcpExit } from "./acp-failure.ts";
import type { Dialect, SessionSpec } from "./adapter.ts";

/** What differs between agents that speak ACP, as far as the protocol doesn't tell it. */
export interface AcpAgent {
  /** Whose rows of the failure taxonomy hold. */
  readonly cli: Cli;
  /** As people know it, for sentences: "Gemini CLI". */
  readonly label: string;
  /** The arguments that start it as an ACP agent on stdin and stdout. */
  args(spec: SessionSpec): readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** True when its arguments choose the model; otherwise it is set by protocol, where the agent offers it. */
  readonly modelByArgs: boolean;
  /** True when its arguments choose the permission mode; otherwise a mode of obvious meaning is set. */
  readonly permissionModeByArgs: boolean;
  /** The id under which a session is loaded and spoken to from then on, where that isn't its own. */
  loadedAs?(sessionId: string): string;
  /** What its session ids look like, where that is known; anything else is none. */
  isSessionId?(id: string): boolean;
  /** Kinds of tools that it is known to run by itself as long as they are harmless: those are not warned of. */
  readonly runsUnasked?: readonly string[];
  /** Whether a tool that failed with this output was denied, by a policy of the agent's own. */
  isDenial?(output: string): boolean;
  /** True when it goes on telling a loaded session's history after it has replied, against the protocol. */
  readonly replaysLate?: boolean;
  /** What a line of its stderr tells of the running turn: retries of the model's API, say. */
  readErrorLine?(line: string): RunEventBody[];
}

/**
 * The Agent Client Protocol, version 1: JSON-RPC 2.0, one message a line. The same dialect serves a warm
 * process and one of a single turn, whose input the transport closes when the turn is over.
 *
 * The model is set by the agent's arguments, or in the session where the agent offers it by its exact name;
 * otherwise a notice says that the agent's own choice stands. So it is with the permission mode; in any case
 * what the agent asks for is answered by the permission mode, at once. What an agent does without asking it
 * does in every mode.
 *
 * ACP has no place for a system prompt: it stands before the first prompt of a session.
 */
export function createAcpDialect(agent: AcpAgent): Dialect {
  return {
    name: "ACP",
    promptEndsInput: false,
    goesOnWhenSignalled: false,
    command: (spec) => ({ file: spec.executable, args: agent.args(spec), env: agent.env }),
    open: (spec) => openAcpDialogue(agent, spec),
    explainExit: (exit) => explainAcpExit(agent, exit),
  };
}
