import { z } from "zod";
import { flag, lenient, listOf, number, text } from "./lenient-fields.ts";

/* The lines of Claude Code's stream-json dialect, as far as we read them (recordings of 2.1.330). */

const parent = z.string().nullish().catch(undefined);

export const streamEventSchema = z.object({
  parent_tool_use_id: parent,
  event: z.object({
    type: z.string(),
    index: number,
    delta: lenient(z.object({ text, thinking: text })),
    message: lenient(z.object({ id: text })),
  }),
});
export type StreamEvent = z.infer<typeof streamEventSchema>["event"];

const content = z.union([z.string(), z.array(z.unknown())]).catch([]);

export const assistantSchema = z.object({
  parent_tool_use_id: parent,
  message: z.object({ id: text, content }),
  error: text,
  is_api_error_message: flag,
});

export type AssistantLine = z.infer<typeof assistantSchema>;

export const userSchema = z.object({
  parent_tool_use_id: parent,
  message: z.object({ content }),
  isReplay: flag,
  tool_result_meta: listOf(z.object({ id: text, non_execution_kind: text }).catch({})),
});

export type UserLine = z.infer<typeof userSchema>;

/** One block of a message; which of the keys are there depends on `type`. */
export const contentBlockSchema = z.object({
  type: z.string(),
  text,
  thinking: text,
  id: text,
  name: text,
  input: z.unknown().optional(),
  tool_use_id: text,
  content: z.unknown().optional(),
  is_error: flag,
});
export type ContentBlock = z.infer<typeof contentBlockSchema>;

export const systemSchema = z.object({
  subtype: z.string(),
  session_id: text,
  model: text,
  claude_code_version: text,
  mcp_servers: listOf(z.object({ status: text })),
  attempt: number,
  max_retries: number,
  retry_delay_ms: number,
  error_status: number,
  error: text,
  tool_name: text,
  tool_use_id: text,
  level: text,
  content: text,
});
export type SystemLine = z.infer<typeof systemSchema>;

const denial = z.object({ tool_name: text, tool_use_id: text });
const modelUsage = z.object({
  inputTokens: number,
  outputTokens: number,
  cacheReadInputTokens: number,
  cacheCreationInputTokens: number,
  costUSD: number,
});

export const resultSchema = z.object({
  subtype: text,
  is_error: flag,
  result: text,
  errors: listOf(z.string()),
  num_turns: number,
  duration_ms: number,
  local_command: text,
  terminal_reason: text,
  api_error_status: number,
  api_error_type: text,
  total_cost_usd: number,
  usage: lenient(
    z.object({
      input_tokens: number,
      output_tokens: number,
      cache_read_input_tokens: number,
      cache_creation_input_tokens: number,
    }),
  ),
  model_usage_since_last_result: lenient(z.record(z.string(), modelUsage)),
  permission_denials: listOf(denial),
});
export type ResultLine = z.infer<typeof resultSchema>;

export const controlResponseSchema = z.object({
  response: z.object({ subtype: z.string(), request_id: z.string() }),
});

export const controlRequestSchema = z.object({
  request_id: z.string(),
  request: z.object({ subtype: z.string(), tool_name: text, tool_use_id: text }),
});

export type ControlRequestLine = z.infer<typeof controlRequestSchema>;

export const rateLimitSchema = z.object({
  /** `resetsAt` in seconds of Unix time. */
  rate_limit_info: z.object({ status: z.string(), rateLimitType: text, resetsAt: number }),
});
export type RateLimitLine = z.infer<typeof rateLimitSchema>;
