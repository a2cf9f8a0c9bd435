import type { Child } from "hono/jsx";
import type { Agent } from "../../domain/agent.ts";
import type { BreakerReport } from "../../domain/breaker.ts";
import { type AgentFormProps, fieldLabels } from "./agent-form.tsx";
import { AgentTrouble } from "./agent-trouble.tsx";
import { cliNameShown } from "./cli-choice.ts";
import { elementIds } from "../element-ids.ts";
import { FolderChoice } from "./folder-choice.tsx";
import { FieldProblem, type FieldProblems } from "../forms.tsx";
import { type Frame, Page } from "../layout.tsx";
import { LimitFields } from "./limit-fields.tsx";
import { FilePolicyChoice, InstructionsField, ModelField, PermissionChoice } from "./manner-fields.tsx";
import { ProblemSummary } from "./problem-summary.tsx";
import { TimeShown } from "../time-shown.tsx";
import { plural } from "../wording.ts";

/** The two sections below the form, whose problems are told in the same summary. */
const sectionLabels = { endSession: "New conversation", delete: "Delete the agent" } as const;

export function AgentSettingsPage(props: {
  frame: Frame;
  agent: Agent;
  /** Null where it is closed. */
  breaker: BreakerReport | null;
  form: AgentFormProps;
  /** True right after a change was saved. */
  saved: boolean;
}) {
  const { frame, agent, breaker, form, saved } = props;
  const { problems } = form;
  const hasProblems = Object.keys(problems).length > 0;
  return (
    <Page frame={frame} section="agents" title={`${hasProblems ? "Problem: " : ""}Settings of ${agent.id}`}>
      <h1>Settings of {agent.id}</h1>
      <p class="pager">
        <a href={`/agents/${agent.id}`}>Back to {agent.id}</a>
      </p>
      {saved && (
        <p class="saved" role="status">
          Saved. It holds from the next run on.
        </p>
      )}
      <div class="agent-trouble">
        <AgentTrouble agent={agent} breaker={breaker} from="settings" />
      </div>
      <ProblemSummary problems={problems} labels={{ ...fieldLabels, ...sectionLabels }} />
      <SettingsForm agent={agent} form={form} />
      <EndConversation agent={agent} problems={problems} />
      <DeleteAgent agent={agent} problems={problems} />
    </Page>
  );
}

function SettingsForm({ agent, form }: { agent: Agent; form: AgentFormProps }) {
  return (
    <form method="post" action={`/agents/${agent.id}/settings`} class="stack agent-form">
      <input type="hidden" name="seen" value={agent.updatedAt} />
      <dl class="facts-table">
        <Fact name="Name">{agent.id}</Fact>
        <Fact name="CLI">{cliNameShown(agent)}</Fact>
        <Fact name="Made">
          <TimeShown at={agent.createdAt} />
        </Fact>
      </dl>
      <p class="hint">
        What you change holds from the next run on; a run in progress goes on as it began. Where the CLI can't
        change something within its session (its instructions, say), the next run begins a fresh one that is
        told the conversation so far.
      </p>
      <FolderChoice {...form} />
      <PermissionChoice {...form} />
      <FilePolicyChoice {...form} />
      <ModelField {...form} />
      <InstructionsField {...form} />
      <LimitFields {...form} />
      <div class="form-end">
        <button class="primary">Save</button>
      </div>
    </form>
  );
}

function Fact({ name, children }: { name: string; children: Child }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function EndConversation({ agent, problems }: { agent: Agent; problems: FieldProblems }) {
  return (
    <Deed
      agent={agent}
      name="endSession"
      problems={problems}
      action={`/agents/${agent.id}/end-session`}
      button={<button>New conversation</button>}
    >
      The next message begins a new conversation, of which {agent.id} knows nothing but its settings. The old
      one is kept and can be read and searched.
    </Deed>
  );
}

function DeleteAgent({ agent, problems }: { agent: Agent; problems: FieldProblems }) {
  return (
    <Deed
      agent={agent}
      name="delete"
      problems={problems}
      action={`/agents/${agent.id}/delete`}
      button={<button class="danger">Delete {agent.id}</button>}
    >
      Its settings go for good. Its conversations are kept and can be read and searched; its folder and what
      is in it are not touched. A new agent of this name starts empty.
    </Deed>
  );
}

/** Plain forms even with scripts: both lead to another page. */
function Deed(props: {
  agent: Agent;
  name: keyof typeof sectionLabels;
  problems: FieldProblems;
  action: string;
  button: Child;
  children: Child;
}) {
  const { agent, name, problems, action, button, children } = props;
  return (
    <section class="card stack" aria-label={sectionLabels[name]}>
      <h2>{sectionLabels[name]}</h2>
      <p>{children}</p>
      <form method="post" action={action} class="stack">
        <input type="hidden" name="from" value="settings" />
        <label class="choice">
          <input
            id={elementIds.field(name)}
            type="checkbox"
            name="force"
            value="yes"
            aria-describedby={problems[name] === undefined ? undefined : elementIds.fieldProblem(name)}
          />
          <span>Also stop what runs and take back what waits{openShown(agent)}</span>
        </label>
        <FieldProblem name={name} problems={problems} />
        {button}
      </form>
    </section>
  );
}

/** " (1 run in progress, 2 messages waiting)". */
function openShown({ activeRunId, queueLength }: Agent): string {
  const parts = [
    ...(activeRunId === null ? [] : ["1 run in progress"]),
    ...(queueLength === 0 ? [] : [`${plural(queueLength, "message")} waiting`]),
  ];
  return parts.length === 0 ? "" : ` (${parts.join(", ")})`;
}
