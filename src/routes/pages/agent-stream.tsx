import { AgentGone } from "../../views/agent-page.tsx";
import { AgentStatus, WaitingList } from "../../views/conversation.tsx";
import { elementIds } from "../../views/element-ids.ts";
import { createBell, type FrameSource } from "../event-stream.ts";
import type { SettledAnswers } from "./answer-html.tsx";
import { createEntryRenderer, isEmpty, renderConversation, speakerName } from "./conversation-html.tsx";
import { cursorOf, type Entry, readSnapshot, type Snapshot } from "./conversation-snapshot.ts";
import type { PageDependencies } from "./page-dependencies.ts";
import { partial, streamFrame } from "./partial.tsx";
import { renderHtml } from "../../views/render.ts";

/** At most twenty updates a second, and fewer when they are large: about 200 KB a second. */
const pauseMsMin = 50;
const pauseMsMax = 2_000;
const charsPerMs = 200;

/**
 * Keeps one page of an agent true, run after run, for as long as it is open. `cursor` is what the page
 * shows already, as `cursorOf` put it; one that this server doesn't know is as good as none.
 */
export function agentFrames(
  dependencies: PageDependencies,
  answers: SettledAnswers,
  agentId: string,
  cursor: string,
): FrameSource {
  return async function* frames(signal) {
    const bell = createBell(signal);
    const leave = dependencies.wakeups.onAgent(agentId, () => bell.ring());
    try {
      const view = createAgentView(dependencies, answers, agentId, cursor);
      while (!signal.aborted) {
        const update = await view.update();
        if (update.html !== "") yield streamFrame(update.cursor, update.html);
        if (update.gone) return;
        await pause(Math.min(pauseMsMax, Math.max(pauseMsMin, update.html.length / charsPerMs)), signal);
        await bell.wait();
      }
    } finally {
      leave();
    }
  };
}

interface Update {
  html: string;
  cursor: string;
  gone: boolean;
}

/** What one reader sees, and what has to be sent to keep it so. */
function createAgentView(
  dependencies: PageDependencies,
  answers: SettledAnswers,
  agentId: string,
  cursor: string,
): { update(): Promise<Update> } {
  let shown = new Map<string, Entry["kind"]>();
  let shownCursor = cursor;
  let shownState = "";
  let renderer = createEntryRenderer(dependencies.runs, answers, agentId);
  let conversationId: string | null = null;
  let liveRunId: string | undefined;

  async function begin(snapshot: Snapshot): Promise<string> {
    renderer = createEntryRenderer(dependencies.runs, answers, speakerName(snapshot));
    conversationId = snapshot.conversationId;
    shown = kindsOf(snapshot);
    const live = snapshot.entries.find((entry) => entry.kind === "live");
    if (shownCursor !== cursorOf(snapshot)) {
      const turns = await renderer.renderAll(snapshot.entries);
      return partial(elementIds.conversation, "outerMorph", renderConversation(snapshot, turns));
    }
    return live ? partial(elementIds.run(live.key), "outerMorph", await renderer.render(live)) : "";
  }

  async function catchUp(snapshot: Snapshot): Promise<string> {
    const isOther = conversationId !== snapshot.conversationId;
    const isFar = shown.size > 0 && !snapshot.entries.some((entry) => shown.has(entry.key));
    if (isOther || isFar) return begin(snapshot);
    let html = "";
    for (const entry of snapshot.entries) {
      const before = shown.get(entry.key);
      if (before === entry.kind) continue;
      const rendered = await renderer.render(entry);
      html +=
        before === undefined
          ? partial(elementIds.turns, "beforeend", rendered)
          : partial(elementIds.run(entry.key), "outerMorph", rendered);
    }
    shown = kindsOf(snapshot);
    return html;
  }
  async function followLive(): Promise<string> {
    const { live } = renderer;
    if (live === null || live.runId !== liveRunId) return "";
    await live.read();
    return live.changes();
  }

  return {
    async update() {
      const state = stateOf(dependencies, agentId);
      if (state === null) return goneUpdate(agentId);
      if (state === shownState) {
        return { html: await followLive(), cursor: shownCursor, gone: false };
      }
      const snapshot = readSnapshot(dependencies, agentId, null);
      if (snapshot === null) return goneUpdate(agentId);
      const followed = renderer.live;
      const turns = shownState === "" ? await begin(snapshot) : await catchUp(snapshot);
      shownState = state;
      shownCursor = cursorOf(snapshot);
      liveRunId = snapshot.liveRun?.id;
      // htmx looks for all targets before it inserts anything, so what comes new is changed next time.
      const changes = renderer.live === followed ? await followLive() : "";
      const html = turns + renderSurroundings(snapshot) + changes;
      return { html, cursor: shownCursor, gone: false };
    },
  };
}

function kindsOf({ entries }: Snapshot): Map<string, Entry["kind"]> {
  return new Map(entries.map((entry) => [entry.key, entry.kind]));
}

/** Changes whenever anything but a live run's own events does; cheap to ask for at each wake-up. */
function stateOf(dependencies: PageDependencies, agentId: string): string | null {
  const agent = dependencies.runner.getAgent(agentId);
  if (agent === null) return null;
  const { activeConversationId, activeRunId, queueLength, status, updatedAt } = agent;
  const head = activeConversationId && dependencies.conversations.findConversation(activeConversationId);
  const conversation = head ? [head.turnCount, head.updatedAt] : [];
  return [activeConversationId, activeRunId, queueLength, status, updatedAt, ...conversation].join("|");
}

function renderSurroundings(snapshot: Snapshot): string {
  const { agent, waiting } = snapshot;
  const status = partial(elementIds.agentStatus, "outerMorph", renderHtml(<AgentStatus agent={agent} />));
  const list = partial(elementIds.waiting, "outerMorph", renderHtml(<WaitingList waiting={waiting} />));
  return status + list + (isEmpty(snapshot) ? "" : partial(elementIds.empty, "delete", ""));
}

function goneUpdate(agentId: string): Update {
  const html = partial(elementIds.main, "innerHTML", renderHtml(<AgentGone agentId={agentId} />));
  return { html, cursor: "", gone: true };
}

async function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, durationMs);
    signal.addEventListener("abort", end);
  });
}
