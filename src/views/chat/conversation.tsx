import type { Child } from "hono/jsx";
import type { Agent } from "../../domain/agent.ts";
import type { Turn } from "../../domain/conversation.ts";
import { preview } from "../../domain/run.ts";
import { StatusChip } from "../agents/agents-page.tsx";
import { byId, elementIds } from "../element-ids.ts";
import { ActionForm } from "../forms.tsx";
import { TimeShown } from "../time-shown.tsx";
import { TurnLink } from "./turn-link.tsx";
import { cut, plural } from "../wording.ts";

/** A longer message is folded after its beginning, and cut at its most. */
const promptCharsUnfolded = 3_000;
const promptCharsMax = 32_768;

/** Turns before those that are shown. */
export interface OlderTurns {
  conversationId: string;
  /** The seq of the oldest turn that is shown. */
  before: number;
}

/** All that the stream keeps up to date: the turns, and after them the messages that wait. */
export function ConversationView(props: {
  turns: Child;
  waiting: readonly Turn[];
  empty: Child | null;
  older: OlderTurns | null;
}) {
  return (
    <section id={elementIds.conversation} class="conversation">
      {/* The headings of answers stand below it. */}
      <h2 class="unseen">Conversation</h2>
      <Older older={props.older} />
      <div id={elementIds.turns}>{props.turns}</div>
      {props.empty}
      <WaitingList waiting={props.waiting} />
    </section>
  );
}

/** `app.js` loads them when the reader comes near; without scripts the reading view has the older turns. */
export function Older({ older }: { older: OlderTurns | null }) {
  if (older === null) return <p id={elementIds.older} class="older" hidden></p>;
  const { conversationId, before } = older;
  return (
    <p id={elementIds.older} class="older">
      <a
        href={`/conversations/${conversationId}?at=${before - 1}`}
        hx-get={`/fragments/conversations/${conversationId}/turns?before=${before}`}
        hx-target={byId(elementIds.older)}
        hx-swap="outerHTML"
        hx-sync="this:drop"
      >
        Older turns
      </a>
    </p>
  );
}

/** What a person wrote, as they wrote it. */
export function UserTurn({ turn }: { turn: Turn }) {
  const { id: turnId, conversationId, seq, runId, content } = turn;
  return (
    <article class="turn user" aria-label="You wrote">
      <header class="turn-head">
        <h3 class="who">you</h3>
        <TimeShown at={turn.createdAt} />
        {seq !== null && <TurnLink place={{ conversationId, seq, turnId }} />}
      </header>
      <Said text={content} whole={runId === null ? null : `/runs/${runId}`} />
    </article>
  );
}

function Said({ text, whole }: { text: string; whole: string | null }) {
  const { text: beginning, missing } = cut(text, promptCharsUnfolded);
  if (missing === 0) return <p class="said">{text}</p>;
  const rest = cut(text.slice(beginning.length), promptCharsMax - promptCharsUnfolded);
  return (
    <div class="said">
      {beginning}
      <details class="fold">
        <summary>{plural(missing, "character")} more</summary>
        {rest.text}
        {rest.missing > 0 && (
          <span class="hint">
            {" "}
            … and {plural(rest.missing, "character")} more {whole !== null && <a href={whole}>in the run</a>}
          </span>
        )}
      </details>
    </div>
  );
}

/** Messages that wait for the agent, in the order in which it will take them. */
export function WaitingList({ waiting }: { waiting: readonly Turn[] }) {
  return (
    <ol id={elementIds.waiting} class="waiting" aria-label="Waiting messages">
      {waiting.map((turn, index) => (
        <li class="turn user pending" id={elementIds.turn(turn.id)}>
          <span class="chip">waits, place {index + 1}</span>
          <p class="said">{preview(turn.content)}</p>
          {turn.runId !== null && <WaitingActions runId={turn.runId} />}
        </li>
      ))}
    </ol>
  );
}

/** To edit a message is to take it back and to find its text in the composer. */
function WaitingActions({ runId }: { runId: string }) {
  return (
    <div class="waiting-actions">
      <form class="action" method="post" action={`/runs/${runId}/edit`}>
        <button class="quiet">Edit</button>
      </form>
      <ActionForm action={`/runs/${runId}/cancel`} label="Take back" class="quiet" from="agent" />
    </div>
  );
}

export function AgentStatus({ agent }: { agent: Agent }) {
  return (
    <span id={elementIds.agentStatus} role="status">
      <StatusChip agent={agent} />
    </span>
  );
}

/** What stands in an empty conversation. */
export function EmptyConversation({ agent }: { agent: Agent }) {
  return (
    <div id={elementIds.empty} class="empty">
      <p>Nothing has been said yet.</p>
      <p class="hint">
        {agent.cli === "demo" ? (
          <>
            The demo agent is no model. Ask it for <em>markdown</em>, for <em>code</em>, for a <em>tool</em>{" "}
            call or for a <em>slow</em> answer.
          </>
        ) : (
          <>
            {agent.id} works in <span class="path">{agent.cwd}</span>. Say what you want done.
          </>
        )}
      </p>
    </div>
  );
}
