import type { Links } from "marked";
import { type Code, codeFigure, languageOf } from "./code-block.ts";
import { escapeHtml } from "../escape-html.ts";
import { highlighter } from "./highlight.ts";
import { definitionsIn, fillCodes, layOutBlocks } from "./markdown-blocks.ts";
import { withPlainLineEnds } from "./markdown-lexer.ts";
import { createPieceCutter, type Piece, renderCost } from "./markdown-pieces.ts";
import { formattedCharsMax } from "../chat/renderer-version.ts";
import { plural } from "../wording.ts";

/** What may be rendered before others get their turn, in the measure of `renderCost`: a few milliseconds. */
export const costAtOnce = 8_192;
/** Characters of text; cutting and escaping are much cheaper than rendering. */
export const charsCutAtOnce = 65_536;

/**
 * Markdown of unknown origin as harmless HTML; put it inside an element with `hx-ignore`. A text longer than
 * `formattedCharsMax` ends there, with a note.
 */
export async function renderMarkdown(text: string): Promise<string> {
  const rest = createRests(costAtOnce);
  const pieces = await cutText(withPlainLineEnds(text.slice(0, formattedCharsMax)), rest);
  let links: Links = {};
  for (const piece of pieces) {
    await rest(piece.text.includes("]:") ? renderCost(piece) : 0);
    links = definitionsOf(piece, links);
  }
  let html = "";
  for (const piece of pieces) {
    await rest(renderCost(piece));
    html += await renderPiece(piece, links);
  }
  return html + leftOutNote(text.length);
}

async function cutText(text: string, rest: (cost: number) => Promise<void>): Promise<Piece[]> {
  const cutter = createPieceCutter();
  const pieces: Piece[] = [];
  for (let at = 0; at < text.length; at += charsCutAtOnce) {
    const part = text.slice(at, at + charsCutAtOnce);
    await rest((part.length * costAtOnce) / charsCutAtOnce);
    pieces.push(...cutter.push(part));
  }
  pieces.push(...cutter.end());
  return pieces;
}

/** To be waited for before work of some cost is done: lets others have their turn now and then. */
export function createRests(costMax: number): (cost: number) => Promise<void> {
  let costSince = 0;
  return async (cost) => {
    if (costSince > 0 && costSince + cost > costMax) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      costSince = 0;
    }
    costSince += cost;
  };
}

/** All link definitions up to and with this piece. */
export function definitionsOf(piece: Piece, known: Links): Links {
  return piece.kind === "blocks" ? definitionsIn(piece.text, known) : known;
}

/** A finished piece, its code highlighted. */
export async function renderPiece(piece: Piece, links: Links): Promise<string> {
  if (piece.kind === "code") return renderCode(codeOf(piece));
  const laidOut = layOutBlocks(piece.text, links);
  return fillCodes(laidOut, await Promise.all(laidOut.codes.map(renderCode)));
}

/** As `renderPiece`, at once and with the code as it is. */
export function renderPiecePlainly(piece: Piece, links: Links): string {
  if (piece.kind === "code") return renderCodePlainly(codeOf(piece));
  const laidOut = layOutBlocks(piece.text, links);
  return fillCodes(laidOut, laidOut.codes.map(renderCodePlainly));
}

function codeOf({ info, text }: Extract<Piece, { kind: "code" }>): Code {
  return { text, language: languageOf(info) };
}

async function renderCode(code: Code): Promise<string> {
  const { text, language } = code;
  const highlighted = language === null ? null : await highlighter.highlight(text, language);
  return codeFigure(code, highlighted ?? (await escapeLong(text)));
}

async function escapeLong(text: string): Promise<string> {
  const rest = createRests(charsCutAtOnce);
  let html = "";
  for (let at = 0; at < text.length; at += charsCutAtOnce) {
    const part = text.slice(at, at + charsCutAtOnce);
    await rest(part.length);
    html += escapeHtml(part);
  }
  return html;
}

function renderCodePlainly(code: Code): string {
  return codeFigure(code, escapeHtml(code.text));
}

/** What stands at the end of a text that is too long to be shown whole, or "". */
export function leftOutNote(charsTotal: number): string {
  const leftOut = charsTotal - formattedCharsMax;
  return leftOut <= 0 ? "" : `<p class="hint">${plural(leftOut, "more character")} left out here.</p>\n`;
}
