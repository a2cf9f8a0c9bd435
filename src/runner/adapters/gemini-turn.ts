import type { PermissionMode } from "../../domain/agent.ts";
import type { RunEventBody } from "../../domain/event.ts";
import type { MessageLine, ToolResultLine, ToolUseLine } from "./gemini-lines.ts";
import { permissionDenied } from "./notices.ts";
import { plainText } from "./plain-text.ts";
import { toolFinished, toolStarted } from "./tool-events.ts";

/** What a turn has told so far, as far as later lines depend on it. */
export interface Turn {
  readonly permissionMode: PermissionMode;
  /** The number of the text block that is being said, or will be next. */
  block: number;
  /** Since the last tool call: there the answer begins. */
  hasText: boolean;
  /** By id. */
  toolNames: Map<string, string>;
  /** The message of the last `error` event that was no mere warning. */
  error: string | null;
  /** What was told of its stderr. */
  stderrNotices: number;
}

export function newTurn(permissionMode: PermissionMode): Turn {
  return { permissionMode, block: 0, hasText: false, toolNames: new Map(), error: null, stderrNotices: 0 };
}

/** Pieces of the answer; the prompt comes back as the user's message. */
export function readMessage(turn: Turn, { role, content = "" }: MessageLine): RunEventBody[] {
  const text = plainText(content);
  if (role !== "assistant" || text === "") return [];
  turn.hasText = true;
  return [{ type: "text", text, block: turn.block }];
}

const toolNameCharsMax = 128;

export function readToolUse(turn: Turn, line: ToolUseLine): RunEventBody[] {
  const { tool_id: toolId } = line;
  const name = plainText(line.tool_name ?? "tool").slice(0, toolNameCharsMax);
  if (turn.toolNames.has(toolId)) return [];
  turn.toolNames.set(toolId, name);
  if (turn.hasText) turn.block += 1;
  turn.hasText = false;
  return [toolStarted(toolId, name, line.parameters)];
}

export function readToolResult(turn: Turn, line: ToolResultLine): RunEventBody[] {
  const { tool_id: toolId, status, output, error } = line;
  const text = output || error?.message || "";
  const denial = isDenial(turn, line)
    ? [permissionDenied(turn.toolNames.get(toolId) ?? "A tool", turn.permissionMode)]
    : [];
  return [toolFinished(toolId, status === "error", text), ...denial];
}

/** Tools that its approval modes keep from the model, which may know them all the same (tool_use_denied). */
const withheldTools: Record<PermissionMode, readonly string[]> = {
  read: ["run_shell_command", "write_file", "replace", "web_fetch", "activate_skill"],
  edit: ["run_shell_command", "activate_skill"],
  full: [],
};

function isDenial(turn: Turn, { tool_id: toolId, error }: ToolResultLine): boolean {
  if (error?.type === "policy_violation") return true;
  const name = turn.toolNames.get(toolId) ?? "";
  return error?.type === "tool_not_registered" && withheldTools[turn.permissionMode].includes(name);
}
