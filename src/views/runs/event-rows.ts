import type { RunEvent } from "../../domain/event.ts";
import { inputSummary } from "../chat/answer-parts.ts";
import { visibleText } from "../visible-text.ts";
import { countShown, durationShown, plural, statesShown, tokensShown } from "../wording.ts";

/** Which events are shown, by the word in the page's address. */
export const eventFilters = {
  all: null,
  text: ["text", "text.discarded", "thinking"],
  tools: ["tool.started", "tool.finished"],
  notices: ["notice"],
} as const satisfies Record<string, readonly RunEvent["type"][] | null>;
export type EventFilter = keyof typeof eventFilters;
export const eventFilterNames = Object.keys(eventFilters) as EventFilter[];

export function isEventFilter(word: string): word is EventFilter {
  return Object.hasOwn(eventFilters, word);
}

/** Of a long text only the beginning is looked at, since a summary is one line. */
const summarySourceCharsMax = 2_000;
const summaryCharsMax = 200;

export type TextEvent = Extract<RunEvent, { type: "text" | "thinking" }>;

/** One event, or the pieces of one text, which come word by word. */
export type EventRow = [RunEvent, ...RunEvent[]];

export function rowsOf(events: readonly RunEvent[]): EventRow[] {
  const rows: EventRow[] = [];
  for (const event of events) {
    const last = rows.at(-1);
    if (last !== undefined && belongsTo(last, event)) last.push(event);
    else rows.push([event]);
  }
  return rows;
}

/** True when the event goes on with the row's text. */
export function belongsTo([first]: EventRow, event: RunEvent): boolean {
  if (first.type === "text") return event.type === "text" && event.block === first.block;
  return first.type === "thinking" && event.type === "thinking";
}

export function isTextEvent(event: RunEvent): event is TextEvent {
  return event.type === "text" || event.type === "thinking";
}

/** "12", or "12–48" for a text in pieces. */
export function seqsShown(row: EventRow): string {
  const [first] = row;
  const last = row.at(-1) ?? first;
  return first === last ? `${first.seq}` : `${first.seq}–${last.seq}`;
}

/** How long after `originMs` it was. */
export function offsetShown(event: RunEvent, originMs: number): string {
  return `+${durationShown(Math.max(0, Date.parse(event.at) - originMs))}`;
}

/** What a row says, on one line. */
export function summaryOf(row: EventRow): string {
  return oneLine(isTextEvent(row[0]) ? beginningOf(row) : factsOf(row[0]));
}

function oneLine(text: string): string {
  return visibleText(inputSummary(text.slice(0, summarySourceCharsMax), summaryCharsMax));
}

function beginningOf(row: EventRow): string {
  let text = "";
  for (const event of row) {
    if (text.length >= summarySourceCharsMax) break;
    if (isTextEvent(event)) text += event.text;
  }
  return text;
}

function factsOf(event: RunEvent): string {
  switch (event.type) {
    case "session":
      return [event.model, event.cliSessionId].filter((part) => part !== null).join(", ");
    case "text.discarded":
      return `block ${event.block} was begun again`;
    case "tool.started":
      return `${event.name} ${inputSummary(event.input, summaryCharsMax)}`;
    case "tool.finished":
      return `${event.isError ? "failed" : "done"}, ${plural(event.output.length, "character")}: ${event.output.slice(0, summarySourceCharsMax)}`;
    case "usage":
      return tokensShown(event);
    case "notice":
      return `${event.code}: ${event.message}`;
    case "run.finished":
      return [statesShown[event.state], event.error?.code].filter((part) => part !== undefined).join(", ");
    default:
      return "";
  }
}

export interface JsonShown {
  json: string;
  isCut: boolean;
}

/** An event as JSON, with what is long in it cut; never much more work than what is shown. */
export function jsonShown(event: RunEvent, charsMax: number): JsonShown {
  let isCut = false;
  const shorten = (_key: string, value: unknown) => {
    if (typeof value !== "string" || value.length <= charsMax) return value;
    isCut = true;
    return `${value.slice(0, charsMax)}… (${countShown(value.length - charsMax)} more)`;
  };
  const json = JSON.stringify(event, shorten, 2);
  return { json: json.slice(0, charsMax * 2), isCut: isCut || json.length > charsMax * 2 };
}
