/** The lines of Claude's stream-json dialect that a simulated CLI says, as the recordings of 2.1.330 have them. */
const say = (value: Record<string, unknown>) => JSON.stringify(value);
const model = "simulated-1";

const messageOf = (id: string, content: unknown[]) => ({
  id,
  type: "message",
  role: "assistant",
  model,
  content,
});
const streamEvent = (event: Record<string, unknown>) =>
  say({ type: "stream_event", event, parent_tool_use_id: null });

export const initLine = (sessionId: string) =>
  say({
    type: "system",
    subtype: "init",
    session_id: sessionId,
    model,
    mcp_servers: [],
    claude_code_version: "2.1.330",
  });

export const messageStart = (id: string) =>
  streamEvent({ type: "message_start", message: messageOf(id, []) });

export const textDelta = (text: string) =>
  streamEvent({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } });

export const thinkingDelta = (thinking: string) =>
  streamEvent({ type: "content_block_delta", index: 0, delta: { type: "thinking_delta", thinking } });

export const wholeText = (id: string, text: string) =>
  say({ type: "assistant", message: messageOf(id, [{ type: "text", text }]), parent_tool_use_id: null });

export const toolUse = (id: string, toolId: string) =>
  say({
    type: "assistant",
    message: messageOf(id, [{ type: "tool_use", id: toolId, name: "Bash", input: { command: "true" } }]),
    parent_tool_use_id: null,
  });

export const toolResult = (toolId: string, isError: boolean) =>
  say({
    type: "user",
    message: {
      role: "user",
      content: [{ type: "tool_result", tool_use_id: toolId, content: "done", is_error: isError }],
    },
    parent_tool_use_id: null,
  });

const resultOf = (over: Record<string, unknown>) =>
  say({
    type: "result",
    subtype: "success",
    is_error: false,
    num_turns: 1,
    duration_ms: 7,
    terminal_reason: "completed",
    total_cost_usd: 0,
    usage: { input_tokens: 3, output_tokens: 5, cache_read_input_tokens: 0, cache_creation_input_tokens: 0 },
    permission_denials: [],
    ...over,
  });

export const resultLine = (result: string) => resultOf({ result });

export const abortedLine = () =>
  resultOf({
    subtype: "error_during_execution",
    is_error: true,
    terminal_reason: "aborted_streaming",
    errors: ["interrupted"],
  });

export const failedLine = (said: string, httpStatus: number | null) =>
  resultOf({ is_error: true, terminal_reason: "api_error", result: said, api_error_status: httpStatus });

/** As recorded in resume_unknown. */
export const lostSessionLine = (sessionId: string) =>
  resultOf({
    subtype: "error_during_execution",
    is_error: true,
    num_turns: 0,
    duration_ms: 0,
    terminal_reason: undefined,
    errors: [`No conversation found with session ID: ${sessionId}`],
  });

export const resetLine = () => say({ type: "conversation_reset" });

export const interruptReply = (requestId: string) =>
  say({ type: "control_response", response: { subtype: "success", request_id: requestId, response: {} } });
