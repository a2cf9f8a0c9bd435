import type { Child } from "hono/jsx";
import { type Cli, cliSchema } from "../../domain/agent.ts";
import { conversationStates } from "../../domain/conversation.ts";
import { searchFields, type SearchField, type SearchValues } from "./conversation-search.ts";
import { byId, elementIds } from "../element-ids.ts";
import { type FieldAttributes, type FieldProblems, Problem } from "../forms.tsx";
import { cliNamesShown, conversationStatesShown } from "../wording.ts";

/** Longest search; the field takes no more. */
export const searchCharsMax = 500;

/** Words are looked for shortly after the last key, filters when one was set. */
const searchWhen = `input delay:250ms target:${byId(elementIds.field("q"))}, change target:.filter, submit`;

export interface SearchFormProps {
  values: SearchValues;
  problems: FieldProblems;
  /** Names to choose from. */
  agentIds: readonly string[];
  clis: readonly Cli[];
}

/**
 * A plain form; with scripts it searches while one types. What comes back never touches the form itself
 * but for the places of its problems, so focus and text stay as they are.
 */
export function SearchForm({ values, problems, agentIds, clis }: SearchFormProps) {
  const hasFilterProblem = Object.keys(problems).some((field) => field !== "q");
  return (
    <form
      id={elementIds.search}
      class="search"
      role="search"
      method="get"
      action="/conversations"
      novalidate
      hx-get="/conversations"
      hx-trigger={searchWhen}
      hx-target={byId(elementIds.found)}
      hx-swap="innerMorph"
      hx-sync="this:replace"
    >
      <div class="search-line">
        <SearchWords q={values.q} problems={problems} />
        <button class="primary">Search</button>
      </div>
      <details class="filters" open={hasFilterProblem}>
        <summary>Filters</summary>
        <Filters values={values} problems={problems} agentIds={agentIds} clis={clis} />
      </details>
    </form>
  );
}

function SearchWords({ q, problems }: { q: string; problems: FieldProblems }) {
  return (
    <FormField
      name="q"
      label="Words"
      problems={problems}
      hint="Looks through everything that was said. The last word may be unfinished, from three letters on."
      control={(attributes) => (
        <input
          {...attributes}
          type="search"
          value={q}
          maxlength={searchCharsMax}
          autocomplete="off"
          spellcheck={false}
          enterkeyhint="search"
        />
      )}
    />
  );
}

function Filters({ values, problems, agentIds, clis }: SearchFormProps) {
  const agents = withChosen(agentIds, values.agent).map((id) => [id, id] as const);
  const chosenCli = cliSchema.safeParse(values.cli);
  const cliChoices = withChosen(clis, chosenCli.data ?? "").map((cli) => [cli, cliNamesShown[cli]] as const);
  const states = conversationStates.map((state) => [state, conversationStatesShown[state]] as const);
  return (
    <div class="filter-fields">
      <Choice name="agent" label="Agent" any="Any agent" choices={agents} {...{ values, problems }} />
      <Choice name="cli" label="CLI" any="Any CLI" choices={cliChoices} {...{ values, problems }} />
      <Choice name="state" label="State" any="Any state" choices={states} {...{ values, problems }} />
      <Day name="from" label="Changed from" {...{ values, problems }} />
      <Day name="to" label="Changed until" {...{ values, problems }} />
      <p class="hint">Both days count, from midnight to midnight UTC.</p>
    </div>
  );
}

/** What was chosen is among the choices, though it may be gone: a deleted agent's name, say. */
function withChosen<T extends string>(choices: readonly T[], chosen: T | ""): readonly T[] {
  return chosen === "" || choices.includes(chosen) ? choices : [...choices, chosen];
}

interface FilterProps {
  name: SearchField;
  label: string;
  values: SearchValues;
  problems: FieldProblems;
}

function Choice(
  props: FilterProps & { any: string; choices: readonly (readonly [value: string, shown: string])[] },
) {
  const { name, label, any, choices, values, problems } = props;
  return (
    <FormField
      name={name}
      label={label}
      problems={problems}
      control={(attributes) => (
        <select {...attributes} class="filter">
          <option value="">{any}</option>
          {choices.map(([value, shown]) => (
            <option value={value} selected={value === values[name]}>
              {shown}
            </option>
          ))}
        </select>
      )}
    />
  );
}

function Day({ name, label, values, problems }: FilterProps) {
  return (
    <FormField
      name={name}
      label={label}
      problems={problems}
      control={(attributes) => <input {...attributes} class="filter" type="date" value={values[name]} />}
    />
  );
}

/** As `Field` of the other forms, but its place for a problem is always there, to be filled later. */
function FormField(props: {
  name: SearchField;
  label: string;
  problems: FieldProblems;
  hint?: string;
  control: (attributes: FieldAttributes) => Child;
}) {
  const { name, label, problems, hint, control } = props;
  const problemId = elementIds.fieldProblem(name);
  const describedBy = hint === undefined ? problemId : `${elementIds.hint(name)} ${problemId}`;
  const attributes: FieldAttributes = {
    id: elementIds.field(name),
    name,
    "aria-describedby": describedBy,
    ...(problems[name] === undefined ? {} : { "aria-invalid": "true" }),
  };
  return (
    <div class="field">
      <label for={elementIds.field(name)}>{label}</label>
      {control(attributes)}
      {hint !== undefined && (
        <p class="hint" id={elementIds.hint(name)}>
          {hint}
        </p>
      )}
      <div class="field-problem" id={problemId}>
        <ProblemOf name={name} problems={problems} />
      </div>
    </div>
  );
}

function ProblemOf({ name, problems }: { name: SearchField; problems: FieldProblems }) {
  const message = problems[name];
  return message === undefined ? null : <Problem message={message} />;
}

/** The problems of all fields, each for its place in a form that is there already. */
export function SearchProblems({ problems }: { problems: FieldProblems }) {
  return (
    <>
      {searchFields.map((name) => (
        <hx-partial hx-target={byId(elementIds.fieldProblem(name))} hx-swap="innerHTML">
          <ProblemOf name={name} problems={problems} />
        </hx-partial>
      ))}
    </>
  );
}
