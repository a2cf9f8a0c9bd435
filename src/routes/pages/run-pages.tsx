import type { Hono } from "hono";
import type { RunEvent } from "../../domain/event.ts";
import type { Run } from "../../domain/run.ts";
import { RunDetails, RunPage } from "../../views/run-page.tsx";
import type { RouteEnvironment } from "../environment.ts";
import { type PageContext, readForm, showDone, showPage, showRefusal } from "./page-answers.tsx";
import { frameOf, type PageDependencies } from "./page-dependencies.ts";
import { renderHtml } from "../../views/render.ts";

const eventsShownMax = 500;

/** `/runs/{id}`: one run, and what can be done with it. */
export function addRunPages(app: Hono<RouteEnvironment>, dependencies: PageDependencies): void {
  app.get("/runs/:runId", (c) => {
    const run = dependencies.runs.getRun(runIdOf(c));
    if (run === null) return showNoRun(c, dependencies);
    const events = newestEvents(dependencies, run);
    return showPage(c, <RunPage frame={frameOf(dependencies)} run={run} events={events} problem={null} />);
  });
  app.get("/fragments/runs/:runId", (c) => {
    const run = dependencies.runs.getRun(runIdOf(c));
    if (run === null) return showNoRun(c, dependencies);
    return c.html(renderHtml(<RunDetails run={run} events={newestEvents(dependencies, run)} />));
  });
  app.post("/runs/:runId/cancel", (c) => cancelRun(c, dependencies));
  app.post("/runs/:runId/retry", (c) => retryRun(c, dependencies));
}

function runIdOf(c: PageContext): string {
  return c.req.param("runId") ?? "";
}

function showNoRun(c: PageContext, dependencies: PageDependencies): Response {
  return showRefusal(c, dependencies, { code: "run_not_found", detail: "There is no such run (any more)." });
}

function newestEvents({ runs }: PageDependencies, run: Run): RunEvent[] {
  const after = Math.max(0, findLastSeq(runs, run.id) - eventsShownMax);
  return runs.listEvents(run.id, after, eventsShownMax);
}

/** Seqs are dense from 1, so a few probes find the last one in a log of any length. */
export function findLastSeq(runs: Pick<PageDependencies["runs"], "listEvents">, runId: string): number {
  const exists = (seq: number) => runs.listEvents(runId, seq - 1, 1).length > 0;
  let missing = 1;
  while (exists(missing)) missing *= 2;
  let last = Math.floor(missing / 2);
  while (missing - last > 1) {
    const middle = Math.floor((last + missing) / 2);
    if (exists(middle)) last = middle;
    else missing = middle;
  }
  return last;
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
