import type { PermissionMode } from "../../domain/agent.ts";
import type { Adapter, Dialect, SessionSpec } from "./adapter.ts";
import { openExecDialogue } from "./droid-exec-dialogue.ts";
import { explainDroidExit } from "./droid-failure.ts";
import { openRpcDialogue } from "./droid-rpc-dialogue.ts";

/**
 * Without `--auto` Droid offers its model no tool that writes files, but still runs the shell commands which the
 * model itself declares of low risk (recording read-runs-touch); what is to be only read gets no shell at all.
 */
const autonomyArguments: Record<PermissionMode, readonly string[]> = {
  read: ["--remove-tools", "Execute"],
  edit: ["--auto", "low"],
  full: ["--auto", "high"],
};

/** A CLI must not replace itself while a fleet of it is running; Factory's own desktop app sets this, too. */
const environment = { FACTORY_DROID_AUTO_UPDATE_ENABLED: "false" };

/**
 * One process per turn, which prints a JSON object a line. A session goes on as a fork of it, under a new id that
 * becomes the conversation's: `--session-id`, which would keep the id, asks Factory's server for the session, so
 * that it does not work without a network and could not be verified.
 *
 * A turn that is ended by a signal in a tool goes on: the model hears that the tool was terminated, and answers
 * (recording sigint-in-tool).
 */
const streamJsonDialect: Dialect = {
  name: "stream-json",
  promptEndsInput: true,
  goesOnWhenSignalled: true,
  command: (spec) => ({ file: spec.executable, args: oneTurnArguments(spec), env: environment }),
  open: openExecDialogue,
  explainExit: explainDroidExit,
};

/** One process per conversation; flags would not configure it, so everything is said by protocol. */
const streamJsonRpcDialect: Dialect = {
  name: "stream-jsonrpc",
  promptEndsInput: false,
  goesOnWhenSignalled: false,
  command: ({ executable }) => ({
    file: executable,
    args: ["exec", "--input-format", "stream-jsonrpc", "--output-format", "stream-jsonrpc"],
    env: environment,
  }),
  open: openRpcDialogue,
  explainExit: explainDroidExit,
};

/**
 * Factory Droid. Its autonomy levels go by the risk that the model itself declares for a command: they are no
 * sandbox.
 */
export const droidAdapter: Adapter = {
  cli: "droid",
  program: "droid",
  signInVariables: ["FACTORY_API_KEY"],
  permissionModes: () => ["read", "edit", "full"],
  // It goes on from anywhere, but in the folder where it was begun (recording fork-other-folder).
  sessionsKeepFolder: true,
  takesMcpConfig: false,
  ownFolders: ({ HOME }) => [`${HOME}/.factory`],
  dialects: { warm: streamJsonRpcDialect, oneTurn: streamJsonDialect },
};

/** Without a prompt among the arguments, the prompt is all of stdin. */
function oneTurnArguments({ model, permissionMode, resume, sessionId }: SessionSpec): string[] {
  return [
    "exec",
    "--output-format",
    "stream-json",
    ...(model === null ? [] : ["-m", model]),
    ...autonomyArguments[permissionMode],
    ...(resume ? ["--fork", sessionId] : []),
  ];
}
