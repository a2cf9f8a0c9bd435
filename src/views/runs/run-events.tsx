import type { RunEvent } from "../../domain/event.ts";
import { elementIds } from "../element-ids.ts";
import {
  type EventFilter,
  eventFilterNames,
  type EventRow,
  isTextEvent,
  jsonShown,
  offsetShown,
  rowsOf,
  seqsShown,
  summaryOf,
  type TextEvent,
} from "./event-rows.ts";
import { runPath } from "./run-paths.ts";
import { TimeShown } from "../time-shown.tsx";
import { countShown, cut, plural } from "../wording.ts";

/** Of one event and of one piece of a text; the API has them whole. */
const jsonCharsMax = 2_000;
const pieceCharsMax = 2_000;
/** Pieces that the JSON behind a text's link has. */
const piecesLinkedMax = 500;

/** A part of a run's log, oldest first. */
export interface EventWindow {
  filter: EventFilter;
  events: readonly RunEvent[];
  /** The seq after which it begins. */
  afterSeq: number;
  /** After which the window before this one begins; null when this is the first. */
  olderAfterSeq: number | null;
  /** Null when this is the newest. */
  newerAfterSeq: number | null;
  /** The seq of the run's newest event, of whatever type. */
  lastSeq: number;
}

export interface RunEventsProps {
  runId: string;
  /** When the run was queued: what offsets are counted from. */
  originMs: number;
  window: EventWindow;
}

export function RunEvents({ runId, originMs, window }: RunEventsProps) {
  return (
    <section class="run-events" id={elementIds.events} aria-labelledby="events-head">
      <h2 id="events-head">Events</h2>
      <nav class="filters" aria-label="Types of events">
        {eventFilterNames.map((filter) => (
          <a
            href={eventsPath(runId, filter, null)}
            aria-current={filter === window.filter ? "true" : undefined}
          >
            {filter}
          </a>
        ))}
        <span class="hint" id={elementIds.eventsTotal}>
          {eventsTotal(window.lastSeq)}
        </span>
      </nav>
      <div id={elementIds.eventsPager}>
        <EventsPager runId={runId} window={window} />
      </div>
      <ol class="events" id={elementIds.eventList}>
        <EventRows runId={runId} originMs={originMs} events={window.events} />
      </ol>
      {window.newerAfterSeq !== null && <EventsPager runId={runId} window={window} />}
    </section>
  );
}

export function eventsTotal(lastSeq: number): string {
  return `${plural(lastSeq, "event")} in all`;
}

export function EventsPager({ runId, window }: Pick<RunEventsProps, "runId" | "window">) {
  const { filter, events, olderAfterSeq, newerAfterSeq } = window;
  if (events.length === 0)
    return <p class="hint">There are none {filter === "all" ? "yet" : "of this type"}.</p>;
  if (olderAfterSeq === null && newerAfterSeq === null) return null;
  return (
    <p class="pager">
      {olderAfterSeq !== null && <a href={eventsPath(runId, filter, olderAfterSeq)}>Older events</a>}{" "}
      {newerAfterSeq !== null && (
        <>
          <a href={eventsPath(runId, filter, newerAfterSeq)}>Newer events</a>{" "}
          <a href={eventsPath(runId, filter, null)}>The newest</a>
        </>
      )}
    </p>
  );
}

/** `afterSeq` null: the newest, which grow. */
export function eventsPath(runId: string, filter: EventFilter, afterSeq: number | null): string {
  const query = new URLSearchParams({
    ...(filter === "all" ? {} : { type: filter }),
    ...(afterSeq === null ? {} : { after: String(afterSeq) }),
  });
  return `${runPath(runId)}${query.size === 0 ? "" : `?${query}`}#${elementIds.events}`;
}

/** Where the event is found for good. */
function eventPath(runId: string, seq: number): string {
  return `${runPath(runId)}?after=${seq - 1}#${elementIds.event(seq)}`;
}

export function EventRows(props: { runId: string; originMs: number; events: readonly RunEvent[] }) {
  const { runId, originMs, events } = props;
  return (
    <>
      {rowsOf(events).map((row) => (
        <EventRowView runId={runId} originMs={originMs} row={row} />
      ))}
    </>
  );
}

export function EventRowView({ runId, originMs, row }: { runId: string; originMs: number; row: EventRow }) {
  const [first] = row;
  return (
    <li class={rowClass(first)} id={elementIds.event(first.seq)}>
      <details>
        <summary id={elementIds.eventLine(first.seq)}>
          <EventLine originMs={originMs} row={row} />
        </summary>
        {isTextEvent(first) ? <TextBody runId={runId} row={row} /> : <JsonBody runId={runId} event={first} />}
      </details>
    </li>
  );
}

function rowClass(event: RunEvent): string {
  const hasFailed =
    (event.type === "tool.finished" && event.isError) ||
    (event.type === "run.finished" && event.error !== null);
  return `event ${event.type.replace(".", "-")}${hasFailed ? " failed" : ""}`;
}

/** What is read without opening the row. */
export function EventLine({ originMs, row }: { originMs: number; row: EventRow }) {
  const [first] = row;
  return (
    <>
      <span class="event-seq">{seqsShown(row)}</span>{" "}
      <span class="event-at">{offsetShown(first, originMs)}</span>{" "}
      <span class="event-type">{first.type}</span> <span class="event-summary">{summaryOf(row)}</span>
    </>
  );
}

function JsonBody({ runId, event }: { runId: string; event: RunEvent }) {
  const { json, isCut } = jsonShown(event, jsonCharsMax);
  return (
    <>
      <pre tabindex={0}>{json}</pre>
      <EventFoot runId={runId} event={event} eventsMax={1}>
        {isCut ? "the whole event as JSON" : "JSON"}
      </EventFoot>
    </>
  );
}

function TextBody({ runId, row }: { runId: string; row: EventRow }) {
  const [first] = row;
  return (
    <>
      <p class="said" id={elementIds.eventPieces(first.seq)}>
        <EventPieces events={row} rowSeq={first.seq} />
      </p>
      <EventFoot runId={runId} event={first} eventsMax={piecesLinkedMax}>
        JSON
      </EventFoot>
    </>
  );
}

/** Each piece can be linked to; the id of the first one is the row's own. */
export function EventPieces({ events, rowSeq }: { events: readonly RunEvent[]; rowSeq: number }) {
  return (
    <>
      {events.filter(isTextEvent).map((event) => (
        <Piece event={event} isFirst={event.seq === rowSeq} />
      ))}
    </>
  );
}

function Piece({ event, isFirst }: { event: TextEvent; isFirst: boolean }) {
  const { text, missing } = cut(event.text, pieceCharsMax);
  const more = missing === 0 ? "" : `… (${countShown(missing)} more) `;
  return (
    <span id={isFirst ? undefined : elementIds.event(event.seq)}>
      {text}
      {more}
    </span>
  );
}

function EventFoot(props: { runId: string; event: RunEvent; eventsMax: number; children: string }) {
  const { runId, event, eventsMax, children } = props;
  return (
    <p class="hint">
      <TimeShown at={event.at} /> · <a href={eventPath(runId, event.seq)}>link to it</a> ·{" "}
      <a href={`/api/runs/${runId}/events?after=${event.seq - 1}&limit=${eventsMax}`}>{children}</a>
    </p>
  );
}
