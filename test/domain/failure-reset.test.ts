import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { findResetAt } from "../../src/domain/failure-reset.ts";

const now = Date.parse("2026-11-22T16:00:00Z");
const zone = "America/New_York";

const isoOf = (text: string, timeZone = zone, nowMs = now) => {
  const at = findResetAt(text, nowMs, timeZone);
  return at === null ? null : new Date(at).toISOString();
};

describe("the end of a limit is found in", () => {
  test.each<[string, string]>([
    ["You've hit your 5-hour limit · resets 6pm (UTC)", "2026-11-22T18:00:00.000Z"],
    ["You've hit your session limit · resets 3pm (America/Bogota)", "2026-11-22T20:00:00.000Z"],
    ["You've hit your limit · resets 1:30am (Asia/Dhaka)", "2026-11-22T19:30:00.000Z"],
    ["Your limit will reset at 9:30 AM.", "2026-11-23T14:30:00.000Z"],
    ["usage limit reached. Your limit will reset at 12am (UTC)", "2026-11-23T00:00:00.000Z"],
    ["resets 12pm (UTC)", "2026-11-23T12:00:00.000Z"],
    ["resets 3:44pm (UTC)", "2026-11-23T15:44:00.000Z"],
    ["resets Nov 21, 3pm (UTC)", "2027-11-21T15:00:00.000Z"],
    ["weekly limit · resets Dec 8, 5am (America/Bogota)", "2026-12-08T10:00:00.000Z"],
    ["resets Oct 8 at 5pm", "2027-10-08T21:00:00.000Z"],
    ["spend limit reached · resets Aug 8 · request an increase", "2027-08-08T04:00:00.000Z"],
    ["Claude AI usage limit reached|1795370400", "2026-11-22T18:00:00.000Z"],
    ["Claude AI usage limit reached|1795370400500", "2026-11-22T18:00:00.500Z"],
    ["Limits reset at 2026-11-22T18:00:00+01:00. Wait for the reset", "2026-11-22T17:00:00.000Z"],
    ["Rate limited (fake)\nSuggested retry after 1s.. Retrying after 21618ms...", "2026-11-22T16:00:01.000Z"],
    ["Please retry in 34.5s.", "2026-11-22T16:00:34.500Z"],
    ["try again in 20 seconds", "2026-11-22T16:00:20.000Z"],
    ["Rate limit reached, please try again in 6m0s", "2026-11-22T16:06:00.000Z"],
    ["This limit resets in 2h 15m", "2026-11-22T18:15:00.000Z"],
    ["Retry-After: 30", "2026-11-22T16:00:30.000Z"],
    ['{"retryDelay":"7s"}', "2026-11-22T16:00:07.000Z"],
  ])("%s", (text, expected) => {
    expect(isoOf(text)).toBe(expected);
  });
});

describe("no end is found where", () => {
  test.each<[string, string]>([
    ["nothing is said of one", "API Error: Request rejected (429) · Rate limited (fake)"],
    ["it is over already", "Claude AI usage limit reached|1749924000"],
    ["it is years away", "Claude AI usage limit reached|1995370400"],
    ["the time of day has just come", "You've hit your session limit · resets 4pm (UTC)"],
    ["it came some minutes ago", "You've hit your session limit · resets 3:46pm (UTC)"],
    ["its date is today's", "weekly limit · resets Nov 22 (UTC)"],
    ["its date has just come", "weekly limit · resets Nov 22, 9am (UTC)"],
    ["a word only looks like it", "The rate limit resets whenever the moon is full."],
    ["there is no text", ""],
  ])("%s", (_, text) => {
    expect(isoOf(text)).toBeNull();
  });
});

test("a zone that nobody knows is passed over for the machine's", () => {
  expect(isoOf("resets 3pm (soon)")).toBe("2026-11-22T20:00:00.000Z");
});

test("a time of day after the clocks were changed is that of the new offset", () => {
  const saturdayNight = Date.parse("2026-11-01T03:00:00Z");

  expect(isoOf("resets 9am", zone, saturdayNight)).toBe("2026-11-01T14:00:00.000Z");
});

test("whatever a CLI says, what is found lies ahead, and within a year and a day", () => {
  const pieces = fc.constantFrom(
    "resets ",
    "retry in ",
    "at ",
    "3",
    "pm",
    "Feb ",
    "31",
    "|",
    "9999999999",
    "s ",
    "(UTC)",
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(pieces, fc.string()), { maxLength: 12 }), (parts) => {
      const at = findResetAt(parts.join(""), now, zone);

      if (at !== null) expect(at > now && at <= now + 366 * 86_400_000).toBe(true);
    }),
  );
});
