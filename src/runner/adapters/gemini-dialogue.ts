import type { RunEventBody } from "../../domain/event.ts";
import { findFailure } from "../../domain/failure-taxonomy.ts";
import type { Decoded, Dialogue, DialogueSpec } from "./adapter.ts";
import { events, stray, strayResult, used } from "./decoded.ts";
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
import { type Read, reader } from "./line-reader.ts";
import { cliWarning } from "./notices.ts";
import { openOneTurnDialogue, type OneTurnWords, type Reading } from "./one-turn-dialogue.ts";
import { plainText } from "./plain-text.ts";

/** Notices that stderr may make in one turn: Gemini tries ten times, for each of its requests. */
const stderrNoticesMax = 40;

/** Longest piece of a foreign session's id that is shown. */
const shownIdChars = 64;

/** Speaks Gemini CLI's stream-json: the process ends with its turn, and stderr tells of retries. */
export function openGeminiDialogue(spec: DialogueSpec): Dialogue {
  return openOneTurnDialogue(words, spec);
}

const readers = new Map<string, Read<Reading<Turn>, Decoded>>([
  ["init", reader(initSchema, readInit)],
  ["message", reader(messageSchema, ({ turn }, line) => events(readMessage(turn, line)))],
  ["tool_use", reader(toolUseSchema, ({ turn }, line) => events(readToolUse(turn, line)))],
  ["tool_result", reader(toolResultSchema, ({ turn }, line) => events(readToolResult(turn, line)))],
  ["error", reader(errorSchema, ({ turn }, line) => events(readError(turn, line)))],
  ["result", reader(resultSchema, readResult)],
]);

function readInit({ spec }: Reading<Turn>, line: InitLine): Decoded[] {
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

function readResult(reading: Reading<Turn>, line: ResultLine): Decoded[] {
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
function readErrorLine(turn: Turn, line: string): Decoded[] {
  if (turn.stderrNotices >= stderrNoticesMax) return [];
  const told = [...readRetry(line), ...readIgnoredPolicy(line)];
  turn.stderrNotices += told.length;
  return events(told);
}

const words: OneTurnWords<Turn> = {
  newTurn: ({ permissionMode }) => newTurn(permissionMode),
  readers,
  readLate: (type) => (type === "result" ? strayResult() : [stray(type)]),
  readErrorLine,
};
