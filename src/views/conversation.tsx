import type { Child } from "hono/jsx";
import type { Agent } from "../domain/agent.ts";
import type { Turn } from "../domain/conversation.ts";
import { preview } from "../domain/run.ts";
import { StatusChip } from "./agents-page.tsx";
import { elementIds } from "./element-ids.ts";
import { ActionForm } from "./forms.tsx";
import { TimeShown } from "./time-shown.tsx";
import { cut, plural } from "./wording.ts";

const promptCharsMax = 32_768;

/** All that the stream keeps up to date: the turns, and after them the messages that wait. */
export function ConversationView(props: {
  agentId: string;
  turns: Child;
  waiting: readonly Turn[];
  empty: Child | null;
  /** The seq before which older turns are; null when there are none. */
  nextBefore: number | null;
}) {
  const { agentId, nextBefore } = props;
  return (
    <section id={elementIds.conversation} class="conversation">
      {/* The headings of answers stand below it. */}
      <h2 class="unseen">Conversation</h2>
      {nextBefore !== null && (
        <p class="pager">
          <a href={`/agents/${agentId}?before=${nextBefore}`}>Older turns</a>
        </p>
      )}
      <div id={elementIds.turns}>{props.turns}</div>
      {props.empty}
      <WaitingList waiting={props.waiting} />
    </section>
  );
}

/** What a person wrote, as they wrote it. */
export function UserTurn({ turn }: { turn: Turn }) {
  const shown = cut(turn.content, promptCharsMax);
  return (
    <article class="turn user" id={elementIds.turn(turn.id)} aria-label="You wrote">
      <header class="turn-head">
        <span class="who">you</span>
        <TimeShown at={turn.createdAt} />
      </header>
      <p class="said">{shown.text}</p>
      {shown.missing > 0 && (
        <p class="hint">
          … and {plural(shown.missing, "character")} more{" "}
          {turn.runId !== null && <a href={`/runs/${turn.runId}`}>in the run</a>}
        </p>
      )}
    </article>
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
          {turn.runId !== null && (
            <ActionForm action={`/runs/${turn.runId}/cancel`} label="Take back" class="quiet" from="agent" />
          )}
        </li>
      ))}
    </ol>
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
      {agent.cli === "demo" && (
        <p class="hint">
          The demo agent is no model. Ask it for <em>markdown</em>, for <em>code</em>, for a <em>tool</em>{" "}
          call or for a <em>slow</em> answer.
        </p>
      )}
    </div>
  );
}
