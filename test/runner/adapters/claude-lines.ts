import type { PermissionMode } from "../../../src/domain/agent.ts";
import type { Decoded } from "../../../src/runner/adapters/adapter.ts";
import {
  type ClaudeDecoder,
  createClaudeDecoder,
} from "../../../src/runner/adapters/claude-dialect-decoder.ts";

/* Small hand-made lines of Claude's dialect, for what the recordings don't show, or not alone. */

export const sessionId = "5b0f8f0e-7a45-4b7e-9d0c-3f1d2c4b5a69";

export function newDecoder(permissionMode: PermissionMode = "edit"): ClaudeDecoder {
  return createClaudeDecoder({ sessionId, resume: false, permissionMode });
}

export function decodeTurn(lines: object[], decoder = newDecoder()): Decoded[] {
  decoder.beginTurn();
  return lines.flatMap((line) => decoder.decode(JSON.stringify(line)));
}

export const init = {
  type: "system",
  subtype: "init",
  session_id: sessionId,
  model: "m",
  claude_code_version: "2",
};
export const start = (id: string) => ({
  type: "stream_event",
  event: { type: "message_start", message: { id } },
});
export const delta = (text: string, index = 0) => ({
  type: "stream_event",
  event: { type: "content_block_delta", index, delta: { type: "text_delta", text } },
});
export const assistant = (id: string, ...content: object[]) => ({
  type: "assistant",
  message: { id, content },
});
export const text = (value: string) => ({ type: "text", text: value });
export const toolUse = (id: string, input: unknown = {}) => ({ type: "tool_use", id, name: "Bash", input });
export const toolResult = (id: string, content: unknown) => ({
  type: "user",
  message: { content: [{ type: "tool_result", tool_use_id: id, content }] },
});
export const result = (over: object = {}) => ({
  type: "result",
  subtype: "success",
  is_error: false,
  num_turns: 1,
  result: "",
  ...over,
});
