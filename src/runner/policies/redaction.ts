import type { Hole } from "../../domain/ports.ts";
import { createPieceFinder, joined, type PieceFinder, type Region } from "./find-forms.ts";
import { maskShapes, openEnd } from "./key-shapes.ts";
import { cutOut, fillIn } from "./prompt-holes.ts";
import { createRedactionStream, type RedactionStream } from "./redaction-stream.ts";
import { findSecrets, listForms, listReadings } from "./secret-forms.ts";
import { createSecretFinder } from "./secret-finder.ts";

export type { RedactionStream };

/** Masks the values of secret variables, in whatever form they appear. */
export interface Redactor {
  /** For everything that is stored or shown. */
  text(text: string): string;
  /** `text`, pieces of values at the ends of lines and of quoted texts, and what merely looks like a key. */
  log(text: string): string;
  /** Inside any JSON value: every string in it, keys included. */
  json(value: unknown): unknown;
  /** A prompt as it is stored, with the places where values were cut out. */
  prompt(text: string): { text: string; holes: Hole[] };
  /** The prompt as it was sent; a hole whose variable has changed stays masked. */
  restore(text: string, holes: readonly Hole[]): string;
  /** For text that comes in pieces: a value split over two pieces is masked too. */
  stream(): RedactionStream;
  /** The same for a log, where what looks like a key is masked too: a word is held back until it is over. */
  logStream(): RedactionStream;
}

export function createRedactor(environment: Readonly<Record<string, string | undefined>>): Redactor {
  const secrets = findSecrets(environment);
  if (secrets.length === 0) return withoutSecrets();
  const forms = listForms(secrets);
  const finder = createSecretFinder(forms, listReadings(secrets));
  const pieces = createPieceFinder(forms);
  const text = (value: string) => mask(value, [...finder.find(value), ...piecesAtEnds(pieces, value)]);
  const stream = (regionsOf = finder.find) => createRedactionStream(finder, mask, regionsOf);
  const inLog = (value: string) => [...finder.find(value), ...piecesAtEdges(pieces, value)];
  return {
    text,
    log: (value) => maskShapes(mask(value, [...inLog(value), ...piecesAtEnds(pieces, value)])),
    json: (value) => redactStrings(value, text),
    prompt: (value) => cutOut(value, finder.find(value), { maskOf, environment }),
    restore: (value, holes) => fillIn(value, holes, environment),
    stream,
    logStream: () => withShapes(stream(inLog)),
  };
}

function withoutSecrets(): Redactor {
  const itself = (value: string) => value;
  const stream = () => ({ heldChars: 0, push: itself, end: () => "", gap: () => undefined });
  return {
    text: itself,
    log: maskShapes,
    json: (value) => value,
    prompt: (text) => ({ text, holes: [] }),
    restore: itself,
    stream,
    logStream: () => withShapes(stream()),
  };
}

function maskOf(variable: string): string {
  return `[redacted:${variable}]`;
}

function mask(text: string, regions: readonly Region[]): string {
  if (regions.length === 0) return text;
  let masked = "";
  let from = 0;
  for (const region of joined(regions)) {
    masked += text.slice(from, region.from) + maskOf(region.variable);
    from = region.to;
  }
  return masked + text.slice(from);
}

/** How our own bounds say that they cut a text. */
const cutRemark = /… \d+ bytes more$/;

/** A text may have been cut in the midst of a value. */
function piecesAtEnds(pieces: PieceFinder, text: string): Region[] {
  const end = text.endsWith(" bytes more") ? text.search(cutRemark) : -1;
  return [pieces.pieceAfter(text, 0), pieces.pieceBefore(text, end < 0 ? text.length : end)].filter(isThere);
}

/** What stands at both sides of these may be the two parts of a value: of lines, and of texts in JSON. */
const edges = ["\n", "\\n", '"'];

/** A CLI that streams prints a value in quoted pieces, one in each line. */
function piecesAtEdges(pieces: PieceFinder, text: string): Region[] {
  const found: Region[] = [];
  for (const edge of edges) {
    for (let at = text.indexOf(edge); at >= 0; at = text.indexOf(edge, at + 1)) {
      const before = pieces.pieceBefore(text, edge === '"' ? beforeBackslashes(text, at) : at);
      const next = at + edge.length;
      const after = pieces.pieceAfter(text, next) ?? pieces.pieceBetween(text, next);
      if (before) found.push(before);
      if (after) found.push(after);
    }
  }
  return found;
}

function beforeBackslashes(text: string, at: number): number {
  let from = at;
  while (from > 0 && text[from - 1] === "\\") from -= 1;
  return from;
}

function isThere(region: Region | null): region is Region {
  return region !== null;
}

function redactStrings(value: unknown, text: (value: string) => string): unknown {
  if (typeof value === "string") return text(value);
  if (typeof value === "number" || typeof value === "bigint")
    return text(String(value)) === String(value) ? value : null;
  if (Array.isArray(value)) return value.map((item) => redactStrings(item, text));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [text(key), redactStrings(item, text)]),
  );
}

/** Masks what looks like a key in what comes out of the stream, a word at a time. */
function withShapes(values: RedactionStream): RedactionStream {
  let held = "";
  /** What goes on a word that was left out is left out with it. */
  let isInGap = false;

  function afterGap(text: string): string {
    if (!isInGap) return text;
    const word = text.search(/\s/);
    isInGap = word < 0;
    return isInGap ? "" : text.slice(word);
  }
  return {
    get heldChars() {
      return values.heldChars + held.length;
    },
    push(piece) {
      const whole = held + afterGap(values.push(piece));
      const end = openEnd(whole);
      held = whole.slice(end);
      return maskShapes(whole.slice(0, end));
    },
    end() {
      const rest = held + afterGap(values.end());
      held = "";
      return maskShapes(rest);
    },
    gap() {
      values.gap();
      held = "";
      isInGap = true;
    },
  };
}
