import type { z } from "zod";
import type { PermissionMode } from "../../domain/agent.ts";
import type { RunEventBody } from "../../domain/event.ts";
import type { Decoded, DialogueSpec, Verdict } from "./adapter.ts";
import { completeResult } from "./claude-dialect-answer.ts";
import { denyToolInput, refuseControlInput } from "./claude-dialect-input.ts";
import {
  assistantSchema,
  type ControlRequestLine,
  controlRequestSchema,
  controlResponseSchema,
  type RateLimitLine,
  rateLimitSchema,
  type ResultLine,
  resultSchema,
  streamEventSchema,
  type SystemLine,
  systemSchema,
  userSchema,
} from "./claude-dialect-lines.ts";
import { apiRetry, rateLimit } from "./claude-dialect-notices.ts";
import { costOf, isByCliItself, usageOf, verdictOf } from "./claude-dialect-result.ts";
import {
  newTurn,
  readAssistant,
  readDenial,
  readStreamEvent,
  readUser,
  type Turn,
} from "./claude-dialect-turn.ts";
import { anomaly, events, stray, strayResult, used } from "./decoded.ts";
import { parseObject, typeOf } from "./json-line.ts";
import { type Read, reader } from "./line-reader.ts";
import { cliCommand, cliWarning, compacted } from "./notices.ts";
import { plainOrNull, plainText } from "./plain-text.ts";
import { unknownEvent } from "./unknown-events.ts";

/** Lines that tell nothing of a turn, wherever they come: recorded, or in the public types of Claude's SDK. */
const quietTypes = new Set([
  "auth_status",
  "command_lifecycle",
  "keep_alive",
  "prompt_suggestion",
  "tool_progress",
  "tool_use_summary",
]);
const quietSubtypes = new Set([
  "background_tasks_changed",
  "control_request_progress",
  "files_persisted",
  "hook_progress",
  "hook_response",
  "hook_started",
  "local_command_output",
  "session_state_changed",
  "status",
  "task_notification",
  "task_progress",
  "task_started",
  "task_updated",
  "thinking_tokens",
  "ui_invalidate",
]);

/** What is known of a process's output so far. */
interface Reading {
  permissionMode: PermissionMode;
  /** The process was started to go on in a session that the CLI had. */
  resume: boolean;
  /** The session that we asked for, or the one that the CLI began when it was told to. */
  sessionId: string;
  phase: "running" | "awaiting_init" | "ended";
  turn: Turn;
  /** This process tells `init` at the beginning of its turns. */
  seenInit: boolean;
  totalCostUsd: number | null;
  readonly shownTypes: Set<string>;
}

export type ClaudeDecoderSpec = Pick<DialogueSpec, "sessionId" | "resume" | "permissionMode">;

/** What a process of Claude's dialect printed, line by line. */
export interface ClaudeDecoder {
  /** A turn was sent: what comes from now on belongs to it. */
  beginTurn(): void;
  decode(line: string): Decoded[];
}

/**
 * Reads Claude Code's stream-json, one process long. A warm process tells `init` once per turn, so what
 * comes between our message and that turn's `init` is what the turn before left behind.
 *
 * What a sub-agent says and does (`parent_tool_use_id`) is the inside of its tool call and no event of
 * ours: its text isn't the answer, and its tool calls would move the place where the answer begins. What
 * it found comes as the result of that call.
 */
export function createClaudeDecoder(spec: ClaudeDecoderSpec): ClaudeDecoder {
  const reading: Reading = {
    ...spec,
    phase: "running",
    turn: newTurn(spec.permissionMode),
    seenInit: false,
    totalCostUsd: null,
    shownTypes: new Set(),
  };
  return {
    beginTurn() {
      reading.turn = newTurn(spec.permissionMode);
      reading.phase = reading.seenInit ? "awaiting_init" : "running";
    },
    decode: (line) => decode(reading, line),
  };
}

function decode(reading: Reading, line: string): Decoded[] {
  const value = parseObject(line);
  const ended = reading.phase === "ended";
  if (!value) return [anomaly(ended ? "output_after_result" : "parse_error", line)];
  const type = typeOf(value);
  if (quietTypes.has(type)) return [];
  const decoded = readers.get(type)?.(reading, value);
  if (decoded) return decoded;
  return ended ? [stray(type)] : unknownEvent(reading.shownTypes, type);
}

const readers = new Map<string, Read<Reading, Decoded>>([
  ["stream_event", ofTheTurn(streamEventSchema, (turn, line) => readStreamEvent(turn, line.event))],
  ["assistant", ofTheTurn(assistantSchema, readAssistant)],
  ["user", ofTheTurn(userSchema, readUser)],
  ["system", reader(systemSchema, readSystem)],
  ["result", reader(resultSchema, readResult)],
  ["conversation_reset", readReset],
  ["control_request", reader(controlRequestSchema, readControlRequest)],
  [
    "control_response",
    reader(controlResponseSchema, (_reading, { response }) => [
      { kind: "control.replied", requestId: response.request_id, ok: response.subtype === "success" },
    ]),
  ],
  ["rate_limit_event", reader(rateLimitSchema, readRateLimit)],
]);

/** Lines of the answer: none of this turn's comes before its `init`, and none after its result. */
function ofTheTurn<Line extends { parent_tool_use_id?: string | null; isReplay?: boolean }>(
  schema: z.ZodType<Line>,
  read: (turn: Turn, line: Line) => RunEventBody[],
): Read<Reading, Decoded> {
  return reader(schema, (reading, line) => {
    if (line.isReplay) return [];
    if (reading.phase !== "running") return [stray("output that is no turn's of ours")];
    return typeof line.parent_tool_use_id === "string" ? [] : events(read(reading.turn, line));
  });
}

function readSystem(reading: Reading, line: SystemLine): Decoded[] {
  if (line.subtype === "init") return readInit(reading, line);
  if (reading.phase === "ended" || quietSubtypes.has(line.subtype)) return [];
  switch (line.subtype) {
    case "api_retry":
      return events([apiRetry(line)]);
    case "permission_denied":
      return events(readDenial(reading.turn, line.tool_use_id, line.tool_name));
    case "compact_boundary":
      return events([compacted()]);
    case "informational":
      return line.level === "warning" ? events([cliWarning(line.content ?? "")]) : [];
    default:
      return unknownEvent(reading.shownTypes, `system/${line.subtype}`);
  }
}

function readInit(reading: Reading, line: SystemLine): Decoded[] {
  reading.seenInit = true;
  // Its result would come too late to tell: our next turn may be sent by then.
  if (reading.phase === "ended") return [{ kind: "retire", reason: "the CLI began a turn by itself" }];
  reading.phase = "running";
  const named = line.session_id ?? reading.sessionId;
  if (reading.turn.reset) reading.sessionId = named;
  const { sessionId } = reading;
  return [
    ...(named === sessionId ? [] : [{ kind: "session.mismatch", cliSessionId: named } as const]),
    ...events([{ type: "session", cliSessionId: sessionId, model: plainOrNull(line.model) }]),
    ...(line.claude_code_version ? [version(line.claude_code_version)] : []),
    ...(keepsHelpers(line) ? [{ kind: "helpers.kept" } as const] : []),
  ];
}

function version(told: string): Decoded {
  return { kind: "version", cliVersion: plainText(told) };
}

/** MCP servers are processes of the CLI's own, alive between turns; one that failed has none. */
function keepsHelpers(line: SystemLine): boolean {
  return (line.mcp_servers ?? []).some(({ status }) => status !== "failed" && status !== "disabled");
}

/** `/clear`: the line comes before the turn's `init`, which names the new session (bidi_permissions). */
function readReset(reading: Reading): Decoded[] {
  reading.turn.reset = true;
  return [{ kind: "session.reset" }, { kind: "retire", reason: "the CLI began a new session" }];
}

function readRateLimit({ phase, turn }: Reading, { rate_limit_info: info }: RateLimitLine): Decoded[] {
  if (info.status === "allowed" || phase === "ended") return [];
  if (info.status === "rejected" && info.resetsAt !== undefined)
    turn.limitEndsAtMs = Math.round(info.resetsAt * 1_000);
  return events([rateLimit(info)]);
}

function readResult(reading: Reading, line: ResultLine): Decoded[] {
  if (reading.phase !== "running") return strayResult();
  const { turn, totalCostUsd } = reading;
  reading.phase = "ended";
  reading.totalCostUsd = line.total_cost_usd ?? totalCostUsd;
  const verdict = withTornSession(reading, line, verdictOf(line, turn));
  const usage = usageOf(line);
  const denials = line.permission_denials ?? [];
  // A process that waits for its next turn needn't keep the text of this one.
  reading.turn = newTurn(reading.permissionMode);
  return [
    ...events(denials.flatMap((denial) => readDenial(turn, denial.tool_use_id, denial.tool_name))),
    ...events(isByCliItself(line) ? [cliCommand(line.local_command)] : []),
    ...events(verdict.kind === "succeeded" ? completeResult(turn.answer, verdict.result) : []),
    ...used(usage, costOf(line, totalCostUsd)),
    { kind: "turn.ended", verdict },
  ];
}

/**
 * A session that can't be resumed gives a result at once, before any `init` (recording resume_unknown, where
 * it says why; a torn transcript is reported to end the same way with other words).
 */
function withTornSession({ resume, seenInit }: Reading, line: ResultLine, verdict: Verdict): Verdict {
  const isTorn = resume && !seenInit && line.duration_ms === 0 && line.num_turns === 0;
  return isTorn && verdict.kind === "failed" ? { ...verdict, code: "session_lost" } : verdict;
}

/** Whether a tool may be used is asked only with --permission-prompt-tool; nobody is there to answer. */
function readControlRequest(
  reading: Reading,
  { request_id: requestId, request }: ControlRequestLine,
): Decoded[] {
  if (request.subtype !== "can_use_tool") {
    const refusal = { kind: "write", input: refuseControlInput(requestId) } as const;
    return [refusal, ...unknownEvent(reading.shownTypes, `control_request/${request.subtype}`)];
  }
  const tool = request.tool_name ?? "This tool";
  const message = `${tool} is not allowed in this agent's permission mode, and nobody can be asked.`;
  const denial = readDenial(reading.turn, request.tool_use_id, request.tool_name);
  return [
    { kind: "write", input: denyToolInput(requestId, message) },
    ...events(reading.phase === "ended" ? [] : denial),
  ];
}
