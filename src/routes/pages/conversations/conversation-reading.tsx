import type { Hono } from "hono";
import { raw } from "hono/html";
import type { ConversationHead } from "../../../domain/conversation.ts";
import type { Refusal } from "../../../runner/runner-api.ts";
import {
  ConversationPage,
  NoConversationPage,
  type ShownSeqs,
} from "../../../views/conversations/conversation-page.tsx";
import type { RouteEnvironment } from "../../environment.ts";
import type { SettledAnswers } from "../chat/answer-html.tsx";
import { createEntryRenderer, speakerName } from "../chat/conversation-html.tsx";
import { entriesOf, type Entry } from "../chat/conversation-snapshot.ts";
import { type PageContext, showPage, showRefusal, statusOf } from "../page-answers.tsx";
import { frameOf, type PageDependencies } from "../page-dependencies.ts";
import { type AskedSeqs, rangeOf, readTurns } from "./turn-range.ts";
import { renderAround, type TurnsAround } from "./turns-around.ts";

/** `/conversations/{id}`: one to read, and to delete. */
export function addReadingPages(
  app: Hono<RouteEnvironment>,
  dependencies: PageDependencies,
  answers: SettledAnswers,
): void {
  app.get("/conversations/:conversationId", (c) => showConversation(c, dependencies, answers, null));
  app.post("/conversations/:conversationId/delete", (c) => deleteConversation(c, dependencies, answers));
}

function conversationIdOf(c: PageContext): string {
  return c.req.param("conversationId") ?? "";
}

async function showConversation(
  c: PageContext,
  dependencies: PageDependencies,
  answers: SettledAnswers,
  refusal: Refusal | null,
): Promise<Response> {
  const { conversations } = dependencies;
  const head = conversations.findConversation(conversationIdOf(c));
  const glance = head === null ? undefined : conversations.conversationGlances([head.id]).get(head.id);
  if (head === null || glance === undefined) return showNoConversation(c, dependencies);
  const { entries, html } = await renderTurns(dependencies, answers, head, askedSeqs(c));
  const page = (
    <ConversationPage
      frame={frameOf(dependencies)}
      head={head}
      glance={glance}
      acpAgent={glance.agentLives ? acpAgentOf(dependencies, head) : null}
      model={modelOf(dependencies, entries)}
      turns={raw(html)}
      shown={shownSeqs(entries)}
      idempotencyKey={dependencies.makeIdempotencyKey()}
      problem={refusal?.detail ?? null}
    />
  );
  return showPage(c, page, refusal === null ? 200 : statusOf(refusal.code));
}

function askedSeqs(c: PageContext): AskedSeqs {
  const asked = (name: string) => {
    const text = c.req.query(name) ?? "";
    return /^\d{1,15}$/.test(text) ? Number(text) : null;
  };
  return { at: asked("at"), before: asked("before"), after: asked("after") };
}

async function renderTurns(
  { conversations, runs }: PageDependencies,
  answers: SettledAnswers,
  head: ConversationHead,
  asked: AskedSeqs,
): Promise<TurnsAround> {
  const turns = readTurns(conversations, head.id, rangeOf(head.turnCount, asked));
  // Nobody tells this page how an answer goes on, so it shows none that is still being written.
  const entries = entriesOf(turns, (runId) => runs.getRun(runId)).filter((entry) => entry.kind !== "live");
  const renderer = createEntryRenderer(runs, answers, speakerName({ id: head.agentId, cli: head.cli }));
  return renderAround(renderer, entries, indexOf(entries, asked));
}

/** The entry that the page must show: the one asked for, or the one at the end where reading begins. */
function indexOf(entries: readonly Entry[], { at, before, after }: AskedSeqs): number {
  const last = Math.max(0, entries.length - 1);
  if (at !== null) {
    const index = entries.findIndex((entry) => (seqOf(entry) ?? 0) >= at);
    return index === -1 ? last : index;
  }
  return before === null && after !== null ? 0 : last;
}

function seqOf(entry: Entry): number | null {
  return entry.kind === "live" ? null : (entry.turn?.seq ?? null);
}

function shownSeqs(entries: readonly Entry[]): ShownSeqs {
  const seqs = entries.map(seqOf).filter((seq) => seq !== null);
  const [from, to] = [seqs[0], seqs.at(-1)];
  return from === undefined || to === undefined ? null : { from, to };
}

function acpAgentOf({ runner }: PageDependencies, { agentId }: ConversationHead): string | null {
  return runner.getAgent(agentId)?.acpAgent ?? null;
}

/** The model of the newest run that is shown. */
function modelOf({ runs }: PageDependencies, entries: readonly Entry[]): string | null {
  const answer = entries.findLast((entry) => entry.kind === "answer" && entry.runId !== null);
  return answer?.kind === "answer" && answer.runId !== null
    ? (runs.getRun(answer.runId)?.model ?? null)
    : null;
}

function showNoConversation(c: PageContext, dependencies: PageDependencies): Response {
  const page = <NoConversationPage frame={frameOf(dependencies)} />;
  return showPage(c, page, statusOf("conversation_not_found"));
}

async function deleteConversation(
  c: PageContext,
  dependencies: PageDependencies,
  answers: SettledAnswers,
): Promise<Response> {
  // A large conversation is deleted in batches, which may take its time.
  c.env?.quietSeconds?.(0);
  const outcome = await dependencies.runner.removeConversation(conversationIdOf(c));
  if (outcome.kind === "ok") return c.redirect("/conversations", 303);
  if (outcome.code === "conversation_not_found") return showNoConversation(c, dependencies);
  if (outcome.code === "run_active") return showConversation(c, dependencies, answers, outcome);
  return showRefusal(c, dependencies, outcome);
}
