import type { Cli, PermissionMode } from "../../domain/agent.ts";
import type { RunErrorCode } from "../../domain/error-codes.ts";
import type { RunEventBody } from "../../domain/event.ts";
import type { Usage } from "../../domain/run.ts";

/**
 * What a CLI process is started for. It holds no text that users write, because `command` puts it into
 * argv: session ids are UUIDs, models and paths are checked by shape before they come here.
 */
export interface SessionSpec {
  executable: string;
  /** Where `resume` is true a session that the CLI has; otherwise a UUID of ours, for CLIs that let us choose. */
  sessionId: string;
  /** True when the CLI has this session already, so that it is resumed instead of begun. */
  resume: boolean;
  /** The agent's folder, where the process is started. */
  cwd: string;
  model: string | null;
  permissionMode: PermissionMode;
  mcpConfigPath: string | null;
}

/** What is said to the CLI, and never becomes an argument. */
export interface DialogueSpec extends SessionSpec {
  systemPrompt: string | null;
}

/** How to start a CLI: data, not deed. `env` is what this adapter must set, beside the allow-list. */
export interface Command {
  file: string;
  args: readonly string[];
  env: Readonly<Record<string, string>>;
}

/** Why a turn failed: in our codes, and in the CLI's words as far as it had any. */
export interface Failure {
  code: RunErrorCode;
  message: string;
  /** When the limit that was met is over, in Unix time, where the CLI gives that as a number. */
  limitEndsAtMs?: number;
  /** The machine or this server refused, before the CLI could do anything: that says nothing of its service. */
  isOurs?: boolean;
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
  | ({ kind: "failed" } & Failure)
  /** The turn was ended on our request (interrupt, SIGINT). */
  | { kind: "aborted" }
  /** The CLI could not be made ready: the prompt was not handed over, and another form may do better. */
  | ({ kind: "unready" } & Failure);

/** One thing that a line of a CLI means to us. */
export type Decoded =
  | { kind: "event"; event: RunEventBody }
  | { kind: "version"; cliVersion: string }
  /** The CLI's own session id, when it differs from the one that we asked for. */
  | { kind: "session.mismatch"; cliSessionId: string }
  /** Counted per run and shown as `anomalies`; `detail` is for the log. */
  | { kind: "anomaly"; code: string; detail: string }
  /**
   * The CLI keeps processes of its own beside itself (MCP servers); no tool of this turn had run yet when it said
   * so. With `ageMsMin`, younger processes may be a tool's all the same.
   */
  | { kind: "helpers.kept"; ageMsMin?: number }
  /** The CLI began a new session by itself (`/clear`), so our conversation ends with this turn. */
  | { kind: "session.reset" }
  /** The CLI answered a control request of ours. */
  | { kind: "control.replied"; requestId: string; ok: boolean }
  /** To be written to the CLI's input: whole lines, or a whole prompt. */
  | { kind: "write"; input: string }
  | { kind: "usage"; usage: Usage; costUsd: number | null }
  | { kind: "turn.ended"; verdict: Verdict }
  /** The CLI did something that makes this process unfit for another turn (a result between turns, say). */
  | { kind: "retire"; reason: string };

/** What is said to one process and what it says, over all its turns. Pure: it writes by what it answers. */
export interface Dialogue {
  /**
   * Begins a turn: what comes from now on belongs to it. Any text, however odd, arrives at the model as it
   * is. Where the protocol has to be opened first (initialize, session), the prompt is written when the CLI
   * has answered to that.
   */
  begin(prompt: string): Decoded[];
  /** True once this turn's prompt was written: until then nothing was asked of the model. */
  readonly prompted: boolean;
  /** Never throws, whatever the line holds. The line has no newline and is valid UTF-16. */
  decode(line: string): Decoded[];
  /** The same for a line of stderr, for CLIs that say something there which belongs to the turn. */
  decodeError?(line: string): Decoded[];
  /** What to write to have the running turn ended while the process lives on; null when it can't. */
  interrupt(requestId: string): string | null;
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

/** One form in which a CLI is spoken to: its argv, its protocol and its words, as pure functions. */
export interface Dialect {
  /** As people know it: "stream-json", "ACP", "stream-jsonrpc". */
  readonly name: string;
  /** True when the CLI waits for the end of its input before it begins. */
  readonly promptEndsInput: boolean;
  /**
   * True when a turn that is interrupted by a signal goes on and gives a result as if nobody had stopped it:
   * such a result doesn't count.
   */
  readonly goesOnWhenSignalled: boolean;
  command(spec: SessionSpec): Command;
  open(spec: DialogueSpec): Dialogue;
  /** Why a process ended before its terminal event, in our codes. */
  explainExit(exit: UnfinishedExit): Failure;
}

/** One CLI, in the forms in which it is carried. */
export interface Adapter {
  readonly cli: Cli;
  /** The name that `HEADWAY_…_PATH` and `PATH` know it by; for an ACP agent its configured command. */
  readonly program: string;
  /** Variables of its sign-in, handed on from the server's environment. */
  readonly signInVariables: readonly string[];
  /** True when a session can be resumed only in the folder where it was begun. */
  readonly sessionsKeepFolder: boolean;
  /** Whether it can be given an MCP configuration file of the agent's own. */
  readonly takesMcpConfig: boolean;
  /** For a process that lives on between turns, and for one that gets one turn. */
  readonly dialects: { readonly warm: Dialect; readonly oneTurn: Dialect };
  /**
   * Folders of its own, outside of the agent's, in which it keeps sessions, settings and caches: all that stays
   * writable beside the agent's folder under the file policy `workspace`.
   *
   * @param environment the CLI's whole environment
   */
  ownFolders(environment: Readonly<Record<string, string>>): readonly string[];
  /** Permission modes that it can do, here and now. */
  permissionModes(isRoot: boolean): readonly PermissionMode[];
}
