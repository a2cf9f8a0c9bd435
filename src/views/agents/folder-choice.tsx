import type { AgentFormProps } from "./agent-form.tsx";
import { byId, elementIds } from "../element-ids.ts";
import { Field } from "../forms.tsx";

type FolderChoiceProps = Pick<AgentFormProps, "roots" | "folders" | "values" | "problems">;

export function FolderChoice(props: FolderChoiceProps) {
  const { values } = props;
  return (
    <fieldset aria-describedby={elementIds.hint("place")}>
      <legend>Folder</legend>
      <p class="hint" id={elementIds.hint("place")}>
        Where it works: it reads, and as far as it may changes, the files in here.
      </p>
      <label class="choice">
        <input type="radio" name="place" value="new" checked={values.place === "new"} />
        <span>A new folder</span>
      </label>
      <div class="beside">
        <RootField {...props} />
        <NewFolderField {...props} />
      </div>
      <label class="choice">
        <input type="radio" name="place" value="existing" checked={values.place === "existing"} />
        <span>A folder that is there</span>
      </label>
      <div class="beside">
        <ExistingFolder {...props} />
      </div>
    </fieldset>
  );
}

function RootField({ roots, values, problems }: FolderChoiceProps) {
  return (
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
  );
}

function NewFolderField({ values, problems }: FolderChoiceProps) {
  return (
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
          autocomplete="off"
          spellcheck={false}
        />
      )}
    />
  );
}

/** While it is typed in, the suggestions follow into sub-folders. */
function ExistingFolder({ roots, folders, values, problems }: FolderChoiceProps) {
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
