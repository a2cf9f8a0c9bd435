import type { z } from "zod";
import type { RunEventBody } from "../../domain/event.ts";
import type { Decoded, Dialogue, DialogueSpec, Verdict } from "./adapter.ts";
import { events, stray, strayResult, used } from "./decoded.ts";
import {
  completionSchema,
  type CompletionLine,
  errorSchema,
  type ErrorLine,
  type InitLine,
  messageSchema,
  reasoningSchema,
  systemSchema,
  toolCallSchema,
  toolResultSchema,
} from "./droid-exec-lines.ts";
import {
  newTurn,
  readMessage,
  readReasoning,
  readToolCall,
  readToolResult,
  resultOf,
  type Turn,
  usageOf,
} from "./droid-exec-turn.ts";
import { endedByDenial, failureOf, isAboutPermission } from "./droid-failure.ts";
import { type Read, reader } from "./line-reader.ts";
import { openOneTurnDialogue, type OneTurnWords, type Reading } from "./one-turn-dialogue.ts";
import { plainOrNull } from "./plain-text.ts";
import { unknownEvent } from "./unknown-events.ts";

/**
 * Speaks Droid's stream-json: the process ends with its turn. Droid chooses the session's id, also when it goes on
 * with an earlier one, and takes the blanks off both ends of the prompt. A system prompt it takes in this form only
 * as an argument or from a file; sessions that began warm have theirs in a place of its own, and keep it when they
 * are forked.
 */
export function openExecDialogue(spec: DialogueSpec): Dialogue {
  return openOneTurnDialogue(words, spec);
}

type ExecReading = Reading<Turn>;

const readers = new Map<string, Read<ExecReading, Decoded>>([
  ["system", reader(systemSchema, readInit)],
  ["message", ofTheTurn(messageSchema, readMessage)],
  ["reasoning", ofTheTurn(reasoningSchema, readReasoning)],
  ["tool_call", ofTheTurn(toolCallSchema, readToolCall)],
  ["tool_result", ofTheTurn(toolResultSchema, readToolResult)],
  ["completion", reader(completionSchema, readCompletion)],
  ["error", reader(errorSchema, readError)],
]);

/** Lines of the answer; what a sub-agent says is the inside of its tool call. */
function ofTheTurn<Line extends { session_id?: string | undefined }>(
  schema: z.ZodType<Line>,
  read: (turn: Turn, line: Line) => RunEventBody[],
): Read<ExecReading, Decoded> {
  return reader(schema, (reading, line) => (isInner(reading, line) ? [] : events(read(reading.turn, line))));
}

function isInner({ turn: { sessionId } }: ExecReading, line: { session_id?: string | undefined }): boolean {
  return sessionId !== null && line.session_id !== undefined && line.session_id !== sessionId;
}

function readInit(reading: ExecReading, { session_id: sessionId, model }: InitLine): Decoded[] {
  reading.turn.sessionId = sessionId ?? null;
  if (sessionId === undefined) return [];
  return events([{ type: "session", cliSessionId: sessionId, model: plainOrNull(model) }]);
}

function readCompletion(reading: ExecReading, line: CompletionLine): Decoded[] {
  const verdict: Verdict = { kind: "succeeded", result: resultOf(reading.turn, line), byCliItself: false };
  return [...used(usageOf(line)), end(reading, verdict)];
}

/**
 * The agent loop says why it gives up, then the CLI that it does: "Exec failed", or why if nobody has said it yet
 * (recordings one-turn-error, one-turn-denied, no-sign-in).
 */
function readError(reading: ExecReading, line: ErrorLine): Decoded[] {
  const { turn } = reading;
  const { source, message = "" } = line;
  if (source !== "cli") {
    if (!isInner(reading, line)) turn.error = message;
    return [];
  }
  if (isAboutPermission(message))
    return [end(reading, endedByDenial(turn.deniedTool ?? "a tool", turn.permissionMode))];
  return [end(reading, { kind: "failed", ...failureOf(turn.error ?? message) })];
}

function end(reading: ExecReading, verdict: Verdict): Decoded {
  reading.phase = "ended";
  return { kind: "turn.ended", verdict };
}

function readLate(type: string): Decoded[] {
  if (type === "completion" || type === "error") return strayResult();
  return readers.has(type) ? [stray(type)] : unknownEvent(null, type);
}

const words: OneTurnWords<Turn> = {
  newTurn: ({ permissionMode }) => newTurn(permissionMode),
  readers,
  readLate,
};
