import { fileURLToPath } from "node:url";
import type { PermissionMode } from "../../domain/agent.ts";
import { createAcpDialect } from "./acp-dialect.ts";
import type { Adapter, Dialect, SessionSpec } from "./adapter.ts";
import { openGeminiDialogue } from "./gemini-dialogue.ts";
import { explainGeminiExit } from "./gemini-exit.ts";
import { readRetry } from "./gemini-stderr.ts";

/**
 * "plan" would let the model write its plan and then leave the mode for YOLO by itself, as nobody can be asked
 * (recording plan_mode_escapes); "default" offers it no tool that changes anything (tool_use_default).
 */
const approvalModes: Record<PermissionMode, string> = { read: "default", edit: "auto_edit", full: "yolo" };

const policyFile = fileURLToPath(new URL("gemini-policy.toml", import.meta.url));

const environment = {
  /** Headless, it refuses to work in a folder that nobody declared trusted (recording untrusted_folder). */
  GEMINI_CLI_TRUST_WORKSPACE: "true",
  /** It would start itself once more for a larger heap, which costs almost a second. */
  GEMINI_CLI_NO_RELAUNCH: "true",
  /**
   * Where its Google sign-in has ended it would ask whether to open a browser here, and take the prompt for the
   * answer (recording sign_in_ended): now it says that it can't sign in.
   */
  NO_BROWSER: "true",
};

/** One process per turn, which prints a JSON object a line. */
const streamJsonDialect: Dialect = {
  name: "stream-json",
  promptEndsInput: true,
  goesOnWhenSignalled: false,
  command: (spec) => ({ file: spec.executable, args: oneTurnArguments(spec), env: environment }),
  open: openGeminiDialogue,
  explainExit: explainGeminiExit,
};

const acpDialect: Dialect = {
  ...createAcpDialect({
    cli: "gemini",
    label: "Gemini CLI",
    args: (spec) => ["--acp", ...sharedArguments(spec)],
    env: environment,
    modelByArgs: true,
    permissionModeByArgs: true,
    loadedAs: besideItsFile,
    isSessionId: isUuid,
    // Commands that only read (`ls`, `pwd`); for others, `touch` say, it asks (recording acp_read_only).
    runsUnasked: ["execute"],
    isDenial: (output) => output.startsWith("Tool execution denied by policy."),
    replaysLate: true,
    readErrorLine: readRetry,
  }),
  explainExit: explainGeminiExit,
};

export const geminiAdapter: Adapter = {
  cli: "gemini",
  program: "gemini",
  signInVariables: [
    "GEMINI_API_KEY",
    "GOOGLE_API_KEY",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "GOOGLE_CLOUD_PROJECT",
    "GOOGLE_CLOUD_LOCATION",
    "GOOGLE_GEMINI_BASE_URL",
  ],
  permissionModes: () => ["read", "edit", "full"],
  // Elsewhere it finds no session at all (recording resume_other_cwd).
  sessionsKeepFolder: true,
  takesMcpConfig: false,
  ownFolders: ({ HOME }) => [`${HOME}/.gemini`],
  dialects: { warm: acpDialect, oneTurn: streamJsonDialect },
};

/** Without `-p` the prompt is all of stdin. */
function oneTurnArguments(spec: SessionSpec): string[] {
  const session = spec.resume ? "--resume" : "--session-id";
  return ["--output-format", "stream-json", ...sharedArguments(spec), session, checkedSessionId(spec)];
}

function sharedArguments({ model, permissionMode }: SessionSpec): string[] {
  return [
    "--approval-mode",
    approvalModes[permissionMode],
    ...(permissionMode === "full" ? [] : ["--admin-policy", policyFile]),
    ...(model === null ? [] : ["-m", model]),
  ];
}

/** An id that no session has, since none is begun with it: the CLI then says that it doesn't know the session. */
const unknownSessionId = "00000000-0000-0000-0000-000000000000";

/**
 * Gemini CLI takes any text for an id, and makes a file name of it (recording session_id_not_uuid). A session to be
 * resumed was named by the CLI, which an earlier Headway believed: such a one is lost. A new one's id is ours.
 */
function checkedSessionId({ sessionId, resume }: SessionSpec): string {
  if (isUuid(sessionId)) return sessionId;
  if (resume) return unknownSessionId;
  throw new Error(`This is no id of a Gemini session: ${sessionId.slice(0, 64)}`);
}

function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}

/**
 * Before 0.61.0 looks for a session that it is to load, it begins an empty one of the same id, in a file named
 * after the minute and the id's first eight characters. In the minute in which the session was begun that is the
 * session's own file, and empties it; in any other, the next Gemini CLI that starts in this folder takes the empty
 * file for rubbish, and removes both. With a space before the id the empty file has another name, and the session
 * is found all the same (recording acp_load).
 */
function besideItsFile(sessionId: string): string {
  return ` ${sessionId}`;
}
