import { gramChars } from "./find-forms.ts";
import type { Form } from "./secret-forms.ts";
import { isBase64 } from "./text-views.ts";

/** In the place of the unit that a code reads as: it is left out. */
export const leftOut = -1;

/** Tells of a code in a text whether it may be a part of a form, by its neighbours. */
export interface CodeGrams {
  /** Whether any form holds this unit. */
  has(unit: number): boolean;
  /** Beyond ASCII. */
  readonly hasOthers: boolean;
  /** Whether the code from `from` to `to` that reads as this unit may be in a form; in doubt it may. */
  mayHold(text: string, from: number, to: number, unit: number, isOpen: boolean): boolean;
  /** The same with no more than so many of the form's characters before the code. */
  mayHoldAfter(
    text: string,
    from: number,
    to: number,
    unit: number,
    isOpen: boolean,
    beforeMax: number,
  ): boolean;
}

const foreign = 0;
const known = 1;
/** What begins a code or breaks a line: it may be any character. */
const unsure = 2;
const codeUnits = Array.from("\\%\n\r", (character) => character.charCodeAt(0));
const backslash = 0x5c;
const newline = 0x0a;
const carriageReturn = 0x0d;
const plus = 0x2b;
const space = 0x20;

/**
 * A form that holds a code holds four characters in a row of which the code is one, or in the midst of which it is
 * left out; for the first code of a form that is looked up. Numbers are passed rather than objects, since this is done for every code of every text.
 */
export function createCodeGrams(
  forms: readonly Form[],
  { areCodesDecoded = false }: { areCodesDecoded?: boolean } = {},
): CodeGrams {
  const units = new Uint8Array(0x10000);
  const grams = new Set<number>();
  for (const { text } of forms) {
    for (let at = 0; at < text.length; at += 1) units[text.charCodeAt(at)] = known;
    for (let at = 0; at + gramChars <= text.length; at += 1) grams.add(gramOf(text, at));
  }
  const kinds = units.slice();
  if (!areCodesDecoded) for (const unit of codeUnits) kinds[unit] = unsure;
  // In a query it may be a space.
  if (units[space] === known) kinds[plus] = unsure;

  /**
   * Four characters around a code. What stands before it is read as it is, since of all codes in a form one is the
   * first; behind it another code may follow, and then all the rest is unknown.
   */
  function isGram(
    text: string,
    before: number,
    from: number,
    to: number,
    unit: number,
    isOpen: boolean,
  ): boolean {
    let gram = 0;
    let isUnsure = false;
    for (let at = from - before; at < from; at += 1) {
      const each = text.charCodeAt(at);
      if (kinds[each] === foreign) return false;
      isUnsure ||= kinds[each] === unsure;
      gram = withUnit(gram, each);
    }
    if (unit !== leftOut) gram = withUnit(gram, unit);
    const end = to + gramChars - before - (unit === leftOut ? 0 : 1);
    for (let at = to; at < end; at += 1) {
      if (at >= text.length) return isOpen;
      const each = text.charCodeAt(at);
      if (kinds[each] === foreign) return false;
      if (kinds[each] === unsure) return mayFollow(text, at, unit === leftOut || isBase64(unit));
      gram = withUnit(gram, each);
    }
    return isUnsure || grams.has(gram);
  }

  /** Whether the code that begins here may read as something in a form; breaks may, amid base64. */
  function mayFollow(text: string, at: number, isInBase64: boolean): boolean {
    const first = text.charCodeAt(at);
    if (first === newline || first === carriageReturn) return isInBase64 || units[first] === known;
    if (first !== backslash || units[backslash] === known) return true;
    let letter = at;
    while (text.charCodeAt(letter) === backslash) letter += 1;
    if (letter === text.length || text[letter] === "u" || text[letter] === "%") return true;
    const control = '"/bfnrt'.indexOf(text[letter]!);
    if (control < 0) return false;
    const unit = '"/\b\f\n\r\t'.charCodeAt(control);
    return units[unit] === known || (isInBase64 && (unit === newline || unit === carriageReturn));
  }

  /** Most breaks of lines stand beside a character that is in no form. */
  function isAlone(text: string, from: number, to: number, isOpen: boolean): boolean {
    if (from === 0 || kinds[text.charCodeAt(from - 1)] === foreign) return true;
    return to < text.length ? kinds[text.charCodeAt(to)] === foreign : !isOpen;
  }

  function mayHoldAfter(
    text: string,
    from: number,
    to: number,
    unit: number,
    isOpen: boolean,
    beforeMax: number,
  ): boolean {
    if (unit === leftOut && isAlone(text, from, to, isOpen)) return false;
    for (let before = unit === leftOut ? 1 : 0; before <= Math.min(beforeMax, from); before += 1) {
      if (isGram(text, before, from, to, unit, isOpen)) return true;
    }
    return false;
  }

  return {
    has: (unit) => units[unit] === known,
    hasOthers: units.includes(known, 0x80),
    mayHoldAfter,
    mayHold: (text, from, to, unit, isOpen) => mayHoldAfter(text, from, to, unit, isOpen, gramChars - 1),
  };
}

function gramOf(text: string, from: number): number {
  let gram = 0;
  for (let at = from; at < from + gramChars; at += 1) gram = withUnit(gram, text.charCodeAt(at));
  return gram;
}

/** Two grams may have one number: then a text is decoded in vain. */
function withUnit(gram: number, unit: number): number {
  return ((gram << 7) ^ unit) | 0;
}
