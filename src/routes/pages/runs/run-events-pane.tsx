import type { RunEvent } from "../../../domain/event.ts";
import { elementIds } from "../../../views/element-ids.ts";
import { belongsTo, eventFilters, type EventRow, rowsOf } from "../../../views/runs/event-rows.ts";
import {
  EventLine,
  EventPieces,
  EventRows,
  EventsPager,
  eventsTotal,
  type EventWindow,
} from "../../../views/runs/run-events.tsx";
import { renderHtml } from "../../../views/render.ts";
import type { PageDependencies } from "../page-dependencies.ts";
import { partial } from "../live/partial.tsx";
import { readWindow, type RunCursor } from "./run-reading.ts";

/** A page on which more events than this have come begins again with the newest ones. */
const grownEventsMax = 600;

/** The events of a page that grow; those of an older window stand, and are only counted. */
export interface EventsPane {
  /** `fresh` is what came after `lastSeq` of the cursor; null when that is too much to be added. */
  update(fresh: readonly RunEvent[] | null, lastSeq: number): string;
  /** The newest window, in place of whatever is shown. */
  replace(): string;
}

export function createEventsPane(
  runs: PageDependencies["runs"],
  place: { runId: string; originMs: number },
  cursor: RunCursor,
): EventsPane {
  const { runId, originMs } = place;
  const types: readonly RunEvent["type"][] | null = eventFilters[cursor.filter];
  let { count, lastRow } = readShown();

  /** What the page has, and how its last row goes on. */
  function readShown(): { count: number; lastRow: EventRow | undefined } {
    if (!cursor.isNewest) return { count: 0, lastRow: undefined };
    const found = runs.listEventsOfTypes(runId, types, cursor.afterSeq, grownEventsMax);
    const shown = found.filter(({ seq }) => seq <= cursor.lastSeq);
    return { count: shown.length, lastRow: rowsOf(shown).at(-1) };
  }

  function replace(): string {
    const window = readWindow(runs, runId, cursor.filter, null);
    Object.assign(cursor, { afterSeq: window.afterSeq, lastSeq: window.lastSeq, isNewest: true });
    count = window.events.length;
    lastRow = rowsOf(window.events).at(-1);
    const rows = renderHtml(<EventRows {...place} events={window.events} />);
    return pagerOf(window) + totalOf(window.lastSeq) + partial(elementIds.eventList, "innerMorph", rows);
  }

  function pagerOf(window: EventWindow): string {
    return partial(
      elementIds.eventsPager,
      "innerHTML",
      renderHtml(<EventsPager runId={runId} window={window} />),
    );
  }

  function totalOf(lastSeq: number): string {
    return partial(elementIds.eventsTotal, "textContent", eventsTotal(lastSeq));
  }

  /** What goes on with the last row's text, and then the rows after it. */
  function append(added: readonly RunEvent[]): string {
    const row = lastRow;
    const end = row === undefined ? 0 : added.findIndex((event) => !belongsTo(row, event));
    const pieces = end < 0 ? added : added.slice(0, end);
    const rest = added.slice(pieces.length);
    const goesOn = row === undefined || pieces.length === 0 ? "" : goOn(row, pieces);
    if (rest.length === 0) return goesOn;
    lastRow = rowsOf(rest).at(-1);
    const rows = renderHtml(<EventRows {...place} events={rest} />);
    return goesOn + partial(elementIds.eventList, "beforeend", rows);
  }

  function goOn(row: EventRow, pieces: readonly RunEvent[]): string {
    const [{ seq }] = row;
    row.push(...pieces);
    const line = renderHtml(<EventLine originMs={originMs} row={row} />);
    const text = renderHtml(<EventPieces events={pieces} rowSeq={seq} />);
    return (
      partial(elementIds.eventLine(seq), "innerHTML", line) +
      partial(elementIds.eventPieces(seq), "beforeend", text)
    );
  }

  return {
    replace,
    update(fresh, lastSeq) {
      if (lastSeq === cursor.lastSeq) return "";
      cursor.lastSeq = lastSeq;
      if (!cursor.isNewest) return totalOf(lastSeq);
      const added = fresh?.filter(({ type }) => types === null || types.includes(type));
      if (added?.length === 0) return totalOf(lastSeq);
      if (added === undefined || count === 0 || count + added.length > grownEventsMax) return replace();
      count += added.length;
      return totalOf(lastSeq) + append(added);
    },
  };
}
