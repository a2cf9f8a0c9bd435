import type { PermissionMode } from "../../domain/agent.ts";
import type { RunEventBody } from "../../domain/event.ts";
import {
  addText,
  addThought,
  type Answer,
  completeMessage,
  newAnswer,
  retractMessage,
} from "./droid-rpc-answer.ts";
import {
  type CreateMessage,
  createMessageSchema,
  deltaSchema,
  errorSchema,
  type Retry,
  retractedSchema,
  retrySchema,
  type ToolResult,
  toolResultSchema,
} from "./droid-rpc-messages.ts";
import { type Read, reader } from "./line-reader.ts";
import { cliWarning, compacted, notice } from "./notices.ts";
import { toolFinished, toolStarted } from "./tool-events.ts";

/** What a turn has told so far, as far as later messages depend on it. */
export interface Turn {
  readonly permissionMode: PermissionMode;
  readonly answer: Answer;
  /** By id; `finished` ones have told their result. */
  readonly tools: Map<string, { finished: boolean }>;
  /** The tool that was denied, as long as nothing was said since. */
  deniedTool: string | null;
  /** What it said of an error. */
  error: string | null;
}

export function newTurn(permissionMode: PermissionMode): Turn {
  return { permissionMode, answer: newAnswer(), tools: new Map(), deniedTool: null, error: null };
}

const readers = new Map<string, Read<Turn, RunEventBody>>([
  [
    "assistant_text_delta",
    reader(deltaSchema, (turn, { messageId, blockIndex = 0, textDelta }) =>
      noteText(turn, addText(turn.answer, messageId, blockIndex, textDelta)),
    ),
  ],
  [
    "thinking_text_delta",
    reader(deltaSchema, ({ answer }, { messageId, textDelta }) => addThought(answer, messageId, textDelta)),
  ],
  [
    "assistant_message_retracted",
    reader(retractedSchema, ({ answer }, { messageId }) => retractMessage(answer, messageId)),
  ],
  ["create_message", reader(createMessageSchema, readWhole)],
  ["tool_result", reader(toolResultSchema, readToolResult)],
  ["llm_retry", reader(retrySchema, (_turn, retry) => [retryNotice(retry)])],
  ["session_compacted", () => [compacted()]],
  [
    "error",
    reader(errorSchema, (turn, { message }) => {
      turn.error = message ?? turn.error;
      return [];
    }),
  ],
]);

/** Of a type that tells something of a turn: whether it is this turn's, its place in the order tells. */
export function isOfTurns(type: string): boolean {
  return readers.has(type);
}

/** Null for a notification that isn't what its type promises. */
export function readNotification(turn: Turn, notification: { type: string }): RunEventBody[] | null {
  return readers.get(notification.type)?.(turn, notification) ?? null;
}

function noteText(turn: Turn, told: RunEventBody[]): RunEventBody[] {
  if (told.some(({ type }) => type === "text")) turn.deniedTool = null;
  return told;
}

function readWhole(turn: Turn, { message }: CreateMessage): RunEventBody[] {
  if (message.role === "system") return readRemark(turn, message);
  if (message.role !== "assistant") return [];
  const calls = message.content.filter(({ type }) => type === "tool_use");
  return [
    ...noteText(turn, completeMessage(turn.answer, message.id, message.content)),
    ...calls.flatMap(({ id = "", name = "tool", input }) => startTool(turn, id, name, input)),
  ];
}

/** What it tells the person by itself; after an error it is the same once more (recording warm-error). */
function readRemark(turn: Turn, { visibility, content }: CreateMessage["message"]): RunEventBody[] {
  const text = content
    .map((block) => block.text ?? "")
    .join("\n")
    .trim();
  if (visibility === "llm_only" || turn.error !== null || text === "") return [];
  return [cliWarning(text)];
}

/**
 * `tool_call` names a tool when the model has named it, first without its input; the message that holds the
 * call comes before anything is run, with all of it (recording warm-tools).
 */
function startTool(turn: Turn, toolId: string, name: string, input: unknown): RunEventBody[] {
  if (turn.tools.has(toolId)) return [];
  turn.tools.set(toolId, { finished: false });
  return [toolStarted(toolId, name, input)];
}

/** The result of a tool that was interrupted comes twice (recording warm-interrupt). */
function readToolResult(turn: Turn, result: ToolResult): RunEventBody[] {
  const { toolUseId: toolId, content, isError = false } = result;
  const tool = turn.tools.get(toolId);
  if (!tool || tool.finished) return [];
  tool.finished = true;
  return [toolFinished(toolId, isError, content)];
}

/** Up to ten times, over three minutes and a half (recording warm-error-529). */
function retryNotice({ attempt, reason }: Retry): RunEventBody {
  const why = (reason ?? "unknown").replaceAll("_", " ");
  return notice(
    "api_retry",
    `The model's API failed (${why}), attempt ${attempt ?? "?"}; Droid may try again.`,
  );
}
