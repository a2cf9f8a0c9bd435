import { z } from "zod";
import { isModel, isToolId } from "./acp-names.ts";
import { lenient, number, text } from "./lenient-fields.ts";

/* The lines of Gemini CLI's stream-json output, as far as we read them (recordings of 0.61.0). */

const toolId = z.string().refine(isToolId);
const failure = lenient(z.object({ type: text, message: text }));

export const initSchema = z.object({ session_id: text, model: lenient(z.string().refine(isModel)) });
export type InitLine = z.infer<typeof initSchema>;

export const messageSchema = z.object({ role: text, content: text });
export type MessageLine = z.infer<typeof messageSchema>;

export const toolUseSchema = z.object({
  tool_name: text,
  tool_id: toolId,
  parameters: z.unknown().optional(),
});
export type ToolUseLine = z.infer<typeof toolUseSchema>;

export const toolResultSchema = z.object({ tool_id: toolId, status: text, output: text, error: failure });
export type ToolResultLine = z.infer<typeof toolResultSchema>;

export const errorSchema = z.object({ severity: text, message: text });
export type ErrorLine = z.infer<typeof errorSchema>;

export const resultSchema = z.object({
  status: text,
  error: failure,
  stats: lenient(z.object({ input_tokens: number, output_tokens: number, cached: number })),
});
export type ResultLine = z.infer<typeof resultSchema>;
