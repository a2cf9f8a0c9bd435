import type { PermissionMode } from "../../domain/agent.ts";
import type { Adapter, Command, Dialect, Dialogue, DialogueSpec, SessionSpec } from "./adapter.ts";
import { createClaudeDecoder } from "./claude-dialect-decoder.ts";
import { explainExit } from "./claude-dialect-exit.ts";
import { initializeInput, interruptInput, userInput } from "./claude-dialect-input.ts";

const permissionFlags: Record<PermissionMode, string> = {
  read: "plan",
  edit: "acceptEdits",
  full: "bypassPermissions",
};

/** Claude Code in its long-lived form: one process per session, one JSON line per message. */
export const claudeDialect: Dialect = {
  name: "stream-json",
  promptEndsInput: false,
  goesOnWhenSignalled: false,
  command,
  open: openDialogue,
  explainExit,
};

export const claudeAdapter: Adapter = {
  cli: "claude",
  program: "claude",
  signInVariables: [
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "ANTHROPIC_BASE_URL",
    "CLAUDE_CODE_OAUTH_TOKEN",
    "CLAUDE_CONFIG_DIR",
  ],
  // As root Claude refuses to skip permissions (recording tool_use_skip_perm_root).
  permissionModes: (isRoot) => (isRoot ? ["read", "edit"] : ["read", "edit", "full"]),
  // `--resume` from another folder works, and goes on in that folder (recording resume_other_cwd).
  sessionsKeepFolder: false,
  takesMcpConfig: true,
  // `~/.claude.json` isn't among them: 2.1.330 replaces it by renaming, which takes a writable home. Where it can't,
  // it goes on without saving what it would have noted there.
  ownFolders: ({ CLAUDE_CONFIG_DIR, HOME, XDG_CACHE_HOME }) => [
    CLAUDE_CONFIG_DIR ?? `${HOME}/.claude`,
    `${XDG_CACHE_HOME ?? `${HOME}/.cache`}/claude-cli-nodejs`,
  ],
  dialects: { warm: claudeDialect, oneTurn: asOneTurn(claudeDialect) },
};

/** With the input closed after the first message the same command is a one-turn process. */
export function asOneTurn(dialect: Dialect): Dialect {
  return { ...dialect, promptEndsInput: true };
}

function openDialogue(spec: DialogueSpec): Dialogue {
  const decoder = createClaudeDecoder(spec);
  let opening = spec.systemPrompt ? initializeInput(spec.systemPrompt) : "";
  let prompted = false;
  return {
    get prompted() {
      return prompted;
    },
    begin(prompt) {
      decoder.beginTurn();
      const input = opening + userInput(prompt);
      opening = "";
      prompted = true;
      return [{ kind: "write", input }];
    },
    decode: decoder.decode,
    interrupt: interruptInput,
  };
}

/**
 * Tools by which 2.1.330 begins turns of its own while nobody has asked: such a turn belongs to no run,
 * and would be taken for the next one. The flag takes any number of values, so it stands first.
 */
const withoutTurnsOfItsOwn = ["--disallowedTools", "Monitor,CronCreate,CronDelete,CronList,ScheduleWakeup"];

/** `--verbose` is mandatory with stream-json output (recording stream_json_without_verbose). */
const alwaysArguments =
  "-p --input-format stream-json --output-format stream-json --verbose --include-partial-messages".split(" ");

function command(spec: SessionSpec): Command {
  return {
    file: spec.executable,
    args: [...withoutTurnsOfItsOwn, ...claudeDialectArguments(spec)],
    env: commandEnvironment,
  };
}

/** The users' own MCP servers stay; `--mcp-config` takes any number of values, so it comes last. */
export function claudeDialectArguments(spec: SessionSpec): string[] {
  const session = spec.resume ? "--resume" : "--session-id";
  return [
    ...alwaysArguments,
    "--permission-mode",
    permissionFlags[spec.permissionMode],
    session,
    spec.sessionId,
    ...(spec.model === null ? [] : ["--model", spec.model]),
    ...(spec.mcpConfigPath === null ? [] : ["--mcp-config", spec.mcpConfigPath]),
  ];
}

const commandEnvironment = {
  /** A CLI must not replace itself while a fleet of it is running. */
  DISABLE_AUTOUPDATER: "1",
  /** Ten retries, its default, are up to three minutes of silence (recordings error_401, error_429). */
  CLAUDE_CODE_MAX_RETRIES: "4",
  /**
   * When a background task ends between two turns, or is killed with what a turn left behind, 2.1.330 asks
   * the model by itself, and that answer would pass for the next turn's.
   */
  CLAUDE_CODE_DISABLE_BACKGROUND_TASKS: "1",
};
