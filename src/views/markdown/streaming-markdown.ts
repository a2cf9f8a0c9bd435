import type { Links } from "marked";
import { escapeHtml } from "../escape-html.ts";
import {
  costAtOnce,
  charsCutAtOnce,
  createRests,
  definitionsOf,
  leftOutNote,
  renderPiece,
  renderPiecePlainly,
} from "./markdown.ts";
import { withPlainLineEnds } from "./markdown-lexer.ts";
import {
  createPieceCutter,
  type OpenPiece,
  type Piece,
  type PieceCutter,
  renderCost,
} from "./markdown-pieces.ts";
import { finishedLines, type GrowingCodeIds, renderOpenEnd } from "./open-end.ts";
import { formattedCharsMax } from "../chat/renderer-version.ts";

/** What has changed since the last time. Together these bring a page from one `whole()` to the next. */
export interface TextChange {
  /** HTML to add to the finished part. */
  frozen: string;
  /** HTML that replaces the open end; null when it stays, or only its code has grown. */
  open: string | null;
  /** HTML to add to the element `ids.code` in the open end, and HTML that replaces what is in `ids.tail`. */
  code: { added: string; tail: string } | null;
}

/** Markdown that grows, as one reader is shown it. */
export interface StreamingMarkdown {
  push(text: string): void;
  /** Renders the blocks that were finished; until then they are shown with the open end, not highlighted. */
  render(): Promise<void>;
  take(): TextChange;
  /** All that there is so far; `take` goes on from it. */
  whole(): { frozen: string; open: string };
  /** The text is complete: all of it is rendered, and nothing is open any more. */
  end(): Promise<void>;
  /**
   * True when the text is complete and what was given out as frozen is `html()`. It is not when a link was
   * defined after a block that uses it was frozen.
   */
  isFinal(): boolean;
  /** After `end`: exactly what `renderMarkdown` makes of the whole text. */
  html(): string;
}

interface FinishedPiece {
  piece: Piece;
  /** Null until it is rendered. */
  html: string | null;
  /** The definitions that were known when it was rendered. */
  links: Links;
}

/** The open end as it was given out: as HTML, or as so many finished parts of a piece of code and its tail. */
type ShownOpen =
  { kind: "html"; html: string } | { kind: "code"; piece: number; parts: number; tail: string };

interface Growing {
  cutter: PieceCutter;
  ids: GrowingCodeIds;
  charsTotal: number;
  /** What wasn't cut into pieces yet, and a carriage return that may be the first half of a line end. */
  uncut: string;
  heldBack: string;
  finished: FinishedPiece[];
  /** How many of them are rendered, and how many of those were given out. */
  rendered: number;
  taken: number;
  links: Links;
  /** What `renderMarkdown` makes of it; null while it grows. */
  final: { html: string; isShown: boolean } | null;
  /** The note at the very end was given out. */
  isNoteTaken: boolean;
  shownOpen: ShownOpen;
}

/** `ids` are those of two elements in the open end, where code grows. */
export function createStreamingMarkdown(ids: GrowingCodeIds): StreamingMarkdown {
  const growing: Growing = {
    cutter: createPieceCutter(),
    ids,
    charsTotal: 0,
    uncut: "",
    heldBack: "",
    finished: [],
    rendered: 0,
    taken: 0,
    links: {},
    final: null,
    isNoteTaken: false,
    shownOpen: { kind: "html", html: "" },
  };
  // Whoever renders waits for who began before.
  let last = Promise.resolve();
  const afterTheLast = (work: () => Promise<void>) => (last = last.then(work));
  return {
    push: (text) => push(growing, text),
    render: () => afterTheLast(() => render(growing)),
    take: () => ({ frozen: takeFrozen(growing), ...takeOpen(growing) }),
    whole: () => whole(growing),
    end: () => afterTheLast(() => end(growing)),
    isFinal: () => growing.final?.isShown ?? false,
    html() {
      if (growing.final === null) throw new Error("The text has not ended.");
      return growing.final.html;
    },
  };
}

function push(growing: Growing, text: string): void {
  const room = Math.max(0, formattedCharsMax - growing.charsTotal);
  growing.charsTotal += text.length;
  const joined = growing.heldBack + text.slice(0, room);
  growing.heldBack = joined.endsWith("\r") ? "\r" : "";
  growing.uncut += withPlainLineEnds(growing.heldBack === "" ? joined : joined.slice(0, -1));
}

function cutSome(growing: Growing, charsMax: number): void {
  const { uncut, cutter } = growing;
  growing.uncut = uncut.slice(charsMax);
  addFinished(growing, cutter.push(uncut.slice(0, charsMax)));
}

function addFinished({ finished, links }: Growing, pieces: readonly Piece[]): void {
  for (const piece of pieces) finished.push({ piece, html: null, links });
}

async function render(growing: Growing): Promise<void> {
  const rest = createRests(costAtOnce);
  while (growing.uncut !== "") {
    await rest((Math.min(growing.uncut.length, charsCutAtOnce) * costAtOnce) / charsCutAtOnce);
    cutSome(growing, charsCutAtOnce);
  }
  for (
    let next = growing.finished[growing.rendered];
    next !== undefined;
    next = growing.finished[growing.rendered]
  ) {
    await rest(renderCost(next.piece));
    next.links = definitionsOf(next.piece, growing.links);
    next.html = await renderPiece(next.piece, next.links);
    growing.links = next.links;
    growing.rendered++;
  }
}

async function end(growing: Growing): Promise<void> {
  if (growing.final !== null) return;
  growing.uncut += withPlainLineEnds(growing.heldBack);
  growing.heldBack = "";
  await render(growing);
  addFinished(growing, growing.cutter.end());
  await render(growing);
  growing.final = await renderFinally(growing);
}

/** What was rendered before the last definition was known, and may use it, is rendered again. */
async function renderFinally({ finished, links, charsTotal }: Growing): Promise<Growing["final"]> {
  const rest = createRests(costAtOnce);
  const final = { html: "", isShown: true };
  for (const { piece, html, links: known } of finished) {
    const mayDiffer = known !== links && piece.kind === "blocks" && piece.text.includes("[");
    if (mayDiffer) await rest(renderCost(piece));
    const anew = mayDiffer ? await renderPiece(piece, links) : html;
    final.html += anew;
    final.isShown &&= anew === html;
  }
  final.html += leftOutNote(charsTotal);
  return final;
}

function takeFrozen(growing: Growing): string {
  const { finished, rendered, taken, final, isNoteTaken, charsTotal } = growing;
  const html = finished.slice(taken, rendered).map((piece) => piece.html);
  if (final !== null && !isNoteTaken) html.push(leftOutNote(charsTotal));
  growing.isNoteTaken = final !== null;
  growing.taken = rendered;
  return html.join("");
}

function takeOpen(growing: Growing): Omit<TextChange, "frozen"> {
  const { shownOpen: before } = growing;
  cutSome(growing, formattedCharsMax);
  const open = growing.cutter.open();
  if (before.kind === "code" && open.kind === "code" && isSameCode(growing, before.piece)) {
    growing.shownOpen = shownCode(growing, open);
    const code = { added: finishedLines(open.finished.slice(before.parts)), tail: escapeHtml(open.tail) };
    return { open: null, code: code.added === "" && open.tail === before.tail ? null : code };
  }
  const html = showOpen(growing, open);
  return { open: before.kind === "html" && before.html === html ? null : html, code: null };
}

/** Pieces are counted from the first one. */
function isSameCode({ finished, rendered }: Growing, piece: number): boolean {
  return finished.length === rendered && rendered === piece;
}

function shownCode({ rendered }: Growing, open: Extract<OpenPiece, { kind: "code" }>): ShownOpen {
  return { kind: "code", piece: rendered, parts: open.finished.length, tail: open.tail };
}

/** The whole open end, of which note is taken. */
function showOpen(growing: Growing, open: OpenPiece): string {
  const { finished, rendered, links, ids } = growing;
  const waiting = finished.slice(rendered).map(({ piece }) => renderPiecePlainly(piece, links));
  const html = waiting.join("") + renderOpenEnd(open, links, ids);
  growing.shownOpen =
    open.kind === "code" && waiting.length === 0 ? shownCode(growing, open) : { kind: "html", html };
  return html;
}

function whole(growing: Growing): { frozen: string; open: string } {
  growing.taken = 0;
  growing.isNoteTaken = false;
  cutSome(growing, formattedCharsMax);
  return { frozen: takeFrozen(growing), open: showOpen(growing, growing.cutter.open()) };
}
