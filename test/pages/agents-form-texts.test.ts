import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { durationText, parseDuration } from "../../src/routes/pages/agents/duration-text.ts";

describe("a duration in a form", () => {
  test.each([
    [90_000, "90 s"],
    [1_800_000, "30 min"],
    [7_200_000, "2 h"],
    [1_500, "1500 ms"],
  ])("%p ms is shown as %p", (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });

  test.each([
    ["1.5h", 5_400_000],
    [" 90  s ", 90_000],
    ["90", null],
    ["-1 s", null],
    ["1 day", null],
    ["1e3 s", null],
    ["", null],
  ])("%p means %p ms", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test("means what it shows, to the millisecond", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1_000, max: 86_400_000 }), (ms) => {
        expect(parseDuration(durationText(ms))).toBe(ms);
      }),
    );
  });
});
