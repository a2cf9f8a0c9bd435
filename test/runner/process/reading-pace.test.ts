import { expect, test } from "bun:test";
import { systemClock } from "../../../src/domain/clock.ts";
import { createReadingPace } from "../../../src/runner/process/reading-pace.ts";

/** Work takes as long as it says. */
function setUp() {
  let nowMs = 0;
  let collected = 0;
  const clock = { ...systemClock, monotonicMs: () => nowMs };
  const pace = createReadingPace(clock, () => void (collected += 1));
  return { pace, workFor: (ms: number) => pace.work(() => void (nowMs += ms)), collected: () => collected };
}

test("whoever reads goes on while there is time, and rests once all have used it up together", async () => {
  const { pace, workFor } = setUp();

  workFor(3);
  const early = pace.rest();
  workFor(3);
  const late = pace.rest();

  expect(early).toBeNull();
  expect(late).toBeInstanceOf(Promise);
  await late;
  expect(pace.rest()).toBeNull();
});

test("a rest lets what else is due have its turn first", async () => {
  const { pace, workFor } = setUp();
  const order: string[] = [];

  setImmediate(() => order.push("somebody else"));
  workFor(100);
  await pace.rest();
  order.push("reading");

  expect(order).toEqual(["somebody else", "reading"]);
});

test("garbage is collected between two rounds once there is much of it, and not for a little", async () => {
  const { pace, workFor, collected } = setUp();

  pace.litter(1_000_000);
  workFor(100);
  await pace.rest();
  const afterLittle = collected();
  pace.litter(20_000_000);
  workFor(100);
  await pace.rest();
  workFor(100);
  await pace.rest();

  expect([afterLittle, collected()]).toEqual([0, 1]);
});
