import type { AgentFormProps, AgentFormValues } from "./agent-form.tsx";
import { cliNameShown } from "./cli-choice.ts";
import { Field, type FieldProblems } from "../forms.tsx";
import { textareaText } from "./textarea-text.ts";

type LimitProps = Pick<AgentFormProps, "findings" | "values" | "problems">;

/** "Gemini CLI, Factory Droid, or demo". */
const orShown = new Intl.ListFormat("en", { type: "disjunction" });

const fieldNames = ["timeout", "memoryLimit", "mcpConfigPath", "metadata"] as const;

/** What most agents do without; open when something is in it, a problem above all. */
export function LimitFields(props: LimitProps) {
  return (
    <details open={isUsed(props.values, props.problems)}>
      <summary>More: limits, MCP servers, data of your own</summary>
      <TimeoutField {...props} />
      <MemoryField {...props} />
      {isMcpShown(props) && <McpField {...props} />}
      <MetadataField {...props} />
    </details>
  );
}

function isUsed(values: AgentFormValues, problems: FieldProblems): boolean {
  return fieldNames.some((name) => values[name] !== "" || problems[name] !== undefined);
}

function TimeoutField({ values, problems }: LimitProps) {
  return (
    <Field
      name="timeout"
      label="Time limit of a run"
      hint="A number and its unit, such as 90 s, 30 min or 2 h. Left empty, the server's limit holds."
      problems={problems}
      control={(attributes) => (
        <input {...attributes} value={values.timeout} maxlength={32} autocomplete="off" spellcheck={false} />
      )}
    />
  );
}

function MemoryField({ values, problems }: LimitProps) {
  return (
    <Field
      name="memoryLimit"
      label="Memory limit of a run, in MiB"
      hint="For the CLI and everything that it starts; a run that needs more is ended. Left empty, the server's limit holds."
      problems={problems}
      control={(attributes) => (
        <input
          {...attributes}
          value={values.memoryLimit}
          inputmode="numeric"
          maxlength={32}
          autocomplete="off"
        />
      )}
    />
  );
}

/** Of a CLI that takes none it is shown only to be emptied. */
function isMcpShown({ findings, values, problems }: LimitProps): boolean {
  const hasText = values.mcpConfigPath !== "" || problems["mcpConfigPath"] !== undefined;
  return hasText || findings.length === 0 || findings.some(({ takesMcpConfig }) => takesMcpConfig);
}

function McpField({ findings, values, problems }: LimitProps) {
  const without = findings.filter(({ takesMcpConfig }) => !takesMcpConfig);
  const names = without.map(({ report }) => cliNameShown(report));
  const others = names.length === 0 ? "" : ` Not for ${orShown.format(names)}.`;
  return (
    <Field
      name="mcpConfigPath"
      label="MCP servers"
      hint={`The path of a JSON file that names them, handed to the CLI beside those of your own settings.${others}`}
      problems={problems}
      control={(attributes) => (
        <input
          {...attributes}
          value={values.mcpConfigPath}
          maxlength={4096}
          autocapitalize="none"
          autocomplete="off"
          spellcheck={false}
        />
      )}
    />
  );
}

function MetadataField({ values, problems }: LimitProps) {
  return (
    <Field
      name="metadata"
      label="Data of your own"
      hint={
        <>
          A JSON object, such as <code>{'{"team": "web"}'}</code>. It is kept with the agent for your
          programs; Headway itself doesn't use it.
        </>
      }
      problems={problems}
      control={(attributes) => (
        <textarea {...attributes} rows={4} spellcheck={false}>
          {textareaText(values.metadata)}
        </textarea>
      )}
    />
  );
}
