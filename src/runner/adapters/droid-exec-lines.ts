import { z } from "zod";
import { flag, lenient, number, text } from "./lenient-fields.ts";

/* The lines of `droid exec --output-format stream-json`, as far as we read them (recordings of 0.225.2). */

/** A session's id becomes an argument when the session goes on, so it has to look like one. */
const sessionId = lenient(z.guid());

export const systemSchema = z.object({ subtype: z.literal("init"), session_id: sessionId, model: text });
export type InitLine = z.infer<typeof systemSchema>;

/** The prompt comes back with the role "user". */
export const messageSchema = z.object({ session_id: text, role: text, text });
export type MessageLine = z.infer<typeof messageSchema>;

export const reasoningSchema = z.object({ session_id: text, text });
export type ReasoningLine = z.infer<typeof reasoningSchema>;

export const toolCallSchema = z.object({
  session_id: text,
  id: z.string(),
  toolName: text,
  parameters: z.unknown().optional(),
});
export type ToolCallLine = z.infer<typeof toolCallSchema>;

export const toolResultSchema = z.object({
  session_id: text,
  id: z.string(),
  isError: flag,
  value: text,
  error: lenient(z.object({ message: text })),
});
export type ToolResultLine = z.infer<typeof toolResultSchema>;

export const completionSchema = z.object({
  finalText: text,
  usage: lenient(
    z.object({
      input_tokens: number,
      output_tokens: number,
      cache_read_input_tokens: number,
      cache_creation_input_tokens: number,
    }),
  ),
});
export type CompletionLine = z.infer<typeof completionSchema>;

/** `agent_loop` tells why, `cli` that the process gives up. */
export const errorSchema = z.object({ session_id: text, source: text, message: text });
export type ErrorLine = z.infer<typeof errorSchema>;
