import type { Hono } from "hono";
import { agentInputSchema } from "../../domain/agent.ts";
import { AgentList, AgentsPage } from "../../views/agents-page.tsx";
import { type AgentFormProps, type AgentFormValues, FolderOptions } from "../../views/agent-form.tsx";
import type { FieldProblems } from "../../views/forms.tsx";
import type { RouteEnvironment } from "../environment.ts";
import { choicesOf, emptyValues, problemsOfRefusal, readAgentInput, valuesOf } from "./agent-form-input.ts";
import { type PageContext, readForm, showPage, showRefusal, statusOf } from "./page-answers.tsx";
import { frameOf, type PageDependencies } from "./page-dependencies.ts";
import { renderHtml } from "../../views/render.ts";

const agentsShownMax = 200;
const foldersShownMax = 200;
/** How many names are tried for the demo agent and its folder. */
const demoNamesMax = 50;

/** `/`: all agents, and another one. */
export function addAgentsPages(app: Hono<RouteEnvironment>, dependencies: PageDependencies): void {
  app.get("/", (c) => showAgents(c, dependencies));
  app.get("/fragments/agents", (c) => {
    const { items, nextCursor } = listAgents(dependencies);
    return c.html(renderHtml(<AgentList agents={items} more={nextCursor !== null} />));
  });
  app.get("/fragments/folders", async (c) => {
    const folders = await foldersNear(c.req.query("folder") ?? "", dependencies.workspaces);
    return c.html(renderHtml(<FolderOptions folders={folders} />));
  });
  app.post("/agents", (c) => createAgent(c, dependencies));
  app.post("/demo-agent", (c) => createDemoAgent(c, dependencies));
}

function listAgents({ runner }: PageDependencies) {
  return runner.listAgents({ limit: agentsShownMax, cursor: null });
}

async function showAgents(
  c: PageContext,
  dependencies: PageDependencies,
  returned?: { values: AgentFormValues; problems: FieldProblems },
): Promise<Response> {
  const { items, nextCursor } = listAgents(dependencies);
  const form = await formProps(dependencies, returned);
  const more = nextCursor !== null;
  const page = <AgentsPage frame={frameOf(dependencies)} agents={items} more={more} form={form} />;
  return showPage(c, page, returned ? statusOf("invalid") : 200);
}

async function formProps(
  { listClis, workspaces }: PageDependencies,
  returned?: { values: AgentFormValues; problems: FieldProblems },
): Promise<AgentFormProps> {
  const choices = choicesOf(await listClis());
  const { roots } = workspaces;
  return {
    choices,
    roots,
    folders: await foldersNear(returned?.values.folder ?? "", workspaces),
    values: returned?.values ?? emptyValues(choices, roots),
    problems: returned?.problems ?? {},
    open: returned !== undefined,
  };
}

/** Folders that begin with what was typed; before anything was, those right below the roots. */
async function foldersNear(typed: string, workspaces: PageDependencies["workspaces"]): Promise<string[]> {
  const parent = typed.slice(0, typed.lastIndexOf("/"));
  const parents = parent === "" ? workspaces.roots : [parent];
  const lists = await Promise.all(
    parents.map(async (path) =>
      ((await workspaces.listFolders(path)) ?? []).map((name) => `${path}/${name}`),
    ),
  );
  return lists
    .flat()
    .filter((folder) => folder.startsWith(typed))
    .slice(0, foldersShownMax);
}

async function createAgent(c: PageContext, dependencies: PageDependencies): Promise<Response> {
  const values = valuesOf(await readForm(c));
  const input = await readAgentInput(values, dependencies);
  if (input.kind === "problems") return showAgents(c, dependencies, { values, problems: input.problems });
  const created = await dependencies.runner.createAgent(input.value);
  if (created.kind === "ok") return c.redirect(`/agents/${created.agent.id}`, 303);
  // The folder has been made by now, so the corrected form takes it as it is.
  const kept: AgentFormValues = { ...values, place: "existing", folder: input.value.cwd };
  return showAgents(c, dependencies, { values: kept, problems: problemsOfRefusal(created, kept) });
}

/** A demo agent in a fresh folder, both called "demo" or the first such name with a number that is free. */
async function createDemoAgent(c: PageContext, dependencies: PageDependencies): Promise<Response> {
  const { runner, workspaces } = dependencies;
  const names = Array.from({ length: demoNamesMax }, (_, index) =>
    index === 0 ? "demo" : `demo-${index + 1}`,
  );
  const id = names.find((name) => runner.getAgent(name) === null);
  const folder = await makeFirstFolder(workspaces, names);
  if (id === undefined || folder.kind === "refused") {
    const detail = folder.kind === "refused" ? folder.message : "There are too many demo agents.";
    return showRefusal(c, dependencies, { code: "invalid", detail });
  }
  const created = await runner.createAgent(agentInputSchema.parse({ id, cli: "demo", cwd: folder.realPath }));
  if (created.kind === "refused") return showRefusal(c, dependencies, created);
  return c.redirect(`/agents/${id}`, 303);
}

async function makeFirstFolder(workspaces: PageDependencies["workspaces"], names: readonly string[]) {
  const [root = ""] = workspaces.roots;
  const taken = new Set(await workspaces.listFolders(root));
  const name = names.map((candidate) => `headway-${candidate}`).find((candidate) => !taken.has(candidate));
  return workspaces.makeFolder(root, name ?? "headway-demo");
}
