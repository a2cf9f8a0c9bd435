/** The model's name, wherever a model is named. */
export const demoModel = "headway-demo";
export const demoVersion = "1.0.0";

export interface Usage {
  input_tokens: number;
  output_tokens: number;
}

export interface ResultOptions {
  result: string;
  isError: boolean;
  aborted: boolean;
  usage: Usage;
}

/** Says the events of a turn in Claude's stream-json dialect (2.1.330), one JSON line each. */
export interface Voice {
  init(): void;
  beginMessage(): void;
  delta(kind: "text" | "thinking", piece: string): void;
  /** The complete block that the deltas made. */
  endBlock(kind: "text" | "thinking", text: string): void;
  toolUse(toolId: string, name: string, input: Record<string, unknown>): void;
  toolResult(toolId: string, output: string, isError: boolean): void;
  interrupted(): void;
  result(options: ResultOptions): void;
  controlReply(requestId: string, error: string | null): void;
}

export interface VoiceOptions {
  sessionId: string;
  cwd: string;
  permissionMode: string;
  write(line: string): void;
}

export function createVoice(options: VoiceOptions): Voice {
  const { sessionId } = options;
  let messages = 0;
  let results = 0;
  const say = (line: Record<string, unknown>) =>
    options.write(`${JSON.stringify({ ...line, session_id: sessionId })}\n`);
  const streamEvent = (event: Record<string, unknown>) =>
    say({ type: "stream_event", event, parent_tool_use_id: null });
  const assistant = (block: Record<string, unknown>) =>
    say({ type: "assistant", message: message(messages, [block]), parent_tool_use_id: null });
  return {
    init: () => say(initLine(options)),
    beginMessage() {
      messages += 1;
      streamEvent({ type: "message_start", message: message(messages, []) });
    },
    delta: (kind, piece) =>
      streamEvent({ type: "content_block_delta", index: 0, delta: { type: `${kind}_delta`, [kind]: piece } }),
    endBlock(kind, text) {
      assistant({ type: kind, [kind]: text });
      streamEvent({ type: "message_stop" });
    },
    toolUse: (id, name, input) => assistant({ type: "tool_use", id, name, input }),
    toolResult: (id, content, isError) =>
      say({ type: "user", message: toolMessage(id, content, isError), parent_tool_use_id: null }),
    interrupted: () =>
      say({ type: "user", message: textMessage("[Request interrupted by user]"), parent_tool_use_id: null }),
    result: (given) => say(resultLine(given, results++)),
    controlReply: (requestId, error) => say({ type: "control_response", response: reply(requestId, error) }),
  };
}

function initLine({ cwd, permissionMode }: VoiceOptions): Record<string, unknown> {
  const identity = { model: demoModel, claude_code_version: demoVersion, apiKeySource: "none" };
  return {
    type: "system",
    subtype: "init",
    cwd,
    permissionMode,
    tools: ["Bash", "Edit"],
    mcp_servers: [],
    ...identity,
  };
}

function message(count: number, content: unknown[]): Record<string, unknown> {
  return { id: `demo_${count}`, type: "message", role: "assistant", model: demoModel, content };
}

function toolMessage(toolId: string, content: string, isError: boolean): Record<string, unknown> {
  return {
    role: "user",
    content: [{ type: "tool_result", tool_use_id: toolId, content, is_error: isError }],
  };
}

function textMessage(text: string): Record<string, unknown> {
  return { role: "user", content: [{ type: "text", text }] };
}

/** As recorded: simple, error_400, cancel_sigint. The demo costs nothing. */
function resultLine(
  { result, isError, aborted, usage }: ResultOptions,
  index: number,
): Record<string, unknown> {
  const used = { inputTokens: usage.input_tokens, outputTokens: usage.output_tokens, costUSD: 0 };
  const outcome = aborted
    ? { subtype: "error_during_execution", terminal_reason: "aborted_streaming", errors: ["interrupted"] }
    : { subtype: "success", terminal_reason: isError ? "api_error" : "completed", result };
  return {
    type: "result",
    ...outcome,
    is_error: isError || aborted,
    num_turns: 1,
    total_cost_usd: 0,
    usage: { ...usage, cache_read_input_tokens: 0, cache_creation_input_tokens: 0 },
    model_usage_since_last_result: { [demoModel]: used },
    permission_denials: [],
    result_index: index,
  };
}

function reply(requestId: string, error: string | null): Record<string, unknown> {
  if (error === null) return { subtype: "success", request_id: requestId, response: {} };
  return { subtype: "error", request_id: requestId, error, error_code: "unsupported_request" };
}
