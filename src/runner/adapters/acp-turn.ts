import type { PermissionMode } from "../../domain/agent.ts";
import type { RunEventBody } from "../../domain/event.ts";
import { permissionInput } from "./acp-input.ts";
import {
  type AgentRequestId,
  type Chunk,
  chunkSchema,
  type PermissionRequest,
  toolCallSchema,
  type ToolCallUpdate,
} from "./acp-lines.ts";
import { chooseOption, isAllowed } from "./acp-permissions.ts";
import {
  finishOpenTools,
  finishTool,
  noteToolCall,
  readToolCall,
  startTool,
  textOfContent,
  type ToolCall,
  type ToolCalls,
} from "./acp-tools.ts";
import type { Decoded } from "./adapter.ts";
import { events, thought } from "./decoded.ts";
import { type Read, reader } from "./line-reader.ts";
import { notice, permissionDenied } from "./notices.ts";
import { plainText } from "./plain-text.ts";

/** What a turn has told so far, as far as later messages depend on it. */
export interface Turn {
  readonly prompt: string;
  readonly policy: PermissionPolicy;
  readonly toolCalls: ToolCalls;
  nextBlock: number;
  /** The block that the next piece of text belongs to; null after a tool call. */
  block: { number: number; messageId: string } | null;
  hasText: boolean;
  /** Some of the answer came in another session's name, and was left out. */
  hasLostText: boolean;
  /** It was said that the agent named another session. */
  isMismatchTold: boolean;
  /** We have asked the agent to end it. */
  isCancelled: boolean;
  /** It was said that a tool ran which the permission mode wouldn't have allowed. */
  isWarned: boolean;
}

/** By which the agent's questions are answered, and its tools judged. */
export interface PermissionPolicy {
  permissionMode: PermissionMode;
  cwd: string;
  /** As in `AcpAgent`. */
  runsUnasked: readonly string[];
  isDenial(output: string): boolean;
}

/** @param prompt as it is sent */
export function newTurn(prompt: string, policy: PermissionPolicy): Turn {
  return {
    prompt,
    policy,
    toolCalls: new Map(),
    nextBlock: 0,
    block: null,
    hasText: false,
    hasLostText: false,
    isMismatchTold: false,
    isCancelled: false,
    isWarned: false,
  };
}

/** Updates that tell nothing of a turn, wherever they come; `usage_update` is about the session's context. */
const quietUpdates = new Set([
  "user_message_chunk",
  "plan",
  "available_commands_update",
  "current_mode_update",
  "config_option_update",
  "session_info_update",
  "usage_update",
]);

export function isQuietUpdate(type: string): boolean {
  return quietUpdates.has(type);
}

/** Whether an update tells of what was said or done, and not of the session as a whole. */
export function isOfTurns(type: string): boolean {
  return type === "user_message_chunk" || type === "plan" || readers.has(type);
}

const readers = new Map<string, Read<Turn, RunEventBody>>([
  ["agent_message_chunk", reader(chunkSchema, readText)],
  ["agent_thought_chunk", reader(chunkSchema, (_turn, { content }) => thought(textOfContent(content)))],
  ["tool_call", reader(toolCallSchema, readTool)],
  ["tool_call_update", reader(toolCallSchema, readTool)],
]);

/** What an update means for its turn; null for one that we don't know, or that isn't what its type promises. */
export function readUpdate(turn: Turn, type: string, update: unknown): RunEventBody[] | null {
  return readers.get(type)?.(turn, update) ?? null;
}

/** Pieces belong to one block until a tool call, or another message where the agent numbers its messages. */
function readText(turn: Turn, chunk: Chunk): RunEventBody[] {
  const { content, messageId = "" } = chunk;
  const text = plainText(textOfContent(content));
  if (text === "") return [];
  if (turn.block?.messageId !== messageId) turn.block = null;
  turn.block ??= { number: turn.nextBlock++, messageId };
  turn.hasText = true;
  return [{ type: "text", text, block: turn.block.number }];
}

function readTool(turn: Turn, update: ToolCallUpdate): RunEventBody[] {
  const call = noteToolCall(turn.toolCalls, update);
  const { status } = update;
  // Of a command that was ended with its turn, Gemini and opencode say that it is completed (recordings acp_cancel).
  const told = readToolCall(call, turn.isCancelled && status === "completed" ? "failed" : status);
  if (status === "completed") return noteTools(turn, [...told, ...warnOfUnasked(turn, call)]);
  return noteTools(turn, [...told, ...told.flatMap((event) => denialIn(turn, call, event))]);
}

/** What the agent's own policy denies it tells as a failure, and doesn't ask for. */
function denialIn({ policy }: Turn, { name }: ToolCall, event: RunEventBody): RunEventBody[] {
  const isDenied = event.type === "tool.finished" && event.isError && policy.isDenial(event.output);
  return isDenied ? [permissionDenied(name, policy.permissionMode)] : [];
}

const kindsWithEffects = new Set(["edit", "delete", "move", "execute"]);

/**
 * An agent may do without asking what its own settings allow (opencode runs commands in its plan mode, too):
 * that can't be held back, but it isn't kept quiet. Once a turn is enough.
 */
function warnOfUnasked(turn: Turn, call: ToolCall): RunEventBody[] {
  const { permissionMode, cwd, runsUnasked } = turn.policy;
  if (turn.isWarned || call.isAsked || !kindsWithEffects.has(call.kind)) return [];
  if (runsUnasked.includes(call.kind)) return [];
  if (isAllowed(permissionMode, cwd, call)) return [];
  turn.isWarned = true;
  const remedy = "Have the agent ask for it, in its own settings.";
  return [
    notice(
      "cli_warning",
      `${call.name} ran without asking in permission mode "${permissionMode}". ${remedy}`,
    ),
  ];
}

/** The text after a tool call is a new block: the answer begins there. */
function noteTools(turn: Turn, told: RunEventBody[]): RunEventBody[] {
  if (told.some(({ type }) => type === "tool.started")) turn.block = null;
  return told;
}

/**
 * Answers at once what the agent asks for, by its permission mode. Gemini tells of a call that needs
 * permission in no other way before it has ended, and of one that was refused never again (recording
 * acp_permissions), so the call starts here, and a refused one ends here.
 */
export function readPermission(
  turn: Turn,
  requestId: AgentRequestId,
  { toolCall, options }: PermissionRequest,
): Decoded[] {
  const { permissionMode, cwd } = turn.policy;
  if (turn.isCancelled) return [{ kind: "write", input: permissionInput(requestId, null) }];
  const call = noteToolCall(turn.toolCalls, toolCall);
  call.isAsked = true;
  const allowed = isAllowed(permissionMode, cwd, call);
  const optionId = chooseOption(options, allowed);
  const answer = { kind: "write", input: permissionInput(requestId, optionId) } as const;
  const told =
    allowed && optionId !== null
      ? startTool(call)
      : [
          ...finishTool(call, true, "Not allowed in this agent's permission mode."),
          permissionDenied(call.name, permissionMode),
        ];
  return [answer, ...events(noteTools(turn, told))];
}

/** What is left to tell when the agent has ended the turn. */
export function finishTurn(turn: Turn, isError: boolean): RunEventBody[] {
  return finishOpenTools(turn.toolCalls, isError);
}
