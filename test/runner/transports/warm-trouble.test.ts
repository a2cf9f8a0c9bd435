import { expect, test } from "bun:test";
import { type Clock, systemClock } from "../../../src/domain/clock.ts";
import { createWarmTrouble } from "../../../src/runner/transports/warm-trouble.ts";

function setUp() {
  const time = { ms: 0 };
  const clock: Clock = { wallMs: () => 0, monotonicMs: () => time.ms, after: systemClock.after };
  const trouble = createWarmTrouble(clock);
  const fail = (times: number, fingerprint = "f") => {
    for (let i = 0; i < times; i++) trouble.failed("ada", fingerprint);
  };
  return { time, trouble, fail };
}

test("warm processes rest after three failures in a row, for ten minutes, and are tried again then", () => {
  const { time, trouble, fail } = setUp();

  fail(2);
  const before = trouble.isResting("ada", "f");
  fail(1);
  const after = trouble.isResting("ada", "f");
  time.ms = 600_000;

  expect([before, after, trouble.isResting("ada", "f")]).toEqual([false, true, false]);
});

test("one more failure after the rest is enough for the next one", () => {
  const { time, trouble, fail } = setUp();
  fail(3);
  time.ms = 600_000;

  fail(1);

  expect(trouble.isResting("ada", "f")).toBe(true);
});

test("a process that came up, other settings, and other agents have nothing to do with it", () => {
  const { trouble, fail } = setUp();
  fail(3);

  const others = [trouble.isResting("ada", "g"), trouble.isResting("bob", "f")];
  trouble.cameUp("ada");

  expect([...others, trouble.isResting("ada", "f")]).toEqual([false, false, false]);
});

test("a thousand agents are remembered, and no more", () => {
  const { trouble, fail } = setUp();
  fail(3);

  for (let i = 0; i < 1_000; i++) trouble.failed(`agent-${i}`, "f");

  expect(trouble.isResting("ada", "f")).toBe(false);
});
