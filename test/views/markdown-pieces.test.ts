import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createPieceCutter, type Piece, pieceCostMax } from "../../src/views/markdown/markdown-pieces.ts";
import { hostileMarkdown } from "../fixtures/hostile-markdown.ts";
import { markdownBombs } from "../fixtures/markdown-bombs.ts";
import { anyMarkdown } from "./any-markdown.ts";

function cut(text: string, cuts: readonly number[] = []): Piece[] {
  const cutter = createPieceCutter();
  const places = [0, ...cuts.map((place) => place % (text.length + 1)).sort((a, b) => a - b), text.length];
  const pieces = places.slice(1).flatMap((place, at) => cutter.push(text.slice(places[at], place)));
  return [...pieces, ...cutter.end()];
}

const textsOf = (text: string) => cut(text).map((piece) => piece.text);

describe("a text in pieces", () => {
  test("is cut the same however it arrives", () => {
    fc.assert(
      fc.property(anyMarkdown, fc.array(fc.nat(), { maxLength: 25 }), (text, cuts) => {
        expect(cut(text, cuts)).toEqual(cut(text));
      }),
      { numRuns: 1_000 },
    );
  });

  test.each(Object.entries(markdownBombs(20_000)))("is cut the same however it arrives: %s", (_, text) => {
    const everyThousand = Array.from({ length: 30 }, (_place, at) => at * 1_009);

    expect(cut(text, everyThousand)).toEqual(cut(text));
  });

  test.each([
    ["paragraphs", "a\nb\n\nc\n\n\nd", ["a\nb\n\n", "c\n\n\n", "d"]],
    ["lists stay whole", "- a\n\n- b\n\n  more\n\nafter", ["- a\n\n- b\n\n  more\n\n", "after"]],
    ["code ends a paragraph", "a\n```ts\nb\n\nc\n```\nd", ["a\n", "b\n\nc", "d"]],
    ["code in a list stays in it", "1. a\n   ```\n   b\n\n   c\n   ```\n2. d", null],
    ["code beside a list's mark stays in it", "- ```\n  b\n  ```\n- d", null],
    ["code at the margin ends a list", "1. a\n```\nb\n```\n2. c", ["1. a\n", "b", "2. c"]],
    ["quotes stay whole", "> a\n>\n> ```\n> b\n> ```\n\nc", ["> a\n>\n> ```\n> b\n> ```\n\n", "c"]],
    ["indented code stays whole", "    a\n\n    ```\n\n    b", null],
    ["a fence without end goes to the end", "```\na\n\nb", ["a\n\nb"]],
    ["a longer fence holds a shorter one", "````\n```\na\n```\n````\nb", ["```\na\n```", "b"]],
    ["code loses the indent of its fence", "  ```\n  a\n b\n  ```", ["a\nb"]],
    [
      "a sloppy fence ends the code of a list",
      "- a\n  ```\n  b\n```\n\nc",
      ["- a\n  ```\n  b\n```\n\n", "c"],
    ],
  ])("%s", (_rule, text, pieces) => {
    expect(textsOf(text)).toEqual(pieces ?? [text]);
  });

  test("a long list is cut before an item", () => {
    const item = `- ${"word ".repeat(50)}\n  - ${"more ".repeat(50)}\n`;

    const texts = textsOf(item.repeat(40));

    expect(texts.length).toBeGreaterThan(2);
    for (const text of texts) expect(text).toMatch(/^- word[^]*more \n$/);
    expect(texts.join("")).toBe(item.repeat(40));
  });

  test("a long table is cut under a copy of its head", () => {
    const head = "| a | b |\n|---|---|\n";

    const texts = textsOf(head + "| 1 | 2 |\n".repeat(1_000));

    expect(texts.length).toBeGreaterThan(2);
    for (const text of texts) expect(text).toStartWith(`${head}| 1 | 2 |\n`);
  });

  test("long code in a list goes on beside it", () => {
    const line = "   let a = 1;\n";

    const pieces = cut(`1. a\n   \`\`\`ts\n${line.repeat(1_000)}   \`\`\`\n2. b`);

    expect(pieces.map(({ kind }) => kind)).toEqual(["blocks", "code", "blocks"]);
    expect(pieces[1]).toMatchObject({ info: "ts" });
    expect(pieces[1]?.text).toMatch(/^(?:let a = 1;\n)+let a = 1;$/);
    expect(pieces[2]?.text).toBe("2. b");
  });

  test("a character is never halved", () => {
    const texts = textsOf(`a${"😀".repeat(10_000)}`);

    expect(texts.length).toBeGreaterThan(2);
    for (const text of texts) expect(text.isWellFormed()).toBe(true);
  });

  test("no piece of blocks costs more than the limit, and none of the text is lost", () => {
    const withoutTables = fc
      .array(fc.oneof(fc.constantFrom(...hostileMarkdown), fc.string({ maxLength: 3_000 })), {
        minLength: 20,
      })
      .map((parts) => parts.join("\n").replace(/[|\r`~]/g, "a"));

    fc.assert(
      fc.property(withoutTables, (text) => {
        const texts = textsOf(text);

        expect(texts.join("").replace(/\s/g, "")).toBe(text.replace(/\s/g, ""));
        for (const piece of texts) expect(piece.length).toBeLessThanOrEqual(pieceCostMax);
      }),
      { numRuns: 50 },
    );
  });
});
