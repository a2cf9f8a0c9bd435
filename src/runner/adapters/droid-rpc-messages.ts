import { z } from "zod";
import { flag, lenient, listOf, number, text } from "./lenient-fields.ts";

/*
 * The messages of `stream-jsonrpc`, Droid's own kind of JSON-RPC, as far as we read them (recordings of 0.225.2,
 * protocol version 1.220.0).
 */

const rpcError = z.object({ message: text });

/**
 * What comes back for a request of ours; a line that Droid could not read it refuses with the id null. `refusal`
 * holds its words where it refuses, and may be empty.
 */
export const replySchema = z
  .object({
    id: z.union([z.string(), z.null()]),
    result: z.unknown().optional(),
    error: z.unknown().optional(),
  })
  .transform(({ id, result, error }) => ({ id, result, refusal: refusalIn(error) }));
export type Reply = z.infer<typeof replySchema>;

function refusalIn(error: unknown): string | null {
  if (error === undefined || error === null) return null;
  return rpcError.safeParse(error).data?.message ?? "";
}

export const requestSchema = z.object({
  id: z.string(),
  method: z.string(),
  params: z.unknown().optional(),
});
export type ServerRequest = z.infer<typeof requestSchema>;

/** Everything that Droid tells by itself; `sessionId` is missing where it speaks of the open session. */
export const notificationSchema = z.object({
  method: z.literal("droid.session_notification"),
  params: z.object({ sessionId: text, notification: z.looseObject({ type: z.string() }) }),
});
export type Told = z.infer<typeof notificationSchema>["params"];

/** The reply to initialize_session and to load_session; only the former names the session. */
export const sessionSchema = z.object({
  // It becomes an argument when the session is forked.
  sessionId: lenient(z.guid()),
  session: lenient(z.object({ messages: listOf(z.unknown()) })),
  settings: lenient(z.object({ modelId: text })),
  availableModels: listOf(z.object({ id: z.string() })),
  isAgentLoopInProgress: flag,
});
export type SessionReply = z.infer<typeof sessionSchema>;

const contentBlock = z.object({
  type: z.string(),
  text,
  thinking: text,
  id: text,
  name: text,
  input: z.unknown().optional(),
});
export type ContentBlock = z.infer<typeof contentBlock>;

/** A whole message; `requestId` is there where it is the prompt of a request, whose turn then begins. */
export const createMessageSchema = z.object({
  requestId: text,
  message: z.object({
    id: z.string(),
    role: text,
    visibility: text,
    content: z.array(contentBlock.catch({ type: "unknown" })).catch([]),
  }),
});
export type CreateMessage = z.infer<typeof createMessageSchema>;

export const deltaSchema = z.object({
  messageId: z.string(),
  blockIndex: number,
  textDelta: z.string(),
});
export type Delta = z.infer<typeof deltaSchema>;

export const retractedSchema = z.object({ messageId: z.string() });

export const toolResultSchema = z.object({
  toolUseId: z.string(),
  content: z.unknown().optional(),
  isError: flag,
});
export type ToolResult = z.infer<typeof toolResultSchema>;

export const retrySchema = z.object({ attempt: number, reason: text });
export type Retry = z.infer<typeof retrySchema>;

export const errorSchema = z.object({ message: text });

export const mcpStatusSchema = z.object({ summary: z.object({ connected: number }) });

export const discardedSchema = z.object({ requestId: text });

const tokenUsage = z.object({
  inputTokens: number,
  outputTokens: number,
  cacheCreationTokens: number,
  cacheReadTokens: number,
});

export const completedSchema = z.object({
  reason: text,
  turnId: text,
  tokenUsage: lenient(tokenUsage),
});
export type Completed = z.infer<typeof completedSchema>;

export const permissionSchema = z.object({
  toolUses: z
    .array(z.object({ toolUse: z.object({ id: text, name: text }), confirmationType: text }))
    .catch([]),
  options: z.array(z.object({ value: z.string() })).catch([]),
});
export type PermissionRequest = z.infer<typeof permissionSchema>;
