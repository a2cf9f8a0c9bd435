import type { CliFinding } from "../../../runner/runner-api.ts";
import {
  type AgentSight,
  type Counted,
  conditionOf,
  tallyOf,
  tallyShown,
} from "../../../views/agents/agent-condition.ts";
import { Board } from "../../../views/agents/agents-page.tsx";
import { elementIds } from "../../../views/element-ids.ts";
import { renderHtml } from "../../../views/render.ts";
import { agentsShownMax, boardCursor, fingerprint, readBoard, renderRow, sightsOf } from "./agents-board.tsx";
import type { LiveUpdate, News, OpenLiveView } from "../live/live-view.ts";
import type { PageDependencies } from "../page-dependencies.ts";
import { partial } from "../live/partial.tsx";

/** The board, live: rows stay where the page put them, and only those that have changed are sent. */
export function openAgentsView(dependencies: PageDependencies): OpenLiveView {
  return (_name, cursor, ring) => {
    const rung = new Set<string>();
    // A running agent rings at each of its events; once is enough until somebody has looked.
    const leave = dependencies.wakeups.onAny((agentId) => {
      if (rung.has(agentId)) return;
      rung.add(agentId);
      ring();
    });
    const view = createBoardView(dependencies, cursor);
    return {
      async update() {
        const agentIds = [...rung];
        rung.clear();
        return view.update(agentIds);
      },
      close: leave,
    };
  };
}

/** A row as the page shows it. */
interface ShownRow extends Counted {
  print: string;
  lastRunId: string | null;
}

function createBoardView(dependencies: PageDependencies, shownCursor: string) {
  const { runner } = dependencies;
  let rows: Map<string, ShownRow> | null = null;
  let findings: readonly CliFinding[] = [];
  let summary = "";
  /** When the oldest agent of a full page was made; older ones aren't shown. */
  let oldestShownAt = "";

  function updateOf(html: string, news: readonly News[] = []): LiveUpdate {
    const prints = [...(rows?.values() ?? [])].map(({ print }) => print);
    return { html, cursor: boardCursor(prints), gone: false, news };
  }

  async function readWhole(): Promise<string> {
    const board = await readBoard(dependencies, null);
    const made = board.sights.map(({ agent }) => agent.createdAt).toSorted();
    rows = new Map(
      board.sights.map((sight, index) => [sight.agent.id, shownRow(sight, board.rows[index] ?? "")]),
    );
    findings = board.findings;
    summary = summaryOf(rows);
    oldestShownAt = board.olderPath === null ? "" : (made[0] ?? "");
    return partial(elementIds.agents, "outerMorph", renderHtml(<Board {...board} />));
  }

  /** Reads the CLIs anew when runs have ended, which tell best what has become of them. */
  async function lookAgain(agentIds: readonly string[], known: Map<string, ShownRow>) {
    const look = (ids: readonly string[]) =>
      sightsOf(
        dependencies,
        ids.map((id) => runner.getAgent(id)).filter((agent) => agent !== null),
        findings,
      ).filter(({ agent }) => known.has(agent.id) || agent.createdAt > oldestShownAt);
    const sights = look(agentIds);
    const news = sights.flatMap((sight) => newsOf(sight, known.get(sight.agent.id)));
    if (news.length === 0) return { sights, news };
    const before = JSON.stringify(findings);
    findings = await dependencies.findClis();
    const ids = JSON.stringify(findings) === before ? agentIds : [...known.keys(), ...agentIds];
    return { sights: look([...new Set(ids)]), news };
  }

  async function catchUp(agentIds: readonly string[], known: Map<string, ShownRow>): Promise<LiveUpdate> {
    const { sights, news } = await lookAgain(agentIds, known);
    const gone = agentIds.filter((id) => known.has(id) && runner.getAgent(id) === null);
    const added = sights.filter(({ agent }) => !known.has(agent.id)).length;
    const rest = known.size - gone.length + added;
    // The board and what stands in its place without agents are two pages, and so is a full one's next.
    const isOtherPage = (known.size === 0) !== (rest === 0) || (added > 0 && rest > agentsShownMax);
    if (isOtherPage) return updateOf(await readWhole(), news);
    const removed = gone.map((id) => partial(elementIds.agentRow(id), "delete", ""));
    for (const id of gone) known.delete(id);
    const changed = sights.map((sight) => changeOf(sight, known));
    return updateOf([...removed, ...changed, changeOfSummary(known)].join(""), news);
  }

  function changeOfSummary(known: Map<string, ShownRow>): string {
    const before = summary;
    summary = summaryOf(known);
    return summary === before ? "" : partial(elementIds.agentsSummary, "innerHTML", summary);
  }

  return {
    async update(agentIds: readonly string[]): Promise<LiveUpdate> {
      if (rows !== null) return catchUp(agentIds, rows);
      const html = await readWhole();
      const update = updateOf(html);
      return update.cursor === shownCursor ? { ...update, html: "" } : update;
    },
  };
}

/** Keeps the row as it is now, and says what that changes on the page. */
function changeOf(sight: AgentSight, known: Map<string, ShownRow>): string {
  const { id } = sight.agent;
  const before = known.get(id);
  const html = renderRow(sight);
  const row = shownRow(sight, html);
  known.set(id, row);
  if (before?.print === row.print) return "";
  return before === undefined
    ? partial(elementIds.agentRows, "beforeend", html)
    : partial(elementIds.agentRow(id), "outerMorph", html);
}

/** The same sight is always the same HTML, so a row has changed when its HTML has. */
function shownRow(sight: AgentSight, html: string): ShownRow {
  return {
    print: fingerprint(html),
    kind: conditionOf(sight).kind,
    queueLength: sight.agent.queueLength,
    lastRunId: sight.glance?.lastRun?.runId ?? null,
  };
}

function newsOf({ agent, glance }: AgentSight, before: ShownRow | undefined): News[] {
  const last = glance?.lastRun ?? null;
  if (last === null || last.runId === (before?.lastRunId ?? null)) return [];
  return [{ agentId: agent.id, runId: last.runId, state: last.state }];
}

/** Numbers and words of ours, safe as HTML. */
function summaryOf(rows: ReadonlyMap<string, Counted>): string {
  return tallyShown(tallyOf([...rows.values()]));
}
