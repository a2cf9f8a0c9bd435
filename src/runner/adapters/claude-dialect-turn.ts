import type { PermissionMode } from "../../domain/agent.ts";
import type { RunEventBody } from "../../domain/event.ts";
import {
  addText,
  addThinking,
  type Answer,
  beginMessage,
  completeText,
  completeThinking,
  newAnswer,
  noteTool,
} from "./claude-dialect-answer.ts";
import {
  type AssistantLine,
  type ContentBlock,
  contentBlockSchema,
  type StreamEvent,
  type UserLine,
} from "./claude-dialect-lines.ts";
import { permissionDenied } from "./notices.ts";
import { plainText } from "./plain-text.ts";
import { toolFinished, toolStarted } from "./tool-events.ts";

/** What a turn has told so far, as far as later lines depend on it. */
export interface Turn {
  permissionMode: PermissionMode;
  answer: Answer;
  /** By id. */
  toolNames: Map<string, string>;
  deniedTools: Set<string>;
  /** The `error` of the last assistant event that had one. */
  assistantError: string | null;
  /** When the limit is over that the provider refused this turn for, in Unix time. */
  limitEndsAtMs: number | null;
  /** The CLI began a new session within this turn. */
  reset: boolean;
}

export function newTurn(permissionMode: PermissionMode): Turn {
  return {
    permissionMode,
    answer: newAnswer(),
    toolNames: new Map(),
    deniedTools: new Set(),
    assistantError: null,
    limitEndsAtMs: null,
    reset: false,
  };
}

export function readStreamEvent(turn: Turn, { type, index, delta, message }: StreamEvent): RunEventBody[] {
  if (type === "message_start") return beginMessage(turn.answer, message?.id ?? null);
  if (type !== "content_block_delta") return [];
  if (delta?.text) return addText(turn.answer, index ?? 0, delta.text);
  return delta?.thinking ? addThinking(turn.answer, delta.thinking) : [];
}

export function readAssistant(turn: Turn, line: AssistantLine): RunEventBody[] {
  turn.assistantError = line.error ?? turn.assistantError;
  // The text of an API error comes again as the result's, and is no answer.
  if (line.is_api_error_message) return [];
  const { id = null, content } = line.message;
  return blocksOf(content).flatMap((block) => readBlock(turn, id, block));
}

function readBlock(turn: Turn, messageId: string | null, block: ContentBlock): RunEventBody[] {
  if (block.type === "text") return completeText(turn.answer, messageId, block.text ?? "");
  if (block.type === "thinking") return completeThinking(turn.answer, block.thinking ?? "");
  if (isToolUse(block)) return readToolUse(turn, block);
  return isToolResult(block) ? readToolResult(block) : [];
}

/** tool_use, and what the API or an MCP connector runs by itself: server_tool_use, mcp_tool_use. */
function isToolUse(block: ContentBlock): boolean {
  return block.type.endsWith("tool_use") && block.id !== undefined;
}

function isToolResult(block: ContentBlock): boolean {
  return block.type.endsWith("tool_result") && block.tool_use_id !== undefined;
}

function readToolUse(turn: Turn, block: ContentBlock): RunEventBody[] {
  const { id: toolId = "" } = block;
  const name = plainText(block.name ?? "");
  if (turn.toolNames.has(toolId)) return [];
  turn.toolNames.set(toolId, name);
  noteTool(turn.answer);
  return [toolStarted(toolId, name, block.input)];
}

function readToolResult(block: ContentBlock): RunEventBody[] {
  const { tool_use_id: toolId = "", is_error: isError = false } = block;
  return [toolFinished(toolId, isError, block.content)];
}

/** Tool results; what else comes as `user` is the CLI talking to its model. */
export function readUser(turn: Turn, line: UserLine): RunEventBody[] {
  const metas = line.tool_result_meta ?? [];
  const refused = metas.filter((meta) => meta.non_execution_kind === "permission-rule");
  return [
    ...refused.flatMap((meta) => readDenial(turn, meta.id, undefined)),
    ...blocksOf(line.message.content).filter(isToolResult).flatMap(readToolResult),
  ];
}

/** One denial is told by up to three lines: system, tool_result_meta and result (recording perm_plan). */
export function readDenial(
  turn: Turn,
  toolId: string | undefined,
  toolName: string | undefined,
): RunEventBody[] {
  if (toolId !== undefined && turn.deniedTools.has(toolId)) return [];
  if (toolId !== undefined) turn.deniedTools.add(toolId);
  const name = toolName ?? turn.toolNames.get(toolId ?? "") ?? "A tool";
  return [permissionDenied(name, turn.permissionMode)];
}

function blocksOf(content: string | unknown[]): ContentBlock[] {
  if (typeof content === "string") return [];
  return content.flatMap((block) => contentBlockSchema.safeParse(block).data ?? []);
}
