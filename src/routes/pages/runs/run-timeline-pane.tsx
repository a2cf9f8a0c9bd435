import type { RunEvent } from "../../../domain/event.ts";
import { elementIds } from "../../../views/element-ids.ts";
import { renderHtml } from "../../../views/render.ts";
import type { RunShown } from "../../../views/runs/run-head.tsx";
import { stepsOf } from "../../../views/runs/run-steps.tsx";
import { TimelineDrawing } from "../../../views/runs/run-timeline.tsx";
import {
  foldToolSpan,
  isDenial,
  layOutTimeline,
  momentsOf,
  type RunMoments,
  type ToolSpan,
  toolSpansMax,
} from "../../../views/runs/timeline-layout.ts";
import type { PageDependencies } from "../page-dependencies.ts";
import { partial } from "../live/partial.tsx";
import { readToolSpans } from "./run-reading.ts";

/** Between steps the drawing is made anew when the run has become longer by this share. */
const drawnAgainAtShare = 1.02;

/** When what happened, drawn and told. The first update makes it true, whatever the page shows. */
export interface TimelinePane {
  /** `fresh` is what came since the last call; null when that is too much to be told one by one. */
  update(run: RunShown, fresh: readonly RunEvent[] | null): string;
}

export function createTimelinePane({ runs, clock }: Pick<PageDependencies, "runs" | "clock">): TimelinePane {
  let spans: ToolSpan[] | null = null;
  const rows = createRows();
  let toldOf = "";
  let drawnUntilMs = 0;

  function readSpans(run: RunShown, fresh: readonly RunEvent[] | null): ToolSpan[] {
    if (spans === null || fresh === null) return readToolSpans(runs, run.id).spans;
    for (const event of fresh) foldToolSpan(spans, event);
    return spans.slice(-toolSpansMax);
  }

  /** Most updates bring words, which are no steps. */
  function mayHaveSteps(run: RunShown, fresh: readonly RunEvent[] | null): boolean {
    const { state, startedAt, firstOutputAt, transport } = run;
    const before = toldOf;
    toldOf = [state, startedAt, firstOutputAt, transport.warm].join();
    return toldOf !== before || fresh === null || fresh.some(isStep);
  }

  function draw(run: RunShown, moments: RunMoments, shown: readonly ToolSpan[]): string {
    drawnUntilMs = moments.untilMs;
    const drawing = <TimelineDrawing run={run} timeline={layOutTimeline(moments, shown)} />;
    return partial(elementIds.timelineDrawing, "innerHTML", renderHtml(drawing));
  }

  return {
    update(run, fresh) {
      spans = readSpans(run, fresh);
      const moments = momentsOf(run, clock.wallMs());
      const told = mayHaveSteps(run, fresh) ? rows.update(stepsOf(run, moments, spans)) : "";
      const { queuedMs, untilMs } = moments;
      const isLonger = untilMs - queuedMs > (drawnUntilMs - queuedMs) * drawnAgainAtShare;
      return told === "" && !isLonger ? "" : told + draw(run, moments, spans);
    },
  };
}

/** True for what changes a step. */
function isStep(event: RunEvent): boolean {
  return event.type.startsWith("tool.") || isDenial(event);
}

/** The rows of the table that are shown, and what has to be changed in them. */
function createRows() {
  let shown = new Map<string, string>();
  return {
    update(steps: ReturnType<typeof stepsOf>): string {
      const before = shown;
      shown = new Map(steps.map(({ key, row }) => [key, renderHtml(row)]));
      const gone = [...before.keys()].filter((key) => !shown.has(key));
      const added = [...shown.keys()].filter((key) => !before.has(key));
      // What doesn't come last makes the table begin anew, as nothing shown does.
      const isGrown = [...shown.keys()].slice(shown.size - added.length).every((key) => !before.has(key));
      const rowsOf = (keys: Iterable<string>) => [...keys].map((key) => shown.get(key)).join("");
      if (before.size === 0 || !isGrown) return partial(elementIds.steps, "innerMorph", rowsOf(shown.keys()));
      const changed = [...shown].filter(([key, row]) => before.has(key) && before.get(key) !== row);
      return (
        gone.map((key) => partial(elementIds.step(key), "delete", "")).join("") +
        changed.map(([key, row]) => partial(elementIds.step(key), "outerMorph", row)).join("") +
        (added.length === 0 ? "" : partial(elementIds.steps, "beforeend", rowsOf(added)))
      );
    },
  };
}
