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

/**
 * By what lists are filtered: `active` and `ended` as the conversation's status, `running` while a run of it
 * is queued or in progress, `failed` when its last run ended otherwise than well and wasn't cancelled. A run
 * that was taken back while it waited doesn't count.
 */
export const conversationStates = ["active", "ended", "running", "failed"] as const;
export type ConversationState = (typeof conversationStates)[number];

export const conversationSchema = conversationHeadSchema.extend({
  turns: z.array(turnSchema),
  nextBefore: z.int().nullable(),
});
export type Conversation = z.infer<typeof conversationSchema>;

/** A search looks at so many characters of each turn, from its beginning: to index megabytes would hold up all else. */
export const searchedCharsMax = 131_072;

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

/** What pages show of a conversation beside its head. */
export interface ConversationGlance {
  /** True while a run of it is queued or in progress. */
  running: boolean;
  /** True when its last run ended otherwise than well and wasn't cancelled. */
  failed: boolean;
  /** The beginning of its first answer, at most `previewChars` long; "" when there is none. */
  firstLines: string;
  /** Where its agent works, or worked. */
  cwd: string;
  /** False when its agent was deleted, also where there is a new one of that name. */
  agentLives: boolean;
}

const titleChars = 80;

/** The first line of the first prompt, short enough for a list. */
export function titleOf(prompt: string): string {
  const line = prompt.trim().split("\n", 1)[0]?.trim() ?? "";
  return shortened(line, titleChars);
}
