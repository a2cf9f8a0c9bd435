import {
  closesFence,
  type Fence,
  fenceOf,
  isBlank,
  isIndented,
  isListItem,
  isTableRule,
  mayBecomeFence,
  mayBecomeListItem,
  withoutIndent,
} from "./markdown-lines.ts";

/** A piece of text that is rendered on its own. */
export type Piece = { kind: "blocks"; text: string } | { kind: "code"; info: string; text: string };

/** The piece that has begun. Of code, `finished` only grows and `tail` is what may still change. */
export type OpenPiece =
  | { kind: "blocks"; text: string }
  | { kind: "code"; info: string; finished: readonly string[]; tail: string };

/**
 * A block that costs more is cut: a list before one of its items, a table under a copy of its head. The cost
 * is the number of characters, and something for each line and each cell of a table: so measured, a piece
 * takes a few milliseconds to render whatever is in it.
 */
export const pieceCostMax = 8_192;
/** A list of this cost is cut before its next item, where it doesn't show. */
const listCostMax = 4_096;
const lineCost = 8;
const cellCost = 4;
/** What each piece costs besides. */
const ownCost = 64;
/** A longer line is read in several parts. */
const segmentCharsMax = 4_096;
const codeTailCharsMax = 4_096;
const tableHeadCharsMax = 1_024;

/**
 * Cuts a growing text into pieces, each whole and unchangeable once it is given out. It reads each line once
 * and looks at nothing but the lines so far, so the pieces are the same however the text arrives.
 *
 * A piece ends before a line that isn't indented, follows an empty one and isn't the next item of a list:
 * whatever was open is closed by it. Code between fences is a piece of its own. Raw HTML ends at an empty line.
 */
export interface PieceCutter {
  /** Text with plain line ends. */
  push(text: string): Piece[];
  /** What is open becomes finished; nothing may be pushed any more. */
  end(): Piece[];
  open(): OpenPiece;
}

interface Segment {
  text: string;
  /** It begins a line. */
  starts: boolean;
  /** It ends one. */
  ends: boolean;
}

interface OpenCode {
  fence: Fence;
  finished: string[];
  tail: string;
}

interface Cut {
  done: Piece[];
  /** Blocks so far, and what they cost. */
  text: string;
  cost: number;
  code: OpenCode | null;
  nestedFence: Fence | null;
  inList: boolean;
  afterBlank: boolean;
  /** The line before, and the head of the table that it is in. */
  lastLine: string;
  tableHead: string;
  /** Where `text` is best cut when it gets too long; 0 when there is no such place. */
  bestEnd: number;
}

export function createPieceCutter(): PieceCutter {
  const cut: Cut = { done: [], code: null, ...emptyBlocks() };
  let partial = "";
  let startsLine = true;

  const addPart = (text: string, ends: boolean) => {
    addSegment(cut, { text, starts: startsLine, ends });
    startsLine = ends;
  };

  return {
    push(text) {
      partial += text;
      let at = 0;
      for (;;) {
        const lineEnd = partial.indexOf("\n", at);
        const isWhole = lineEnd !== -1 && lineEnd - at <= segmentCharsMax;
        if (!isWhole && partial.length - at <= segmentCharsMax) break;
        const end = isWhole ? lineEnd : at + wholeCharacters(partial.slice(at), segmentCharsMax);
        addPart(partial.slice(at, end), isWhole);
        at = isWhole ? end + 1 : end;
      }
      partial = partial.slice(at);
      if (startsLine && startsAfresh(cut, partial, false)) finishBlocks(cut);
      return cut.done.splice(0);
    },
    end() {
      if (partial !== "") addPart(partial, false);
      partial = "";
      if (cut.code !== null) finishCode(cut, cut.code);
      finishBlocks(cut);
      return cut.done.splice(0);
    },
    open: () => openPiece(cut, { text: partial, starts: startsLine, ends: false }),
  };
}

/** What rendering a piece costs; code is only escaped, or highlighted elsewhere. */
export function renderCost({ kind, text }: Piece): number {
  return ownCost + (kind === "code" ? text.length / 8 : costOf(text));
}

function emptyBlocks(): Omit<Cut, "done" | "code"> {
  const text = { text: "", cost: 0, lastLine: "", tableHead: "", bestEnd: 0 };
  return { ...text, nestedFence: null, inList: false, afterBlank: false };
}

/** A length that doesn't halve a character. */
function wholeCharacters(text: string, length: number): number {
  const last = text.charCodeAt(length - 1);
  return last >= 0xd800 && last <= 0xdbff ? length - 1 : length;
}

function addSegment(cut: Cut, segment: Segment): void {
  const cost = costOf(segment.text) + lineCost;
  while (cut.code === null && cut.text !== "" && cut.cost + cost >= pieceCostMax) cutShort(cut, segment);
  if (cut.code !== null) addToCode(cut, cut.code, segment);
  else if (!segment.starts || !beginLine(cut, segment.text)) {
    cut.text += segment.ends ? `${segment.text}\n` : segment.text;
    cut.cost += cost;
  }
}

function costOf(text: string): number {
  let cost = text.length;
  for (const character of text) {
    if (character === "|") cost += cellCost;
    else if (character === "\n") cost += lineCost;
  }
  return cost;
}

/** Takes note of what the line begins; true when it is a fence, which is not part of any text. */
function beginLine(cut: Cut, line: string): boolean {
  if (isBlank(line)) {
    cut.afterBlank = true;
    cut.tableHead = "";
    return false;
  }
  if (startsAfresh(cut, line, true)) finishBlocks(cut);
  if (cut.afterBlank && !isIndented(line)) cut.nestedFence = null;
  cut.afterBlank = false;
  if (cut.nestedFence === null) return beginBlock(cut, line);
  if (closesFence(cut.nestedFence, line)) cut.nestedFence = null;
  return false;
}

/** Nothing that was open goes on in this line, which may not be whole yet. */
function startsAfresh({ code, afterBlank, inList }: Cut, line: string, isWhole: boolean): boolean {
  if (code !== null || !afterBlank || isBlank(line) || isIndented(line)) return false;
  return !inList || !(isListItem(line) || (!isWhole && mayBecomeListItem(line)));
}

function isLongEnough({ inList, cost }: Cut, line: string): boolean {
  return inList && cost >= listCostMax && isListItem(line) && !isIndented(line);
}

function beginBlock(cut: Cut, line: string): boolean {
  const fence = fenceOf(line, cut.inList);
  if (fence !== null && !fence.nested) {
    finishBlocks(cut);
    cut.code = { fence, finished: [], tail: "" };
    return true;
  }
  if (isLongEnough(cut, line)) finishBlocks(cut);
  cut.nestedFence = fence;
  if (isListItem(line)) {
    cut.inList = true;
    if (!isIndented(line)) cut.bestEnd = cut.text.length;
  }
  const head = `${cut.lastLine}\n${line}\n`;
  const isTable = isTableRule(line) && cut.lastLine.includes("|") && head.length <= tableHeadCharsMax;
  if (isTable && cut.tableHead === "") cut.tableHead = head;
  cut.lastLine = line;
  return false;
}

function finishBlocks(cut: Cut): void {
  if (!isBlank(cut.text)) cut.done.push({ kind: "blocks", text: cut.text });
  Object.assign(cut, emptyBlocks());
}

/** The block is too long. Code within it goes on as a piece of its own. */
function cutShort(cut: Cut, next: Segment): void {
  const { text, bestEnd, nestedFence, tableHead } = cut;
  if (bestEnd > 0) {
    cut.done.push({ kind: "blocks", text: text.slice(0, bestEnd) });
    const rest = text.slice(bestEnd);
    Object.assign(cut, { text: rest, cost: costOf(rest), bestEnd: 0 });
    return;
  }
  finishBlocks(cut);
  if (nestedFence !== null) cut.code = { fence: nestedFence, finished: [], tail: "" };
  else if (next.starts && next.text.includes("|")) {
    Object.assign(cut, { text: tableHead, cost: costOf(tableHead), tableHead });
  }
}

function addToCode(cut: Cut, code: OpenCode, { text, starts, ends }: Segment): void {
  if (starts && closesFence(code.fence, text)) return finishCode(cut, code);
  code.tail += (starts ? withoutIndent(text, code.fence.indent) : text) + (ends ? "\n" : "");
  while (code.tail.length > codeTailCharsMax) {
    const lineEnd = code.tail.lastIndexOf("\n", codeTailCharsMax - 1);
    const length = lineEnd === -1 ? wholeCharacters(code.tail, codeTailCharsMax) : lineEnd + 1;
    code.finished.push(code.tail.slice(0, length));
    code.tail = code.tail.slice(length);
  }
}

function finishCode(cut: Cut, { fence, finished, tail }: OpenCode): void {
  const text = finished.join("") + tail;
  cut.done.push({ kind: "code", info: fence.info, text: text.endsWith("\n") ? text.slice(0, -1) : text });
  cut.code = null;
}

function openPiece({ text, code }: Cut, partial: Segment): OpenPiece {
  const isFence = partial.starts && mayBecomeFence(partial.text);
  if (code === null) return { kind: "blocks", text: isFence ? text : text + partial.text };
  const line = partial.starts ? withoutIndent(partial.text, code.fence.indent) : partial.text;
  return {
    kind: "code",
    info: code.fence.info,
    finished: code.finished,
    tail: isFence ? code.tail : code.tail + line,
  };
}
