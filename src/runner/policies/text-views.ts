/** A text as it reads when what is escaped in it is decoded, or what breaks it is left out. */
export interface View {
  readonly text: string;
  /** Where the unit at this place begins in the source. */
  from(at: number): number;
  /** Where what ends before this place ends in the source. */
  to(at: number): number;
}

/** A part of a text, and what it reads as. */
interface Part {
  from: number;
  to: number;
  text: string;
}

export function asItStands(text: string): View {
  return { text, from: (at) => at, to: (at) => at };
}

/** The beginning of a view. */
export function cutAt(view: View, length: number): View {
  return length === view.text.length ? view : { ...view, text: view.text.slice(0, length) };
}

const utf8Tail = "%[89ABab][0-9A-Fa-f]";
/** A character in percent-encoded UTF-8. */
const percents = new RegExp(
  [
    "%[0-7][0-9A-Fa-f]",
    `%[CDcd][0-9A-Fa-f]${utf8Tail}`,
    `%[Ee][0-9A-Fa-f](?:${utf8Tail}){2}`,
    `%[Ff][0-4](?:${utf8Tail}){3}`,
  ].join("|"),
  "g",
);
const escapes = /\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})/g;
const controls: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

/** Every percent-encoded character decoded once, whichever of them a tool chose to encode. */
export function withoutPercents(view: View): View {
  return decoded(view, percents, decodedOrItself);
}

/** Every escape of JSON decoded once. */
export function withoutEscapes(view: View): View {
  return decoded(view, escapes, (code) => {
    const letter = code[1]!;
    return letter === "u" ? String.fromCharCode(parseInt(code.slice(2), 16)) : (controls[letter] ?? letter);
  });
}

function decoded(view: View, codes: RegExp, characterOf: (code: string) => string): View {
  const parts: Part[] = [];
  for (const match of view.text.matchAll(codes)) {
    const [code] = match;
    parts.push({ from: match.index, to: match.index + code.length, text: characterOf(code) });
  }
  return replaced(view, parts);
}

export function decodedOrItself(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    return text;
  }
}

const lineBreaks = /\r\n?|\n/g;

/**
 * Lines of base64 as one; other lines stay as they are. While the text is open, a break at its end may be followed
 * by more of it.
 */
export function inOneLine(view: View, isOpen: boolean): View {
  const { text } = view;
  const parts: Part[] = [];
  for (const match of text.matchAll(lineBreaks)) {
    const to = match.index + match[0].length;
    const isFollowed = to === text.length ? isOpen : isBase64(text.charCodeAt(to));
    if (isFollowed && isBase64(text.charCodeAt(match.index - 1)))
      parts.push({ from: match.index, to, text: "" });
  }
  return replaced(view, parts);
}

/** As in the query of a URL. */
export function withSpaces(view: View): View {
  return { ...view, text: view.text.replaceAll("+", " ") };
}

const base64Units = new Uint8Array(0x80);
for (const character of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=")
  base64Units[character.charCodeAt(0)] = 1;

/** Of either alphabet, padding included. */
export function isBase64(unit: number): boolean {
  return unit < 0x80 && base64Units[unit] === 1;
}

function replaced(view: View, parts: readonly Part[]): View {
  const pieces: string[] = [];
  /** Where each part stands in the new text. */
  const places = new Int32Array(parts.length);
  let length = 0;
  let from = 0;
  for (const [index, part] of parts.entries()) {
    length += part.from - from;
    places[index] = length;
    length += part.text.length;
    pieces.push(view.text.slice(from, part.from), part.text);
    from = part.to;
  }
  pieces.push(view.text.slice(from));

  /** The last part that begins at this place or before it. */
  const partAt = (at: number) => lastUpTo(places, at);
  return {
    text: pieces.join(""),
    from(at) {
      const index = partAt(at);
      if (index < 0) return view.from(at);
      const part = parts[index]!;
      const beyond = at - places[index]! - part.text.length;
      return view.from(beyond < 0 ? part.from : part.to + beyond);
    },
    to(at) {
      const index = partAt(at - 1);
      if (index < 0) return view.to(at);
      const part = parts[index]!;
      return view.to(part.to + Math.max(0, at - places[index]! - part.text.length));
    },
  };
}

function lastUpTo(places: Int32Array, at: number): number {
  let low = 0;
  let high = places.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (places[middle]! <= at) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Levels of escapes each double the backslashes, so that a run of so many reads alike with and without them. */
const alignedBackslashes = 64;

/** The nearest place at or before this one where a text may be cut without another reading of its backslashes. */
function beforeBackslashes(text: string, at: number): number {
  let run = at;
  while (run > 0 && text.charCodeAt(run - 1) === 0x5c) run -= 1;
  return at - ((at - run) % alignedBackslashes);
}

/** So many characters of codes in a row are looked at for where the first one begins. */
const codeCharsMax = 256;

/**
 * The nearest place at or before this one where a text may be cut without another reading of what follows. Codes end
 * with the first character that neither begins one nor is a digit of one.
 */
export function beforeCodes(text: string, at: number): number {
  let first = at;
  const end = Math.max(0, at - codeCharsMax);
  for (let each = at - 1; each >= end; each -= 1) {
    const unit = text.charCodeAt(each);
    if (unit === 0x5c || unit === 0x25) first = each;
    else if (!isCodeDigit(unit)) return first;
  }
  return end === 0 ? first : beforeBackslashes(text, at);
}

/** Hexadecimal, or the letter that announces four of these. */
function isCodeDigit(unit: number): boolean {
  const letter = unit | 0x20;
  return (unit >= 0x30 && unit <= 0x39) || (letter >= 0x61 && letter <= 0x66) || unit === 0x75;
}

const openPercent = /%(?:[0-9A-Fa-f]?|[C-Fc-f][0-9A-Fa-f](?:%[89ABab][0-9A-Fa-f]){0,2}(?:%[89ABab]?)?)$/;
const openUnicode = /\\u[0-9A-Fa-f]{0,3}$/;
const openCharsMax = 11;
/** An escape may stand in the midst of another one's digits, and both may be open. */
const openEscapesMax = 8;

/** Where an escape begins that the text ends in the midst of, or what may be the beginning of one; else its end. */
export function openEscapeAt(text: string): number {
  let at = text.length;
  for (let count = 0; count < openEscapesMax; count += 1) {
    const before = lastOpenEscapeAt(text, at);
    if (before === at) return at;
    at = before;
  }
  return at;
}

function lastOpenEscapeAt(text: string, end: number): number {
  const tail = text.slice(Math.max(0, end - openCharsMax), end);
  if (!tail.includes("\\") && !tail.includes("%")) return end;
  if (tail.endsWith("\\")) return beforeBackslashes(text, end);
  const percent = openPercent.exec(tail);
  if (percent) return end - percent[0].length;
  const unicode = openUnicode.exec(tail);
  return unicode ? beforeBackslashes(text, end - unicode[0].length + 1) : end;
}
