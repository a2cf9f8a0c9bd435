import type { Child } from "hono/jsx";
import type { ConversationGlance, ConversationHead } from "../../domain/conversation.ts";
import { ExportLinks } from "../chat/agent-page.tsx";
import { CliChip } from "../agents/agents-page.tsx";
import { AgentName, ConversationTitle, StateChip } from "./conversation-card.tsx";
import { byId, elementIds } from "../element-ids.ts";
import { Problem, ProblemPlace } from "../forms.tsx";
import { type Frame, Page } from "../layout.tsx";
import { ResumeCommand } from "../chat/resume-command.tsx";
import { TimeShown } from "../time-shown.tsx";
import { countShown, plural } from "../wording.ts";

/** The turns of this page, by seq; null in a conversation that has none. */
export type ShownSeqs = { from: number; to: number } | null;

/** A conversation to read, a page of its turns at a time. */
export function ConversationPage(props: {
  frame: Frame;
  head: ConversationHead;
  glance: ConversationGlance;
  /** Which ACP agent it is with; null for other CLIs, and where that isn't known any more. */
  acpAgent: string | null;
  /** What answered last, as far as it is known. */
  model: string | null;
  turns: Child;
  shown: ShownSeqs;
  idempotencyKey: string;
  /** Why it wasn't deleted. */
  problem: string | null;
}) {
  const { frame, head, glance, acpAgent, model, turns, shown, idempotencyKey, problem } = props;
  return (
    <Page frame={frame} section="conversations" title={plainLine(head.title)}>
      <p class="pager">
        <a href="/conversations">Conversations</a>
      </p>
      <h1>
        <ConversationTitle title={head.title} />
      </h1>
      <ConversationFacts head={head} glance={glance} acpAgent={acpAgent} model={model} />
      <ProblemPlace>{problem !== null && <Problem message={problem} />}</ProblemPlace>
      <section class="conversation" aria-label="Turns">
        <h2 class="unseen">Conversation</h2>
        <TurnsPager head={head} shown={shown} />
        <div id={elementIds.turns}>{turns}</div>
        {head.turnCount === 0 && <p class="empty">No message of it has been taken up yet.</p>}
        {glance.running && <Answering agentId={head.agentId} />}
        <div id={elementIds.turnsEnd}>
          <TurnsPager head={head} shown={shown} />
        </div>
      </section>
      <GoOn head={head} glance={glance} idempotencyKey={idempotencyKey} />
      <TakeAway head={head} glance={glance} acpAgent={acpAgent} />
      <DeleteConversation head={head} open={problem !== null} />
    </Page>
  );
}

/** A title for the browser's tab: without what turns the direction of the text or isn't seen. */
export function plainLine(title: string): string {
  return title.replace(/[\p{Cc}\p{Cf}]/gu, "").trim() || "Untitled";
}

function ConversationFacts(props: {
  head: ConversationHead;
  glance: ConversationGlance;
  acpAgent: string | null;
  model: string | null;
}) {
  const { head, glance, acpAgent, model } = props;
  return (
    <p class="facts">
      With <AgentName head={head} agentLives={glance.agentLives} />
      <CliChip cli={head.cli} acpAgent={acpAgent} />{" "}
      <StateChip status={head.status} running={glance.running} failed={glance.failed} />
      {model !== null && ` · ${model}`} · {plural(head.turnCount, "turn")} · begun{" "}
      <TimeShown at={head.createdAt} /> · changed <TimeShown at={head.updatedAt} />
    </p>
  );
}

/** Which turns these are, and the way to the others. Who goes back reads upwards, from the end of that page. */
function TurnsPager({ head, shown }: { head: ConversationHead; shown: ShownSeqs }) {
  const { id, turnCount } = head;
  if (shown === null) return null;
  const { from, to } = shown;
  if (from === 1 && to >= turnCount) return null;
  const path = `/conversations/${id}`;
  return (
    <p class="pager">
      Turns {countShown(from)}–{countShown(to)} of {countShown(turnCount)}
      {from > 1 && (
        <>
          {" · "}
          <a href={`${path}?after=0`}>first</a> ·{" "}
          <a href={`${path}?before=${from}${byId(elementIds.turnsEnd)}`}>older</a>
        </>
      )}
      {to < turnCount && (
        <>
          {" · "}
          <a href={`${path}?after=${to}`}>newer</a> · <a href={path}>newest</a>
        </>
      )}
    </p>
  );
}

function Answering({ agentId }: { agentId: string }) {
  return (
    <p class="hint">
      This conversation is going on.{" "}
      <a href={`/agents/${agentId}#${elementIds.newest}`}>Follow it in the chat</a>
    </p>
  );
}

/** Where the conversation goes on: in the chat when it is the active one, else by a message here. */
function GoOn(props: { head: ConversationHead; glance: ConversationGlance; idempotencyKey: string }) {
  const { head, glance, idempotencyKey } = props;
  const { agentId } = head;
  if (!glance.agentLives) {
    return (
      <p class="hint">
        {agentId} was deleted, so this conversation can't be taken up again here. It is kept to be read.
      </p>
    );
  }
  if (head.status === "ended") return <TakeUpAgain head={head} idempotencyKey={idempotencyKey} />;
  return (
    <p class="go-on">
      <a href={`/agents/${agentId}#${elementIds.newest}`}>Open the chat with {agentId}</a>
    </p>
  );
}

/** A plain form even with scripts: it leads to the chat. */
function TakeUpAgain({ head, idempotencyKey }: { head: ConversationHead; idempotencyKey: string }) {
  const { id, agentId } = head;
  return (
    <form class="take-up stack" method="post" action={`/agents/${agentId}/turns`}>
      <input type="hidden" name="key" value={idempotencyKey} />
      <input type="hidden" name="conversationId" value={id} />
      <div class="field">
        <label for={elementIds.resumeText}>Take this conversation up again</label>
        <textarea
          id={elementIds.resumeText}
          name="prompt"
          rows={2}
          required
          aria-describedby={elementIds.hint("resume")}
        ></textarea>
        <p class="hint" id={elementIds.hint("resume")}>
          {agentId} goes on with what was said here; it becomes the conversation of the chat.
        </p>
      </div>
      <button class="primary">Send</button>
    </form>
  );
}

function TakeAway(props: { head: ConversationHead; glance: ConversationGlance; acpAgent: string | null }) {
  const { head, glance, acpAgent } = props;
  return (
    <div class="card stack">
      <p>
        Export: <ExportLinks conversationId={head.id} />
      </p>
      <ResumeCommand cli={head.cli} acpAgent={acpAgent} cliSessionId={head.cliSessionId} cwd={glance.cwd} />
    </div>
  );
}

function DeleteConversation({ head, open }: { head: ConversationHead; open: boolean }) {
  return (
    <details class="manage" open={open}>
      <summary>Delete this conversation</summary>
      <form class="card stack" method="post" action={`/conversations/${head.id}/delete`}>
        <p>
          What was said in it ({plural(head.turnCount, "turn")}), its runs, their events and logs are deleted
          for good. Export it first if you may need it. What the agent did to its folder stays.
        </p>
        <button class="danger">Delete for good</button>
      </form>
    </details>
  );
}

/** In place of a conversation that isn't there. */
export function NoConversationPage({ frame }: { frame: Frame }) {
  return (
    <Page frame={frame} title="No such conversation" live={false}>
      <section class="card narrow">
        <p class="eyebrow">404</p>
        <h1>No such conversation</h1>
        <p>It was deleted, or the address was cut short on its way here.</p>
        <p>
          <a href="/conversations">Search the conversations</a>
        </p>
      </section>
    </Page>
  );
}
