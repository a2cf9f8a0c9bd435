import type { Hono } from "hono";
import { isTerminal } from "../../../domain/run-state.ts";
import { type EventFilter, isEventFilter } from "../../../views/runs/event-rows.ts";
import { renderHtml } from "../../../views/render.ts";
import type { LogTail } from "../../../views/runs/run-log.tsx";
import type { RunShown } from "../../../views/runs/run-head.tsx";
import { RunPage } from "../../../views/runs/run-page.tsx";
import { ToolCallPage, WholeToolCall } from "../../../views/runs/tool-call-page.tsx";
import type { RouteEnvironment } from "../../environment.ts";
import {
  type PageContext,
  readForm,
  showDone,
  showPage,
  showRefusal,
  wantsFragment,
} from "../page-answers.tsx";
import { frameOf, type PageDependencies } from "../page-dependencies.ts";
import { encodeCursor, logTailBytes, readFacts, readToolSpans, readWindow } from "./run-reading.ts";

/** `/runs/{id}`: one run, its tool calls, and what can be done with it. */
export function addRunPages(app: Hono<RouteEnvironment>, dependencies: PageDependencies): void {
  app.get("/runs/:runId", (c) => {
    const run = dependencies.runs.findRunWithoutContent(runIdOf(c));
    return run === null ? showNoRun(c, dependencies) : showRun(c, dependencies, run);
  });
  app.get("/runs/:runId/tools/:toolId", (c) => showToolCall(c, dependencies));
  app.post("/runs/:runId/cancel", (c) => cancelRun(c, dependencies));
  app.post("/runs/:runId/retry", (c) => retryRun(c, dependencies));
}

function runIdOf(c: PageContext): string {
  return c.req.param("runId") ?? "";
}

function showNoRun(c: PageContext, dependencies: PageDependencies): Response {
  return showRefusal(c, dependencies, { code: "run_not_found", detail: "There is no such run (any more)." });
}

async function showRun(c: PageContext, dependencies: PageDependencies, run: RunShown): Promise<Response> {
  const { runs, readLogPiece, clock } = dependencies;
  const window = readWindow(runs, run.id, filterOf(c), afterOf(c));
  const facts = readFacts(dependencies, run);
  const spans = readToolSpans(runs, run.id);
  const content = isTerminal(run.state) ? (runs.getRun(run.id)?.content ?? null) : null;
  const tail = await readLogPiece(run.id, -logTailBytes, logTailBytes);
  const cursor = encodeCursor({
    filter: window.filter,
    afterSeq: window.afterSeq,
    isNewest: window.newerAfterSeq === null,
    lastSeq: window.lastSeq,
    log: { fromByte: tail?.fromByte ?? 0, nextByte: tail?.nextByte ?? 0 },
  });
  return showPage(
    c,
    <RunPage
      frame={frameOf(dependencies)}
      facts={facts}
      content={content}
      {...spans}
      window={window}
      tail={tail satisfies LogTail | null}
      nowMs={clock.wallMs()}
      following={isTerminal(run.state) ? null : { view: `run/${run.id}`, cursor }}
      problem={null}
    />,
  );
}

/** Words and numbers of an address that aren't ours read as if they weren't there. */
function filterOf(c: PageContext): EventFilter {
  const word = c.req.query("type") ?? "";
  return isEventFilter(word) ? word : "all";
}

function afterOf(c: PageContext): number | null {
  const text = c.req.query("after") ?? "";
  return /^\d{1,15}$/.test(text) ? Number(text) : null;
}

/** A page; for a card of a conversation only what stands in it. */
function showToolCall(c: PageContext, dependencies: PageDependencies): Response {
  const { runs } = dependencies;
  const run = runs.findRunWithoutContent(runIdOf(c));
  if (run === null) return showNoRun(c, dependencies);
  const call = runs.findToolCall(run.id, c.req.param("toolId") ?? "");
  if (call === null) {
    const gone =
      run.eventsRemovedAt === null ? "" : " any more: its events were removed because of their age";
    return showRefusal(c, dependencies, {
      code: "not_found",
      detail: `The run has no such tool call${gone}.`,
    });
  }
  if (wantsFragment(c)) return c.html(renderHtml(<WholeToolCall run={run} call={call} />));
  return showPage(c, <ToolCallPage frame={frameOf(dependencies)} run={run} call={call} />);
}

async function cancelRun(c: PageContext, dependencies: PageDependencies): Promise<Response> {
  // The answer comes when the run's processes are dead, which may take its time.
  c.env?.quietSeconds?.(0);
  const { from } = await readForm(c);
  const run = dependencies.runs.getRun(runIdOf(c));
  const reply = await dependencies.runner.cancelRun(runIdOf(c));
  if ("kind" in reply) return showRefusal(c, dependencies, reply);
  return showDone(c, from === "run" || run === null ? `/runs/${runIdOf(c)}` : `/agents/${run.agentId}`);
}

async function retryRun(c: PageContext, dependencies: PageDependencies): Promise<Response> {
  const { from } = await readForm(c);
  const outcome = await dependencies.runner.retryRun(runIdOf(c));
  if (outcome.kind === "refused") return showRefusal(c, dependencies, outcome);
  const { id, agentId } = outcome.run;
  return showDone(c, from === "run" ? `/runs/${id}` : `/agents/${agentId}`);
}
