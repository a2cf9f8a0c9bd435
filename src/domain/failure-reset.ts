/** When a limit ends, as far as a CLI's words tell. No more than this lies ahead of a time that is believed. */
const aheadMsMax = 366 * 86_400_000;
/**
 * CLIs name whole minutes and hours. Who comes back at that time may be told the same once more: then it is over,
 * or about to be, and not tomorrow's, nor, of a date, next year's.
 */
const justOverMs = 900_000;
const dateJustOverMs = 86_400_000;

const unitsMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  sec: 1_000,
  second: 1_000,
  m: 60_000,
  min: 60_000,
  minute: 60_000,
  h: 3_600_000,
  hr: 3_600_000,
  hour: 3_600_000,
  d: 86_400_000,
  day: 86_400_000,
};

const months = "jan feb mar apr may jun jul aug sep oct nov dec".split(" ");

/**
 * When the limit that `text` is about ends, in milliseconds of Unix time; null when it doesn't say, or says
 * what can't be. Times of day are those of the zone that stands behind them, else of `timeZone`, in which the
 * CLI runs.
 */
export function findResetAt(text: string, nowMs: number, timeZone: string): number | null {
  const found =
    resetByEpoch(text) ??
    resetByIsoTime(text) ??
    resetByPause(text, nowMs) ??
    resetByCalendar(text, nowMs, timeZone);
  return found !== null && isBelievable(found, nowMs) ? found : null;
}

/** It lies ahead, and not beyond a year. */
export function isBelievable(resetAtMs: number, nowMs: number): boolean {
  return resetAtMs > nowMs && resetAtMs <= nowMs + aheadMsMax;
}

/** "Claude AI usage limit reached|1749924000", as Claude Code printed it for programs before version 2. */
function resetByEpoch(text: string): number | null {
  const [, digits, thousandths] = /\|(\d{10})(\d{3})?\b/.exec(text) ?? [];
  return digits === undefined ? null : Number(digits) * 1_000 + Number(thousandths ?? 0);
}

/** "Limits reset at 2026-11-22T18:00:00Z", as Droid's provider may say. */
function resetByIsoTime(text: string): number | null {
  const iso =
    /(?:reset|retry|again)[^\n]{0,40}?(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d))/i;
  const time = iso.exec(text)?.[1];
  return time === undefined ? null : Date.parse(time);
}

/** How long a pause is written: "20s", "5.8 seconds", "2h 15m", and without a unit in seconds. */
const pausePart = String.raw`\d{1,9}(?:\.\d{1,9})?\s*(?:ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?)(?![a-z])`;
const pausePattern = new RegExp(
  String.raw`(?:(?:retry|resets?)[\w ]{0,16}?\b(?:in|after)|try again in|retry-after:?|"retryDelay":\s*")\s*(${pausePart}(?:[\s,]*(?:and )?${pausePart}){0,3}|\d{1,9}(?:\.\d{1,9})?\b)`,
  "i",
);

/** "Please retry in 5.8s", "try again in 20 seconds", "resets in 2h 15m", "Retry-After: 30". */
function resetByPause(text: string, nowMs: number): number | null {
  const pause = pausePattern.exec(text)?.[1];
  if (pause === undefined) return null;
  if (/^[\d.]+$/.test(pause)) return nowMs + Number(pause) * 1_000;
  const parts = [...pause.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+)/gi)];
  return nowMs + parts.reduce((sum, [, number, unit]) => sum + Number(number) * msOf(unit ?? ""), 0);
}

function msOf(unit: string): number {
  const name = unit.toLowerCase();
  return unitsMs[name] ?? unitsMs[name.replace(/s$/, "")] ?? (name.startsWith("milli") ? 1 : 0);
}

const calendarPattern =
  /resets?(?: at| on)?\s+(?:(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?\s+(\d{1,2})\b(?:,?\s+(?:at\s+)?)?)?(?:(\d{1,2})(?::(\d\d))?\s*(am|pm)\b)?(?:\s*\(([\w/+-]{1,64})\))?/gi;

/** "resets 3pm (America/Bogota)", "will reset at 9:30 AM", "resets Oct 8, 5am", "resets Aug 8". */
function resetByCalendar(text: string, nowMs: number, timeZone: string): number | null {
  for (const [, month, day, hour, minute, half, zone] of text.matchAll(calendarPattern)) {
    if (month === undefined && hour === undefined) continue;
    const minutes = hour === undefined ? 0 : minutesOfDay(Number(hour), Number(minute ?? 0), half ?? "am");
    const place = knownZone(zone) ?? timeZone;
    return month === undefined
      ? nextTimeOfDay(minutes, nowMs, place)
      : nextDate(months.indexOf(month.toLowerCase()), Number(day), minutes, nowMs, place);
  }
  return null;
}

function minutesOfDay(hour: number, minute: number, half: string): number {
  return ((hour % 12) + (half.toLowerCase() === "pm" ? 12 : 0)) * 60 + minute;
}

function nextTimeOfDay(minutes: number, nowMs: number, timeZone: string): number {
  const today = new Date(nowMs + offsetMs(nowMs, timeZone));
  const at = (days: number) =>
    inZone(
      Date.UTC(today.getUTCFullYear(), today.getUTCMonth(), today.getUTCDate() + days, 0, minutes),
      timeZone,
    );
  return at(0) > nowMs - justOverMs ? at(0) : at(1);
}

function nextDate(month: number, day: number, minutes: number, nowMs: number, timeZone: string): number {
  const year = new Date(nowMs + offsetMs(nowMs, timeZone)).getUTCFullYear();
  const at = (inYear: number) => inZone(Date.UTC(inYear, month, day, 0, minutes), timeZone);
  return at(year) > nowMs - dateJustOverMs ? at(year) : at(year + 1);
}

/** The moment at which clocks of the zone show what a clock of UTC shows at `shownMs`. */
function inZone(shownMs: number, timeZone: string): number {
  const guess = shownMs - offsetMs(shownMs, timeZone);
  // The offset may be another one then than the one at the guess: summer time.
  return shownMs - offsetMs(guess, timeZone);
}

function offsetMs(atMs: number, timeZone: string): number {
  const parts = new Intl.DateTimeFormat("en", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  }).formatToParts(atMs);
  const part = (type: string) => Number(parts.find((one) => one.type === type)?.value);
  const shownMs = Date.UTC(
    part("year"),
    part("month") - 1,
    part("day"),
    part("hour"),
    part("minute"),
    part("second"),
  );
  return shownMs - Math.floor(atMs / 1_000) * 1_000;
}

/** What stands in brackets may be anything. */
function knownZone(zone: string | undefined): string | null {
  if (zone === undefined) return null;
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return zone;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return null;
  }
}
