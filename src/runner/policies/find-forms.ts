import type { Form } from "./secret-forms.ts";

/** A part of a text that is to be masked. */
export interface Region {
  from: number;
  to: number;
  variable: string;
}

/** Where a form was begun at the end of a text, so that what follows may be its rest. */
export interface Begun {
  form: Form;
  /** How much of it has come. */
  length: number;
  /** How much of the text that takes: more, where it is escaped. */
  textLength: number;
}

/** Finds forms in texts, in time that is linear in the text whatever it holds. */
export interface FormFinder {
  readonly longest: number;
  /** All forms, overlapping ones joined, in order. */
  find(text: string): readonly Region[];
  /** The forms that the end of the text may be the beginning of, the longest part first. */
  begun(text: string): Begun[];
}

export interface PieceFinder {
  /** Pieces of forms at an edge: the beginning of one that ends at `at`, or one's end that begins there. */
  pieceBefore(text: string, at: number): Region | null;
  pieceAfter(text: string, at: number): Region | null;
  /** A piece out of the midst of a form, when all that stands between `at` and the next edge is one. */
  pieceBetween(text: string, at: number): Region | null;
}

/** So many characters are looked up at once. */
export const gramChars = 4;
const tableSize = 65_536;
/** A shorter piece of a secret at an edge is as good as any other word. */
export const pieceCharsMin = 8;

/**
 * A form of n characters holds n − 3 runs of four, so that looking at every (n − 3)rd place of a text for the shortest
 * n meets every form: most places are never looked at, and of those that are, a table of bits rules nearly all out.
 */
export function createFormFinder(forms: readonly Form[]): FormFinder {
  const shortest = Math.min(...forms.map(({ text }) => text.length));
  const longest = Math.max(0, ...forms.map(({ text }) => text.length));
  const step = shortest - gramChars + 1;
  const grams = createGrams(forms, step);
  const beginnings = createBeginnings(forms);

  function findAll(text: string): Region[] {
    const found: Region[] = [];
    const last = text.length - gramChars;
    for (let at = 0; at <= last; at += step) {
      const hash = gramAt(text, at);
      if (grams.may[hash] === 0) continue;
      for (const { form, offset } of grams.at.get(hash) ?? []) {
        const from = at - offset;
        if (from >= 0 && text.startsWith(form.text, from))
          found.push({ from, to: from + form.text.length, variable: form.variable });
      }
    }
    return found;
  }

  function begun(text: string): Begun[] {
    const found: Begun[] = [];
    for (let at = Math.max(0, text.length - longest + 1); at < text.length; at += 1) {
      const length = text.length - at;
      const some = beginnings.at(text, at);
      if (some.length === 0) continue;
      for (const form of some) {
        if (form.text.length > length && text.endsWith(form.text.slice(0, length)))
          found.push({ form, length, textLength: length });
      }
    }
    return found;
  }

  return {
    longest,
    find: (text) => joined(findAll(text)),
    begun,
  };
}

function gramAt(text: string, at: number): number {
  return (
    (text.charCodeAt(at) * 29_791 +
      text.charCodeAt(at + 1) * 961 +
      text.charCodeAt(at + 2) * 31 +
      text.charCodeAt(at + 3)) &
    (tableSize - 1)
  );
}

const none: readonly Form[] = [];

/** By their first four characters, or by as many as the text has left. */
function createBeginnings(forms: readonly Form[]) {
  const may = new Uint8Array(tableSize);
  const byGram = Map.groupBy(forms, ({ text }) => gramAt(text, 0));
  for (const gram of byGram.keys()) may[gram] = 1;
  const byFirst = Map.groupBy(forms, ({ text }) => text.charCodeAt(0));
  const mayBegin = new Uint8Array(tableSize);
  for (const { text } of forms) for (const chars of [1, 2, 3]) mayBegin[startOf(text, 0, chars)] = 1;
  return {
    at(text: string, at: number): readonly Form[] {
      const left = text.length - at;
      if (left < gramChars)
        return mayBegin[startOf(text, at, left)] === 0 ? none : (byFirst.get(text.charCodeAt(at)) ?? none);
      const gram = gramAt(text, at);
      return may[gram] === 0 ? none : byGram.get(gram)!;
    },
  };
}

/** Fewer characters than a gram has, as one number. */
function startOf(text: string, at: number, chars: number): number {
  let start = chars;
  for (let each = at; each < at + chars; each += 1) start = start * 31 + text.charCodeAt(each);
  return start & (tableSize - 1);
}

interface Place {
  form: Form;
  offset: number;
}

/** The runs at the first `step` places of each form: one of them is looked at. */
function createGrams(forms: readonly Form[], step: number) {
  const may = new Uint8Array(tableSize);
  const at = new Map<number, Place[]>();
  for (const form of forms) {
    for (let offset = 0; offset < step; offset += 1)
      add({ may, at }, gramAt(form.text, offset), { form, offset });
  }
  return { may, at };
}

function add(table: { may: Uint8Array; at: Map<number, Place[]> }, hash: number, place: Place): void {
  table.may[hash] = 1;
  const places = table.at.get(hash);
  if (places) places.push(place);
  else table.at.set(hash, [place]);
}

/** By the last four characters of every beginning, and by the first four of every end, of eight characters or more. */
export function createPieceFinder(forms: readonly Form[]): PieceFinder {
  const ends = { may: new Uint8Array(tableSize), at: new Map<number, Place[]>() };
  const starts = { may: new Uint8Array(tableSize), at: new Map<number, Place[]>() };
  for (const form of forms) {
    const { length } = form.text;
    for (let cut = pieceCharsMin; cut < length; cut += 1)
      add(ends, gramAt(form.text, cut - gramChars), { form, offset: cut });
    for (let cut = 1; cut <= length - pieceCharsMin; cut += 1)
      add(starts, gramAt(form.text, cut), { form, offset: cut });
  }
  return {
    pieceBefore(text: string, at: number): Region | null {
      if (at < pieceCharsMin) return null;
      const hash = gramAt(text, at - gramChars);
      if (ends.may[hash] === 0) return null;
      const piece = longestOf(
        ends.at.get(hash),
        ({ offset }) => offset,
        ({ form, offset }) => at >= offset && text.startsWith(form.text.slice(0, offset), at - offset),
      );
      return piece && { from: at - piece.offset, to: at, variable: piece.form.variable };
    },
    pieceAfter(text: string, at: number): Region | null {
      if (text.length - at < pieceCharsMin) return null;
      const hash = gramAt(text, at);
      if (starts.may[hash] === 0) return null;
      const lengthOf = ({ form, offset }: Place) => form.text.length - offset;
      const piece = longestOf(starts.at.get(hash), lengthOf, ({ form, offset }) =>
        text.startsWith(form.text.slice(offset), at),
      );
      return piece && { from: at, to: at + lengthOf(piece), variable: piece.form.variable };
    },
    pieceBetween(text: string, at: number): Region | null {
      if (text.length - at < pieceCharsMin || starts.may[gramAt(text, at)] === 0) return null;
      for (const { form, offset } of starts.at.get(gramAt(text, at)) ?? []) {
        const length = commonLength(text, at, form.text, offset);
        if (length >= pieceCharsMin && isEdge(text, at + length))
          return { from: at, to: at + length, variable: form.variable };
      }
      return null;
    },
  };
}

function commonLength(text: string, at: number, form: string, offset: number): number {
  let length = 0;
  while (offset + length < form.length && text[at + length] === form[offset + length]) length += 1;
  return length;
}

/** Ends of lines and of quoted texts, whether they are escaped or not. */
function isEdge(text: string, at: number): boolean {
  return at === text.length || /["\\\n]/.test(text[at]!);
}

function longestOf(
  places: readonly Place[] | undefined,
  lengthOf: (place: Place) => number,
  fits: (place: Place) => boolean,
): Place | null {
  let longest: Place | null = null;
  for (const place of places ?? []) {
    if ((longest === null || lengthOf(place) > lengthOf(longest)) && fits(place)) longest = place;
  }
  return longest;
}

/** In order, and those that overlap as one: what is left of a value beside another one's mask is shown otherwise. */
export function joined(regions: readonly Region[]): readonly Region[] {
  if (regions.length < 2) return regions;
  const result: Region[] = [];
  for (const region of inOrder(regions)) {
    const last = result.at(-1);
    if (last && region.from < last.to) last.to = Math.max(last.to, region.to);
    else result.push({ ...region });
  }
  return result;
}

function inOrder(regions: readonly Region[]): Region[] {
  return regions.toSorted((a, b) => a.from - b.from || b.to - a.to);
}
