import type { Context } from "hono";
import { z } from "zod";
import { cliSchema } from "../domain/agent.ts";
import {
  type Conversation,
  type ConversationHead,
  conversationListItemSchema,
  conversationSchema,
  conversationStates,
  searchedCharsMax,
} from "../domain/conversation.ts";
import { cursorSchema } from "../domain/cursor.ts";
import { limitSchema, pageSchema } from "../domain/page.ts";
import type { ConversationStore } from "../domain/ports.ts";
import type { Runner } from "../runner/runner-api.ts";
import { forceQuerySchema } from "./agents.ts";
import { exportConversation, exportFormats } from "./conversation-export.ts";
import { refused } from "./problem.ts";
import type { RouteTable } from "./route-table.ts";

export interface ConversationDeps {
  runner: Runner;
  conversations: ConversationStore;
}

const turnsQuerySchema = z.object({
  limit: limitSchema,
  before: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER).optional(),
});
type TurnsQuery = z.output<typeof turnsQuerySchema>;

const dayMs = 86_400_000;
const isoSchema = z.union([z.iso.date(), z.iso.datetime({ offset: true })]);
/** A string to the documents: the pattern of a calendar helps nobody who reads them. */
const timeSchema = z
  .string()
  .max(40)
  .refine((text) => isoSchema.safeParse(text).success, {
    error: "a date as 2027-01-31, or a time as 2027-01-31T08:00:00Z",
  });
const isDay = (time: string) => !time.includes("T");

const listQuerySchema = z
  .object({
    agentId: z.string().max(63).optional().describe("The newest agent that bears or bore this name."),
    q: z
      .string()
      .max(500)
      .optional()
      .describe("Words that one turn holds; the last may be the beginning of one, from three letters on."),
    cli: cliSchema.optional(),
    state: z
      .enum(conversationStates)
      .optional()
      .describe("`running`: a run is queued or in progress; `failed`: the last run ended badly."),
    from: timeSchema.transform(Date.parse).optional().describe("Changed at or after; a date begins in UTC."),
    to: timeSchema
      .transform((time) => Date.parse(time) + (isDay(time) ? dayMs : 0))
      .optional()
      .describe("Changed before this time, or up to the end of this date in UTC."),
    limit: limitSchema,
    cursor: cursorSchema("conversations", 2),
  })
  .refine(({ from, to }) => from === undefined || to === undefined || from < to, {
    path: ["to"],
    error: "later than `from`",
  });

export function addConversationRoutes(table: RouteTable, deps: ConversationDeps): void {
  addActiveConversation(table, deps);
  addConversationReads(table, deps);
  addConversationEnds(table, deps);
}

function addActiveConversation(table: RouteTable, { runner, conversations }: ConversationDeps): void {
  table.add(
    {
      method: "GET",
      path: "/api/agents/:agentId/conversation",
      summary: "The agent's active conversation with its newest turns",
      tag: "Conversations",
      access: "token",
      query: turnsQuerySchema,
      answers: {
        200: { description: "Turns in ascending order; waiting ones last", schema: conversationSchema },
      },
      refusals: ["agent_not_found", "no_conversation", "invalid"],
    },
    (c, { query }) => {
      const agentId = c.req.param("agentId") ?? "";
      if (!runner.getAgent(agentId)) return notFound(c, "agent_not_found", "No agent has this name.");
      const head = conversations.findActiveConversation(agentId);
      if (!head)
        return notFound(c, "no_conversation", "The agent has no active conversation; execute begins one.");
      return c.json(withTurns(conversations, head, query));
    },
  );
  table.add(
    {
      method: "POST",
      path: "/api/agents/:agentId/end-session",
      summary: "End the active conversation; the next execute begins a fresh one in a fresh CLI session",
      tag: "Conversations",
      access: "token",
      query: forceQuerySchema,
      answers: {
        200: {
          description: "What was ended",
          schema: z.object({ conversationId: z.string().nullable(), ended: z.boolean() }),
        },
      },
      refusals: ["agent_not_found", "run_active", "store_unavailable"],
    },
    async (c, { query }) => {
      const outcome = await runner.endSession(c.req.param("agentId") ?? "", {
        force: query.force === "true",
      });
      if (outcome.kind === "refused") return refused(c, outcome);
      return c.json({ conversationId: outcome.conversationId, ended: outcome.ended });
    },
  );
}

function addConversationReads(table: RouteTable, { conversations }: ConversationDeps): void {
  table.add(
    {
      method: "GET",
      path: "/api/conversations",
      summary: "List or search conversations, newest first",
      tag: "Conversations",
      access: "token",
      query: listQuerySchema,
      answers: {
        200: {
          description: `A page; with q, words that a turn holds in its first ${searchedCharsMax} characters, each item names its matches`,
          schema: pageSchema(conversationListItemSchema),
        },
      },
      refusals: ["invalid"],
    },
    (c, { query }) => {
      const { agentId = null, q = null, cli = null, state = null, from = null, to = null } = query;
      const filter = { agentId, words: q, cli, state, fromMs: from, toMs: to };
      const { limit, cursor = null } = query;
      return c.json(conversations.listConversations({ ...filter, limit, cursor }));
    },
  );
  table.add(
    {
      method: "GET",
      path: "/api/conversations/:conversationId",
      summary: "One conversation with its newest turns",
      tag: "Conversations",
      access: "token",
      query: turnsQuerySchema,
      answers: { 200: { description: "Turns in ascending order", schema: conversationSchema } },
      refusals: ["conversation_not_found", "invalid"],
    },
    (c, { query }) => {
      const head = conversations.findConversation(c.req.param("conversationId") ?? "");
      return head ? c.json(withTurns(conversations, head, query)) : noSuchConversation(c);
    },
  );
  table.add(
    {
      method: "GET",
      path: "/api/conversations/:conversationId/export",
      summary: "The whole conversation as a file",
      tag: "Conversations",
      access: "token",
      query: z.object({ format: z.enum(exportFormats).default("md") }),
      answers: {
        200: {
          description: "Markdown, JSON or JSON lines",
          schema: conversationSchema.omit({ nextBefore: true }),
          alsoAs: ["text/markdown", "application/jsonl"],
        },
      },
      refusals: ["conversation_not_found", "invalid"],
    },
    (c, { query }) => {
      const head = conversations.findConversation(c.req.param("conversationId") ?? "");
      return head ? exportConversation(c, conversations, head, query.format) : noSuchConversation(c);
    },
  );
}

function addConversationEnds(table: RouteTable, { runner }: ConversationDeps): void {
  table.add(
    {
      method: "DELETE",
      path: "/api/conversations/:conversationId",
      summary: "Delete a conversation with its turns, runs, events and logs, for good",
      tag: "Conversations",
      access: "token",
      answers: { 204: { description: "Deleted; a transcript that the CLI keeps in its user's home stays" } },
      refusals: ["conversation_not_found", "run_active", "store_unavailable"],
    },
    async (c) => {
      const outcome = await runner.removeConversation(c.req.param("conversationId") ?? "");
      return outcome.kind === "refused" ? refused(c, outcome) : c.body(null, 204);
    },
  );
}

function withTurns(
  conversations: ConversationStore,
  head: ConversationHead,
  query: TurnsQuery,
): Conversation {
  const { limit, before = null } = query;
  const { turns, nextBefore } = conversations.pageTurns(head.id, { limit, before });
  return { ...head, turns, nextBefore };
}

function noSuchConversation(c: Context): Response {
  return notFound(c, "conversation_not_found", "There is no such conversation.");
}

function notFound(
  c: Context,
  code: "agent_not_found" | "no_conversation" | "conversation_not_found",
  detail: string,
): Response {
  return refused(c, { kind: "refused", code, detail });
}
