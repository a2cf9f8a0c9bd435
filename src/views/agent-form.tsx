import { type Cli, permissionModes } from "../domain/agent.ts";
import { byId, elementIds } from "./element-ids.ts";
import { Field, FieldProblem, type FieldProblems } from "./forms.tsx";
import { cliNamesShown, permissionsShown } from "./wording.ts";

/** A CLI that this release can run, as it was found on this machine. */
export interface CliChoice {
  cli: Cli;
  found: boolean;
  version: string | null;
  signedIn: "yes" | "no" | "unknown";
  permissionModes: readonly string[];
  notes: readonly string[];
}

/** What was typed, kept when the form comes back with problems. */
export interface AgentFormValues {
  id: string;
  cli: string;
  place: "new" | "existing";
  root: string;
  newFolder: string;
  folder: string;
  permissionMode: string;
  model: string;
  systemPrompt: string;
}

export interface AgentFormProps {
  choices: readonly CliChoice[];
  roots: readonly string[];
  folders: readonly string[];
  values: AgentFormValues;
  problems: FieldProblems;
  /** Open at once: there is nothing else on the page, or something has to be put right. */
  open: boolean;
}

export function AgentForm(props: AgentFormProps) {
  const { problems, open, values } = props;
  return (
    <details class="card" open={open}>
      <summary>Create an agent</summary>
      <form method="post" action="/agents" class="stack">
        {Object.keys(problems).length > 0 && (
          <p class="problem" role="alert">
            {problems[""] ?? "Some values can't be used; what is wrong stands beside them."}
          </p>
        )}
        <Field
          name="id"
          label="Name"
          hint="Lower-case letters, digits, - and _. It stays as it is."
          problems={problems}
          control={(attributes) => (
            <input
              {...attributes}
              value={values.id}
              required
              maxlength={63}
              autocapitalize="none"
              spellcheck={false}
            />
          )}
        />
        <CliChoices {...props} />
        <FolderChoice {...props} />
        <PermissionChoice {...props} />
        <Extras {...props} />
        <button class="primary">Create agent</button>
      </form>
    </details>
  );
}

function CliChoices({ choices, values, problems }: AgentFormProps) {
  return (
    <fieldset>
      <legend>CLI</legend>
      {choices.map((choice) => (
        <label class="choice">
          <input
            type="radio"
            name="cli"
            value={choice.cli}
            checked={values.cli === choice.cli}
            disabled={!choice.found}
            required
          />
          <span>
            <strong>{cliNamesShown[choice.cli]}</strong> <CliFindings choice={choice} />
          </span>
        </label>
      ))}
      <FieldProblem name="cli" problems={problems} />
    </fieldset>
  );
}

function CliFindings({ choice }: { choice: CliChoice }) {
  const { found, version, signedIn, notes } = choice;
  return (
    <>
      {found && version !== null && <span class="facts">{version}</span>}
      {!found && <span class="hint">was not found on this machine.</span>}
      {found && signedIn === "no" && <span class="hint">is not signed in yet</span>}
      {notes.map((note) => (
        <span class="hint">{note}</span>
      ))}
    </>
  );
}

function FolderChoice({ roots, folders, values, problems }: AgentFormProps) {
  return (
    <fieldset>
      <legend>Folder</legend>
      <label class="choice">
        <input type="radio" name="place" value="new" checked={values.place === "new"} />
        <span>A new folder</span>
      </label>
      <div class="beside">
        <Field
          name="root"
          label="in"
          problems={problems}
          control={(attributes) => (
            <select {...attributes}>
              {roots.map((root) => (
                <option value={root} selected={root === values.root}>
                  {root}
                </option>
              ))}
            </select>
          )}
        />
        <Field
          name="newFolder"
          label="called"
          problems={problems}
          control={(attributes) => (
            <input
              {...attributes}
              value={values.newFolder}
              placeholder="like the agent"
              maxlength={255}
              autocapitalize="none"
              spellcheck={false}
            />
          )}
        />
      </div>
      <label class="choice">
        <input type="radio" name="place" value="existing" checked={values.place === "existing"} />
        <span>A folder that is there</span>
      </label>
      <div class="beside">
        <ExistingFolder folders={folders} roots={roots} values={values} problems={problems} />
      </div>
    </fieldset>
  );
}

/** While it is typed in, the suggestions follow into sub-folders. */
function ExistingFolder(props: Pick<AgentFormProps, "folders" | "roots" | "values" | "problems">) {
  const { folders, roots, values, problems } = props;
  return (
    <>
      <Field
        name="folder"
        label="whose path is"
        hint={`At or below ${roots.join(" or ")}.`}
        problems={problems}
        control={(attributes) => (
          <input
            {...attributes}
            value={values.folder}
            list={elementIds.folders}
            maxlength={4096}
            autocapitalize="none"
            autocomplete="off"
            spellcheck={false}
            hx-get="/fragments/folders"
            hx-trigger="input changed delay:150ms"
            hx-target={byId(elementIds.folders)}
            hx-sync="this:replace"
          />
        )}
      />
      <datalist id={elementIds.folders}>
        <FolderOptions folders={folders} />
      </datalist>
    </>
  );
}

export function FolderOptions({ folders }: { folders: readonly string[] }) {
  return (
    <>
      {folders.map((folder) => (
        <option value={folder} />
      ))}
    </>
  );
}

function PermissionChoice({ choices, values, problems }: AgentFormProps) {
  return (
    <fieldset>
      <legend>What it may do</legend>
      {permissionModes.map((mode) => (
        <label class="choice">
          <input type="radio" name="permissionMode" value={mode} checked={values.permissionMode === mode} />
          <span>
            <strong>{permissionsShown[mode].title}</strong>{" "}
            <span class="hint">
              {permissionsShown[mode].meaning}
              {choices
                .filter((choice) => choice.found && !choice.permissionModes.includes(mode))
                .map(({ cli }) => ` Not available for ${cliNamesShown[cli]} here.`)}
            </span>
          </span>
        </label>
      ))}
      <FieldProblem name="permissionMode" problems={problems} />
    </fieldset>
  );
}

function Extras({ values, problems }: AgentFormProps) {
  const open = [values.model, values.systemPrompt].some((value) => value !== "");
  return (
    <details open={open || problems["model"] !== undefined || problems["systemPrompt"] !== undefined}>
      <summary>Model and instructions (optional)</summary>
      <Field
        name="model"
        label="Model"
        hint="As the CLI calls it. Left empty, the CLI chooses."
        problems={problems}
        control={(attributes) => (
          <input
            {...attributes}
            value={values.model}
            maxlength={128}
            autocapitalize="none"
            spellcheck={false}
          />
        )}
      />
      <Field
        name="systemPrompt"
        label="Instructions"
        hint="Added to what the CLI tells its model about itself."
        problems={problems}
        control={(attributes) => (
          <textarea {...attributes} rows={4} maxlength={65_536}>
            {values.systemPrompt}
          </textarea>
        )}
      />
    </details>
  );
}
