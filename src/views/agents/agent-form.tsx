import type { CliFinding } from "../../runner/runner-api.ts";
import { choiceText, cliNameShown, versionShown } from "./cli-choice.ts";
import { CliNeedShown } from "./cli-need.tsx";
import { elementIds } from "../element-ids.ts";
import { FolderChoice } from "./folder-choice.tsx";
import { Field, FieldProblem, type FieldProblems } from "../forms.tsx";
import { type Frame, Page } from "../layout.tsx";
import { LimitFields } from "./limit-fields.tsx";
import { FilePolicyChoice, InstructionsField, ModelField, PermissionChoice } from "./manner-fields.tsx";
import { ProblemSummary } from "./problem-summary.tsx";

/** What was typed, kept when the form comes back with problems. */
export interface AgentFormValues {
  id: string;
  /** As `choiceText` names it. */
  cli: string;
  place: "new" | "existing";
  root: string;
  newFolder: string;
  folder: string;
  permissionMode: string;
  filePolicy: string;
  model: string;
  systemPrompt: string;
  /** "30 min". */
  timeout: string;
  memoryLimit: string;
  mcpConfigPath: string;
  metadata: string;
}

export interface AgentFormProps {
  /** Of the CLIs that this release can run. */
  findings: readonly CliFinding[];
  roots: readonly string[];
  folders: readonly string[];
  values: AgentFormValues;
  problems: FieldProblems;
}

/** The fields in their order, as the summary of problems calls them. */
export const fieldLabels: Readonly<Record<string, string>> = {
  id: "Name",
  cli: "CLI",
  root: "Where the folder is made",
  newFolder: "New folder",
  folder: "Folder",
  permissionMode: "What it may do",
  filePolicy: "Where it may write",
  model: "Model",
  systemPrompt: "Instructions",
  timeout: "Time limit of a run",
  memoryLimit: "Memory limit of a run",
  mcpConfigPath: "MCP servers",
  metadata: "Data of your own",
};

export function NewAgentPage({ frame, form }: { frame: Frame; form: AgentFormProps }) {
  const hasProblems = Object.keys(form.problems).length > 0;
  return (
    <Page frame={frame} section="agents" title={hasProblems ? "Problem: New agent" : "New agent"}>
      <h1>New agent</h1>
      <p class="hint">
        An agent is a coding assistant with a name, a folder to work in and a say in what it may do there.
      </p>
      <ProblemSummary problems={form.problems} labels={fieldLabels} />
      <form method="post" action="/agents" class="stack agent-form">
        <NameField {...form} />
        <CliChoices {...form} />
        <FolderChoice {...form} />
        <PermissionChoice {...form} />
        <FilePolicyChoice {...form} />
        <ModelField {...form} />
        <InstructionsField {...form} />
        <LimitFields {...form} />
        <div class="form-end">
          <button class="primary">Create agent</button> <a href="/">Back to the agents</a>
        </div>
      </form>
    </Page>
  );
}

function NameField({ values, problems }: AgentFormProps) {
  return (
    <Field
      name="id"
      label="Name"
      hint="What you call it, and its address here. Lower-case letters, digits, - and _; it can't be changed later."
      problems={problems}
      control={(attributes) => (
        <input
          {...attributes}
          value={values.id}
          required
          maxlength={63}
          autocapitalize="none"
          autocomplete="off"
          spellcheck={false}
        />
      )}
    />
  );
}

/** One that isn't installed can be chosen too: it may be by the time of the first message. */
function CliChoices({ findings, values, problems }: AgentFormProps) {
  return (
    <fieldset aria-describedby={elementIds.hint("cli")}>
      <legend>CLI</legend>
      <p class="hint" id={elementIds.hint("cli")}>
        The program that does the work. It can't be changed later.
      </p>
      {findings.map((finding, index) => (
        <CliChoice
          finding={finding}
          id={index === 0 ? elementIds.field("cli") : undefined}
          isChosen={values.cli === choiceText(finding.report)}
        />
      ))}
      <FieldProblem name="cli" problems={problems} />
    </fieldset>
  );
}

function CliChoice(props: { finding: CliFinding; id: string | undefined; isChosen: boolean }) {
  const { finding, id, isChosen } = props;
  const choice = choiceText(finding.report);
  const facts = foundShown(finding);
  return (
    <div class="cli-choice">
      <label class="choice">
        <input id={id} type="radio" name="cli" value={choice} checked={isChosen} required />
        <span>
          <strong>{cliNameShown(finding.report)}</strong> <span class="facts">{facts}</span>
          {finding.hints.length > 0 && <span class="hint">{finding.hints.join(" ")}</span>}
        </span>
      </label>
      {finding.missing.map((need) => (
        <CliNeedShown cli={choice} need={need} />
      ))}
    </div>
  );
}

/** A login in a keychain can't be seen, so that not seeing one says nothing. */
const signedInShown = { yes: "signed in", no: "not signed in", unknown: "sign-in can't be seen from here" };

function foundShown(finding: CliFinding): string {
  const { found, cli, signedIn } = finding.report;
  if (!found) return "not found on this machine";
  if (cli === "demo") return "";
  return cli === "acp" ? signedInShown[signedIn] : `${versionShown(finding)} · ${signedInShown[signedIn]}`;
}
