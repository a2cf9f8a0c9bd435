import type { Links } from "marked";
import { formattedCharsMax, renderBlocks, renderMarkdown, renderPlain } from "./markdown.ts";
import { lexBlocks, withPlainLineEnds } from "./markdown-lexer.ts";

/** An open end longer than this (a long list, a long piece of code) is shown as it comes. */
const openCharsMax = 16_384;

export interface StreamingMarkdown {
  push(text: string): void;
  /** HTML of the blocks that were finished since the last call, and of the open end. */
  take(): { frozen: string; open: string };
  /** Exactly what `renderMarkdown` makes of the whole text. */
  finish(): string;
}

/**
 * Renders a growing text without reading it again and again: a block is frozen when a later one follows
 * after an empty line, since nothing that comes can change it then, except a link definition, which
 * `finish` sees to.
 */
export function createStreamingMarkdown(): StreamingMarkdown {
  let beginning = "";
  let charsTotal = 0;
  let heldBack = "";
  let open = "";
  let links: Links = {};
  let frozen = "";
  let frozenTaken = 0;

  const freeze = () => {
    const end = endOfFinishedBlocks(open, links);
    if (end === 0) return;
    const rendered = renderBlocks(open.slice(0, end), links);
    frozen += rendered.html;
    links = rendered.links;
    open = open.slice(end);
  };

  return {
    push(text) {
      charsTotal += text.length;
      if (beginning.length <= formattedCharsMax) beginning += text.slice(0, formattedCharsMax + 1);
      if (charsTotal > formattedCharsMax) return;
      // A carriage return may be the first half of a line end.
      const joined = heldBack + text;
      heldBack = joined.endsWith("\r") ? "\r" : "";
      open += withPlainLineEnds(heldBack === "" ? joined : joined.slice(0, -1));
    },

    take() {
      freeze();
      const html = frozen.slice(frozenTaken);
      frozenTaken = frozen.length;
      return { frozen: html, open: renderOpen(open, links, charsTotal) };
    },

    finish() {
      if (charsTotal > formattedCharsMax) {
        return renderPlain(beginning.slice(0, formattedCharsMax), charsTotal);
      }
      const last = renderBlocks(open + withPlainLineEnds(heldBack), links);
      return Object.keys(last.links).length > 0 ? renderMarkdown(beginning) : frozen + last.html;
    },
  };
}

/** Only whole lines count: "2" may yet become "2." and go on with the list above it. */
function endOfFinishedBlocks(text: string, links: Links): number {
  const wholeLines = text.slice(0, text.lastIndexOf("\n") + 1);
  const tokens = lexBlocks(wholeLines, links).tokens;
  const last = tokens.findLastIndex((token) => token.type !== "space");
  const before = tokens.slice(0, Math.max(0, last));
  // marked remembers a loose text over the empty line: it doesn't let a list begin after one.
  if (before.findLast((token) => token.type !== "space")?.type === "text") return 0;
  const end = before.reduce((length, token) => length + token.raw.length, 0);
  return /\n[ \t]*\n$/.test(wholeLines.slice(0, end)) ? end : 0;
}

function renderOpen(text: string, links: Links, charsTotal: number): string {
  if (charsTotal > formattedCharsMax) return renderPlain("", charsTotal);
  if (text.length > openCharsMax) return renderPlain(text, text.length);
  return renderBlocks(closeMarkup(text), links).html;
}

/** Closes what the last paragraph has begun, so that half-written markup doesn't flicker. */
function closeMarkup(text: string): string {
  const fences = text.match(/^ {0,3}(?:`{3,}|~{3,})/gm) ?? [];
  if (fences.length % 2 === 1) return text;
  const paragraph = text.slice(text.lastIndexOf("\n\n") + 1);
  const withoutLink = text.replace(/!?\[([^[\]\n]*)(?:\]\([^()\n]*)?$/, "$1");
  if (count(paragraph, /(?<!`)`(?!`)/g) % 2 === 1) return `${withoutLink}\``;
  return count(paragraph, /\*\*/g) % 2 === 1 && !text.endsWith("**") ? `${withoutLink}**` : withoutLink;
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}
