import { expect, test } from "bun:test";
import fc from "fast-check";
import { growingText } from "../../src/domain/growing-text.ts";

test("text that grows by pieces is their sum, whenever and however often it is read", () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.string({ maxLength: 3 }), { maxLength: 1_500 }), { maxLength: 4 }),
      (rounds) => {
        const text = growingText();
        let sum = "";

        for (const pieces of rounds) {
          for (const piece of pieces) text.add(piece);
          sum += pieces.join("");

          expect([text.whole(), text.length]).toEqual([sum, sum.length]);
        }
      },
    ),
    { numRuns: 50 },
  );
});
