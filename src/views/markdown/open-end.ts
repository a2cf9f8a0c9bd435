import type { Links } from "marked";
import { growingFigure, languageOf } from "./code-block.ts";
import { escapeHtml } from "../escape-html.ts";
import { renderPiecePlainly } from "./markdown.ts";
import type { OpenPiece } from "./markdown-pieces.ts";

/** The two elements of an open piece of code that change: lines are added to the first, the second replaced. */
export interface GrowingCodeIds {
  code: string;
  tail: string;
}

/** The piece that has only begun, with its unfinished markup closed. */
export function renderOpenEnd(open: OpenPiece, links: Links, ids: GrowingCodeIds): string {
  if (open.kind === "code") {
    const parts = { finished: finishedLines(open.finished), tail: escapeHtml(open.tail) };
    return growingFigure(languageOf(open.info), ids, parts);
  }
  return open.text === "" ? "" : renderPiecePlainly({ kind: "blocks", text: closeMarkup(open.text) }, links);
}

/** Each in an element of its own: a browser lays out what is added, not all of a long text. */
export function finishedLines(finished: readonly string[]): string {
  return finished.map((lines) => `<span class="lines">${escapeHtml(lines)}</span>`).join("");
}

/** Closes what the last paragraph has begun, so that half-written markup doesn't flicker. */
function closeMarkup(text: string): string {
  const fences = text.match(/^[ \t]*(?:`{3,}|~{3,})/gm) ?? [];
  if (fences.length % 2 === 1) return text;
  const paragraph = text.slice(text.lastIndexOf("\n\n") + 1);
  const withoutLink = text.replace(/!?\[([^[\]\n]*)(?:\]\([^()\n]*)?$/, "$1");
  if (count(paragraph, /(?<!`)`(?!`)/g) % 2 === 1) return `${withoutLink}\``;
  return count(paragraph, /\*\*/g) % 2 === 1 && !text.endsWith("**") ? `${withoutLink}**` : withoutLink;
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}
