import {
  type Agent,
  type AgentInput,
  agentInputSchema,
  type AgentPatch,
  agentPatchSchema,
} from "../../../domain/agent.ts";
import type { Refusal } from "../../../runner/runner-api.ts";
import type { AgentFormValues } from "../../../views/agents/agent-form.tsx";
import { parseChoice } from "../../../views/agents/cli-choice.ts";
import type { FieldProblems } from "../../../views/forms.tsx";
import { changedFields, valuesOfAgent } from "./agent-form-values.ts";
import { parseDuration } from "./duration-text.ts";
import type { PageDependencies } from "../page-dependencies.ts";

export type FormOutcome<T> = { kind: "ok"; value: T } | { kind: "problems"; problems: FieldProblems };

/** What a text field means as a setting, or why it means nothing. */
type Read = { value: unknown } | { problem: string };

const asTyped = (text: string): Read => ({ value: text });
const orNothing = (text: string): Read => ({ value: text === "" ? null : text });

/** Each field of the form that is a setting by itself: the setting's name, and how its text is read. */
const settings = {
  permissionMode: { key: "permissionMode", read: asTyped },
  filePolicy: { key: "filePolicy", read: asTyped },
  model: { key: "model", read: orNothing },
  systemPrompt: { key: "systemPrompt", read: orNothing },
  timeout: { key: "timeoutMs", read: readTimeout },
  memoryLimit: { key: "memoryLimitMb", read: readWholeNumber },
  mcpConfigPath: { key: "mcpConfigPath", read: orNothing },
  metadata: { key: "metadata", read: readMetadata },
} as const satisfies Partial<
  Record<keyof AgentFormValues, { key: keyof AgentPatch; read(text: string): Read }>
>;
type SettingField = keyof typeof settings;
const settingFields = Object.keys(settings) as SettingField[];

/** Where the schema's own words are for programs. */
const allowed: Readonly<Record<string, string>> = {
  cli: "Choose one.",
  permissionMode: "Choose one.",
  filePolicy: "Choose one.",
  systemPrompt: "Allowed: at most 65,536 characters, and no NUL.",
  timeout: "Allowed: from 1 s to 24 h.",
  memoryLimit: "Allowed: a whole number from 64 to 1,048,576.",
  mcpConfigPath: "Allowed: an absolute path, which begins with /.",
};

/**
 * Checks everything else before it makes a folder, so that a form with a mistake leaves nothing behind;
 * a folder stands in for the one that isn't made yet.
 */
export async function readAgentInput(
  values: AgentFormValues,
  dependencies: Pick<PageDependencies, "workspaces" | "runner">,
): Promise<FormOutcome<AgentInput>> {
  const read = readSettings(values, settingFields);
  const chosen = parseChoice(values.cli);
  const parsed = agentInputSchema.safeParse({ ...read.given, id: values.id, ...chosen, cwd: "/" });
  const problems = { ...(parsed.success ? {} : problemsByField(parsed.error.issues)), ...read.problems };
  if (dependencies.runner.getAgent(values.id)) problems["id"] ??= "An agent of this name exists.";
  if (!parsed.success || Object.keys(problems).length > 0) return { kind: "problems", problems };
  const misplaced = misplacedFolder(values, "");
  if (misplaced !== null) return { kind: "problems", problems: misplaced };
  const folder = await folderOf(values, values.id, dependencies.workspaces);
  if (folder.kind === "problems") return folder;
  return { kind: "ok", value: { ...parsed.data, cwd: folder.value } };
}

/** Only what was changed, so that nothing else can be refused or be undone by an older page. */
export async function readAgentPatch(
  values: AgentFormValues,
  agent: Agent,
  workspaces: PageDependencies["workspaces"],
): Promise<FormOutcome<AgentPatch>> {
  const shown = valuesOfAgent(agent, workspaces.roots);
  const read = readSettings(values, changedFields(settingFields, values, shown));
  const parsed = agentPatchSchema.safeParse(read.given);
  const problems = { ...(parsed.success ? {} : problemsByField(parsed.error.issues)), ...read.problems };
  if (!parsed.success || Object.keys(problems).length > 0) return { kind: "problems", problems };
  const misplaced = misplacedFolder(values, shown.folder);
  if (misplaced !== null) return { kind: "problems", problems: misplaced };
  if (values.place === "existing" && changedFields(["folder"], values, shown).length === 0) {
    return { kind: "ok", value: parsed.data };
  }
  const folder = await folderOf(values, agent.id, workspaces);
  return folder.kind === "problems" ? folder : { kind: "ok", value: { ...parsed.data, cwd: folder.value } };
}

function readSettings(values: AgentFormValues, fields: readonly SettingField[]) {
  const given: Record<string, unknown> = {};
  const problems: Record<string, string> = {};
  for (const field of fields) {
    const { key, read } = settings[field];
    const outcome = read(values[field]);
    if ("problem" in outcome) problems[field] = outcome.problem;
    else given[key] = outcome.value;
  }
  return { given, problems };
}

function readTimeout(text: string): Read {
  if (text === "") return { value: null };
  const timeoutMs = parseDuration(text);
  return timeoutMs === null
    ? { problem: "A number and its unit are needed: 90 s, 30 min, 2 h." }
    : { value: timeoutMs };
}

function readWholeNumber(text: string): Read {
  if (text === "") return { value: null };
  return { value: /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN };
}

function readMetadata(text: string): Read {
  if (text.trim() === "") return { value: {} };
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { problem: `This isn't JSON: ${error.message}.` };
  }
}

function problemsByField(
  issues: readonly { path: readonly PropertyKey[]; message: string }[],
): Record<string, string> {
  const problems: Record<string, string> = {};
  for (const { path, message } of issues) {
    const field = fieldOf(String(path[0] ?? ""));
    problems[field] ??= allowed[field] ?? `Allowed: ${message}.`;
  }
  return problems;
}

function fieldOf(key: string): string {
  if (key === "acpAgent") return "cli";
  return settingFields.find((field) => settings[field].key === key) ?? key;
}

/** What was typed beside the other choice isn't passed over in silence. */
function misplacedFolder(
  { place, newFolder, folder }: AgentFormValues,
  shownFolder: string,
): FieldProblems | null {
  if (place === "new" && newFolder === "" && folder !== "" && folder !== shownFolder) {
    return { folder: "Choose “A folder that is there” to use this path, or empty it." };
  }
  if (place === "existing" && newFolder !== "" && (folder === "" || folder === shownFolder)) {
    return { newFolder: "Choose “A new folder” to use this name, or empty it." };
  }
  return null;
}

async function folderOf(
  values: AgentFormValues,
  agentId: string,
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
  const made = await workspaces.makeFolder(values.root, values.newFolder || agentId);
  return made.kind === "ok"
    ? { kind: "ok", value: made.realPath }
    : { kind: "problems", problems: { newFolder: made.message } };
}

/** What the runner refuses, beside the field that it is about. */
export function problemsOfRefusal(refusal: Refusal, values: AgentFormValues): FieldProblems {
  const place = values.place === "existing" ? "folder" : "newFolder";
  const fields = refusal.errors?.map(({ path, message }) => [
    path === "cwd" ? place : fieldOf(path),
    message,
  ]);
  if (fields && fields.length > 0) return Object.fromEntries(fields) as FieldProblems;
  if (refusal.code === "agent_exists") return { id: refusal.detail };
  if (refusal.code === "permission_unavailable") return { permissionMode: refusal.detail };
  return { "": refusal.detail };
}
