import { raw } from "hono/html";
import {
  ConversationView,
  EmptyConversation,
  type OlderTurns,
  UserTurn,
} from "../../../views/chat/conversation.tsx";
import { cliNamesShown } from "../../../views/wording.ts";
import type { AnswerEntry, SettledAnswers } from "./answer-html.tsx";
import { type Entry, olderThan, type Snapshot } from "./conversation-snapshot.ts";
import { createLiveAnswer, type LiveAnswerView } from "./live-answer.tsx";
import { loadMarkdown } from "./load-markdown.ts";
import type { PageDependencies } from "../page-dependencies.ts";
import { renderHtml } from "../../../views/render.ts";

/** Characters of HTML that one page of turns may have; older turns are on the next. At least two are shown. */
const pageCharsMax = 1_000_000;
const entriesShownMin = 2;

export interface RenderedTurns {
  html: string;
  older: OlderTurns | null;
}

/** Renders the entries of one conversation, for a page and for its stream alike. */
export interface EntryRenderer {
  render(entry: Entry): Promise<string>;
  /** The newest of them, within the size of a page. */
  renderNewest(entries: readonly Entry[]): Promise<RenderedTurns>;
  /** All of them. */
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
    const { run } = entry;
    live = createLiveAnswer({ run, name, markdown, listEvents: (...range) => runs.listEvents(...range) });
    await live.read();
    return live.whole();
  }

  async function renderNewest(entries: readonly Entry[], charsMax: number): Promise<RenderedTurns> {
    const kept = answers.find(entries.filter((entry): entry is AnswerEntry => entry.kind === "answer"));
    const htmls: string[] = [];
    let chars = 0;
    for (const entry of entries.toReversed()) {
      const html = kept.get(entry.key) ?? (await render(entry));
      chars += html.length;
      if (chars > charsMax && htmls.length >= entriesShownMin) break;
      htmls.unshift(html);
    }
    return { html: htmls.join(""), older: olderThan(entries.slice(entries.length - htmls.length)) };
  }

  return {
    render,
    renderNewest: (entries) => renderNewest(entries, pageCharsMax),
    renderAll: async (entries) => (await renderNewest(entries, Infinity)).html,
    get live() {
      return live;
    },
  };
}

export function isEmpty({ entries, waiting }: Pick<Snapshot, "entries" | "waiting">): boolean {
  return entries.length === 0 && waiting.length === 0;
}

/** The whole conversation, for when a page has to begin anew. */
export function renderConversation(snapshot: Snapshot, turns: RenderedTurns): string {
  return renderHtml(
    <ConversationView
      older={turns.older}
      turns={raw(turns.html)}
      waiting={snapshot.waiting}
      empty={isEmpty(snapshot) ? <EmptyConversation agent={snapshot.agent} /> : null}
    />,
  );
}

/** Whom a conversation is with; the demo is called one wherever it speaks. */
export function speakerName({ id, cli }: Pick<Snapshot["agent"], "id" | "cli">): string {
  return cli === "demo" && id !== cliNamesShown.demo ? `${id} (${cliNamesShown.demo})` : id;
}
