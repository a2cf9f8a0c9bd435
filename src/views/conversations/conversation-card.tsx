import type {
  ConversationGlance,
  ConversationHead,
  ConversationListItem,
  Match,
} from "../../domain/conversation.ts";
import { CliChip } from "../agents/agents-page.tsx";
import { MarkedSnippet } from "./marked-snippet.tsx";
import { TimeShown } from "../time-shown.tsx";
import { turnPath } from "../chat/turn-link.tsx";
import { conversationStatesShown, plural } from "../wording.ts";

export interface FoundConversation {
  item: ConversationListItem;
  /** Null when it was deleted while it was looked for. */
  glance: ConversationGlance | null;
}

/** One conversation in a list, with the turns in which the words were found, or with its first lines. */
export function ConversationCard({ item, glance }: FoundConversation) {
  const { id, matches } = item;
  const firstLines = glance?.firstLines ?? "";
  return (
    <li class="result" id={`found-${id}`}>
      <h2 class="result-title">
        <a href={`/conversations/${id}`}>
          <ConversationTitle title={item.title} />
        </a>
      </h2>
      <ConversationFacts head={item} glance={glance} />
      {matches === undefined && firstLines !== "" && (
        <p class="first-lines">
          <bdi>{firstLines}</bdi>
        </p>
      )}
      {matches !== undefined && <Matches conversationId={id} matches={matches} />}
    </li>
  );
}

/** `bdi`, so that a title can't turn the direction of what stands around it. */
export function ConversationTitle({ title }: { title: string }) {
  return title.trim() === "" ? <>Untitled</> : <bdi>{title}</bdi>;
}

function ConversationFacts({ head, glance }: { head: ConversationHead; glance: ConversationGlance | null }) {
  return (
    <p class="facts">
      <AgentName head={head} agentLives={glance?.agentLives ?? false} /> <CliChip cli={head.cli} />{" "}
      <StateChip status={head.status} running={glance?.running} failed={glance?.failed} /> ·{" "}
      {plural(head.turnCount, "turn")} · changed <TimeShown at={head.updatedAt} />
    </p>
  );
}

/** Leads to the chat, or, when the agent was deleted, to all that it has left. */
export function AgentName({ head, agentLives }: { head: ConversationHead; agentLives: boolean }) {
  const { agentId } = head;
  if (agentLives) return <a href={`/agents/${agentId}`}>{agentId}</a>;
  return (
    <>
      <a href={`/conversations?agent=${agentId}`}>{agentId}</a> (deleted)
    </>
  );
}

/** What is the case, in one chip: at work, or failed last, or else whether it goes on. */
export function StateChip(props: {
  status: ConversationHead["status"];
  running?: boolean | undefined;
  failed?: boolean | undefined;
}) {
  const { status, running = false, failed = false } = props;
  const state = running ? "running" : failed ? "failed" : status;
  return <span class={`chip state-${state}`}>{conversationStatesShown[state]}</span>;
}

function Matches({ conversationId, matches }: { conversationId: string; matches: readonly Match[] }) {
  return (
    <ul class="matches">
      {matches.map((match) => (
        <li>
          <a class="match" href={turnPath({ conversationId, ...match })}>
            <span class="match-turn">Turn {match.seq}</span> <MarkedSnippet match={match} />
          </a>
        </li>
      ))}
    </ul>
  );
}
