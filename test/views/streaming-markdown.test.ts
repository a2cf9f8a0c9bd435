import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { formattedCharsMax, renderMarkdown } from "../../src/views/markdown.ts";
import { createStreamingMarkdown } from "../../src/views/streaming-markdown.ts";
import { hostileMarkdown } from "../fixtures/hostile-markdown.ts";
import { markdownBombs } from "../fixtures/markdown-bombs.ts";

/** Pushes the text in pieces, takes after each, and gives back the finished HTML and all that was frozen. */
function stream(text: string, cuts: readonly number[]): { finished: string; frozen: string } {
  const markdown = createStreamingMarkdown();
  const places = [0, ...cuts.map((cut) => cut % (text.length + 1)).sort((a, b) => a - b), text.length];
  let frozen = "";
  for (const [index, place] of places.slice(1).entries()) {
    markdown.push(text.slice(places[index], place));
    frozen += markdown.take().frozen;
  }
  return { finished: markdown.finish(), frozen };
}

const block = fc.oneof(
  fc.constantFrom(
    "# Heading",
    "Under\n===",
    "- a\n- b\n  - c",
    "1. a",
    "2. b",
    "2",
    "- ",
    "-",
    "  lazy",
    "    code",
    "> quote",
    "> - nested\n> ```\n> x",
    "```ts\nlet a = 1;\n\nlet b;\n```",
    "```\nopen\n\nfence",
    "~~~\n```\n~~~",
    "| a | b |\n|---|---|\n| 1 | **2** |",
    "***",
    "<div>\n\ntext\n\n</div>",
    "<!-- open",
    "<script>\n\nalert(1)",
    "[x]: https://example.org",
    "see [x] and [y][x]",
    "**bold** `code` [link](https://example.org)",
    "\t",
    "   ",
  ),
  fc.constantFrom(...hostileMarkdown),
  fc.string({ maxLength: 12 }),
);
const separator = fc.constantFrom("\n", "\n\n", "\n\n\n", "\r\n\r\n", "\r", "\n \n", " ");
const document = fc
  .array(fc.tuple(block, separator), { maxLength: 14 })
  .map((parts) => parts.map(([text, end]) => text + end).join(""));

describe("an answer that grows", () => {
  test("ends as the whole text rendered at once, wherever it was cut", () => {
    fc.assert(
      fc.property(document, fc.array(fc.nat(), { maxLength: 25 }), (text, cuts) => {
        expect(stream(text, cuts).finished).toBe(renderMarkdown(text));
      }),
      { numRuns: 1_500 },
    );
  });

  test("never takes back a finished block, unless a link definition came later", () => {
    const withoutDefinitions = document.filter((text) => !text.includes("]:"));

    fc.assert(
      fc.property(withoutDefinitions, fc.array(fc.nat(), { maxLength: 25 }), (text, cuts) => {
        const { finished, frozen } = stream(text, cuts);

        expect(finished.startsWith(frozen)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test("freezes blocks while it grows, so that only the open end is read again", () => {
    const markdown = createStreamingMarkdown();
    markdown.push("First paragraph.\n\nSecond para");

    const first = markdown.take();
    markdown.push("graph.\n\n");
    const second = markdown.take();

    expect(first).toEqual({ frozen: "", open: "<p>First paragraph.</p>\n<p>Second para</p>\n" });
    expect(second.frozen).toBe("<p>First paragraph.</p>\n");
    expect(second.open).toBe("<p>Second paragraph.</p>\n");
  });

  test.each([
    ["**bol", "<p><strong>bol</strong></p>\n"],
    ["`cod", "<p><code>cod</code></p>\n"],
    ["see [the lin", "<p>see the lin</p>\n"],
    ["see [the link](https://exa", "<p>see the link</p>\n"],
    ["```ts\nlet a", '<pre tabindex="0"><code class="language-ts">let a\n</code></pre>\n'],
  ])("shows half-written %j without its markup", (text, html) => {
    const markdown = createStreamingMarkdown();
    markdown.push(text);

    const { open } = markdown.take();

    expect(open).toBe(html);
  });

  test("stops formatting beyond the limit and still ends as the whole text would", () => {
    const text = "word **bold**\n\n".repeat(Math.ceil(formattedCharsMax / 10));
    const cuts = Array.from({ length: 20 }, (_, index) => index * 9_000);

    const { finished } = stream(text, cuts);

    expect(finished).toBe(renderMarkdown(text));
  });

  test.each(Object.entries(markdownBombs(8_192)))("is not brought down by %s", (_, text) => {
    const { finished } = stream(text, [1_000, 3_000, 6_000]);

    expect(finished).toBe(renderMarkdown(text));
  });
});
