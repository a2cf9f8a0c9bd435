import { createCodeGrams, leftOut } from "./code-grams.ts";
import type { Form } from "./secret-forms.ts";
import { isBase64 } from "./text-views.ts";

/** Tells whether a text is worth decoding, several times faster than decoding it; in doubt it is. */
export interface Glance {
  /** Whether an escape of JSON in it may be a part of a form. */
  escapes(text: string, isOpen: boolean): boolean;
  /** Whether a percent-encoding may. */
  percents(text: string, isOpen: boolean): boolean;
  /** Whether a plus may be the space of one. */
  pluses(text: string, isOpen: boolean): boolean;
  /** Whether the break of a line may be in the midst of a form. */
  lines(text: string, isOpen: boolean): boolean;
}

const backslash = 0x5c;
const percent = 0x25;
const newline = 0x0a;
const carriageReturn = 0x0d;
const letterU = 0x75;
const letterN = 0x6e;
const letterR = 0x72;
const space = 0x20;
const plus = 0x2b;

export function createGlance(forms: readonly Form[]): Glance {
  const all = createCodeGrams(forms);
  const base64 = createCodeGrams(forms.filter((form) => form.isBase64));
  // Where a plus is looked at, the codes of the text are decoded, or are when it is looked at once more.
  const spaced = createCodeGrams(
    forms.filter(({ text }) => text.includes(" ")),
    { areCodesDecoded: true },
  );
  const letters = createLetters(all.has);

  function isInLines(text: string, from: number, to: number, isOpen: boolean): boolean {
    const before = text.charCodeAt(from - 1);
    if (!isBase64(before)) return false;
    // Behind another escape, all that the line can hold of a form is that escape's letter.
    const isAfterEscape = text.charCodeAt(from - 2) === backslash && isControlLetter(before);
    return base64.mayHoldAfter(text, from, to, leftOut, isOpen, isAfterEscape ? 1 : 3);
  }

  /** Some backslashes and what they stand before. */
  function isEscapeInForm(text: string, from: number, to: number, isOpen: boolean): boolean {
    const letter = text.charCodeAt(to);
    // Several levels of escapes, or one that another one is a part of.
    if (to - from > 1 && (all.has(backslash) || letter === letterU)) return true;
    if (letter === percent) return true;
    if (letter === letterU) return isUnicodeInForm(text, from, to, isOpen);
    const unit = letters[letter];
    return unit !== undefined && unit > 0 && mayBe(text, from, to + 1, unit, isOpen);
  }

  function isUnicodeInForm(text: string, from: number, to: number, isOpen: boolean): boolean {
    const unit = hexAt(text, to + 1, 4);
    return unit === null ? text.slice(to + 1, to + 5).includes("%") : mayBe(text, from, to + 5, unit, isOpen);
  }

  function mayBe(text: string, from: number, to: number, unit: number, isOpen: boolean): boolean {
    if (unit === backslash || unit === percent) return true;
    if (all.has(unit) && all.mayHold(text, from, to, unit, isOpen)) return true;
    // In a query it is a space, and .NET's JSON writes every plus as an escape.
    if (unit === plus) return all.has(space) && all.mayHold(text, from, to, space, isOpen);
    if (unit !== newline && unit !== carriageReturn) return false;
    return !isFollowedByOther(text, to, unit) && isInLines(text, from, to, isOpen);
  }

  function escapes(text: string, isOpen: boolean): boolean {
    for (let from = text.indexOf("\\"); from >= 0;) {
      let to = from + 1;
      while (text.charCodeAt(to) === backslash) to += 1;
      if (isEscapeInForm(text, from, to, isOpen)) return true;
      from = text.indexOf("\\", to);
    }
    return false;
  }

  function percents(text: string, isOpen: boolean): boolean {
    for (let from = text.indexOf("%"); from >= 0; from = text.indexOf("%", from + 1)) {
      const byte = hexAt(text, from + 1, 2);
      if (byte === null) continue;
      // What nobody needs to encode may be a part of another escape.
      if (byte > 0x7f ? all.hasOthers : isAlphanumeric(byte)) return true;
      if (byte < 0x80 && mayBe(text, from, from + 3, byte, isOpen)) return true;
    }
    return false;
  }

  function lines(text: string, isOpen: boolean): boolean {
    if (isOpen && text.endsWith("\r")) return true;
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) {
      const from = text.charCodeAt(at - 1) === carriageReturn ? at - 1 : at;
      if (text.charCodeAt(at + 1) !== newline && isInLines(text, from, at + 1, isOpen)) return true;
    }
    return false;
  }

  function pluses(text: string, isOpen: boolean): boolean {
    if (!spaced.has(space)) return false;
    for (let at = text.indexOf("+"); at >= 0; at = text.indexOf("+", at + 1)) {
      if (spaced.mayHold(text, at, at + 1, space, isOpen)) return true;
    }
    return false;
  }

  return { escapes, percents, pluses, lines };
}

function isControlLetter(letter: number): boolean {
  return letter === letterN || letter === letterR || letter === 0x74 || letter === 0x62 || letter === 0x66;
}

/** What an escape with this letter reads as; 0 where that is in no form. */
function createLetters(has: (unit: number) => boolean): Uint8Array {
  const letters = new Uint8Array(0x80);
  for (const letter of '"/\\') letters[letter.charCodeAt(0)] = letter.charCodeAt(0);
  for (const [letter, control] of ["b\b", "f\f", "t\t"])
    letters[letter!.charCodeAt(0)] = control!.charCodeAt(0);
  for (const [letter, unit] of letters.entries()) if (!has(unit)) letters[letter] = 0;
  // Breaks may also be in the midst of base64.
  letters[letterN] = newline;
  letters[letterR] = carriageReturn;
  return letters;
}

/** An escape that stands for nothing that goes on a line of base64: another break doesn't, but for that of \r\n. */
function isFollowedByOther(text: string, to: number, unit: number): boolean {
  if (text.charCodeAt(to) !== backslash) return false;
  let at = to;
  while (text.charCodeAt(at) === backslash) at += 1;
  const letter = text[at];
  if (letter === undefined || letter === "u" || letter === "/" || letter === "%") return false;
  return !(letter === "n" && unit === carriageReturn);
}

function hexAt(text: string, at: number, digits: number): number | null {
  let number = 0;
  for (let each = at; each < at + digits; each += 1) {
    const digit = hexDigit(text.charCodeAt(each));
    if (digit < 0) return null;
    number = number * 16 + digit;
  }
  return number;
}

function hexDigit(unit: number): number {
  if (unit >= 0x30 && unit <= 0x39) return unit - 0x30;
  const letter = unit | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

function isAlphanumeric(unit: number): boolean {
  const letter = unit | 0x20;
  return (unit >= 0x30 && unit <= 0x39) || (letter >= 0x61 && letter <= 0x7a);
}
