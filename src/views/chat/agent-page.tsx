import type { Child } from "hono/jsx";
import type { Agent } from "../../domain/agent.ts";
import type { ConversationHead, Turn } from "../../domain/conversation.ts";
import type { BreakerReport } from "../../domain/breaker.ts";
import { agentStatus, permissionsShown } from "../wording.ts";
import { AgentTrouble } from "../agents/agent-trouble.tsx";
import { CliChip } from "../agents/agents-page.tsx";
import { AgentStatus, ConversationView, EmptyConversation, type OlderTurns } from "./conversation.tsx";
import { byId, elementIds } from "../element-ids.ts";
import { ActionForm, Problem, ProblemPlace } from "../forms.tsx";
import { type Frame, Page } from "../layout.tsx";
import { ResumeCommand } from "./resume-command.tsx";

export interface ComposerProps {
  agentId: string;
  /** Makes a repeated submit of the same form the same message. */
  idempotencyKey: string;
  text: string;
}

/** The newest turns of an agent's conversation, with a composer. */
export function AgentPage(props: {
  frame: Frame;
  agent: Agent;
  /** Null where it is closed. */
  breaker: BreakerReport | null;
  conversation: ConversationHead | null;
  turns: Child;
  isEmpty: boolean;
  waiting: readonly Turn[];
  older: OlderTurns | null;
  /** Where the stream goes on from: what this page shows. */
  cursor: string;
  composer: ComposerProps;
  problem: string | null;
}) {
  const { frame, agent, breaker, conversation, turns, isEmpty, waiting, older, cursor, composer, problem } =
    props;
  return (
    <Page frame={frame} title={agent.id} section="agents" following={{ view: `agent/${agent.id}`, cursor }}>
      <AgentHead agent={agent} conversation={conversation} />
      <ConversationView
        turns={turns}
        waiting={waiting}
        older={older}
        empty={isEmpty ? <EmptyConversation agent={agent} /> : null}
      />
      <div id={elementIds.newest}></div>
      <ChatTrouble agent={agent} breaker={breaker} />
      <ProblemPlace>{problem !== null && <Problem message={problem} />}</ProblemPlace>
      <Composer {...composer} agent={agent} />
    </Page>
  );
}

function AgentHead({ agent, conversation }: { agent: Agent; conversation: ConversationHead | null }) {
  return (
    <div class="agent-head" id={elementIds.agentHead}>
      <h1>{agent.id}</h1>
      <AgentStatus agent={agent} />
      <CliChip cli={agent.cli} acpAgent={agent.acpAgent} />
      <div class="agent-actions">
        <ActionForm
          action={`/agents/${agent.id}/end-session`}
          label="New conversation"
          class="quiet"
          from="agent"
        />
        <details class="menu">
          <summary>More</summary>
          <div class="card" id={elementIds.conversationTools}>
            <ConversationTools agent={agent} conversation={conversation} />
          </div>
        </details>
      </div>
      <p class="facts">
        <a href="/">All agents</a> · <span class="path">{agent.cwd}</span> · permission:{" "}
        {permissionsShown[agent.permissionMode].title}
        {agent.model !== null && ` · ${agent.model}`}
      </p>
    </div>
  );
}

/** Why the agent takes no messages; empty while it does. */
export function ChatTrouble({ agent, breaker }: { agent: Agent; breaker: BreakerReport | null }) {
  return (
    <div id={elementIds.agentTrouble} class="agent-trouble" role="status">
      <AgentTrouble agent={agent} breaker={breaker} from="agent" />
    </div>
  );
}

/** For who is about to write. */
export function ComposerNotice({ agent }: { agent: Pick<Agent, "id" | "status" | "breaker"> }) {
  const status = agentStatus(agent);
  const isShut = status === "quarantined" || status === "breaker_open";
  return (
    <p id={elementIds.composerNotice} class="composer-notice">
      {isShut && `${agent.id} takes no messages now. What you write stays here until it does.`}
    </p>
  );
}

/** What else can be done with the agent and the conversation that is shown. */
export function ConversationTools(props: { agent: Agent; conversation: ConversationHead | null }) {
  const { agent, conversation } = props;
  return (
    <ul class="menu-list">
      <li>
        <a href={`/agents/${agent.id}/settings`}>Settings of {agent.id}</a>
      </li>
      <li>
        <a href={`/conversations?agent=${agent.id}`}>All its conversations</a>
      </li>
      {conversation !== null && (
        <>
          <li>
            <a href={`/conversations/${conversation.id}`}>Read this one</a>
          </li>
          <li>
            Export: <ExportLinks conversationId={conversation.id} />
          </li>
          {agent.cli !== "demo" && (
            <li>
              <ResumeCommand {...agent} cliSessionId={conversation.cliSessionId} />
            </li>
          )}
        </>
      )}
      <li hidden data-notify>
        <button type="button" class="quiet">
          Notify me when it is done
        </button>
      </li>
    </ul>
  );
}

const exportFormats = [
  ["md", "Markdown"],
  ["json", "JSON"],
  ["jsonl", "JSON Lines"],
] as const;

export function ExportLinks({ conversationId }: { conversationId: string }) {
  return (
    <>
      {exportFormats.map(([format, name], index) => (
        <>
          {index > 0 && ", "}
          <a href={`/api/conversations/${conversationId}/export?format=${format}`} download>
            {name}
          </a>
        </>
      ))}
    </>
  );
}

/** The keys are `app.js`'s, which also keeps a draft and empties the field once it was taken. */
function Composer({ agentId, idempotencyKey, text, agent }: ComposerProps & { agent: Agent }) {
  const action = `/agents/${agentId}/turns`;
  return (
    <form
      id={elementIds.composer}
      class="composer"
      method="post"
      action={action}
      hx-post={action}
      hx-target={byId(elementIds.problem)}
      hx-disable="find button.primary"
      data-draft={agentId}
    >
      <button type="button" class="new-below" hidden data-to-end></button>
      <ComposerKey idempotencyKey={idempotencyKey} />
      <ComposerNotice agent={agent} />
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
        aria-describedby={`${elementIds.composerNotice} ${elementIds.composerKeys}`}
      >
        {text}
      </textarea>
      <button class="primary">Send</button>
      <p class="keys" id={elementIds.composerKeys}>
        <kbd>Enter</kbd> sends, <kbd>Shift Enter</kbd> breaks the line, <kbd>↑</kbd> brings the last message
        back, <kbd>Esc</kbd> asks to stop
      </p>
    </form>
  );
}

/** Makes a repeated submit of one text the same message. */
export function ComposerKey({ idempotencyKey }: { idempotencyKey: string }) {
  return <input type="hidden" name="key" id={elementIds.composerKey} value={idempotencyKey} />;
}

/** Takes the place of everything when the agent is deleted while somebody looks at it. */
export function AgentGone({ agentId }: { agentId: string }) {
  return (
    <section class="card narrow">
      <h1>{agentId} is gone</h1>
      <p>This agent was deleted; its conversations are kept.</p>
      <p>
        <a href="/">Back to the agents</a> · <a href={`/conversations?agent=${agentId}`}>its conversations</a>
      </p>
    </section>
  );
}
