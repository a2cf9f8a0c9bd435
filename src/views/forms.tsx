import type { Child } from "hono/jsx";
import { byId, elementIds } from "./element-ids.ts";

/** A page from which something is done. */
export type ReturnPlace = "agent" | "board" | "health" | "run" | "settings";

/**
 * A button that changes something. Without scripts it is a plain form whose answer is a page; with them
 * the answer is empty, and only a refusal shows, in the page's place for problems.
 */
export function ActionForm(props: {
  action: string;
  label: string;
  class?: string;
  /** What it is about, for who hears the button without its surroundings. */
  of?: string;
  /** Where the plain form leads back to. */
  from?: ReturnPlace;
  children?: Child;
}) {
  const { action, label, of, from, children } = props;
  const byScript = {
    "hx-post": action,
    "hx-target": byId(elementIds.problem),
    "hx-disable": "find button",
  };
  // The settings have no stream that would bring what has changed.
  return (
    <form class="action" method="post" action={action} {...(from === "settings" ? {} : byScript)}>
      {from && <input type="hidden" name="from" value={from} />}
      {children}
      <button class={props.class}>
        {label}
        {of !== undefined && <span class="unseen"> ({of})</span>}
      </button>
    </form>
  );
}

/** Where refusals of actions appear. */
export function ProblemPlace({ children }: { children?: Child }) {
  return (
    <div id={elementIds.problem} class="problem-place" role="alert">
      {children}
    </div>
  );
}

export function Problem({ message }: { message: string }) {
  return <p class="problem">{message}</p>;
}

/** Problems by the name of the field that they belong to. */
export type FieldProblems = Readonly<Record<string, string>>;

/** A labelled field with its hint and its problem, tied together for screen readers. */
export function Field(props: {
  name: string;
  label: string;
  problems: FieldProblems;
  hint?: Child;
  /** Gets the attributes that tie the control to its label, hint and problem. */
  control: (attributes: FieldAttributes) => Child;
}) {
  const { name, label, hint, problems } = props;
  return (
    <div class="field">
      <label for={elementIds.field(name)}>{label}</label>
      {props.control(fieldAttributes(name, hint !== undefined, problems))}
      {hint !== undefined && (
        <p class="hint" id={elementIds.hint(name)}>
          {hint}
        </p>
      )}
      <FieldProblem name={name} problems={problems} />
    </div>
  );
}

export function FieldProblem({ name, problems }: { name: string; problems: FieldProblems }) {
  const message = problems[name];
  if (message === undefined) return null;
  return (
    <p class="problem" id={elementIds.fieldProblem(name)}>
      {message}
    </p>
  );
}

export interface FieldAttributes {
  id: string;
  name: string;
  "aria-describedby"?: string;
  "aria-invalid"?: "true";
}

function fieldAttributes(name: string, hasHint: boolean, problems: FieldProblems): FieldAttributes {
  const hasProblem = problems[name] !== undefined;
  const describedBy = [
    ...(hasHint ? [elementIds.hint(name)] : []),
    ...(hasProblem ? [elementIds.fieldProblem(name)] : []),
  ];
  return {
    id: elementIds.field(name),
    name,
    ...(describedBy.length > 0 ? { "aria-describedby": describedBy.join(" ") } : {}),
    ...(hasProblem ? { "aria-invalid": "true" as const } : {}),
  };
}
