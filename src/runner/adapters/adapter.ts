import type { Cli, PermissionMode } from "../../domain/agent.ts";
import type { RunErrorCode } from "../../domain/error-codes.ts";
import type { RunEventBody } from "../../domain/event.ts";
import type { Usage } from "../../domain/run.ts";

/**
 * What a CLI process is started for. It holds no text that users write, because `command` puts it into
 * argv: session ids are ours, models and paths are checked by shape before they come here.
 */
export interface SessionSpec {
  executable: string;
  /** A UUID that Headway made. */
  sessionId: string;
  /** True when the CLI has this session already, so that it is resumed instead of begun. */
  resume: boolean;
  model: string | null;
  permissionMode: PermissionMode;
  mcpConfigPath: string | null;
}

/** How to start a CLI: data, not deed. `env` is what this adapter must set, beside the allow-list. */
export interface Command {
  file: string;
  args: readonly string[];
  env: Readonly<Record<string, string>>;
}

/** What the CLI said of the turn when it ended it. */
export type Verdict =
  | {
      kind: "succeeded";
      /** What the CLI itself calls the result; may be empty. */
      result: string;
      /** True when the CLI did the prompt itself, without the model (a slash command). */
      byCliItself: boolean;
    }
  | { kind: "failed"; code: RunErrorCode; message: string }
  /** The turn was ended on our request (interrupt, SIGINT). */
  | { kind: "aborted" };

/** One thing that a line of a CLI means to us. */
export type Decoded =
  | { kind: "event"; event: RunEventBody }
  | { kind: "version"; cliVersion: string }
  /** The CLI's own session id, when it differs from the one that we asked for. */
  | { kind: "session.mismatch"; cliSessionId: string }
  /** Counted per run and shown as `anomalies`; `detail` is for the log. */
  | { kind: "anomaly"; code: string; detail: string }
  /** The CLI keeps processes of its own beside itself (MCP servers); no tool of this turn has run yet. */
  | { kind: "helpers.kept" }
  /** The CLI began a new session by itself (`/clear`), so our conversation ends with this turn. */
  | { kind: "session.reset" }
  /** The CLI answered a control request of ours. */
  | { kind: "control.replied"; requestId: string; ok: boolean }
  /** The CLI asked something that the agent's permission mode answers; write this line, which ends with a newline. */
  | { kind: "reply"; line: string }
  | { kind: "usage"; usage: Usage; costUsd: number | null }
  | { kind: "turn.ended"; verdict: Verdict }
  /** The CLI did something that makes this process unfit for another turn (a result between turns, say). */
  | { kind: "retire"; reason: string };

/** Decodes the lines of one process, over all its turns. */
export interface Decoder {
  /** A turn was sent: what comes from now on belongs to it. */
  beginTurn(): void;
  /** Never throws, whatever the line holds. The line has no newline and is valid UTF-16. */
  decode(line: string): Decoded[];
}

/** What is known of a process that ended without a terminal event. */
export interface UnfinishedExit {
  exitCode: number | null;
  signal: string | null;
  /** The last 8 KiB that it wrote to stderr. */
  stderrTail: string;
  /** False when nothing at all came from its stdout. */
  printed: boolean;
}

/** One CLI's argv, protocol and dialect, as pure functions. */
export interface Adapter {
  readonly cli: Cli;
  /** Variables of its sign-in, handed on from the server's environment. */
  readonly signInVariables: readonly string[];
  /** Permission modes that it can do, here and now. */
  permissionModes(isRoot: boolean): readonly PermissionMode[];
  command(spec: SessionSpec): Command;
  /** What to write before the first turn of a process; "" when nothing. The system prompt goes here. */
  opening(spec: { systemPrompt: string | null }): string;
  /** What to write to begin a turn. Any text, however odd, arrives at the model as it is. */
  turnInput(prompt: string): string;
  /** What to write to have the running turn ended while the process lives on; null when it can't. */
  interruptInput(requestId: string): string | null;
  decoder(spec: { sessionId: string; permissionMode: PermissionMode }): Decoder;
  /** Why a process ended before its terminal event, in our codes. */
  explainExit(exit: UnfinishedExit): { code: RunErrorCode; message: string };
}
