import type { Agent } from "../../../domain/agent.ts";
import type { CliFinding } from "../../../runner/runner-api.ts";
import type { AgentFormValues } from "../../../views/agents/agent-form.tsx";
import { bestCli, choiceText } from "../../../views/agents/cli-choice.ts";
import { durationText } from "./duration-text.ts";

const nothingTyped: AgentFormValues = {
  id: "",
  cli: "",
  place: "new",
  root: "",
  newFolder: "",
  folder: "",
  permissionMode: "edit",
  filePolicy: "open",
  model: "",
  systemPrompt: "",
  timeout: "",
  memoryLimit: "",
  mcpConfigPath: "",
  metadata: "",
};

/** The form as it is first shown; `cli` is the wanted one, when it is one of those to choose from. */
export function firstValues(
  findings: readonly CliFinding[],
  roots: readonly string[],
  cli: string | undefined,
): AgentFormValues {
  const isChoice = findings.some(({ report }) => choiceText(report) === cli);
  const chosen = cli !== undefined && isChoice ? cli : choiceText(bestCli(findings));
  return { ...nothingTyped, cli: chosen, root: roots[0] ?? "" };
}

/** What was typed, surrounding blanks left out where none can be meant. */
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
    filePolicy: text("filePolicy"),
    model: text("model").trim(),
    systemPrompt: text("systemPrompt"),
    timeout: text("timeout").trim(),
    memoryLimit: text("memoryLimit").trim(),
    mcpConfigPath: text("mcpConfigPath").trim(),
    metadata: text("metadata"),
  };
}

/** An agent's settings as they would be typed. */
export function valuesOfAgent(agent: Agent, roots: readonly string[]): AgentFormValues {
  return {
    id: agent.id,
    cli: choiceText(agent),
    place: "existing",
    root: roots[0] ?? "",
    newFolder: "",
    folder: agent.cwd,
    permissionMode: agent.permissionMode,
    filePolicy: agent.filePolicy,
    model: agent.model ?? "",
    systemPrompt: agent.systemPrompt ?? "",
    timeout: agent.timeoutMs === null ? "" : durationText(agent.timeoutMs),
    memoryLimit: agent.memoryLimitMb === null ? "" : String(agent.memoryLimitMb),
    mcpConfigPath: agent.mcpConfigPath ?? "",
    metadata: Object.keys(agent.metadata).length === 0 ? "" : JSON.stringify(agent.metadata, null, 2),
  };
}

/** Fields of many lines; the others have one. */
const longFields: readonly (keyof AgentFormValues)[] = ["systemPrompt", "metadata"];

/**
 * The fields in which something else stands than what was shown. A form can't carry every text unharmed (a
 * lone carriage return, a line end in a field of one line), and what only the form did to it is no change.
 */
export function changedFields<F extends keyof AgentFormValues>(
  fields: readonly F[],
  typed: AgentFormValues,
  shown: AgentFormValues,
): F[] {
  const asCarried = (field: F) =>
    longFields.includes(field)
      ? shown[field].replace(/\r\n?/g, "\n")
      : shown[field].replace(/[\r\n]/g, "").trim();
  return fields.filter((field) => typed[field] !== asCarried(field));
}
