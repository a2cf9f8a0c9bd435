import { raw } from "hono/html";
import { ConversationView, EmptyConversation, UserTurn } from "../../views/conversation.tsx";
import { cliNamesShown } from "../../views/wording.ts";
import { loadMarkdown, type SettledAnswers } from "./answer-html.tsx";
import type { Entry, Snapshot } from "./conversation-snapshot.ts";
import { createLiveAnswer, type LiveAnswerView } from "./live-answer.tsx";
import type { PageDependencies } from "./page-dependencies.ts";
import { renderHtml } from "../../views/render.ts";

/** Renders the entries of one agent's conversation, for a page and for its stream alike. */
export interface EntryRenderer {
  render(entry: Entry): Promise<string>;
  renderAll(entries: readonly Entry[]): Promise<string>;
  /** The live answer that was rendered last; its changes can be followed. */
  readonly live: LiveAnswerView | null;
}

export function createEntryRenderer(
  runs: PageDependencies["runs"],
  answers: SettledAnswers,
  name: string,
): EntryRenderer {
  let live: LiveAnswerView | null = null;

  async function render(entry: Entry): Promise<string> {
    if (entry.kind === "user") return renderHtml(<UserTurn turn={entry.turn} />);
    if (entry.kind === "answer") return answers.render(entry, name);
    const markdown = await loadMarkdown();
    live = createLiveAnswer({
      run: entry.run,
      name,
      markdown,
      listEvents: (...range) => runs.listEvents(...range),
    });
    await live.read();
    return live.whole();
  }

  return {
    render,
    async renderAll(entries) {
      let html = "";
      for (const entry of entries) html += await render(entry);
      return html;
    },
    get live() {
      return live;
    },
  };
}

export function isEmpty({ entries, waiting }: Pick<Snapshot, "entries" | "waiting">): boolean {
  return entries.length === 0 && waiting.length === 0;
}

/** The whole conversation, for when a stream has to begin anew. */
export function renderConversation(snapshot: Snapshot, turnsHtml: string): string {
  return renderHtml(
    <ConversationView
      agentId={snapshot.agent.id}
      nextBefore={snapshot.nextBefore}
      turns={raw(turnsHtml)}
      waiting={snapshot.waiting}
      empty={isEmpty(snapshot) ? <EmptyConversation agent={snapshot.agent} /> : null}
    />,
  );
}

/** Whom the conversation is with; the demo is called one wherever it speaks. */
export function speakerName({ agent }: Pick<Snapshot, "agent">): string {
  return agent.cli === "demo" && agent.id !== cliNamesShown.demo
    ? `${agent.id} (${cliNamesShown.demo})`
    : agent.id;
}
