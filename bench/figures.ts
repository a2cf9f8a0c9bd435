/** One line of the table: what Headway takes, beside what can't be beaten on this machine at this time. */
export interface Figure {
  name: string;
  /** Of `headway` and `floor`. */
  unit: "ms" | "MB" | "KB" | "bytes" | "per s" | "nodes";
  headway: Measured;
  floor: Measured | null;
  /** What is judged, and how it reads: "+5.1 ms", say. Null where the figure is for information. */
  judged: Judged | null;
  /** How it was measured, and what else is worth knowing. */
  note: string;
}

export interface Measured {
  p50: number;
  p99: number | null;
}

export interface Judged {
  value: number;
  shown: string;
  aim: string;
  isMet: boolean;
}

/** The middle and the far end of a sample; the far end of fewer than 50 values would only be their greatest. */
export function measured(values: readonly number[]): Measured {
  return { p50: quantile(values, 0.5), p99: values.length < 50 ? null : quantile(values, 0.99) };
}

export function quantile(values: readonly number[], part: number): number {
  if (values.length === 0) throw new Error("A figure has no values.");
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function addedAtMost(headway: number, floor: number, aimMs: number): Judged {
  const value = headway - floor;
  return { value, shown: `+${value.toFixed(2)} ms`, aim: `≤ +${aimMs} ms`, isMet: value <= aimMs };
}

export function ratioAtMost(headway: number, floor: number, aim: number): Judged {
  const value = headway / floor;
  return { value, shown: `× ${value.toFixed(3)}`, aim: `≤ × ${aim}`, isMet: value <= aim };
}

export function atMost(value: number, aim: number, unit: string): Judged {
  return { value, shown: `${shownNumber(value)} ${unit}`, aim: `≤ ${aim} ${unit}`, isMet: value <= aim };
}

export function atLeast(value: number, aim: number, unit: string): Judged {
  return { value, shown: `${shownNumber(value)} ${unit}`, aim: `≥ ${aim} ${unit}`, isMet: value >= aim };
}

/** The figure for information. */
export function unjudged(figure: Figure): Figure {
  return { ...figure, judged: null };
}

/** The table as text; its columns are as wide as they need to be. */
export function tableOf(figures: readonly Figure[]): string {
  const head = ["figure", "Headway", "p99", "floor", "p99", "unit", "judged", "aim", ""];
  const rows = [head, ...figures.map(cellsOf)];
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "));
  const notes = figures.filter(({ note }) => note !== "").map(({ name, note }) => `  ${name}: ${note}`);
  return [...lines.map((line) => line.trimEnd()), "", ...notes].join("\n");
}

function cellsOf({ name, headway, floor, unit, judged }: Figure): string[] {
  const numbers = [headway.p50, headway.p99, floor?.p50, floor?.p99].map(shownNumber);
  if (!judged) return [name, ...numbers, unit, "", "", "for information"];
  return [name, ...numbers, unit, judged.shown, judged.aim, judged.isMet ? "✓" : "✗"];
}

function shownNumber(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  return value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2);
}
