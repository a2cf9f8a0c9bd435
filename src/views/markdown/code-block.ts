import { escapeHtml } from "../escape-html.ts";
import { plural } from "../wording.ts";

/** A piece of code with more lines folds. */
const linesShownMax = 40;

export interface Code {
  text: string;
  /** The name that stands behind the fence; null when there is none, or none that looks like a name. */
  language: string | null;
}

/** "ts" in "ts", "ts title=x", "ts:src/a.ts" and "ts{1,3}". */
export function languageOf(info: string): string | null {
  return /^[\w+#.-]{1,32}(?=$|[\s:,{(])/.exec(info)?.[0] ?? null;
}

/**
 * A piece of code with its language and a button that copies it. `html` is its text, escaped and perhaps
 * highlighted. Buttons are made here and nowhere else: this markup is put in after the sanitiser.
 */
export function codeFigure({ text, language }: Code, html: string): string {
  const lines = linesOf(text);
  const fold = lines <= linesShownMax ? "" : foldOf(lines);
  const button = '<button type="button" class="copy" data-copy>Copy</button>';
  return (
    `<figure class="code${fold === "" ? "" : " long"}">${caption(language, button)}` +
    `<pre tabindex="0">${codeTag(language)}${html}\n</code></pre>${fold}</figure>\n`
  );
}

/** Opens what the style sheet cuts: the text is whole all the time, so that it is found and copied whole. */
function foldOf(lines: number): string {
  return `<details class="fold"><summary>All ${plural(lines, "line")}</summary></details>`;
}

/** Code that still grows: what is finished is added to one element, what may change is replaced in another. */
export function growingFigure(
  language: string | null,
  ids: { code: string; tail: string },
  parts: { finished: string; tail: string },
): string {
  return (
    `<figure class="code growing-code">${caption(language, "")}<pre tabindex="0">${codeTag(language)}` +
    `<span id="${ids.code}">${parts.finished}</span><span id="${ids.tail}">${parts.tail}</span>` +
    `</code></pre></figure>\n`
  );
}

function caption(language: string | null, button: string): string {
  return `<figcaption><span class="language">${escapeHtml(language ?? "")}</span>${button}</figcaption>`;
}

function codeTag(language: string | null): string {
  return language === null ? "<code>" : `<code class="language-${escapeHtml(language)}">`;
}

function linesOf(text: string): number {
  let lines = 1;
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) lines++;
  return lines;
}
