import type { PermissionMode } from "../../domain/agent.ts";
import type { RunEventBody } from "../../domain/event.ts";
import type { Usage } from "../../domain/run.ts";
import { thought } from "./decoded.ts";
import type {
  CompletionLine,
  MessageLine,
  ReasoningLine,
  ToolCallLine,
  ToolResultLine,
} from "./droid-exec-lines.ts";
import { isAboutPermission } from "./droid-failure.ts";
import { permissionDenied } from "./notices.ts";
import { plainText } from "./plain-text.ts";
import { tokenCount } from "./token-counts.ts";
import { toolFinished, toolStarted } from "./tool-events.ts";

/** What a turn has told so far, as far as later lines depend on it. */
export interface Turn {
  readonly permissionMode: PermissionMode;
  /** The session that `init` named; what a sub-agent says names its own. */
  sessionId: string | null;
  nextBlock: number;
  hasTextSinceTool: boolean;
  /** By id. */
  toolNames: Map<string, string>;
  /** The tool that was denied last. */
  deniedTool: string | null;
  /** Why the agent loop gave up. */
  error: string | null;
}

export function newTurn(permissionMode: PermissionMode): Turn {
  return {
    permissionMode,
    sessionId: null,
    nextBlock: 0,
    hasTextSinceTool: false,
    toolNames: new Map(),
    deniedTool: null,
    error: null,
  };
}

/** A whole block of the answer: there are no deltas. What Droid says of its own permissions is no answer. */
export function readMessage(turn: Turn, { role, text = "" }: MessageLine): RunEventBody[] {
  if (role !== "assistant" || isAboutPermission(text)) return [];
  const said = plainText(text);
  if (said === "") return [];
  turn.hasTextSinceTool = true;
  return [{ type: "text", text: said, block: turn.nextBlock++ }];
}

export function readReasoning(_turn: Turn, { text = "" }: ReasoningLine): RunEventBody[] {
  return thought(text);
}

export function readToolCall(turn: Turn, line: ToolCallLine): RunEventBody[] {
  const { id: toolId, toolName: name = "tool", parameters } = line;
  if (turn.toolNames.has(toolId)) return [];
  turn.toolNames.set(toolId, name);
  turn.hasTextSinceTool = false;
  return [toolStarted(toolId, name, parameters)];
}

/**
 * A denied tool ends the first turn of a session, with a complaint; in a forked session the model only hears
 * that the tool was cancelled, and goes on (recordings one-turn-denied, fork-denied).
 */
export function readToolResult(turn: Turn, line: ToolResultLine): RunEventBody[] {
  const { id: toolId, isError = false, value, error } = line;
  const output = plainText((isError ? error?.message : value) ?? "");
  const finished = toolFinished(toolId, isError, output);
  const isDenied = isError && (isAboutPermission(output) || output === "Error: tool execution cancelled");
  if (!isDenied) return [finished];
  turn.deniedTool = plainText(turn.toolNames.get(toolId) ?? "A tool");
  return [finished, permissionDenied(turn.deniedTool, turn.permissionMode)];
}

/**
 * The CLI's own result, which is "" when no message has come since the last tool call: all that the model says
 * comes as messages, and where it said nothing, `finalText` may be an older turn's answer (recording fork-empty).
 */
export function resultOf(turn: Turn, { finalText = "" }: CompletionLine): string {
  return turn.hasTextSinceTool ? finalText : "";
}

/** Of this process alone: a forked session counts from nothing (recording one-turn-resume). */
export function usageOf({ usage }: CompletionLine): Usage | null {
  if (!usage) return null;
  return {
    inputTokens: tokenCount(usage.input_tokens),
    outputTokens: tokenCount(usage.output_tokens),
    cacheReadTokens: tokenCount(usage.cache_read_input_tokens),
    cacheWriteTokens: tokenCount(usage.cache_creation_input_tokens),
  };
}
