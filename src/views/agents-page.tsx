import type { Agent } from "../domain/agent.ts";
import { AgentForm, type AgentFormProps } from "./agent-form.tsx";
import { byId, elementIds } from "./element-ids.ts";
import { type Frame, Page } from "./layout.tsx";
import { cliNamesShown, statusShown } from "./wording.ts";

/** All agents at a glance, and the form for another one. */
export function AgentsPage(props: {
  frame: Frame;
  agents: readonly Agent[];
  more: boolean;
  form: AgentFormProps;
}) {
  const { frame, agents, more, form } = props;
  return (
    <Page frame={frame} title="">
      <h1>Agents</h1>
      {agents.length === 0 ? <FirstSteps /> : <AgentList agents={agents} more={more} />}
      <AgentForm {...form} />
    </Page>
  );
}

/** One click to something that answers. */
function FirstSteps() {
  return (
    <section class="card welcome">
      <p>
        An agent is a coding assistant with a folder to work in. The demo agent is a small program that comes
        with Headway: it needs no account and costs nothing, and shows how talking to one feels.
      </p>
      <form method="post" action="/demo-agent">
        <button class="primary">Start with a demo agent</button>
      </form>
    </section>
  );
}

/** Asks for itself anew every few seconds, so that statuses stay true. */
export function AgentList({ agents, more }: { agents: readonly Agent[]; more: boolean }) {
  return (
    <section
      id={elementIds.agents}
      aria-label="Your agents"
      hx-get="/fragments/agents"
      hx-trigger="every 4s"
      hx-target={byId(elementIds.agents)}
      hx-swap="outerMorph"
    >
      <ul class="agents">
        {agents.map((agent) => (
          <AgentItem agent={agent} />
        ))}
      </ul>
      {more && <p class="hint">There are more agents than this page shows; the API lists them all.</p>}
    </section>
  );
}

function AgentItem({ agent }: { agent: Agent }) {
  return (
    <li class="card agent" id={`agent-${agent.id}`}>
      <a class="agent-name" href={`/agents/${agent.id}`}>
        {agent.id}
      </a>
      <StatusChip agent={agent} />
      <CliChip cli={agent.cli} />
      <span class="facts">
        {agent.commMode} · <span class="path">{agent.cwd}</span>
      </span>
    </li>
  );
}

export function StatusChip({ agent }: { agent: Pick<Agent, "status" | "queueLength"> }) {
  return <span class={`chip status-${agent.status}`}>{statusShown(agent)}</span>;
}

export function CliChip({ cli }: { cli: Agent["cli"] }) {
  return <span class={`chip cli-${cli}`}>{cliNamesShown[cli]}</span>;
}
