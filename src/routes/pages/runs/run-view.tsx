import type { RunEvent } from "../../../domain/event.ts";
import { isTerminal } from "../../../domain/run-state.ts";
import { elementIds } from "../../../views/element-ids.ts";
import { renderHtml } from "../../../views/render.ts";
import { type RunFacts, RunFactsTable, RunHead, type RunShown } from "../../../views/runs/run-head.tsx";
import { RunGone, RunTexts } from "../../../views/runs/run-page.tsx";
import type { LiveUpdate, LiveView, News, OpenLiveView } from "../live/live-view.ts";
import type { PageDependencies } from "../page-dependencies.ts";
import { partial } from "../live/partial.tsx";
import { createEventsPane } from "./run-events-pane.tsx";
import { createLogPane } from "./run-log-pane.tsx";
import { encodeCursor, parseCursor, readFacts, type RunCursor, windowEventsMax } from "./run-reading.ts";
import { createTimelinePane } from "./run-timeline-pane.tsx";

export type RunViewDependencies = Pick<
  PageDependencies,
  "runs" | "conversations" | "runner" | "wakeups" | "readLogPiece" | "onLogGrown" | "clock"
>;

/** Views named "run/{id}": what a page of a run shows while the run goes on. */
export function openRunView(dependencies: RunViewDependencies): OpenLiveView {
  return (runId, cursor, ring) => {
    const run = dependencies.runs.findRunWithoutContent(runId);
    return run === null ? goneView : createRunView(dependencies, run, cursor, ring);
  };
}

function createRunView(
  dependencies: RunViewDependencies,
  found: RunShown,
  cursorText: string,
  ring: () => void,
): LiveView {
  const { runs, readLogPiece } = dependencies;
  const { id: runId } = found;
  const known = parseCursor(cursorText);
  const cursor: RunCursor = known ?? emptyCursor();
  const place = { runId, originMs: Date.parse(found.queuedAt) };
  const head = createHeadPane(dependencies);
  const timeline = createTimelinePane(dependencies);
  const events = createEventsPane(runs, place, cursor);
  const log = createLogPane(readLogPiece, runId, cursor);
  let run: RunShown | null = found;
  let isFirst = true;
  const rings = listen(dependencies, found, () => run?.state === "queued", ring);

  /** All that can be read at once, so that events and state are of the same moment. */
  function updateRun(): string | null {
    const lastSeq = runs.lastEventSeq(runId);
    const fresh = lastSeq - cursor.lastSeq > windowEventsMax ? null : readFresh(lastSeq);
    if (isFirst || rings.run) run = runs.findRunWithoutContent(runId);
    if (run === null) return null;
    const shown = known === null && isFirst ? events.replace() : events.update(fresh, lastSeq);
    return head.update(run) + timeline.update(run, fresh) + shown;
  }
  function readFresh(lastSeq: number): RunEvent[] {
    return lastSeq === cursor.lastSeq ? [] : runs.listEvents(runId, cursor.lastSeq, windowEventsMax);
  }
  async function updateLog(isEnded: boolean): Promise<string> {
    if (known === null && isFirst) return log.replace();
    return rings.log || isEnded ? log.update() : "";
  }

  return {
    async update() {
      const shown = updateRun();
      rings.run = false;
      if (shown === null || run === null) return goneUpdate();
      const { state, agentId } = run;
      const isEnded = isTerminal(state);
      const logRung = updateLog(isEnded);
      rings.log = false;
      const html = shown + (await logRung);
      isFirst = false;
      const news: News[] = isTerminal(state) && known !== null ? [{ agentId, runId, state }] : [];
      return { html, cursor: encodeCursor(cursor), gone: isEnded, news };
    },
    close: rings.leave,
  };
}

function emptyCursor(): RunCursor {
  return { filter: "all", afterSeq: 0, isNewest: false, lastSeq: 0, log: { fromByte: 0, nextByte: 0 } };
}

/** What has rung since it was last looked at; the place in the queue changes when other runs do. */
function listen(
  { wakeups, onLogGrown }: RunViewDependencies,
  { id: runId, agentId }: RunShown,
  isQueued: () => boolean,
  ring: () => void,
) {
  const rings = { run: false, log: true };
  const ringFor = (what: "run" | "log") => () => {
    rings[what] = true;
    ring();
  };
  const ringRun = ringFor("run");
  const leaves = [
    wakeups.onRun(runId, ringRun),
    wakeups.onAgent(agentId, () => {
      if (isQueued()) ringRun();
    }),
    onLogGrown(runId, ringFor("log")),
  ];
  return Object.assign(rings, { leave: () => leaves.forEach((leave) => leave()) });
}

/** Head and facts, and at the end what was said. */
function createHeadPane(dependencies: RunViewDependencies) {
  let shownHead = "";
  let shownFacts = "";
  return {
    update(run: RunShown): string {
      const facts = readFacts(dependencies, run);
      const head = renderHtml(<RunHead facts={facts} />);
      const table = renderHtml(<RunFactsTable facts={facts} />);
      const html =
        (head === shownHead ? "" : partial(elementIds.runHead, "outerMorph", head)) +
        (table === shownFacts ? "" : partial(elementIds.runFacts, "outerMorph", table));
      shownHead = head;
      shownFacts = table;
      return isTerminal(run.state) ? html + textsOf(facts) : html;
    },
  };

  function textsOf(facts: RunFacts): string {
    const content = dependencies.runs.getRun(facts.run.id)?.content ?? null;
    const texts = renderHtml(<RunTexts facts={facts} content={content} />);
    return partial(elementIds.runTexts, "outerMorph", texts);
  }
}

const goneView: LiveView = { update: async () => goneUpdate(), close: () => undefined };

function goneUpdate(): LiveUpdate {
  const html = partial(elementIds.main, "innerHTML", renderHtml(<RunGone />));
  return { html, cursor: "", gone: true, news: [] };
}
