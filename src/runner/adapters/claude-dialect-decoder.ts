import type { z } from "zod";
import type { PermissionMode } from "../../domain/agent.ts";
import type { RunEventBody } from "../../domain/event.ts";
import type { Decoded, Decoder } from "./adapter.ts";
import { completeResult } from "./claude-dialect-answer.ts";
import { denyToolInput, refuseControlInput } from "./claude-dialect-input.ts";
import {
  assistantSchema,
  type ControlRequestLine,
  controlRequestSchema,
  controlResponseSchema,
  rateLimitSchema,
  type ResultLine,
  resultSchema,
  streamEventSchema,
  type SystemLine,
  systemSchema,
  userSchema,
} from "./claude-dialect-lines.ts";
import { apiRetry, cliCommand, notice, rateLimit } from "./claude-dialect-notices.ts";
import { costOf, errorTextChars, isByCliItself, usageOf, verdictOf } from "./claude-dialect-result.ts";
import {
  newTurn,
  readAssistant,
  readDenial,
  readStreamEvent,
  readUser,
  type Turn,
} from "./claude-dialect-turn.ts";
import { plainText } from "./plain-text.ts";

/** Longest piece of a line that an anomaly quotes. */
const detailChars = 200;
/** Unknown types that get a notice of their own; a hostile CLI could invent one per line. */
const unknownTypesMax = 64;

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
  /** The session that we asked for, or the one that the CLI began when it was told to. */
  sessionId: string;
  phase: "running" | "awaiting_init" | "ended";
  turn: Turn;
  /** This process tells `init` at the beginning of its turns. */
  seenInit: boolean;
  totalCostUsd: number | null;
  unknownTypes: Set<string>;
}

type Read = (reading: Reading, value: unknown) => Decoded[] | null;

/**
 * Reads Claude Code's stream-json, one process long. A warm process tells `init` once per turn, so what
 * comes between our message and that turn's `init` is what the turn before left behind.
 *
 * What a sub-agent says and does (`parent_tool_use_id`) is the inside of its tool call and no event of
 * ours: its text isn't the answer, and its tool calls would move the place where the answer begins. What
 * it found comes as the result of that call.
 */
export function createClaudeDecoder(spec: { sessionId: string; permissionMode: PermissionMode }): Decoder {
  const reading: Reading = {
    ...spec,
    phase: "running",
    turn: newTurn(spec.permissionMode),
    seenInit: false,
    totalCostUsd: null,
    unknownTypes: new Set(),
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
  const type = typeof value.type === "string" ? value.type : "(no type)";
  if (quietTypes.has(type)) return [];
  const decoded = readers.get(type)?.(reading, value);
  if (decoded) return decoded;
  return ended ? [anomaly("output_after_result", type)] : unknown(reading, type);
}

const readers = new Map<string, Read>([
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
  [
    "rate_limit_event",
    reader(rateLimitSchema, ({ phase }, { rate_limit_info: info }) =>
      info.status === "allowed" || phase === "ended" ? [] : events([rateLimit(info)]),
    ),
  ],
]);

/** Null for a line that isn't what its type promises. */
function reader<Line>(schema: z.ZodType<Line>, read: (reading: Reading, line: Line) => Decoded[]): Read {
  return (reading, value) => {
    const parsed = schema.safeParse(value);
    return parsed.success ? read(reading, parsed.data) : null;
  };
}

/** Lines of the answer: none of this turn's comes before its `init`, and none after its result. */
function ofTheTurn<Line extends { parent_tool_use_id?: string | null; isReplay?: boolean }>(
  schema: z.ZodType<Line>,
  read: (turn: Turn, line: Line) => RunEventBody[],
): Read {
  return reader(schema, (reading, line) => {
    if (line.isReplay) return [];
    if (reading.phase !== "running")
      return [anomaly("output_after_result", "output that is no turn's of ours")];
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
      return events([notice("compacted", "The CLI summarised the conversation so far to make room.")]);
    case "informational":
      return line.level === "warning" ? events([notice("cli_warning", warningOf(line))]) : [];
    default:
      return unknown(reading, `system/${line.subtype}`);
  }
}

function warningOf(line: SystemLine): string {
  return plainText(line.content ?? "The CLI warned without saying why.").slice(0, errorTextChars);
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
    ...events([{ type: "session", cliSessionId: sessionId, model: line.model ?? null }]),
    ...(line.claude_code_version ? [{ kind: "version", cliVersion: line.claude_code_version } as const] : []),
    ...(keepsHelpers(line) ? [{ kind: "helpers.kept" } as const] : []),
  ];
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

function readResult(reading: Reading, line: ResultLine): Decoded[] {
  if (reading.phase !== "running") return strayResult();
  const { turn, totalCostUsd } = reading;
  reading.phase = "ended";
  reading.totalCostUsd = line.total_cost_usd ?? totalCostUsd;
  const verdict = verdictOf(line, turn.assistantError);
  const usage = usageOf(line);
  const denials = line.permission_denials ?? [];
  return [
    ...events(denials.flatMap((denial) => readDenial(turn, denial.tool_use_id, denial.tool_name))),
    ...events(isByCliItself(line) ? [cliCommand(line.local_command)] : []),
    ...events(verdict.kind === "succeeded" ? completeResult(turn.answer, verdict.result) : []),
    ...(usage ? [{ kind: "usage", usage, costUsd: costOf(line, totalCostUsd) } as const] : []),
    { kind: "turn.ended", verdict },
  ];
}

function strayResult(): Decoded[] {
  return [
    anomaly("duplicate_result", "a result that belongs to no turn of ours"),
    { kind: "retire", reason: "the CLI gave a result between turns" },
  ];
}

/** Whether a tool may be used is asked only with --permission-prompt-tool; nobody is there to answer. */
function readControlRequest(
  reading: Reading,
  { request_id: requestId, request }: ControlRequestLine,
): Decoded[] {
  if (request.subtype !== "can_use_tool") {
    const refusal = { kind: "reply", line: refuseControlInput(requestId) } as const;
    return [refusal, ...unknown(reading, `control_request/${request.subtype}`)];
  }
  const tool = request.tool_name ?? "This tool";
  const message = `${tool} is not allowed in this agent's permission mode, and nobody can be asked.`;
  const denial = readDenial(reading.turn, request.tool_use_id, request.tool_name);
  return [
    { kind: "reply", line: denyToolInput(requestId, message) },
    ...events(reading.phase === "ended" ? [] : denial),
  ];
}

function unknown(reading: Reading, type: string): Decoded[] {
  const { unknownTypes } = reading;
  const found = anomaly("unknown_event", type);
  if (unknownTypes.has(type) || unknownTypes.size >= unknownTypesMax) return [found];
  unknownTypes.add(type);
  const message = `The CLI told something that Headway does not know: ${type.slice(0, detailChars)}`;
  return [found, ...events([notice("unknown_event", message)])];
}

function parseObject(line: string): { type?: unknown } | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : null;
  } catch (error) {
    // A banner or a torn line; RangeError is what the parser says to brackets nested too deeply.
    if (error instanceof SyntaxError || error instanceof RangeError) return null;
    throw error;
  }
}

function events(bodies: RunEventBody[]): Decoded[] {
  return bodies.map((event) => ({ kind: "event", event }));
}

function anomaly(code: string, detail: string): Decoded {
  return { kind: "anomaly", code, detail: detail.slice(0, detailChars) };
}
