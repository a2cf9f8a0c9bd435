import { isTerminal } from "../../domain/run-state.ts";
import { elementIds } from "../element-ids.ts";
import type { RunShown } from "./run-head.tsx";
import { runPath } from "./run-paths.ts";
import { stepsOf } from "./run-steps.tsx";
import {
  type Bar,
  layOutTimeline,
  type MarkKind,
  momentsOf,
  type Timeline,
  type ToolSpan,
} from "./timeline-layout.ts";
import { countShown, durationShown, plural, statesShown } from "../wording.ts";

/** Lengths of the drawing from top to bottom, in pixels. */
const wordsTop = 14;
const lineTop = 30;
const lanesTop = 46;
const laneHeight = 18;
const barHeight = 14;
const ticksHeight = 24;

export interface RunTimelineProps {
  run: RunShown;
  spans: readonly ToolSpan[];
  /** True when the run has more calls than these. */
  hasEarlierSpans: boolean;
  nowMs: number;
}

/** What happened when: drawn to scale, and the same as a table, which is what is read aloud. */
export function RunTimeline(props: RunTimelineProps) {
  const { run, spans, hasEarlierSpans, nowMs } = props;
  const moments = momentsOf(run, nowMs);
  return (
    <section class="timeline" aria-labelledby="timeline-head">
      <h2 id="timeline-head">Timeline</h2>
      <div class="timeline-drawing" id={elementIds.timelineDrawing}>
        <TimelineDrawing run={run} timeline={layOutTimeline(moments, spans)} />
      </div>
      {hasEarlierSpans && (
        <p class="hint">
          Of its tool calls the newest {countShown(spans.length)};{" "}
          <a href={`${runPath(run.id)}?type=tools&after=0#${elementIds.events}`}>the first ones</a> are among
          the events.
        </p>
      )}
      <div class="table steps" tabindex={0} role="region" aria-label="Steps">
        <table>
          <thead>
            <tr>
              <th scope="col">After</th>
              <th scope="col">Step</th>
              <th scope="col">Took</th>
            </tr>
          </thead>
          <tbody id={elementIds.steps}>{stepsOf(run, moments, spans).map(({ row }) => row)}</tbody>
        </table>
      </div>
    </section>
  );
}

/** Decoration: all that it says stands in the table. */
export function TimelineDrawing({ run, timeline }: { run: RunShown; timeline: Timeline }) {
  const { segments, marks, lanes, bars, ticks } = timeline;
  const bottom = lanesTop + lanes * laneHeight;
  return (
    <svg class="drawing" width="100%" height={bottom + ticksHeight} aria-hidden="true" focusable="false">
      {ticks.map(({ x, offsetMs }) => (
        <>
          <line class="tick" x1={percent(x)} x2={percent(x)} y1={lineTop} y2={bottom + 4} />
          <text class="tick-word" x={percent(x)} y={bottom + 18} text-anchor={anchorAt(x)}>
            {tickShown(offsetMs)}
          </text>
        </>
      ))}
      {segments.map(({ kind, x, toX }) => (
        <line
          class={`segment ${kind} state-${run.state}`}
          x1={percent(x)}
          x2={percent(toX)}
          y1={lineTop}
          y2={lineTop}
        />
      ))}
      {bars.map((bar) => (
        <BarDrawn bar={bar} isLive={!isTerminal(run.state)} />
      ))}
      {marks.map(({ kind, x, hasWord }) => (
        <>
          <circle class={markClass(kind, run)} cx={percent(x)} cy={lineTop} r="5">
            <title>{markWord(kind, run)}</title>
          </circle>
          {hasWord && (
            <text class="mark-word" x={percent(x)} y={wordsTop} text-anchor={anchorAt(x)}>
              {markWord(kind, run)}
            </text>
          )}
        </>
      ))}
    </svg>
  );
}

function BarDrawn({ bar, isLive }: { bar: Bar; isLive: boolean }) {
  const { lane, x, toX, word, spans } = bar;
  const y = lanesTop + lane * laneHeight;
  return (
    <>
      <rect
        class={barClass(bar, isLive)}
        x={percent(x)}
        y={y}
        width={percent(toX - x)}
        height={barHeight}
        rx="2"
      >
        <title>{barTitle(spans)}</title>
      </rect>
      {word !== null && (
        <text class="bar-word" x={percent(x + 0.8)} y={y + 11}>
          {word}
        </text>
      )}
    </>
  );
}

function barClass({ spans }: Bar, isLive: boolean): string {
  const isOpen = isLive && spans.some(({ endedMs }) => endedMs === null);
  const failed = failedOf(spans);
  const failure = failed === 0 ? "" : failed === spans.length ? " failed" : " partly-failed";
  return `bar${isOpen ? " open" : ""}${failure}${spans.length > 1 ? " several" : ""}`;
}

function failedOf(spans: readonly ToolSpan[]): number {
  return spans.filter(({ isError }) => isError).length;
}

function barTitle(spans: readonly ToolSpan[]): string {
  const [span] = spans;
  const failed = failedOf(spans);
  if (span === undefined || spans.length > 1) {
    return `${plural(spans.length, "tool call")}${failed === 0 ? "" : `, ${failed} failed`}`;
  }
  const took = span.endedMs === null ? "" : `, ${durationShown(span.endedMs - span.startedMs)}`;
  return `${span.name} ${span.summary}${took}${failed === 0 ? "" : ", failed"}`;
}

function markClass(kind: MarkKind, run: RunShown): string {
  return kind === "ended" ? `station ended state-${run.state}` : `station ${kind.replace(" ", "-")}`;
}

function markWord(kind: MarkKind, run: RunShown): string {
  return kind === "ended" ? statesShown[run.state] : kind;
}

function percent(x: number): string {
  return `${Math.round(x * 1_000) / 1_000}%`;
}

function anchorAt(x: number): "start" | "middle" | "end" {
  if (x < 10) return "start";
  return x > 90 ? "end" : "middle";
}

/** "0", "500 ms", "15 s", "2 min", "1 h": what a tick's step can be. */
function tickShown(offsetMs: number): string {
  if (offsetMs === 0) return "0";
  if (offsetMs % 3_600_000 === 0) return `${offsetMs / 3_600_000} h`;
  if (offsetMs % 60_000 === 0) return `${offsetMs / 60_000} min`;
  return offsetMs % 1_000 === 0 ? `${offsetMs / 1_000} s` : `${offsetMs} ms`;
}
