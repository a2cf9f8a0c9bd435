import type { PermissionMode } from "../../domain/agent.ts";
import type { NoticeCode, RunEventBody } from "../../domain/event.ts";
import { errorTextChars } from "./error-text.ts";
import { plainText } from "./plain-text.ts";

export function notice(code: NoticeCode, message: string): RunEventBody {
  return { type: "notice", code, message: plainText(message) };
}

/** A warning in the CLI's own words. */
export function cliWarning(said: string): RunEventBody {
  const message = plainText(said).slice(0, errorTextChars);
  return notice("cli_warning", message || "The CLI warned without saying why.");
}

/** Says how to allow what was denied, since nobody can be asked in a headless run. */
export function permissionDenied(toolName: string, mode: PermissionMode): RunEventBody {
  const remedy: Record<PermissionMode, string> = {
    read: 'Set the agent\'s permission mode to "edit" or "full" to allow it.',
    edit: "Set the agent's permission mode to \"full\", or allow it in the CLI's own settings.",
    full: "A rule in the CLI's own settings denies it.",
  };
  const message = `${toolName} was not allowed in permission mode "${mode}". ${remedy[mode]}`;
  return notice("permission_denied", message);
}

export function compacted(): RunEventBody {
  return notice("compacted", "The CLI summarised the conversation so far to make room.");
}

export function cliCommand(command: string | undefined): RunEventBody {
  const name = command ? `/${command}` : "this command";
  return notice("cli_command", `The CLI did ${name} by itself; the model was not asked.`);
}
