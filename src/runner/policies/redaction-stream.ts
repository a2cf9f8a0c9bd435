import { type Begun, type FormFinder, joined, pieceCharsMin, type Region } from "./find-forms.ts";

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
  finder: FormFinder,
  mask: (text: string, regions: readonly Region[]) => string,
  regionsOf: (text: string) => readonly Region[],
): RedactionStream {
  let held = "";
  /** So much of what is held belongs to a part whose mask has been shown. */
  let shown = 0;
  /** Rests of values that were begun at the end of the text before, while this text may begin with one. */
  let rests: { text: string; variable: string }[] = [];
  let skip = 0;

  function take(whole: string, upTo: number, regions: readonly Region[]): string {
    const all = shown > 0 ? joined([{ from: 0, to: shown, variable: "" }, ...regions]) : regions;
    const isShown = shown > 0;
    const open = all.find(({ from, to }) => from < upTo && to > upTo);
    const whollyBefore = all
      .filter(({ from }) => from < upTo)
      .map((region) => ({ ...region, to: Math.min(region.to, upTo) }));
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
    const fitting = rests.filter(({ text }) => whole.startsWith(text));
    const [rest] = fitting.toSorted((a, b) => b.text.length - a.text.length);
    if (rest) return { from: 0, to: rest.text.length, variable: rest.variable };
    return whole === "" || rests.some(({ text }) => text.startsWith(whole)) ? "open" : null;
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
      const [begun] = finder.begun(whole);
      return take(whole, whole.length - (begun?.length ?? 0), regions);
    },
    end() {
      const whole = held;
      const inMidst = rests.filter(({ text }) => whole !== "" && text.startsWith(whole));
      const begun = finder.begun(whole);
      const ending = endingOf(whole, begun, inMidst);
      const rest = take(whole, whole.length, ending ? [ending] : []);
      if (whole !== "" || rests.length === 0) {
        rests = [
          ...inMidst.map((each) => ({ ...each, text: each.text.slice(whole.length) })),
          ...begun.map(restAfter),
        ];
      }
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

/** The piece of a value with which the text ends, when it is long enough to be told from a word. */
function endingOf(
  whole: string,
  [begun]: readonly Begun[],
  [inMidst]: readonly { variable: string }[],
): Region | null {
  if (inMidst && whole.length >= pieceCharsMin)
    return { from: 0, to: whole.length, variable: inMidst.variable };
  if (!begun || begun.length < pieceCharsMin) return null;
  return { from: whole.length - begun.length, to: whole.length, variable: begun.form.variable };
}

function restAfter({ form, length }: Begun): { text: string; variable: string } {
  return { text: form.text.slice(length), variable: form.variable };
}

function moved(region: Region, by: number): Region {
  return { ...region, from: region.from + by, to: region.to + by };
}
