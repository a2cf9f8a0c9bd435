import type { Hono } from "hono";
import { AgentsPage } from "../../../views/agents/agents-page.tsx";
import {
  type AgentFormProps,
  type AgentFormValues,
  NewAgentPage,
} from "../../../views/agents/agent-form.tsx";
import { FolderOptions } from "../../../views/agents/folder-choice.tsx";
import type { FieldProblems } from "../../../views/forms.tsx";
import { renderHtml } from "../../../views/render.ts";
import type { RouteEnvironment } from "../../environment.ts";
import { problemsOfRefusal, readAgentInput } from "./agent-form-input.ts";
import { firstValues, valuesOf } from "./agent-form-values.ts";
import { boardCursor, fingerprint, readBoard } from "./agents-board.tsx";
import { createDemoAgent } from "./demo-agent.ts";
import { foldersNear } from "./folder-suggestions.ts";
import { type PageContext, readForm, showPage, showRefusal, statusOf } from "../page-answers.tsx";
import { frameOf, type PageDependencies } from "../page-dependencies.ts";

const cursorCharsMax = 200;

/** `/`: all agents; `/agents/new`: another one. */
export function addAgentsPages(app: Hono<RouteEnvironment>, dependencies: PageDependencies): void {
  app.get("/", (c) => showBoard(c, dependencies));
  // Where a form that came back with problems leaves the address.
  app.get("/agents", (c) => c.redirect("/agents/new?cli=", 303));
  app.get("/agents/new", (c, next) => {
    const isForm = c.req.query("cli") !== undefined || dependencies.runner.getAgent("new") === null;
    return isForm ? showForm(c, dependencies) : next();
  });
  app.post("/agents", (c) => createAgent(c, dependencies));
  app.post("/demo-agent", async (c) => {
    const created = await createDemoAgent(dependencies);
    if (created.kind === "refused") return showRefusal(c, dependencies, created);
    return c.redirect(`/agents/${created.agent.id}`, 303);
  });
  app.get("/fragments/folders", async (c) => {
    const folders = await foldersNear(c.req.query("folder") ?? "", dependencies.workspaces);
    return c.html(renderHtml(<FolderOptions folders={folders} />));
  });
}

async function showBoard(c: PageContext, dependencies: PageDependencies): Promise<Response> {
  const before = c.req.query("cursor")?.slice(0, cursorCharsMax) ?? null;
  const board = await readBoard(dependencies, before);
  const cursor = boardCursor(board.rows.map(fingerprint));
  const isOlder = before !== null;
  if (isOlder && board.sights.length === 0) return c.redirect("/", 303);
  return showPage(
    c,
    <AgentsPage frame={frameOf(dependencies)} board={board} cursor={cursor} isOlder={isOlder} />,
  );
}

/** A form that comes back keeps what was typed and says what is wrong. */
interface Returned {
  values: AgentFormValues;
  problems: FieldProblems;
  status: ReturnType<typeof statusOf>;
}

async function showForm(
  c: PageContext,
  dependencies: PageDependencies,
  returned?: Returned,
): Promise<Response> {
  const { workspaces } = dependencies;
  const findings = (await dependencies.findClis()).filter(({ carried }) => carried);
  const values = returned?.values ?? firstValues(findings, workspaces.roots, c.req.query("cli"));
  const form: AgentFormProps = {
    findings,
    roots: workspaces.roots,
    folders: await foldersNear(values.folder, workspaces),
    values,
    problems: returned?.problems ?? {},
  };
  const page = <NewAgentPage frame={frameOf(dependencies)} form={form} />;
  return showPage(c, page, returned?.status ?? 200);
}

async function createAgent(c: PageContext, dependencies: PageDependencies): Promise<Response> {
  const values = valuesOf(await readForm(c));
  const input = await readAgentInput(values, dependencies);
  if (input.kind === "problems") {
    return showForm(c, dependencies, { values, problems: input.problems, status: statusOf("invalid") });
  }
  const created = await dependencies.runner.createAgent(input.value);
  if (created.kind === "ok") return c.redirect(`/agents/${created.agent.id}`, 303);
  // The folder has been made by now, so the corrected form takes it as it is.
  const kept: AgentFormValues = { ...values, place: "existing", folder: input.value.cwd };
  const problems = problemsOfRefusal(created, kept);
  return showForm(c, dependencies, { values: kept, problems, status: statusOf(created.code) });
}
