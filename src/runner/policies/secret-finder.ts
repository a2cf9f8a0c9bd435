import { type Begun, createFormFinder, joined, type Region } from "./find-forms.ts";
import { createReadingFinder, type Rest } from "./find-readings.ts";
import type { Form } from "./secret-forms.ts";
import { beforeCodes } from "./text-views.ts";

/** Finds secrets in texts: as tools are known to print them, and in any other mixture of escapes. */
export interface SecretFinder {
  /** No form that is listed is longer; in characters. */
  readonly longest: number;
  /** Joined where they overlap, in order. */
  find(text: string): readonly Region[];
  /** What the end of the text may be the beginning of, the longest first, and how much of it can't be judged yet. */
  open(text: string): { begun: Begun[]; chars: number };
  /** The rest of a form of which so much is done, with which the text begins; or as much of it as the text holds. */
  restAt(text: string, form: Form, done: number): Rest | null;
}

const nothingOpen = { begun: [], chars: 0 };

export function createSecretFinder(forms: readonly Form[], readingForms: readonly Form[]): SecretFinder {
  const listed = createFormFinder(forms);
  const readings = createReadingFinder(readingForms);

  return {
    longest: listed.longest,
    find(text) {
      const read = readings.find(text);
      return read.length === 0 ? listed.find(text) : joined([...listed.find(text), ...read]);
    },
    open(text) {
      const read = readings.open(text);
      const begun = [...listed.begun(text), ...read.begun];
      if (begun.length === 0 && read.chars === 0) return nothingOpen;
      begun.sort((a, b) => b.textLength - a.textLength);
      const from = text.length - Math.max(read.chars, begun[0]?.textLength ?? 0);
      return { begun, chars: text.length - beforeCodes(text, from) };
    },
    restAt(text, form, done) {
      const rest = form.text.slice(done);
      if (text.startsWith(rest)) return { textLength: rest.length };
      const read = readings.restAt(text, form, done);
      if (read === null && rest.startsWith(text)) return { done: done + text.length };
      return read;
    },
  };
}
