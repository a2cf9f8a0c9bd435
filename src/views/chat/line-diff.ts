import { diffArrays } from "diff/lib/diff/array.js";
import { plural } from "../wording.ts";

/** One line of a diff; `changed` is the part of it that isn't in its counterpart. */
export interface DiffLine {
  sign: "+" | "-" | " ";
  text: string;
  changed?: { from: number; to: number };
}

/** Lines that were left out because nothing changed in them, or a heading that the diff came with. */
export interface DiffGap {
  sign: "gap";
  text: string;
}

export type DiffRow = DiffLine | DiffGap;

export interface LineDiff {
  rows: DiffRow[];
  /** Rows that came after `rowsMax` and were left out. */
  leftOut: number;
  added: number;
  removed: number;
}

/** Rows that are kept of one diff. */
export const rowsMax = 400;
/** The algorithm takes the square of it: a few milliseconds. Beyond, all lines count as changed. */
const editsMax = 200;
const comparedLinesMax = 2_000;
const contextLines = 3;
/** Pairs of lines in which the changed part is looked for, in one place. */
const pairsMax = 20;

/** What has changed from one text to another, with a little of what stands around it. */
export function diffLines(before: string, after: string): LineDiff {
  // Line ends are shown where they are mixed, or where they change.
  const lineEnd = hasBareLineEnd(before) || hasBareLineEnd(after) ? "\n" : /\r?\n/;
  const lines = compare(linesOf(before, lineEnd), linesOf(after, lineEnd));
  return { ...keptRows(withoutTheUnchanged(lines)), ...countLines(lines) };
}

/** All lines of a text, as new ones. */
export function newLines(text: string): LineDiff {
  const rows = signed("+", linesOf(text, /\r?\n/));
  return { ...keptRows(rows), ...countLines(rows) };
}

export function keptRows(rows: readonly DiffRow[]): Pick<LineDiff, "rows" | "leftOut"> {
  return { rows: rows.slice(0, rowsMax), leftOut: Math.max(0, rows.length - rowsMax) };
}

export function countLines(rows: readonly DiffRow[]): Pick<LineDiff, "added" | "removed"> {
  const count = (sign: DiffRow["sign"]) => rows.filter((row) => row.sign === sign).length;
  return { added: count("+"), removed: count("-") };
}

function hasBareLineEnd(text: string): boolean {
  return /(?:^|[^\r])\n/.test(text);
}

/** Without an empty one after the last line end. */
function linesOf(text: string, lineEnd: string | RegExp): string[] {
  const lines = text.split(lineEnd);
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

/** The same lines at both ends are found cheaply; the rest is left to the algorithm. */
function compare(before: readonly string[], after: readonly string[]): DiffLine[] {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start] === after[start]) start++;
  let end = 0;
  while (end < shorter - start && before.at(-1 - end) === after.at(-1 - end)) end++;
  return [
    ...signed(" ", before.slice(0, start)),
    ...compareMiddle(before.slice(start, before.length - end), after.slice(start, after.length - end)),
    ...signed(" ", before.slice(before.length - end)),
  ];
}

function compareMiddle(before: string[], after: string[]): DiffLine[] {
  const isShort = before.length + after.length <= comparedLinesMax;
  const changes = isShort ? diffArrays(before, after, { maxEditLength: editsMax }) : undefined;
  if (changes === undefined) return [...signed("-", before), ...signed("+", after)];
  return changes.flatMap(({ added, removed, value }) => signed(added ? "+" : removed ? "-" : " ", value));
}

function signed(sign: DiffLine["sign"], texts: readonly string[]): DiffLine[] {
  return texts.map((text) => ({ sign, text }));
}

/** Of a long stretch without changes only the lines next to the changes are kept. */
function withoutTheUnchanged(lines: readonly DiffLine[]): DiffRow[] {
  const rows: DiffRow[] = [];
  for (const run of runsOf(lines)) {
    const isFirst = rows.length === 0;
    const isLast = run.at(-1) === lines.at(-1);
    rows.push(...(run[0]?.sign === " " ? shortened(run, isFirst, isLast) : run));
  }
  return markPairs(rows);
}

function shortened(run: readonly DiffLine[], isFirst: boolean, isLast: boolean): DiffRow[] {
  const head = isFirst ? 0 : contextLines;
  const tail = isLast ? 0 : contextLines;
  const leftOut = run.length - head - tail;
  if (leftOut < 2) return [...run];
  const gap: DiffGap = { sign: "gap", text: plural(leftOut, "unchanged line") };
  return [...run.slice(0, head), gap, ...run.slice(run.length - tail)];
}

/** Neighbours with the same sign. */
export function runsOf<Row extends DiffRow>(rows: readonly Row[]): Row[][] {
  const runs: Row[][] = [];
  for (const row of rows) {
    const run = runs.at(-1);
    if (run?.[0]?.sign === row.sign) run.push(row);
    else runs.push([row]);
  }
  return runs;
}

/** As many lines removed as added in one place: each is taken for the new wording of one. */
function markPairs(rows: readonly DiffRow[]): DiffRow[] {
  const runs = runsOf(rows);
  return runs.flatMap((run, at) => {
    const sign = run[0]?.sign;
    const other = sign === "-" ? runs[at + 1] : runs[at - 1];
    const isPaired = sign === "-" ? other?.[0]?.sign === "+" : sign === "+" && other?.[0]?.sign === "-";
    if (!isPaired || other?.length !== run.length || run.length > pairsMax) return run;
    return run.map((row, line) => withChange(row, other[line]?.text ?? ""));
  });
}

/** The changed part is marked where a good deal of the line is the same. */
function withChange(row: DiffRow, other: string): DiffRow {
  if (row.sign === "gap") return row;
  const { text } = row;
  const shorter = Math.min(text.length, other.length);
  let from = 0;
  while (from < shorter && text[from] === other[from]) from++;
  let end = 0;
  while (end < shorter - from && text.at(-1 - end) === other.at(-1 - end)) end++;
  const isAlike = (from + end) * 3 >= Math.max(text.length, other.length);
  const changed = { from: characterStart(text, from), to: characterEnd(text, text.length - end) };
  return isAlike && changed.to > changed.from ? { ...row, changed } : row;
}

function characterStart(text: string, at: number): number {
  return isSecondHalf(text, at) ? at - 1 : at;
}

function characterEnd(text: string, at: number): number {
  return isSecondHalf(text, at) ? at + 1 : at;
}

function isSecondHalf(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code <= 0xdfff;
}
