import { type Begun, createFormFinder, type FormFinder, type Region } from "./find-forms.ts";
import { createGlance } from "./glance.ts";
import { escapeLevelsMax, type Form } from "./secret-forms.ts";
import {
  asItStands,
  beforeCodes,
  cutAt,
  inOneLine,
  openEscapeAt,
  type View,
  withoutEscapes,
  withoutPercents,
  withSpaces,
} from "./text-views.ts";

/** Finds what reads as a secret once escapes are decoded and lines of base64 are joined. */
export interface ReadingFinder {
  /** Only what isn't a secret as it stands. */
  find(text: string): Region[];
  /** What the end of the text may be the beginning of, and how much of that end can't be judged yet. */
  open(text: string): { begun: Begun[]; chars: number };
  /** The rest of a form with which the text begins, or so much of it as the text holds. */
  restAt(text: string, form: Form, done: number): Rest | null;
}

/** `done` characters of the form have come by now, and with `textLength` of the text it is all of them. */
export type Rest = { textLength: number } | { done: number };

/** A character takes no more than this, so that what is held back has a bound: `\u00e9` escaped three times more. */
const charsPerCharMax = 40;
const percentLevelsMax = 2;
const escapesAroundPercentsMax = 2;

/** How often what was decoded. */
interface Depth {
  escapes: number;
  percents: number;
  /** Escapes of JSON within percent-encodings. */
  after: number;
}

interface Level {
  view: View;
  depth: Depth;
  /** Where in the source an escape begins that isn't whole; its end when there is none. */
  openAt: number;
}

function levelOf(view: View, depth: Depth, source: string, isOpen: boolean): Level {
  const openAt = isOpen ? openEscapeAt(view.text) : view.text.length;
  if (openAt === view.text.length) return { view, depth, openAt: source.length };
  return { view: cutAt(view, openAt), depth, openAt: view.from(openAt) };
}

function hasEscapes(text: string): boolean {
  return text.includes("\\") || text.includes("%");
}

export function createReadingFinder(forms: readonly Form[]): ReadingFinder {
  const base64 = forms.filter((form) => form.isBase64);
  const finders = {
    all: createFormFinder(forms),
    base64: createFormFinder(base64),
    spaces: spacedFinder(forms),
  };
  const isWorthDecoding = createGlance(forms);
  const codes = finders.spaces ? /[\\%\n\r+]/ : /[\\%\n\r]/;
  const tailCharsMax = charsPerCharMax * finders.all.longest;

  /** The text as it stands comes first; the others are only made where they may show something. */
  function levelsOf(text: string, isOpen: boolean): Level[] {
    const source = levelOf(asItStands(text), { escapes: 0, percents: 0, after: 0 }, text, isOpen);
    if (!hasEscapes(text)) return [source];
    const levels = [source];
    for (let at = 0; at < levels.length; at += 1) {
      for (const [view, depth] of decodedOnce(levels[at]!, isOpen))
        levels.push(levelOf(view, depth, text, isOpen));
    }
    return levels;
  }

  /** Escapes of JSON around percent-encodings around one more level of escapes: texts are nested in that order. */
  function decodedOnce({ view, depth }: Level, isOpen: boolean): [View, Depth][] {
    const decoded: [View, Depth][] = [];
    const { escapes, percents, after } = depth;
    const mayEscape = percents === 0 ? escapes < escapeLevelsMax : after < 1;
    if (mayEscape && isWorthDecoding.escapes(view.text, isOpen)) {
      const next = percents === 0 ? { ...depth, escapes: escapes + 1 } : { ...depth, after: 1 };
      decoded.push([withoutEscapes(view), next]);
    }
    const mayDecode = after === 0 && percents < percentLevelsMax && escapes <= escapesAroundPercentsMax;
    if (mayDecode && isWorthDecoding.percents(view.text, isOpen))
      decoded.push([withoutPercents(view), { ...depth, percents: percents + 1 }]);
    return decoded;
  }

  /** What is looked through for what; the source itself is only looked through when it ends amid an escape. */
  function viewsOf({ view, depth }: Level, isOpen: boolean, isCut: boolean): [FormFinder, View][] {
    const views: [FormFinder, View][] = [];
    if (isWorthDecoding.lines(view.text, isOpen)) views.push([finders.base64, inOneLine(view, isOpen)]);
    if (finders.spaces && isWorthDecoding.pluses(view.text, isOpen))
      views.push([finders.spaces, withSpaces(view)]);
    if (isCut || depth.escapes > 0 || depth.percents > 0) views.push([finders.all, view]);
    return views;
  }

  function find(text: string): Region[] {
    const found: Region[] = [];
    if (!codes.test(text)) return found;
    for (const level of levelsOf(text, false)) {
      for (const [finder, view] of viewsOf(level, false, false)) {
        for (const region of regionsIn(text, view, finder)) found.push(region);
      }
    }
    return found;
  }

  function open(text: string): { begun: Begun[]; chars: number } {
    const start = text.length <= tailCharsMax ? 0 : beforeCodes(text, text.length - tailCharsMax);
    const tail = text.slice(start);
    const begun: Begun[] = [];
    let chars = 0;
    if (!codes.test(tail)) return { begun, chars };
    for (const level of levelsOf(tail, true)) {
      chars = Math.max(chars, tail.length - level.openAt);
      for (const [finder, view] of viewsOf(level, true, level.openAt < tail.length)) {
        for (const each of finder.begun(view.text)) {
          const from = view.from(view.text.length - each.length);
          begun.push({ ...each, textLength: tail.length - from });
        }
      }
    }
    return { begun, chars };
  }

  function restAt(text: string, form: Form, done: number): Rest | null {
    const rest = form.text.slice(done);
    let unfinished: Rest | null = null;
    for (const { view: level } of levelsOf(text.slice(0, tailCharsMax), true)) {
      for (const view of form.isBase64 ? [level, inOneLine(level, true)] : [level]) {
        if (view.text.startsWith(rest)) return { textLength: view.to(rest.length) };
        if (rest.startsWith(view.text)) unfinished = { done: done + view.text.length };
      }
    }
    return unfinished;
  }

  return { find, open, restAt };
}

function regionsIn(text: string, view: View, finder: FormFinder): Region[] {
  return finder.find(view.text).flatMap((region) => {
    const [from, to] = [view.from(region.from), view.to(region.to)];
    const isAsItStands = text.slice(from, to) === view.text.slice(region.from, region.to);
    const isTooLong = to - from > charsPerCharMax * (region.to - region.from);
    return isAsItStands || isTooLong ? [] : [{ ...region, from, to }];
  });
}

/** In the query of a URL a space is a plus; nothing needs to be looked for when no secret has one. */
function spacedFinder(forms: readonly Form[]): FormFinder | null {
  const spaced = forms.filter(({ text }) => text.includes(" "));
  if (spaced.length === 0) return null;
  return createFormFinder(spaced.map((form) => ({ ...form, text: form.text.replaceAll("+", " ") })));
}
