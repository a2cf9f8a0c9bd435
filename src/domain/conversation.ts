import { z } from "zod";
import { cliSchema } from "./agent.ts";
import { shortened } from "./run.ts";

export const turnSchema = z.object({
  id: z.string(),
  conversationId: z.string(),
  runId: z.string().nullable(),
  seq: z.int().nullable(),
  pending: z.boolean(),
  role: z.enum(["user", "assistant", "system"]),
  content: z.string(),
  final: z.boolean(),
  source: z.enum(["headless", "tmux", "import"]),
  createdAt: z.string(),
});
/** One message of a conversation. `seq` is dense from 1; a waiting one has none and is `pending`. */
export type Turn = z.infer<typeof turnSchema>;

export const conversationHeadSchema = z.object({
  id: z.string(),
  agentId: z.string(),
  cli: cliSchema,
  cliSessionId: z.string().nullable(),
  status: z.enum(["active", "ended"]),
  title: z.string(),
  turnCount: z.int(),
  createdAt: z.string(),
  updatedAt: z.string(),
});
export type ConversationHead = z.infer<typeof conversationHeadSchema>;

export const conversationSchema = conversationHeadSchema.extend({
  turns: z.array(turnSchema),
  nextBefore: z.int().nullable(),
});
export type Conversation = z.infer<typeof conversationSchema>;

export const matchSchema = z.object({
  turnId: z.string(),
  seq: z.int(),
  snippet: z.string(),
  ranges: z.array(z.tuple([z.int(), z.int()])),
});
export type Match = z.infer<typeof matchSchema>;

export const conversationListItemSchema = conversationHeadSchema.extend({
  matches: z.array(matchSchema).optional(),
});
export type ConversationListItem = z.infer<typeof conversationListItemSchema>;

const titleChars = 80;

/** The first line of the first prompt, short enough for a list. */
export function titleOf(prompt: string): string {
  const line = prompt.trim().split("\n", 1)[0]?.trim() ?? "";
  return shortened(line, titleChars);
}
