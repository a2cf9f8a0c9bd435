import { expect, test } from "bun:test";
import fc from "fast-check";
import { plainText } from "../../../src/runner/adapters/plain-text.ts";

test("colours, titles and bells are left out, lines and tabs stay", () => {
  const text = "\x1b[1;31mred\x1b[0m\x07\tand\r\n\x1b]0;a title\x07more\0 \x9b";

  expect(plainText(text)).toBe("red\tand\r\nmore ");
});

test("no control character is left of any text, and nothing else is lost", () => {
  const isControl = (char: string) => /[\p{Cc}]/u.test(char) && !"\t\n\r".includes(char);
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const plain = plainText(text);
      expect(Array.from(plain).some(isControl)).toBe(false);
      if (!text.includes("\x1b"))
        expect(plain).toBe(
          Array.from(text)
            .filter((char) => !isControl(char))
            .join(""),
        );
    }),
  );
});
