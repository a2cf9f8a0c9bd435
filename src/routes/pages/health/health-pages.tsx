import type { Hono } from "hono";
import type { ReturnPlace } from "../../../views/forms.tsx";
import { HealthPage } from "../../../views/health/health-page.tsx";
import { QuarantineChecked } from "../../../views/health/quarantine-section.tsx";
import { renderHtml } from "../../../views/render.ts";
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
import { readHealth } from "./health-reads.ts";
import { healthCursor } from "./health-view.tsx";

/** `/health`, and the ways out of an open breaker and of quarantine. */
export function addHealthPages(app: Hono<RouteEnvironment>, dependencies: PageDependencies): void {
  app.get("/health", (c) => showHealth(c, dependencies));
  app.post("/agents/:agentId/breaker/reset", (c) => resetBreaker(c, dependencies));
  app.post("/agents/:agentId/quarantine/recheck", (c) => recheckQuarantine(c, dependencies));
}

function agentIdOf(c: PageContext): string {
  return c.req.param("agentId") ?? "";
}

function showHealth(c: PageContext, dependencies: PageDependencies): Response {
  const facts = readHealth(dependencies.health);
  return showPage(
    c,
    <HealthPage
      frame={frameOf(dependencies)}
      facts={facts}
      cursor={healthCursor(facts)}
      said={checkSaid(c, dependencies)}
    />,
  );
}

/** What a look at an agent's processes brought, where a plain form has led here; the count is only told. */
function checkSaid(c: PageContext, { runner }: PageDependencies) {
  const agent = runner.getAgent(c.req.query("checked") ?? "");
  if (agent === null) return null;
  const left = /^\d{1,6}$/.exec(c.req.query("left") ?? "")?.[0] ?? "0";
  const quarantined = agent.status === "quarantined";
  return <QuarantineChecked agentId={agent.id} quarantined={quarantined} survivors={Number(left)} />;
}

async function resetBreaker(c: PageContext, dependencies: PageDependencies): Promise<Response> {
  const { from } = await readForm(c);
  const outcome = await dependencies.runner.resetBreaker(agentIdOf(c));
  if (outcome.kind === "refused") return showRefusal(c, dependencies, outcome);
  return showDone(c, pathBack(agentIdOf(c), from));
}

async function recheckQuarantine(c: PageContext, dependencies: PageDependencies): Promise<Response> {
  // The answer comes when what is left was killed once more, which may take its time.
  c.env?.quietSeconds?.(0);
  const { from } = await readForm(c);
  const agentId = agentIdOf(c);
  const outcome = await dependencies.runner.recheckQuarantine(agentId);
  if (outcome.kind === "refused") return showRefusal(c, dependencies, outcome);
  const { quarantined, survivors } = outcome;
  if (wantsFragment(c)) {
    return c.html(renderHtml(<QuarantineChecked {...{ agentId, quarantined, survivors }} />));
  }
  const tells = quarantined || from === "health";
  return c.redirect(tells ? `/health?checked=${agentId}&left=${survivors}` : pathBack(agentId, from), 303);
}

/** The page from which a plain form was sent. */
function pathBack(agentId: string, from: string | undefined): string {
  const paths: Partial<Record<ReturnPlace, string>> = {
    agent: `/agents/${agentId}`,
    settings: `/agents/${agentId}/settings`,
    board: "/",
  };
  return paths[from as ReturnPlace] ?? "/health";
}
