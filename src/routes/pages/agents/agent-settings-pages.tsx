import type { Hono } from "hono";
import type { Agent } from "../../../domain/agent.ts";
import type { Refusal } from "../../../runner/runner-api.ts";
import type { AgentFormValues } from "../../../views/agents/agent-form.tsx";
import { AgentSettingsPage } from "../../../views/agents/agent-settings-page.tsx";
import type { FieldProblems } from "../../../views/forms.tsx";
import type { RouteEnvironment } from "../../environment.ts";
import { problemsOfRefusal, readAgentPatch } from "./agent-form-input.ts";
import { valuesOf, valuesOfAgent } from "./agent-form-values.ts";
import { isCliOf } from "./agents-board.tsx";
import { foldersNear } from "./folder-suggestions.ts";
import {
  type PageContext,
  readForm,
  showDone,
  showPage,
  showRefusal,
  statusOf,
  wantsFragment,
} from "../page-answers.tsx";
import { openBreakerOf } from "../health/health-reads.ts";
import { frameOf, type PageDependencies } from "../page-dependencies.ts";

/** `/agents/{id}/settings`, and what ends a conversation or an agent. */
export function addAgentSettingsPages(app: Hono<RouteEnvironment>, dependencies: PageDependencies): void {
  app.get("/agents/:agentId/settings", (c) =>
    withAgent(c, dependencies, (agent) =>
      showSettings(c, dependencies, agent, { saved: c.req.query("saved") === "1" }),
    ),
  );
  app.post("/agents/:agentId/settings", (c) =>
    withAgent(c, dependencies, (agent) => saveSettings(c, dependencies, agent)),
  );
  app.post("/agents/:agentId/end-session", (c) => endSession(c, dependencies));
  app.post("/agents/:agentId/delete", (c) => deleteAgent(c, dependencies));
}

function agentIdOf(c: PageContext): string {
  return c.req.param("agentId") ?? "";
}

async function withAgent(
  c: PageContext,
  dependencies: PageDependencies,
  show: (agent: Agent) => Promise<Response>,
): Promise<Response> {
  const agent = dependencies.runner.getAgent(agentIdOf(c));
  if (agent !== null) return show(agent);
  const detail = `No agent is called “${agentIdOf(c).slice(0, 63)}”.`;
  return showRefusal(c, dependencies, { code: "agent_not_found", detail });
}

interface Shown {
  saved?: boolean;
  /** What was typed; the agent's own settings without it. */
  values?: AgentFormValues;
  problems?: FieldProblems;
  status?: ReturnType<typeof statusOf>;
}

async function showSettings(
  c: PageContext,
  dependencies: PageDependencies,
  agent: Agent,
  { saved = false, values, problems = {}, status = 200 }: Shown,
): Promise<Response> {
  const { workspaces } = dependencies;
  const typed = values ?? valuesOfAgent(agent, workspaces.roots);
  const findings = await dependencies.findClis();
  const form = {
    findings: findings.filter(({ report }) => isCliOf(report, agent)),
    roots: workspaces.roots,
    folders: await foldersNear(typed.folder, workspaces),
    values: typed,
    problems,
  };
  const page = (
    <AgentSettingsPage
      frame={frameOf(dependencies)}
      agent={agent}
      breaker={openBreakerOf(dependencies.runner, agent)}
      form={form}
      saved={saved}
    />
  );
  return showPage(c, page, status);
}

async function saveSettings(c: PageContext, dependencies: PageDependencies, agent: Agent): Promise<Response> {
  const form = await readForm(c);
  const values = valuesOf(form);
  if (form["seen"] !== agent.updatedAt) {
    const problems = {
      "": "These settings were changed since this page was opened. Save again to go over that with what stands here.",
    };
    return showSettings(c, dependencies, agent, { values, problems, status: 409 });
  }
  const patch = await readAgentPatch(values, agent, dependencies.workspaces);
  if (patch.kind === "problems") {
    const { problems } = patch;
    return showSettings(c, dependencies, agent, { values, problems, status: statusOf("invalid") });
  }
  const patched = await dependencies.runner.patchAgent(agent.id, patch.value);
  if (patched.kind === "ok") return c.redirect(`/agents/${agent.id}/settings?saved=1`, 303);
  return refuseSettings(c, dependencies, agent, { values, refusal: patched, cwd: patch.value.cwd });
}

/** The folder has been made by now, so the corrected form takes it as it is. */
async function refuseSettings(
  c: PageContext,
  dependencies: PageDependencies,
  agent: Agent,
  { values, refusal, cwd }: { values: AgentFormValues; refusal: Refusal; cwd: string | undefined },
): Promise<Response> {
  if (refusal.code === "agent_not_found") return showRefusal(c, dependencies, refusal);
  const kept: AgentFormValues = cwd === undefined ? values : { ...values, place: "existing", folder: cwd };
  const problems = problemsOfRefusal(refusal, kept);
  return showSettings(c, dependencies, agent, { values: kept, problems, status: statusOf(refusal.code) });
}

async function endSession(c: PageContext, dependencies: PageDependencies): Promise<Response> {
  // The answer comes when what is stopped is dead, which may take its time.
  c.env?.quietSeconds?.(0);
  const { force, from } = await readForm(c);
  const outcome = await dependencies.runner.endSession(agentIdOf(c), { force: force === "yes" });
  if (outcome.kind === "ok") return showDone(c, `/agents/${agentIdOf(c)}`);
  return refuseDeed(c, dependencies, { refusal: outcome, field: "endSession", from });
}

async function deleteAgent(c: PageContext, dependencies: PageDependencies): Promise<Response> {
  c.env?.quietSeconds?.(0);
  const { force, from } = await readForm(c);
  const outcome = await dependencies.runner.removeAgent(agentIdOf(c), { force: force === "yes" });
  if (outcome.kind === "ok") return showDone(c, "/");
  return refuseDeed(c, dependencies, { refusal: outcome, field: "delete", from });
}

/** Asked from the settings, a refusal stands beside what it is about. */
async function refuseDeed(
  c: PageContext,
  dependencies: PageDependencies,
  { refusal, field, from }: { refusal: Refusal; field: string; from: string | undefined },
): Promise<Response> {
  const agent = dependencies.runner.getAgent(agentIdOf(c));
  if (agent === null || from !== "settings" || wantsFragment(c)) {
    return showRefusal(c, dependencies, refusal);
  }
  const problems = { [field]: refusal.detail };
  return showSettings(c, dependencies, agent, { problems, status: statusOf(refusal.code) });
}
