import type { Decoded, Dialogue, DialogueSpec } from "../../../src/runner/adapters/adapter.ts";
import { droidAdapter } from "../../../src/runner/adapters/droid.ts";

/* Small hand-made lines of Droid's dialects, for what the recordings don't show, or not alone. */

export const sessionId = "5b0f8f0e-7a45-4b7e-9d0c-3f1d2c4b5a69";

export const spec: DialogueSpec = {
  executable: "/opt/droid",
  sessionId,
  resume: false,
  cwd: "/home/dev/project",
  model: null,
  permissionMode: "edit",
  mcpConfigPath: null,
  systemPrompt: null,
};

export function feed(dialogue: Dialogue, ...lines: object[]): Decoded[] {
  return lines.flatMap((line) => dialogue.decode(JSON.stringify(line)));
}

/** One turn of the one-turn form, begun. */
export function beginExec(over: Partial<DialogueSpec> = {}): Dialogue {
  const dialogue = droidAdapter.dialects.oneTurn.open({ ...spec, ...over });
  dialogue.begin("hello");
  return dialogue;
}

export const init = { type: "system", subtype: "init", session_id: sessionId, model: "m" };
export const said = (text: string, over: object = {}) => ({
  type: "message",
  role: "assistant",
  id: "m1",
  text,
  session_id: sessionId,
  ...over,
});
export const toolCall = (id: string, parameters: unknown = {}) => ({
  type: "tool_call",
  id,
  toolName: "Execute",
  parameters,
  session_id: sessionId,
});
export const failedTool = (id: string, message: string) => ({
  type: "tool_result",
  id,
  isError: true,
  error: { type: "tool_error", message },
  session_id: sessionId,
});
export const completion = (finalText = "", over: object = {}) => ({
  type: "completion",
  finalText,
  session_id: sessionId,
  ...over,
});
export const error = (source: string, message: string, over: object = {}) => ({
  type: "error",
  source,
  message,
  session_id: sessionId,
  ...over,
});

/** A warm dialogue that waits for what opens its session. */
export function beginRpc(over: Partial<DialogueSpec> = {}): Dialogue {
  const dialogue = droidAdapter.dialects.warm.open({ ...spec, ...over });
  dialogue.begin("hello");
  return dialogue;
}

export const reply = (id: string | null, result: unknown = {}) => ({
  jsonrpc: "2.0",
  type: "response",
  id,
  result,
});
export const refusal = (id: string | null, message: string, code = -32603) => ({
  jsonrpc: "2.0",
  type: "response",
  id,
  error: { code, message },
});
export const tell = (type: string, fields: object = {}, teller = sessionId) => ({
  jsonrpc: "2.0",
  type: "notification",
  method: "droid.session_notification",
  params: { sessionId: teller, notification: { type, ...fields } },
});
export const whole = (role: string, content: object[], fields: object = {}, message: object = {}) =>
  tell("create_message", { message: { id: "m1", role, content, ...message }, ...fields });
export const text = (value: string) => ({ type: "text", text: value });
export const delta = (textDelta: string, blockIndex = 0, messageId = "m1") =>
  tell("assistant_text_delta", { messageId, blockIndex, textDelta });
export const toolUse = (id: string, input: unknown = {}) => ({
  type: "tool_use",
  id,
  name: "Execute",
  input,
});
export const completed = (reason = "completed", turnId = "t1") =>
  tell("agent_turn_completed", { reason, turnId, tokenUsage: { inputTokens: 2, outputTokens: 1 } });
export const asks = (id: string, over: object = {}) => ({
  jsonrpc: "2.0",
  type: "request",
  id,
  method: "droid.request_permission",
  params: {
    toolUses: [{ toolUse: toolUse("call1"), confirmationType: "exec" }],
    options: [{ value: "proceed_once" }, { value: "proceed_always" }, { value: "cancel" }],
    ...over,
  },
});

/** By which the prompt of the process's n-th turn comes back: the turn has begun. */
export const prompted = (turn = 1, turnId = `t${turn}`) =>
  whole("user", [text("hello")], { requestId: `turn-${turn}` }, { id: turnId });

/** A warm dialogue with its session open, in its first turn. */
export function runRpc(over: Partial<DialogueSpec> = {}): Dialogue {
  const dialogue = beginRpc(over);
  feed(dialogue, reply("open", { sessionId, settings: { modelId: "m" } }), reply("turn-1"), prompted());
  return dialogue;
}
