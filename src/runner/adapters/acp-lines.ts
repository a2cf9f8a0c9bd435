import { z } from "zod";
import { isToolId, isVersion } from "./acp-names.ts";
import { parseObject } from "./json-line.ts";
import { flag, lenient, listOf, number, text } from "./lenient-fields.ts";

/*
 * The messages of ACP, protocol version 1, as far as we read them (recordings of gemini 0.61.0 and opencode
 * 1.18.33).
 */

const idSchema = z.union([z.string(), z.number()]);
/** An agent numbers its own requests, beside ours. */
export type AgentRequestId = z.infer<typeof idSchema>;

/** One JSON-RPC message. */
export type AcpMessage =
  | { kind: "request"; id: AgentRequestId; method: string; params: unknown }
  | { kind: "notification"; method: string; params: unknown }
  | { kind: "reply"; id: AgentRequestId; result: unknown }
  | { kind: "refusal"; id: AgentRequestId | null; error: unknown };

/** What comes back for a request of ours. */
export type Reply = AcpMessage & { kind: "reply" | "refusal" };

/** What a line says: "none" is no JSON object, "odd" is one that is no message of JSON-RPC. */
export function parseMessage(line: string): AcpMessage | "none" | "odd" {
  const value = parseObject(line);
  if (!value) return "none";
  const { id: anyId, method, params, result, error } = value;
  const id = idSchema.safeParse(anyId).data;
  if (typeof method === "string") {
    return id === undefined
      ? { kind: "notification", method, params }
      : { kind: "request", id, method, params };
  }
  // A line that could not be read is refused with no id at all.
  if (error !== undefined && error !== null) return { kind: "refusal", id: id ?? null, error };
  if (id === undefined) return "odd";
  // Who replies without a result has refused, if without a word: nothing else will come for that request.
  return "result" in value ? { kind: "reply", id, result } : { kind: "refusal", id, error };
}

export const initializedSchema = z.object({
  protocolVersion: number,
  agentInfo: lenient(z.object({ name: text, version: lenient(z.string().refine(isVersion)) })),
  agentCapabilities: lenient(z.object({ loadSession: flag })),
});

/** An option of a select, or a group of such. */
const selectOption = z.object({ value: text, name: text, options: listOf(z.object({ value: text })) });
const configOption = z.object({
  id: z.string(),
  category: text,
  currentValue: text,
  options: listOf(selectOption),
});
export type ConfigOption = z.infer<typeof configOption>;

/** The reply to session/new and session/load: Gemini tells `modes` and `models`, opencode `configOptions`. */
export const sessionSchema = z.object({
  sessionId: text,
  modes: lenient(z.object({ currentModeId: text, availableModes: listOf(z.object({ id: z.string() })) })),
  models: lenient(
    z.object({ currentModelId: text, availableModels: listOf(z.object({ modelId: z.string() })) }),
  ),
  configOptions: listOf(configOption),
});
export type SessionReply = z.infer<typeof sessionSchema>;

const contentBlock = z.object({
  type: z.string(),
  text,
  uri: text,
  resource: lenient(z.object({ uri: text, text })),
});
export type AcpContent = z.infer<typeof contentBlock>;

const toolContent = z.object({
  type: z.string(),
  content: lenient(contentBlock),
  path: text,
  oldText: text,
  newText: text,
});

/** Of a `tool_call`, a `tool_call_update` and of what a permission is asked for; what is left out is as before. */
export const toolCallSchema = z.object({
  toolCallId: z.string().refine(isToolId),
  title: text,
  kind: text,
  status: text,
  rawInput: z.unknown().optional(),
  rawOutput: z.unknown().optional(),
  content: listOf(toolContent),
  locations: listOf(z.object({ path: z.string() })),
  _meta: lenient(z.object({ claudeCode: lenient(z.object({ toolName: text })) })),
});
export type ToolCallUpdate = z.infer<typeof toolCallSchema>;

export const updateSchema = z.object({
  sessionId: z.string(),
  update: z.looseObject({ sessionUpdate: z.string() }),
});

export const chunkSchema = z.object({ messageId: text, content: contentBlock });
export type Chunk = z.infer<typeof chunkSchema>;

export const permissionSchema = z.object({
  sessionId: z.string(),
  toolCall: toolCallSchema,
  options: z.array(z.object({ optionId: z.string(), kind: text })).catch([]),
});
export type PermissionRequest = z.infer<typeof permissionSchema>;

const tokenCount = z.object({ input_tokens: number, output_tokens: number });

/** The reply to session/prompt; Gemini tells its tokens in `_meta.quota`, others in `usage`. */
export const promptResultSchema = z.object({
  stopReason: text,
  usage: lenient(
    z.object({
      inputTokens: number,
      outputTokens: number,
      cachedReadTokens: number,
      cachedWriteTokens: number,
    }),
  ),
  _meta: lenient(z.object({ quota: lenient(z.object({ token_count: tokenCount })) })),
});
export type PromptResult = z.infer<typeof promptResultSchema>;

/** `data.details` is where Gemini says what "Internal error" means (recording acp_load_unknown). */
export const errorSchema = z.object({
  code: number,
  message: text,
  data: lenient(z.object({ details: text })),
});
export type AcpError = z.infer<typeof errorSchema>;
