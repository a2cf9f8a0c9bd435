/** The units in which people type durations, the largest first. */
const unitsMs = { h: 3_600_000, min: 60_000, s: 1_000, ms: 1 } as const;
type Unit = keyof typeof unitsMs;

/** "90 s", "1.5 h" in milliseconds; null when it isn't a number with its unit. */
export function parseDuration(text: string): number | null {
  const [, number, unit] = /^(\d{1,9}(?:\.\d{1,6})?)\s*(h|min|s|ms)$/.exec(text.trim()) ?? [];
  return number === undefined ? null : Math.round(Number(number) * unitsMs[unit as Unit]);
}

/** Milliseconds as they would be typed, exactly: in the largest unit that has no rest. */
export function durationText(ms: number): string {
  const unit = (Object.keys(unitsMs) as Unit[]).find((candidate) => ms % unitsMs[candidate] === 0) ?? "ms";
  return `${ms / unitsMs[unit]} ${unit}`;
}
