import type { LiveUpdate, LiveView } from "../../src/routes/pages/live/live-view.ts";
import { waitFor } from "../helpers/wait.ts";
import type { RunStage } from "./run-stage.ts";

/** Somebody with the page of a run open, as far as what grows goes: what they see, and how it changes. */
export interface RunReader {
  /** Rows of events by the seq that their id tells, in their order. */
  rows: Map<string, Row>;
  steps: Map<string, string>;
  log: string;
  /** What else was put in place of something, the newest by id. */
  places: Map<string, string>;
  cursor: string;
  /** Ends of runs that were told. */
  news: LiveUpdate["news"][number][];
  /** Opens the view anew, from what this reader has. */
  reconnect(): void;
  /** One update, if it is due or `force` is set; false when there was nothing to look at. */
  look(force?: boolean): Promise<boolean>;
  /** Looks whenever it rings, until there is nothing to follow any more. */
  followToEnd(between?: () => void): Promise<void>;
  close(): void;
}

export interface Row {
  line: string;
  /** The text of a text in pieces, or the JSON. */
  body: string;
}

export async function openReader(
  stage: RunStage,
  path: string,
  openView = stage.openView,
): Promise<RunReader> {
  const html = await stage.page(path);
  const shown = readPage(html);
  const [, runId = ""] = /data-view="run\/([^"]+)"/.exec(html) ?? [];
  let rung = false;
  let gone = false;
  let view: LiveView;
  const reader: RunReader = {
    ...shown,
    places: new Map(),
    news: [],
    reconnect() {
      view?.close();
      rung = true;
      view = openView(runId, reader.cursor, () => (rung = true));
    },
    async look(force = false) {
      if (!rung && !force) return false;
      rung = false;
      const update = await view.update();
      reader.cursor = update.cursor;
      reader.news.push(...update.news);
      gone = update.gone;
      for (const change of partialsOf(update.html)) apply(reader, change);
      return true;
    },
    async followToEnd(between = () => undefined) {
      while (!gone) {
        await waitFor(() => rung, { what: "a ring" });
        await reader.look();
        if (!gone) between();
      }
      view.close();
    },
    close: () => view.close(),
  };
  reader.reconnect();
  return reader;
}

/** What grows on a page, and its cursor. */
export function readPage(html: string): Pick<RunReader, "rows" | "steps" | "log" | "cursor"> {
  const [, log = ""] = /<pre id="raw-log-text">\n([\s\S]*?)<\/pre>/.exec(html) ?? [];
  const [, cursor = ""] = /data-cursor="([^"]*)"/.exec(html) ?? [];
  return { rows: rowsIn(html), steps: stepsIn(html), log: textOf(log), cursor };
}

function rowsIn(html: string): Map<string, Row> {
  const rows = html.matchAll(/<li class="event [^"]*" id="event-(\d+)">([\s\S]*?)<\/li>/g);
  return new Map(
    [...rows].map(([, seq = "", row = ""]) => {
      const [, line = ""] = /<summary[^>]*>([\s\S]*?)<\/summary>/.exec(row) ?? [];
      const [, body = ""] = /<(?:p class="said"|pre)[^>]*>([\s\S]*?)<\/(?:p|pre)>/.exec(row) ?? [];
      return [seq, { line: textOf(line), body: textOf(body) }];
    }),
  );
}

function stepsIn(html: string): Map<string, string> {
  const rows = html.matchAll(/<tr id="step-([^"]+)">([\s\S]*?)<\/tr>/g);
  return new Map([...rows].map(([, key = "", row = ""]) => [key, textOf(row)]));
}

/** The changes that an update tells, in order. */
function partialsOf(html: string): Change[] {
  const pattern = /<hx-partial hx-target="#([^"]+)" hx-swap="(\w+)">([\s\S]*?)<\/hx-partial>/g;
  return [...html.matchAll(pattern)].map(([, id = "", swap = "", content = ""]) => ({
    id,
    swap,
    html: content,
  }));
}

interface Change {
  id: string;
  swap: string;
  html: string;
}

/** As htmx would do it; what has no place or comes twice is a fault. */
function apply(reader: RunReader, { id, swap, html }: Change): void {
  const [, seq, part] = /^event-(\d+)-(line|pieces)$/.exec(id) ?? [];
  if (id === "event-list") {
    if (swap === "innerMorph") reader.rows.clear();
    addAll(reader.rows, rowsIn(html));
  } else if (id === "steps") {
    if (swap === "innerMorph") reader.steps.clear();
    addAll(reader.steps, stepsIn(html));
  } else if (id.startsWith("step-") && swap === "delete") {
    reader.steps.delete(id.slice("step-".length));
  } else if (id.startsWith("step-")) {
    for (const [key, text] of stepsIn(html)) setKnown(reader.steps, key, text);
  } else if (id === "raw-log-text") {
    reader.log = (swap === "beforeend" ? reader.log : "") + textOf(html);
  } else if (seq !== undefined) {
    const row = reader.rows.get(seq);
    if (row === undefined) throw new Error(`There is no row ${seq} to change.`);
    if (part === "line") row.line = textOf(html);
    else row.body += textOf(html);
  } else reader.places.set(id, html);
}

function addAll<T>(to: Map<string, T>, from: Map<string, T>): void {
  for (const [key, value] of from) {
    if (to.has(key)) throw new Error(`${key} came twice.`);
    to.set(key, value);
  }
}

function setKnown<T>(map: Map<string, T>, key: string, value: T): void {
  if (!map.has(key)) throw new Error(`There is no ${key} to change.`);
  map.set(key, value);
}

/** Text of HTML without its tags. */
export function textOf(html: string): string {
  return html
    .replace(/<[^>]*>/g, "")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&amp;", "&");
}
