import type { Hono } from "hono";
import { raw } from "hono/html";
import type { Run } from "../../../domain/run.ts";
import { promptBytesMax, promptSchema, utf8Bytes } from "../../../domain/run.ts";
import type { Refusal } from "../../../runner/runner-api.ts";
import { AgentPage, ComposerKey } from "../../../views/chat/agent-page.tsx";
import { Older } from "../../../views/chat/conversation.tsx";
import { elementIds } from "../../../views/element-ids.ts";
import { renderHtml } from "../../../views/render.ts";
import type { RouteEnvironment } from "../../environment.ts";
import type { SettledAnswers } from "./answer-html.tsx";
import { createEntryRenderer, isEmpty, speakerName } from "./conversation-html.tsx";
import { cursorOf, entriesOf, olderTurnsMax, readSnapshot } from "./conversation-snapshot.ts";
import {
  type PageContext,
  readForm,
  showPage,
  showRefusal,
  statusOfRefusal,
  wantsFragment,
} from "../page-answers.tsx";
import { openBreakerOf } from "../health/health-reads.ts";
import { frameOf, type PageDependencies } from "../page-dependencies.ts";
import { partial } from "../live/partial.tsx";

/** `/agents/{id}`: the conversation, and what is done from there. */
export function addAgentPages(
  app: Hono<RouteEnvironment>,
  dependencies: PageDependencies,
  answers: SettledAnswers,
): void {
  app.get("/agents/:agentId", (c) => {
    const text = textToEdit(dependencies, agentIdOf(c), c.req.query("edit"));
    return showAgent(c, dependencies, answers, text === null ? undefined : { text, refusal: null });
  });
  app.get("/fragments/conversations/:conversationId/turns", (c) => showOlder(c, dependencies, answers));
  app.post("/agents/:agentId/turns", (c) => sendPrompt(c, dependencies, answers));
  app.post("/runs/:runId/edit", (c) => takeBackToEdit(c, dependencies));
}

function agentIdOf(c: PageContext): string {
  return c.req.param("agentId") ?? "";
}

/** What the composer holds: a refused message comes back with the page, so that nothing typed is lost. */
interface Returned {
  text: string;
  refusal: Refusal | null;
}

async function showAgent(
  c: PageContext,
  dependencies: PageDependencies,
  answers: SettledAnswers,
  returned?: Returned,
): Promise<Response> {
  const agentId = agentIdOf(c);
  const snapshot = readSnapshot(dependencies, agentId);
  if (snapshot === null) return showNoAgent(c, dependencies, agentId);
  const { agent, conversation, entries, waiting } = snapshot;
  const renderer = createEntryRenderer(dependencies.runs, answers, speakerName(agent));
  const turns = await renderer.renderNewest(entries);
  const page = (
    <AgentPage
      frame={frameOf(dependencies)}
      agent={agent}
      breaker={openBreakerOf(dependencies.runner, agent)}
      conversation={conversation}
      turns={raw(turns.html)}
      isEmpty={isEmpty(snapshot)}
      waiting={waiting}
      older={turns.older}
      cursor={cursorOf(snapshot)}
      composer={{
        agentId,
        idempotencyKey: dependencies.makeIdempotencyKey(),
        text: returned?.text ?? "",
      }}
      problem={returned?.refusal?.detail ?? null}
    />
  );
  return showPage(c, page, returned?.refusal ? statusOfRefusal(c, returned.refusal) : 200);
}

/** The turns before those that a page shows, for htmx to put above them. */
async function showOlder(
  c: PageContext,
  dependencies: PageDependencies,
  answers: SettledAnswers,
): Promise<Response> {
  const { conversations, runs } = dependencies;
  const conversation = conversations.findConversation(c.req.param("conversationId") ?? "");
  const before = /^[1-9]\d{0,14}$/.exec(c.req.query("before") ?? "")?.[0];
  if (conversation === null || before === undefined) {
    const detail = "There are no such turns (any more).";
    return showRefusal(c, dependencies, { code: "conversation_not_found", detail });
  }
  const page = { limit: olderTurnsMax, before: Number(before) };
  const { turns } = conversations.pageTurns(conversation.id, page);
  const name = speakerName({ id: conversation.agentId, cli: conversation.cli });
  const renderer = createEntryRenderer(runs, answers, name);
  const { html, older } = await renderer.renderNewest(entriesOf(turns, (runId) => runs.getRun(runId)));
  return c.html(partial(elementIds.turns, "afterbegin", html) + renderHtml(<Older older={older} />));
}

function showNoAgent(c: PageContext, dependencies: PageDependencies, agentId: string): Response {
  const detail = `No agent is called “${agentId.slice(0, 63)}”.`;
  return showRefusal(c, dependencies, { code: "agent_not_found", detail });
}

async function sendPrompt(
  c: PageContext,
  dependencies: PageDependencies,
  answers: SettledAnswers,
): Promise<Response> {
  const { prompt: text = "", key, conversationId } = await readForm(c);
  const outcome = await execute(dependencies, { agentId: agentIdOf(c), prompt: text, key, conversationId });
  if (outcome.kind === "accepted") return showSent(c, dependencies, outcome.run);
  if (wantsFragment(c) || outcome.code === "agent_not_found") return showRefusal(c, dependencies, outcome);
  return showAgent(c, dependencies, answers, { text, refusal: outcome });
}

/** The next text is another message, and so gets another key. */
function showSent(c: PageContext, { makeIdempotencyKey }: PageDependencies, run: Run): Response {
  if (!wantsFragment(c)) return c.redirect(`/agents/${run.agentId}#${elementIds.newest}`, 303);
  const key = renderHtml(<ComposerKey idempotencyKey={makeIdempotencyKey()} />);
  return c.html(partial(elementIds.composerKey, "outerHTML", key));
}

interface Sent {
  agentId: string;
  prompt: string;
  key: string | undefined;
  /** An older conversation that is taken up again. */
  conversationId: string | undefined;
}

async function execute({ runner }: PageDependencies, { agentId, prompt, key, conversationId }: Sent) {
  const refusal = refusalOf(prompt);
  if (refusal !== null) return refusal;
  const idempotencyKey = key !== undefined && /^[\w-]{8,128}$/.test(key) ? key : null;
  const chosen = conversationId === undefined ? {} : { conversationId };
  const outcome = await runner.execute({ agentId, prompt, idempotencyKey, ...chosen });
  if (outcome.kind === "accepted" || outcome.code !== "idempotency_mismatch") return outcome;
  const detail = "This form was sent before, with another text. Send again if you mean this one too.";
  return { ...outcome, detail };
}

function refusalOf(prompt: string): Refusal | null {
  if (utf8Bytes(prompt) > promptBytesMax) {
    return { kind: "refused", code: "prompt_too_long", detail: "A message may be 1 MiB long at most." };
  }
  if (prompt.trim() === "") return { kind: "refused", code: "invalid", detail: "The message is empty." };
  if (promptSchema.safeParse(prompt).success) return null;
  return { kind: "refused", code: "invalid", detail: "A message can't hold NUL characters." };
}

/** Takes a waiting message back; its text then stands in the composer. One that has begun is left alone. */
async function takeBackToEdit(c: PageContext, dependencies: PageDependencies): Promise<Response> {
  const runId = c.req.param("runId") ?? "";
  const run = dependencies.runs.getRun(runId);
  if (run === null) {
    const detail = "There is no such message (any more).";
    return showRefusal(c, dependencies, { code: "run_not_found", detail });
  }
  if (run.state !== "queued") return c.redirect(`/agents/${run.agentId}`, 303);
  await dependencies.runner.cancelRun(runId);
  return c.redirect(`/agents/${run.agentId}?edit=${runId}#${elementIds.composerText}`, 303);
}

/** The text of a message that was taken back before it began. */
function textToEdit({ runs }: PageDependencies, agentId: string, runId: string | undefined): string | null {
  const run = runId === undefined ? null : runs.getRun(runId);
  const isTakenBack = run?.agentId === agentId && run.state === "cancelled" && run.startedAt === null;
  return isTakenBack ? run.prompt : null;
}
