import type { Child } from "hono/jsx";
import type { Agent } from "../domain/agent.ts";
import type { Turn } from "../domain/conversation.ts";
import { CliChip } from "./agents-page.tsx";
import { AgentStatus, ConversationView, EmptyConversation } from "./conversation.tsx";
import { byId, elementIds } from "./element-ids.ts";
import { Problem, ProblemPlace } from "./forms.tsx";
import { type Frame, Page } from "./layout.tsx";
import { permissionsShown } from "./wording.ts";

export interface ComposerProps {
  agentId: string;
  /** Makes a repeated submit of the same form the same message. */
  idempotencyKey: string;
  text: string;
}

/** The newest turns with a composer and a stream, or, with `before`, an older page that stands still. */
export function AgentPage(props: {
  frame: Frame;
  agent: Agent;
  turns: Child;
  isEmpty: boolean;
  waiting: readonly Turn[];
  before: number | null;
  nextBefore: number | null;
  /** Where the stream goes on from: what this page shows. */
  cursor: string;
  composer: ComposerProps;
  problem: string | null;
}) {
  const { frame, agent, turns, isEmpty, waiting, before, nextBefore, cursor, composer, problem } = props;
  const isNewest = before === null;
  return (
    <Page frame={frame} title={agent.id}>
      <AgentHead agent={agent} />
      <ConversationView
        agentId={agent.id}
        nextBefore={nextBefore}
        turns={turns}
        waiting={waiting}
        empty={isEmpty ? <EmptyConversation agent={agent} /> : null}
      />
      {isNewest && <Stream agentId={agent.id} cursor={cursor} />}
      <div id={elementIds.newest}></div>
      {!isNewest && (
        <p class="pager">
          <a href={`/agents/${agent.id}#${elementIds.newest}`}>Back to the newest turns</a>
        </p>
      )}
      <ProblemPlace>{problem !== null && <Problem message={problem} />}</ProblemPlace>
      {isNewest && <Composer {...composer} />}
      <ManageAgent agent={agent} />
    </Page>
  );
}

function AgentHead({ agent }: { agent: Agent }) {
  return (
    <div class="agent-head">
      <h1>{agent.id}</h1>
      <AgentStatus agent={agent} />
      <CliChip cli={agent.cli} />
      <p class="facts">
        <span class="path">{agent.cwd}</span> · {permissionsShown[agent.permissionMode].title}
        {agent.model !== null && ` · ${agent.model}`}
      </p>
      {agent.status === "quarantined" && (
        <p class="problem">
          Processes of an earlier run could not be ended, so this agent takes no messages until they are gone.
        </p>
      )}
    </div>
  );
}

/**
 * One stream per page, since browsers open six connections to a server and no more. "every" makes up for a
 * first connection that failed; while one is open, hx-sse ignores it.
 */
function Stream({ agentId, cursor }: { agentId: string; cursor: string }) {
  return (
    <div
      class="stream"
      hx-sse:connect={`/agents/${agentId}/stream?after=${encodeURIComponent(cursor)}`}
      hx-trigger="load, every 10s"
      hx-sync="this:drop"
      hx-swap="none"
    ></div>
  );
}

/** Enter sends where there is a keyboard; `app.js` sees to that and empties the field once it was taken. */
export function Composer({ agentId, idempotencyKey, text }: ComposerProps) {
  const action = `/agents/${agentId}/turns`;
  return (
    <form
      id={elementIds.composer}
      class="composer"
      method="post"
      action={action}
      hx-post={action}
      hx-target={byId(elementIds.problem)}
      hx-disable="find button"
    >
      <input type="hidden" name="key" value={idempotencyKey} />
      <label for={elementIds.composerText} class="unseen">
        Message to {agentId}
      </label>
      <textarea
        id={elementIds.composerText}
        name="prompt"
        rows={2}
        required
        placeholder={`Message to ${agentId}`}
        enterkeyhint="send"
      >
        {text}
      </textarea>
      <button class="primary">Send</button>
    </form>
  );
}

function ManageAgent({ agent }: { agent: Agent }) {
  return (
    <details class="manage">
      <summary>Manage this agent</summary>
      <div class="card stack">
        <ManageAction action={`/agents/${agent.id}/end-session`} label="End the conversation" button="quiet">
          The next message starts a new one; {agent.id} won't remember this one. It is kept.
        </ManageAction>
        <ManageAction action={`/agents/${agent.id}/delete`} label="Delete the agent" button="danger">
          Its conversations are kept; its folder and what is in it are not touched.
        </ManageAction>
      </div>
    </details>
  );
}

/** Plain forms even with scripts: both lead to another page. */
function ManageAction(props: { action: string; label: string; button: string; children: Child }) {
  return (
    <form method="post" action={props.action} class="stack">
      <p>{props.children}</p>
      <label class="choice">
        <input type="checkbox" name="force" value="yes" />{" "}
        <span>Also stop what runs and take back what waits</span>
      </label>
      <button class={props.button}>{props.label}</button>
    </form>
  );
}

/** Takes the place of everything when the agent is deleted while somebody looks at it. */
export function AgentGone({ agentId }: { agentId: string }) {
  return (
    <section class="card narrow">
      <h1>{agentId} is gone</h1>
      <p>This agent was deleted.</p>
      <p>
        <a href="/">Back to the agents</a>
      </p>
    </section>
  );
}
