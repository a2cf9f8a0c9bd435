import { type Begun, joined, pieceCharsMin, type Region } from "./find-forms.ts";
import type { SecretFinder } from "./secret-finder.ts";
import type { Form } from "./secret-forms.ts";

export interface RedactionStream {
  /** How many characters are held back. */
  readonly heldChars: number;
  /** What can be shown now; the rest is held back until the next piece decides. */
  push(piece: string): string;
  /**
   * What was held back, since the text ends here: a value's beginning of eight characters and more is masked. What
   * is pushed after that is another text, in which the rest of that value is masked at the beginning.
   */
  end(): string;
  /** Something was left out here: what was held back goes, and so does what may be the rest of a value. */
  gap(): void;
}

/** Masks what the finder finds, in the same places as if the text had come at once. */
export function createRedactionStream(
  finder: SecretFinder,
  mask: (text: string, regions: readonly Region[]) => string,
  regionsOf: (text: string) => readonly Region[],
): RedactionStream {
  let held = "";
  /** So much of what is held belongs to a part whose mask has been shown. */
  let shown = 0;
  /** Rests of values that were begun at the end of the text before, while this text may begin with one. */
  let rests: Unfinished[] = [];
  let skip = 0;

  function take(whole: string, upTo: number, regions: readonly Region[]): string {
    const all = shown > 0 ? joined([{ from: 0, to: shown, variable: "" }, ...regions]) : regions;
    const isShown = shown > 0;
    // Of a part whose mask has been shown nothing may follow, even if all of it is still held.
    const isBegun = ({ from }: Region) => from < upTo || (isShown && from === 0);
    const open = all.find((region) => isBegun(region) && region.to > upTo);
    const whollyBefore = all.filter(isBegun).map((region) => ({ ...region, to: Math.min(region.to, upTo) }));
    held = whole.slice(upTo);
    shown = open ? open.to - upTo : 0;
    const text = whole.slice(0, upTo);
    if (!isShown) return mask(text, whollyBefore);
    const [first, ...others] = whollyBefore;
    const after = first?.to ?? 0;
    return mask(
      text.slice(after),
      others.map((region) => moved(region, -after)),
    );
  }

  /** The rest of a value that the text begins with; "open" while that can't be told. */
  function restOf(whole: string): Region | "open" | null {
    let longest: Region | null = null;
    let isOpen = false;
    for (const { form, done } of rests) {
      const rest = finder.restAt(whole, form, done);
      if (rest === null) continue;
      if ("done" in rest) isOpen = true;
      else if (longest === null || rest.textLength > longest.to)
        longest = { from: 0, to: rest.textLength, variable: form.variable };
    }
    return longest ?? (isOpen ? "open" : null);
  }

  /** The rests that all of this text belongs to. */
  function restsAfter(whole: string): Unfinished[] {
    return rests.flatMap(({ form }, index) => {
      const rest = finder.restAt(whole, form, rests[index]!.done);
      return rest !== null && "done" in rest ? [{ form, done: rest.done }] : [];
    });
  }

  return {
    get heldChars() {
      return held.length;
    },
    push(piece) {
      const cut = Math.min(skip, piece.length);
      skip -= cut;
      const whole = held + (cut === 0 ? piece : piece.slice(cut));
      const rest = rests.length === 0 ? null : restOf(whole);
      if (rest === "open") {
        held = whole;
        return "";
      }
      rests = [];
      const regions = joined(rest ? [rest, ...regionsOf(whole)] : regionsOf(whole));
      return take(whole, whole.length - finder.open(whole).chars, regions);
    },
    end() {
      const whole = held;
      const inMidst = whole === "" ? [] : restsAfter(whole);
      const { begun } = finder.open(whole);
      const ending = endingOf(whole, begun, inMidst);
      const rest = take(whole, whole.length, joined([...regionsOf(whole), ...(ending ? [ending] : [])]));
      if (whole !== "" || rests.length === 0)
        rests = [...inMidst, ...begun.map(({ form, length }) => ({ form, done: length }))];
      held = "";
      shown = 0;
      return rest;
    },
    gap() {
      held = "";
      shown = 0;
      rests = [];
      skip = Math.max(0, finder.longest - 1);
    },
  };
}

/** A form of which so much has come. */
interface Unfinished {
  form: Form;
  done: number;
}

/** The piece of a value with which the text ends, when it is long enough to be told from a word. */
function endingOf(whole: string, begun: readonly Begun[], [inMidst]: readonly Unfinished[]): Region | null {
  if (inMidst && whole.length >= pieceCharsMin)
    return { from: 0, to: whole.length, variable: inMidst.form.variable };
  const longest = begun.find(({ length }) => length >= pieceCharsMin);
  if (!longest) return null;
  return { from: whole.length - longest.textLength, to: whole.length, variable: longest.form.variable };
}

function moved(region: Region, by: number): Region {
  return { ...region, from: region.from + by, to: region.to + by };
}
