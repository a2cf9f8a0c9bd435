import type { RunEventBody } from "../../domain/event.ts";
import { findFailure } from "../../domain/failure-taxonomy.ts";
import type { Decoded, Dialogue, DialogueSpec } from "./adapter.ts";
import { anomaly, events, stray, strayResult, used } from "./decoded.ts";
import { firstPrompt } from "./first-prompt.ts";
import {
  errorSchema,
  type ErrorLine,
  initSchema,
  type InitLine,
  messageSchema,
  resultSchema,
  type ResultLine,
  toolResultSchema,
  toolUseSchema,
} from "./gemini-lines.ts";
import { usageOf, verdictOf } from "./gemini-result.ts";
import { readIgnoredPolicy, readRetry } from "./gemini-stderr.ts";
import { newTurn, readMessage, readToolResult, readToolUse, type Turn } from "./gemini-turn.ts";
import { parseObject, typeOf } from "./json-line.ts";
import { type Read, reader } from "./line-reader.ts";
import { cliWarning } from "./notices.ts";
import { plainText } from "./plain-text.ts";
import { unknownEvent } from "./unknown-events.ts";

/** Notices that stderr may make in one turn: Gemini tries ten times, for each of its requests. */
const stderrNoticesMax = 40;

/** Longest piece of a foreign session's id that is shown. */
const shownIdChars = 64;

/** What is known of a process so far. */
interface Reading {
  readonly spec: DialogueSpec;
  phase: "silent" | "running" | "ended";
  turn: Turn;
  readonly shownTypes: Set<string>;
  stderrNotices: number;
}

/** Speaks Gemini CLI's stream-json: the prompt is all that is written, and the process ends with its turn. */
export function openGeminiDialogue(spec: DialogueSpec): Dialogue {
  const reading: Reading = {
    spec,
    phase: "silent",
    turn: newTurn(spec.permissionMode),
    shownTypes: new Set(),
    stderrNotices: 0,
  };
  return {
    get prompted() {
      return reading.phase !== "silent";
    },
    begin: (prompt) => begin(reading, prompt),
    decode: (line) => decode(reading, line),
    decodeError: (line) => decodeError(reading, line),
    interrupt: () => null,
  };
}

/** Gemini has no place for a system prompt but its own files. */
function begin(reading: Reading, prompt: string): Decoded[] {
  const { spec } = reading;
  reading.phase = "running";
  reading.turn = newTurn(spec.permissionMode);
  return [{ kind: "write", input: spec.resume ? prompt : firstPrompt(spec.systemPrompt, prompt) }];
}

function decode(reading: Reading, line: string): Decoded[] {
  const value = parseObject(line);
  const hasEnded = reading.phase !== "running";
  // What a slash command prints comes as it is, among the lines of JSON (recording slash_command).
  if (!value) return [anomaly(hasEnded ? "output_after_result" : "parse_error", line)];
  const type = typeOf(value);
  if (hasEnded) return type === "result" ? strayResult() : [stray(type)];
  return readers.get(type)?.(reading, value) ?? unknownEvent(reading.shownTypes, type);
}

const readers = new Map<string, Read<Reading, Decoded>>([
  ["init", reader(initSchema, readInit)],
  ["message", reader(messageSchema, ({ turn }, line) => events(readMessage(turn, line)))],
  ["tool_use", reader(toolUseSchema, ({ turn }, line) => events(readToolUse(turn, line)))],
  ["tool_result", reader(toolResultSchema, ({ turn }, line) => events(readToolResult(turn, line)))],
  ["error", reader(errorSchema, ({ turn }, line) => events(readError(turn, line)))],
  ["result", reader(resultSchema, readResult)],
]);

function readInit({ spec }: Reading, line: InitLine): Decoded[] {
  const named = line.session_id ?? spec.sessionId;
  return [
    ...(named === spec.sessionId
      ? []
      : [{ kind: "session.mismatch", cliSessionId: plainText(named.slice(0, shownIdChars)) } as const]),
    ...events([{ type: "session", cliSessionId: spec.sessionId, model: line.model ?? null }]),
  ];
}

/** An error, or what it calls a warning though it ends the turn (a loop that was stopped), is told with the result. */
function readError(turn: Turn, { severity, message = "" }: ErrorLine): RunEventBody[] {
  if (severity === "warning" && findFailure({ cli: "gemini", text: message }) === null)
    return [cliWarning(message)];
  turn.error = message;
  return [];
}

function readResult(reading: Reading, line: ResultLine): Decoded[] {
  const { turn } = reading;
  reading.phase = "ended";
  const verdict = verdictOf(line, turn);
  return [
    ...events(verdict.kind === "succeeded" && turn.error !== null ? [cliWarning(turn.error)] : []),
    ...used(usageOf(line)),
    { kind: "turn.ended", verdict },
  ];
}

/** Most of what Gemini writes to stderr is noise, also when all is well. */
function decodeError(reading: Reading, line: string): Decoded[] {
  if (reading.phase !== "running" || reading.stderrNotices >= stderrNoticesMax) return [];
  const told = [...readRetry(line), ...readIgnoredPolicy(line)];
  reading.stderrNotices += told.length;
  return events(told);
}
