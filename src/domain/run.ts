import { z } from "zod";
import { cliSchema, commModeSchema, metadataSchema } from "./agent.ts";
import { runErrorCodes } from "./error-codes.ts";
import { runStateSchema } from "./run-state.ts";

/** Longest prompt in bytes of UTF-8. */
export const promptBytesMax = 1_048_576;

/** Longest answer that a turn keeps, in bytes of UTF-8. */
export const turnBytesMax = 33_554_432;

export const usageSchema = z.object({
  inputTokens: z.int(),
  outputTokens: z.int(),
  cacheReadTokens: z.int(),
  cacheWriteTokens: z.int(),
});
export type Usage = z.infer<typeof usageSchema>;

export const runErrorSchema = z.object({
  code: z.enum(runErrorCodes as [string, ...string[]]),
  message: z.string(),
  runbook: z.string(),
});
export type RunError = z.infer<typeof runErrorSchema>;

export const anomalySchema = z.object({ code: z.string(), count: z.int() });
export type Anomaly = z.infer<typeof anomalySchema>;

export const runSchema = z.object({
  id: z.string(),
  agentId: z.string(),
  conversationId: z.string(),
  userTurnId: z.string(),
  state: runStateSchema,
  mode: commModeSchema,
  transport: z.object({ warm: z.boolean() }),
  queuePosition: z.int().nullable(),
  prompt: z.string(),
  content: z.string(),
  contentFinal: z.boolean(),
  error: runErrorSchema.nullable(),
  cli: cliSchema,
  cliVersion: z.string().nullable(),
  cliSessionId: z.string().nullable(),
  model: z.string().nullable(),
  usage: usageSchema.nullable(),
  costUsd: z.number().nullable(),
  toolNames: z.array(z.string()),
  exitCode: z.int().nullable(),
  signal: z.string().nullable(),
  anomalies: z.array(anomalySchema),
  queuedAt: z.string(),
  startedAt: z.string().nullable(),
  firstOutputAt: z.string().nullable(),
  endedAt: z.string().nullable(),
  queueMs: z.number().nullable(),
  durationMs: z.number().nullable(),
  peakRssBytes: z.number().nullable(),
  cpuMs: z.number().nullable(),
  survivors: z.int().nullable(),
  retryOf: z.string().nullable(),
  metadata: z.record(z.string(), z.unknown()),
  eventsRemovedAt: z
    .string()
    .nullable()
    .describe("When its events were removed because of their age; then its list of events is empty."),
  logRemovedAt: z
    .string()
    .nullable()
    .describe("When its raw log was removed because of its age, or for room."),
});
/** A run as the API shows it. */
export type Run = z.infer<typeof runSchema>;

export const runListItemSchema = runSchema.omit({ prompt: true, content: true }).extend({
  promptPreview: z.string(),
  contentPreview: z.string(),
});
export type RunListItem = z.infer<typeof runListItemSchema>;

const encoder = new TextEncoder();

export const promptSchema = z
  .string()
  .min(1, "at least one byte")
  .refine((text) => !text.includes("\0"), "no NUL characters");

export function utf8Bytes(text: string): number {
  return encoder.encode(text).byteLength;
}

export const executeInputSchema = z.strictObject({
  prompt: promptSchema,
  timeoutMs: z.int().min(1_000).max(86_400_000).optional(),
  conversationId: z.string().min(1).max(64).optional(),
  metadata: metadataSchema.optional(),
});
export type ExecuteInput = z.infer<typeof executeInputSchema>;

/** Longest piece of a prompt or an answer in a list. */
export const previewChars = 200;

export function preview(text: string): string {
  return shortened(text, previewChars);
}

/** The text itself, or its beginning and "…" within `charsMax`; never half a surrogate pair. */
export function shortened(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text;
  const isPairCut = /^[\ud800-\udbff][\udc00-\udfff]/.test(text.slice(charsMax - 2, charsMax));
  return `${text.slice(0, charsMax - (isPairCut ? 2 : 1))}…`;
}

/** A sentence that others follow. */
export function withStop(sentence: string): string {
  return /[.!?…]$/.test(sentence) ? sentence : `${sentence}.`;
}
