import type { z } from "zod";
import type { RunEventBody } from "../../domain/event.ts";
import type { Decoded, Dialogue, DialogueSpec, Verdict } from "./adapter.ts";
import { anomaly, events, stray, strayResult, used } from "./decoded.ts";
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
import { firstPrompt } from "./first-prompt.ts";
import { parseObject, typeOf } from "./json-line.ts";
import { type Read, reader } from "./line-reader.ts";
import { plainOrNull } from "./plain-text.ts";
import { unknownEvent } from "./unknown-events.ts";

/** What is known of a process so far. */
interface Reading {
  readonly spec: DialogueSpec;
  phase: "silent" | "running" | "ended";
  /** The session that `init` named; what a sub-agent says names its own. */
  sessionId: string | null;
  turn: Turn;
  readonly shownTypes: Set<string>;
}

/**
 * Speaks Droid's stream-json: the prompt is all that is written, and the process ends with its turn. Droid
 * chooses the session's id, also when it goes on with an earlier one, and takes the blanks off both ends of the
 * prompt.
 */
export function openExecDialogue(spec: DialogueSpec): Dialogue {
  const reading: Reading = {
    spec,
    phase: "silent",
    sessionId: null,
    turn: newTurn(spec.permissionMode),
    shownTypes: new Set(),
  };
  return {
    get prompted() {
      return reading.phase !== "silent";
    },
    begin: (prompt) => begin(reading, prompt),
    decode: (line) => decode(reading, line),
    interrupt: () => null,
  };
}

/**
 * This form takes a system prompt only as an argument or from a file, so it stands before the first prompt.
 * Sessions that began warm have theirs in a place of its own, and keep it when they are forked.
 */
function begin(reading: Reading, prompt: string): Decoded[] {
  const { spec } = reading;
  reading.phase = "running";
  reading.turn = newTurn(spec.permissionMode);
  return [{ kind: "write", input: spec.resume ? prompt : firstPrompt(spec.systemPrompt, prompt) }];
}

function decode(reading: Reading, line: string): Decoded[] {
  const value = parseObject(line);
  const hasEnded = reading.phase !== "running";
  if (!value) return [anomaly(hasEnded ? "output_after_result" : "parse_error", line)];
  const type = typeOf(value);
  if (hasEnded) return readLate(type);
  return readers.get(type)?.(reading, value) ?? unknownEvent(reading.shownTypes, type);
}

const readers = new Map<string, Read<Reading, Decoded>>([
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
): Read<Reading, Decoded> {
  return reader(schema, (reading, line) => (isInner(reading, line) ? [] : events(read(reading.turn, line))));
}

function isInner({ sessionId }: Reading, line: { session_id?: string | undefined }): boolean {
  return sessionId !== null && line.session_id !== undefined && line.session_id !== sessionId;
}

function readInit(reading: Reading, { session_id: sessionId, model }: InitLine): Decoded[] {
  reading.sessionId = sessionId ?? null;
  if (sessionId === undefined) return [];
  return events([{ type: "session", cliSessionId: sessionId, model: plainOrNull(model) }]);
}

function readCompletion(reading: Reading, line: CompletionLine): Decoded[] {
  const verdict: Verdict = { kind: "succeeded", result: resultOf(reading.turn, line), byCliItself: false };
  return [...used(usageOf(line)), end(reading, verdict)];
}

/**
 * The agent loop says why it gives up, then the CLI that it does: "Exec failed", or why if nobody has said it yet
 * (recordings one-turn-error, one-turn-denied, no-sign-in).
 */
function readError(reading: Reading, line: ErrorLine): Decoded[] {
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

function end(reading: Reading, verdict: Verdict): Decoded {
  reading.phase = "ended";
  return { kind: "turn.ended", verdict };
}

function readLate(type: string): Decoded[] {
  if (type === "completion" || type === "error") return strayResult();
  return readers.has(type) ? [stray(type)] : unknownEvent(null, type);
}
