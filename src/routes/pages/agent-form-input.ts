import { type AgentInput, agentInputSchema, carriedClis } from "../../domain/agent.ts";
import type { CliReport, Refusal } from "../../runner/runner-api.ts";
import type { AgentFormValues, CliChoice } from "../../views/agent-form.tsx";
import type { FieldProblems } from "../../views/forms.tsx";
import type { PageDependencies } from "./page-dependencies.ts";

/** The CLIs that this release can run, the built-in one last. */
export function choicesOf(reports: readonly CliReport[]): CliChoice[] {
  return carriedClis.flatMap((cli) => {
    const report = reports.find((candidate) => candidate.cli === cli);
    return report ? [{ ...report, cli }] : [];
  });
}

export function emptyValues(choices: readonly CliChoice[], roots: readonly string[]): AgentFormValues {
  return {
    id: "",
    cli: choices.find((choice) => choice.found)?.cli ?? "",
    place: "new",
    root: roots[0] ?? "",
    newFolder: "",
    folder: "",
    permissionMode: "edit",
    model: "",
    systemPrompt: "",
  };
}

export function valuesOf(form: Record<string, string>): AgentFormValues {
  const text = (name: string) => form[name] ?? "";
  return {
    id: text("id").trim(),
    cli: text("cli"),
    place: form["place"] === "existing" ? "existing" : "new",
    root: text("root"),
    newFolder: text("newFolder").trim(),
    folder: text("folder").trim(),
    permissionMode: text("permissionMode"),
    model: text("model").trim(),
    systemPrompt: text("systemPrompt"),
  };
}

export type FormOutcome<T> = { kind: "ok"; value: T } | { kind: "problems"; problems: FieldProblems };

/**
 * Checks everything else before it makes a folder, so that a form with a mistake leaves nothing behind;
 * a folder stands in for the one that isn't made yet.
 */
export async function readAgentInput(
  values: AgentFormValues,
  dependencies: Pick<PageDependencies, "workspaces" | "runner">,
): Promise<FormOutcome<AgentInput>> {
  const parsed = agentInputSchema.safeParse({
    id: values.id,
    cli: values.cli,
    cwd: "/",
    permissionMode: values.permissionMode,
    model: values.model === "" ? null : values.model,
    systemPrompt: values.systemPrompt === "" ? null : values.systemPrompt,
  });
  const problems = parsed.success ? {} : problemsByField(parsed.error.issues);
  if (dependencies.runner.getAgent(values.id)) problems["id"] ??= "An agent of this name exists.";
  if (!parsed.success || Object.keys(problems).length > 0) return { kind: "problems", problems };
  const folder = await folderOf(values, dependencies.workspaces);
  if (folder.kind === "problems") return folder;
  return { kind: "ok", value: { ...parsed.data, cwd: folder.value } };
}

function problemsByField(
  issues: readonly { path: readonly PropertyKey[]; message: string }[],
): Record<string, string> {
  const problems: Record<string, string> = {};
  for (const { path, message } of issues) problems[String(path[0] ?? "")] ??= sentence(message);
  return problems;
}

function sentence(message: string): string {
  return `Allowed: ${message}.`;
}

async function folderOf(
  values: AgentFormValues,
  workspaces: PageDependencies["workspaces"],
): Promise<FormOutcome<string>> {
  if (values.place === "existing") {
    const checked = await workspaces.check(values.folder);
    return checked.kind === "ok"
      ? { kind: "ok", value: checked.realPath }
      : { kind: "problems", problems: { folder: checked.message } };
  }
  if (!workspaces.roots.includes(values.root)) {
    return { kind: "problems", problems: { root: "Choose one of these." } };
  }
  const made = await workspaces.makeFolder(values.root, values.newFolder || values.id);
  return made.kind === "ok"
    ? { kind: "ok", value: made.realPath }
    : { kind: "problems", problems: { newFolder: made.message } };
}

/** What the runner refuses, beside the field that it is about. */
export function problemsOfRefusal(refusal: Refusal, values: AgentFormValues): FieldProblems {
  const place = values.place === "existing" ? "folder" : "newFolder";
  const fieldOf = (path: string) => (path === "cwd" ? place : path);
  const fields = refusal.errors?.map(({ path, message }) => [fieldOf(path), message]) ?? [];
  if (fields.length > 0) return Object.fromEntries(fields) as FieldProblems;
  if (refusal.code === "agent_exists") return { id: refusal.detail };
  if (refusal.code === "permission_unavailable") return { permissionMode: refusal.detail };
  return { "": refusal.detail };
}
