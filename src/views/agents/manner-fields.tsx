import { filePolicies, type PermissionMode, permissionModes } from "../../domain/agent.ts";
import type { CliFinding } from "../../runner/runner-api.ts";
import type { AgentFormProps } from "./agent-form.tsx";
import { cliNameShown } from "./cli-choice.ts";
import { elementIds } from "../element-ids.ts";
import { Field, FieldProblem } from "../forms.tsx";
import { textareaText } from "./textarea-text.ts";
import { filePoliciesShown, permissionsShown } from "../wording.ts";

type MannerProps = Pick<AgentFormProps, "findings" | "values" | "problems">;

export function PermissionChoice({ findings, values, problems }: MannerProps) {
  return (
    <fieldset aria-describedby={elementIds.hint("permissionMode")}>
      <legend>What it may do</legend>
      <p class="hint" id={elementIds.hint("permissionMode")}>
        What the CLI allows without asking; it can't ask you yet, so the rest is denied.
      </p>
      {permissionModes.map((mode, index) => (
        <label class="choice">
          <input
            id={index === 0 ? elementIds.field("permissionMode") : undefined}
            type="radio"
            name="permissionMode"
            value={mode}
            checked={values.permissionMode === mode}
          />
          <span>
            <strong>{permissionsShown[mode].title}</strong>{" "}
            <span class="hint">
              {permissionsShown[mode].meaning}
              {findings
                .filter(({ report }) => !report.permissionModes.includes(mode))
                .map(({ report }) => ` Not available for ${cliNameShown(report)} here.`)}
            </span>
            <ItsOwnWords findings={findings} mode={mode} />
          </span>
        </label>
      ))}
      <FieldProblem name="permissionMode" problems={problems} />
    </fieldset>
  );
}

export function FilePolicyChoice({ values, problems }: Pick<MannerProps, "values" | "problems">) {
  return (
    <fieldset aria-describedby={elementIds.hint("filePolicy")}>
      <legend>Where it may write</legend>
      <p class="hint" id={elementIds.hint("filePolicy")}>
        What the system itself lets it and every command of its change, whatever the CLI allows.
      </p>
      {filePolicies.map((policy, index) => (
        <label class="choice">
          <input
            id={index === 0 ? elementIds.field("filePolicy") : undefined}
            type="radio"
            name="filePolicy"
            value={policy}
            checked={values.filePolicy === policy}
          />
          <span>
            <strong>{filePoliciesShown[policy].title}</strong>{" "}
            <span class="hint">{filePoliciesShown[policy].meaning}</span>
          </span>
        </label>
      ))}
      <FieldProblem name="filePolicy" problems={problems} />
    </fieldset>
  );
}

/** "Claude Code: acceptEdits · Gemini CLI: auto_edit", for those who know the CLIs. */
function ItsOwnWords({ findings, mode }: { findings: readonly CliFinding[]; mode: PermissionMode }) {
  const words = findings.flatMap(({ report, permissionWords }) =>
    permissionWords !== null && report.permissionModes.includes(mode)
      ? [`${cliNameShown(report)}: ${permissionWords[mode]}`]
      : [],
  );
  return words.length === 0 ? null : <span class="facts">{words.join(" · ")}</span>;
}

export function ModelField({ values, problems }: MannerProps) {
  return (
    <Field
      name="model"
      label="Model (optional)"
      hint="As the CLI calls it, such as sonnet. Left empty, the CLI chooses."
      problems={problems}
      control={(attributes) => (
        <input
          {...attributes}
          value={values.model}
          maxlength={128}
          autocapitalize="none"
          autocomplete="off"
          spellcheck={false}
        />
      )}
    />
  );
}

export function InstructionsField({ values, problems }: MannerProps) {
  return (
    <Field
      name="systemPrompt"
      label="Instructions (optional)"
      hint="What it should always keep in mind; added to what the CLI tells its model about itself."
      problems={problems}
      control={(attributes) => (
        <textarea {...attributes} rows={4} maxlength={65_536}>
          {textareaText(values.systemPrompt)}
        </textarea>
      )}
    />
  );
}
