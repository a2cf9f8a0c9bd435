import type { Hono } from "hono";
import type { JSX } from "hono/jsx/jsx-runtime";
import { carriedClis } from "../../../domain/agent.ts";
import { searchPath, type SearchValues } from "../../../views/conversations/conversation-search.ts";
import {
  ConversationsPage,
  FoundFragment,
  FurtherConversations,
  type SearchResult,
} from "../../../views/conversations/conversations-page.tsx";
import { renderHtml } from "../../../views/render.ts";
import type { RouteEnvironment } from "../../environment.ts";
import type { SettledAnswers } from "../chat/answer-html.tsx";
import { addReadingPages } from "./conversation-reading.tsx";
import { type PageContext, showPage, statusOf, wantsFragment } from "../page-answers.tsx";
import { frameOf, type PageDependencies } from "../page-dependencies.ts";
import { filterOf, searchValuesOf } from "./search-input.ts";

const conversationsShownMax = 20;
const agentChoicesMax = 200;

/** `/conversations`: search; `/conversations/{id}`: one to read. */
export function addConversationsPages(
  app: Hono<RouteEnvironment>,
  dependencies: PageDependencies,
  answers: SettledAnswers,
): void {
  app.get("/conversations", (c) => showConversations(c, dependencies));
  addReadingPages(app, dependencies, answers);
}

function showConversations(c: PageContext, dependencies: PageDependencies): Response {
  const values = searchValuesOf((field) => c.req.query(field));
  const cursor = c.req.query("cursor") ?? null;
  const result = search(dependencies, values, cursor);
  const status = result.found.kind === "refused" ? statusOf("invalid") : 200;
  if (!wantsFragment(c)) return showPage(c, searchPage(dependencies, result), status);
  if (cursor !== null) return c.html(renderHtml(<FurtherConversations result={result} />));
  c.header("HX-Replace-Url", searchPath(values));
  return c.html(renderHtml(<FoundFragment result={result} />), status);
}

function search(
  { conversations }: PageDependencies,
  values: SearchValues,
  cursor: string | null,
): SearchResult {
  const filter = filterOf(values);
  if (filter.kind === "problems") return { values, found: { kind: "refused", problems: filter.problems } };
  const page = { limit: conversationsShownMax, cursor };
  const { items, nextCursor } = conversations.listConversations({ ...filter.value, ...page });
  const glances = conversations.conversationGlances(items.map(({ id }) => id));
  const found = items.map((item) => ({ item, glance: glances.get(item.id) ?? null }));
  return { values, found: { kind: "found", conversations: found, nextCursor, isFirstPage: cursor === null } };
}

function searchPage(dependencies: PageDependencies, result: SearchResult): JSX.Element {
  const { items } = dependencies.runner.listAgents({ limit: agentChoicesMax, cursor: null });
  const choices = { agentIds: items.map(({ id }) => id).sort(), clis: carriedClis };
  return <ConversationsPage frame={frameOf(dependencies)} result={result} choices={choices} />;
}
