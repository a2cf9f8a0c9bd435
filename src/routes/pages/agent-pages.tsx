import type { Hono } from "hono";
import { raw } from "hono/html";
import { promptBytesMax, promptSchema, utf8Bytes } from "../../domain/run.ts";
import { AgentPage } from "../../views/agent-page.tsx";
import { elementIds } from "../../views/element-ids.ts";
import type { RouteEnvironment } from "../environment.ts";
import { agentFrames } from "./agent-stream.tsx";
import type { SettledAnswers } from "./answer-html.tsx";
import { createEntryRenderer, isEmpty, speakerName } from "./conversation-html.tsx";
import { cursorOf, readSnapshot } from "./conversation-snapshot.ts";
import {
  type PageContext,
  readForm,
  showDone,
  showPage,
  showRefusal,
  statusOf,
  wantsFragment,
} from "./page-answers.tsx";
import { frameOf, type PageDependencies } from "./page-dependencies.ts";
import type { Refusal } from "../../runner/runner-api.ts";

/** `/agents/{id}`: the conversation, its stream, and what is done from there. */
export function addAgentPages(
  app: Hono<RouteEnvironment>,
  dependencies: PageDependencies,
  answers: SettledAnswers,
): void {
  app.get("/agents/:agentId", (c) => showAgent(c, dependencies, answers));
  app.get("/agents/:agentId/stream", (c) => {
    const cursor = c.req.header("last-event-id") ?? c.req.query("after") ?? "";
    return dependencies.sse(c, agentFrames(dependencies, answers, agentIdOf(c), cursor));
  });
  app.post("/agents/:agentId/turns", (c) => sendPrompt(c, dependencies, answers));
  app.post("/agents/:agentId/end-session", (c) => endSession(c, dependencies));
  app.post("/agents/:agentId/delete", (c) => deleteAgent(c, dependencies));
}

function agentIdOf(c: PageContext): string {
  return c.req.param("agentId") ?? "";
}

/** A refused message comes back with the page, so that nothing that was typed is lost. */
interface Returned {
  text: string;
  refusal: Refusal;
}

async function showAgent(
  c: PageContext,
  dependencies: PageDependencies,
  answers: SettledAnswers,
  returned?: Returned,
): Promise<Response> {
  const agentId = agentIdOf(c);
  const before = returned ? null : beforeOf(c.req.query("before"));
  const snapshot = readSnapshot(dependencies, agentId, before);
  if (snapshot === null) return showNoAgent(c, dependencies, agentId);
  const renderer = createEntryRenderer(dependencies.runs, answers, speakerName(snapshot));
  const turns = await renderer.renderAll(snapshot.entries);
  const idempotencyKey = dependencies.makeIdempotencyKey();
  const page = (
    <AgentPage
      frame={frameOf(dependencies)}
      agent={snapshot.agent}
      turns={raw(turns)}
      isEmpty={before === null && isEmpty(snapshot)}
      waiting={snapshot.waiting}
      before={before}
      nextBefore={snapshot.nextBefore}
      cursor={cursorOf(snapshot)}
      composer={{ agentId, idempotencyKey, text: returned?.text ?? "" }}
      problem={returned?.refusal.detail ?? null}
    />
  );
  return showPage(c, page, returned ? statusOf(returned.refusal.code) : 200);
}

function beforeOf(text: string | undefined): number | null {
  return text !== undefined && /^[1-9]\d{0,14}$/.test(text) ? Number(text) : null;
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
  const form = await readForm(c);
  const text = form["prompt"] ?? "";
  const outcome = await execute(dependencies, agentIdOf(c), text, form["key"]);
  if (outcome.kind === "accepted") {
    return showDone(c, `/agents/${outcome.run.agentId}#${elementIds.newest}`);
  }
  if (wantsFragment(c) || outcome.code === "agent_not_found") return showRefusal(c, dependencies, outcome);
  return showAgent(c, dependencies, answers, { text, refusal: outcome });
}

async function execute(
  { runner }: PageDependencies,
  agentId: string,
  prompt: string,
  key: string | undefined,
) {
  const refusal = refusalOf(prompt);
  if (refusal !== null) return refusal;
  const idempotencyKey = key !== undefined && /^[\w-]{8,128}$/.test(key) ? key : null;
  const outcome = await runner.execute({ agentId, prompt, idempotencyKey });
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

async function endSession(c: PageContext, dependencies: PageDependencies): Promise<Response> {
  c.env?.quietSeconds?.(0);
  const { force } = await readForm(c);
  const outcome = await dependencies.runner.endSession(agentIdOf(c), { force: force === "yes" });
  if (outcome.kind === "refused") return showRefusal(c, dependencies, outcome);
  return showDone(c, `/agents/${agentIdOf(c)}`);
}

async function deleteAgent(c: PageContext, dependencies: PageDependencies): Promise<Response> {
  c.env?.quietSeconds?.(0);
  const { force } = await readForm(c);
  const outcome = await dependencies.runner.removeAgent(agentIdOf(c), { force: force === "yes" });
  if (outcome.kind === "refused") return showRefusal(c, dependencies, outcome);
  // Who looks at the agent is told that it is gone.
  dependencies.wakeups.announce({ runId: "", agentId: agentIdOf(c) });
  return showDone(c, "/");
}
