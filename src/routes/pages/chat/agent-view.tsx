import type { Agent } from "../../../domain/agent.ts";
import type { Run } from "../../../domain/run.ts";
import { isTerminal } from "../../../domain/run-state.ts";
import {
  AgentGone,
  ChatTrouble,
  ComposerNotice,
  ConversationTools,
} from "../../../views/chat/agent-page.tsx";
import { AgentStatus, WaitingList } from "../../../views/chat/conversation.tsx";
import { elementIds } from "../../../views/element-ids.ts";
import { renderHtml } from "../../../views/render.ts";
import type { SettledAnswers } from "./answer-html.tsx";
import {
  createEntryRenderer,
  type EntryRenderer,
  isEmpty,
  renderConversation,
  speakerName,
} from "./conversation-html.tsx";
import { cursorOf, type Entry, readSnapshot, type Snapshot } from "./conversation-snapshot.ts";
import { openBreakerOf } from "../health/health-reads.ts";
import type { LiveUpdate, News, OpenLiveView } from "../live/live-view.ts";
import type { PageDependencies } from "../page-dependencies.ts";
import { partial } from "../live/partial.tsx";

/** Keeps one page of an agent true, run after run, for as long as it is open. */
export function openAgentView(dependencies: PageDependencies, answers: SettledAnswers): OpenLiveView {
  return (agentId, cursor, ring) => {
    const view = createAgentView(dependencies, answers, agentId, cursor);
    return { update: view.update, close: dependencies.wakeups.onAgent(agentId, ring) };
  };
}

/** What one tab shows, and what has to be changed to keep it so. */
function createAgentView(
  dependencies: PageDependencies,
  answers: SettledAnswers,
  agentId: string,
  firstCursor: string,
): { update(): Promise<LiveUpdate> } {
  let page: ShownConversation | null = null;
  let shownState = "";
  let shownTools = "";
  let shownTrouble = "";
  let cursor = firstCursor;

  async function showTurns(snapshot: Snapshot): Promise<Turned> {
    if (page?.continues(snapshot)) return page.catchUp(snapshot);
    page = createShownConversation(dependencies, answers, snapshot);
    return { html: await page.begin(snapshot, cursor), news: [] };
  }
  function showSurroundings(snapshot: Snapshot): string {
    const { agent, conversation } = snapshot;
    const tools = renderHtml(<ConversationTools agent={agent} conversation={conversation} />);
    const toolsChange = tools === shownTools ? "" : partial(elementIds.conversationTools, "innerHTML", tools);
    shownTools = tools;
    const trouble = renderTrouble(dependencies, agent);
    const troubleChange = trouble === shownTrouble ? "" : trouble;
    shownTrouble = trouble;
    return toolsChange + troubleChange + renderSurroundings(snapshot);
  }

  return {
    async update() {
      const state = stateOf(dependencies, agentId);
      if (state === null) return goneUpdate(agentId);
      if (state === shownState) return { html: (await page?.follow()) ?? "", cursor, news: [], gone: false };
      const snapshot = readSnapshot(dependencies, agentId);
      if (snapshot === null) return goneUpdate(agentId);
      const { html, news } = await showTurns(snapshot);
      shownState = state;
      cursor = cursorOf(snapshot);
      return { html: html + showSurroundings(snapshot), cursor, news, gone: false };
    },
  };
}

interface Turned {
  html: string;
  news: News[];
}

/** The turns of one conversation as one tab has them. */
interface ShownConversation {
  /** False when so much is new that the page has to begin anew. */
  continues(snapshot: Snapshot): boolean;
  begin(snapshot: Snapshot, cursor: string): Promise<string>;
  catchUp(snapshot: Snapshot): Promise<Turned>;
  /** What is new in the live answer. */
  follow(): Promise<string>;
}

function createShownConversation(
  dependencies: PageDependencies,
  answers: SettledAnswers,
  first: Snapshot,
): ShownConversation {
  const renderer = createEntryRenderer(dependencies.runs, answers, speakerName(first.agent));
  let shown = kindsOf(first);

  return {
    continues: ({ conversation, entries }) =>
      conversation?.id === first.conversation?.id &&
      (shown.size === 0 || entries.some((entry) => shown.has(entry.key))),

    async begin(snapshot, cursor) {
      if (cursor !== cursorOf(snapshot)) {
        const turns = await renderer.renderNewest(snapshot.entries);
        return partial(elementIds.conversation, "outerHTML", renderConversation(snapshot, turns));
      }
      const live = snapshot.entries.find((entry) => entry.kind === "live");
      return live ? partial(elementIds.run(live.key), "outerHTML", await renderer.render(live)) : "";
    },

    async catchUp(snapshot) {
      let html = await followLive(renderer);
      const news: News[] = [];
      for (const entry of snapshot.entries) {
        const before = shown.get(entry.key);
        if (before === entry.kind) continue;
        html += await showEntry(dependencies, renderer, entry, before);
        if (entry.kind === "answer") news.push(...newsOf(dependencies, entry));
      }
      shown = kindsOf(snapshot);
      return { html, news };
    },

    follow: () => followLive(renderer),
  };
}

function kindsOf({ entries }: Snapshot): Map<string, Entry["kind"]> {
  return new Map(entries.map((entry) => [entry.key, entry.kind]));
}

async function followLive({ live }: EntryRenderer): Promise<string> {
  await live?.read();
  return live?.changes() ?? "";
}

/** An entry that is new, or a live answer that has settled. */
async function showEntry(
  { runs }: PageDependencies,
  renderer: EntryRenderer,
  entry: Entry,
  before: Entry["kind"] | undefined,
): Promise<string> {
  if (before === undefined) return partial(elementIds.turns, "beforeend", await renderer.render(entry));
  const run = entry.kind === "answer" ? runs.getRun(entry.key) : null;
  const { live } = renderer;
  const settled =
    entry.kind === "answer" && run !== null && live?.runId === run.id
      ? await live.settle(run, entry.turn)
      : null;
  return settled ?? partial(elementIds.run(entry.key), "outerHTML", await renderer.render(entry));
}

function newsOf({ runs }: PageDependencies, entry: Extract<Entry, { kind: "answer" }>): News[] {
  const run: Run | null = entry.runId === null ? null : runs.getRun(entry.runId);
  if (run === null || !isTerminal(run.state)) return [];
  return [{ agentId: run.agentId, runId: run.id, state: run.state }];
}

/** Changes whenever anything but a live run's own events does; cheap to ask for at each wake-up. */
function stateOf(dependencies: PageDependencies, agentId: string): string | null {
  const agent = dependencies.runner.getAgent(agentId);
  if (agent === null) return null;
  const { activeConversationId, activeRunId, queueLength, status, updatedAt, breaker } = agent;
  const head = activeConversationId && dependencies.conversations.findConversation(activeConversationId);
  const conversation = head ? [head.turnCount, head.updatedAt, head.cliSessionId] : [];
  const shut = [breaker.state, breaker.failures, breaker.retryAt];
  return [activeConversationId, activeRunId, queueLength, status, updatedAt, ...shut, ...conversation].join(
    "|",
  );
}

/** Whether the agent takes messages, and why it doesn't. */
function renderTrouble({ runner }: PageDependencies, agent: Agent): string {
  const trouble = renderHtml(<ChatTrouble agent={agent} breaker={openBreakerOf(runner, agent)} />);
  const notice = renderHtml(<ComposerNotice agent={agent} />);
  return (
    partial(elementIds.agentTrouble, "outerMorph", trouble) +
    partial(elementIds.composerNotice, "outerMorph", notice)
  );
}

function renderSurroundings(snapshot: Snapshot): string {
  const { agent, waiting } = snapshot;
  const status = partial(elementIds.agentStatus, "outerMorph", renderHtml(<AgentStatus agent={agent} />));
  const list = partial(elementIds.waiting, "outerMorph", renderHtml(<WaitingList waiting={waiting} />));
  return status + list + (isEmpty(snapshot) ? "" : partial(elementIds.empty, "delete", ""));
}

function goneUpdate(agentId: string): LiveUpdate {
  const html = partial(elementIds.main, "innerHTML", renderHtml(<AgentGone agentId={agentId} />));
  return { html, cursor: "", news: [], gone: true };
}
