import type { Decoded } from "./adapter.ts";
import { events, stray, strayResult, used } from "./decoded.ts";
import {
  type Completed,
  completedSchema,
  createMessageSchema,
  discardedSchema,
  mcpStatusSchema,
  type Told,
} from "./droid-rpc-messages.ts";
import { usageOf, verdictOf } from "./droid-rpc-result.ts";
import { type Talk, unknownIn } from "./droid-rpc-talk.ts";
import { isOfTurns, readNotification, type Turn } from "./droid-rpc-turn.ts";

/** Notifications that tell nothing of a turn, wherever they come: recorded, or in the program's own schema. */
const quietNotifications = new Set([
  "assistant_text_complete",
  "child_session_available",
  "droid_working_state_changed",
  "hook_execution_completed",
  "hook_execution_started",
  "loop_state_changed",
  "mcp_auth_completed",
  "mcp_auth_required",
  "permission_resolved",
  "session_title_updated",
  "session_token_usage_changed",
  "session_working_directory_changed",
  "settings_updated",
  "structured_output",
  "thinking_text_complete",
  "tool_call",
  "tool_execution_heartbeat",
  "tool_execution_phase_changed",
  "tool_progress_update",
]);

type Notification = Told["notification"];

const readers = new Map<string, (talk: Talk, notification: Notification) => Decoded[] | null>([
  ["mcp_status_changed", keepHelpers],
  ["queued_messages_discarded", noteDiscarded],
  ["agent_turn_completed", readCompleted],
]);

/** What a sub-agent tells bears the id of its own session, and is the inside of its tool call. */
export function readTold(talk: Talk, { sessionId, notification }: Told): Decoded[] {
  const { type } = notification;
  if (sessionId !== undefined && sessionId !== talk.session.id) return [];
  if (quietNotifications.has(type)) return [];
  const read = isOfTurns(type) ? readOfTurn : readers.get(type);
  return read?.(talk, notification) ?? unknownIn(talk, `droid.session_notification ${type}`);
}

/** MCP servers that were still starting are the CLI's own, unless a tool of this turn may have left something. */
function keepHelpers({ phase }: Talk, notification: Notification): Decoded[] {
  const connected = mcpStatusSchema.safeParse(notification).data?.summary.connected ?? 0;
  const hasRunTools = phase.kind === "running" && phase.turn.tools.size > 0;
  return connected > 0 && !hasRunTools ? [{ kind: "helpers.kept" }] : [];
}

/** A hook of the user's refused the prompt: its turn ends without having begun (recording warm-hook-refused). */
function noteDiscarded({ phase }: Talk, notification: Notification): Decoded[] {
  const requestId = discardedSchema.safeParse(notification).data?.requestId;
  if (phase.kind === "sent" && requestId === phase.requestId) phase.isDiscarded = true;
  return [];
}

function readOfTurn(talk: Talk, notification: Notification): Decoded[] | null {
  const { phase } = talk;
  const isHeard = phase.kind === "running" || (phase.kind === "sent" && notification.type === "error");
  if (isHeard) {
    const told = readNotification(phase.turn, notification);
    return told ? events(told) : null;
  }
  const whole = createMessageSchema.safeParse(notification).data;
  if (whole && phase.kind === "sent" && whole.requestId === phase.requestId) {
    const { requestId, turn } = phase;
    talk.phase = { kind: "running", requestId, turn, turnId: whole.message.id };
    return [];
  }
  // A session's first turn is preceded by what the model is told about the place.
  return whole && whole.message.role !== "assistant" ? [] : [stray(notification.type)];
}

function readCompleted(talk: Talk, notification: Notification): Decoded[] | null {
  const { phase } = talk;
  const completed = completedSchema.safeParse(notification).data;
  if (!completed) return null;
  if (phase.kind === "running" && (completed.turnId ?? phase.turnId) === phase.turnId)
    return endTurn(talk, phase.turn, completed);
  const hasBroken = phase.kind === "sent" && (phase.isDiscarded || phase.turn.error !== null);
  return hasBroken ? endTurn(talk, phase.turn, completed) : strayResult();
}

function endTurn(talk: Talk, turn: Turn, completed: Completed): Decoded[] {
  talk.phase = { kind: "idle" };
  return [...used(usageOf(completed)), { kind: "turn.ended", verdict: verdictOf(completed, turn) }];
}
