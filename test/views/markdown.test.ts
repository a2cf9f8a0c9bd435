import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { formattedCharsMax, renderMarkdown } from "../../src/views/markdown.ts";
import { hostileMarkdown } from "../fixtures/hostile-markdown.ts";
import { markdownBombs } from "../fixtures/markdown-bombs.ts";

const tags = "p|br|hr|h[3-6]|ul|ol|li|blockquote|pre|code|em|strong|del|a|table|thead|tbody|tr|th|td";
const attributes = {
  href: /^(?:https?:\/\/|mailto:)[^\s"<>]*$/,
  rel: /^noopener noreferrer nofollow$/,
  target: /^_blank$/,
  tabindex: /^0$/,
  align: /^(?:left|right|center)$/,
  start: /^\d+$/,
  class: /^language-[\w+#.-]+$/,
} as Record<string, RegExp>;

/** Everything between "<" and ">" that is not on the list; written without the sanitiser's help. */
function forbiddenMarkup(html: string): string[] {
  const found: string[] = [];
  for (const [markup] of html.matchAll(/<[^>]*>?/g)) {
    const parsed = new RegExp(`^</?(?:${tags})((?: [a-z]+="[^"]*")*)(?: /)?>$`).exec(markup);
    if (parsed === null) found.push(markup);
    for (const [, name = "", value = ""] of (parsed?.[1] ?? "").matchAll(/ ([a-z]+)="([^"]*)"/g)) {
      if (!attributes[name]?.test(value)) found.push(markup);
    }
  }
  return found;
}

describe("Markdown of unknown origin", () => {
  test.each(hostileMarkdown.map((payload) => [payload]))("%j becomes harmless", (payload) => {
    expect(forbiddenMarkup(renderMarkdown(payload))).toEqual([]);
  });

  test.each(hostileMarkdown.map((payload) => [payload]))(
    "%j is harmless inside other Markdown",
    (payload) => {
      const text = `- **before** ${payload}\n> ${payload}\n\n| ${payload} |\n|---|\n| ${payload} |\n`;

      const html = renderMarkdown(text);

      expect(forbiddenMarkup(html)).toEqual([]);
    },
  );

  test("any text at all comes out as listed markup only", () => {
    const piece = fc.oneof(
      fc.constantFrom(
        "<",
        ">",
        '"',
        "'",
        "`",
        "[",
        "](",
        ")",
        "!",
        "*",
        "_",
        "\n",
        "javascript:",
        "&",
        "on",
        "=",
      ),
      fc.constantFrom(...hostileMarkdown),
      fc.string({ unit: "binary", maxLength: 8 }),
    );

    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        expect(forbiddenMarkup(renderMarkdown(pieces.join("")))).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});

describe("Markdown that people write", () => {
  test("headings begin below the page's own", () => {
    expect(renderMarkdown("# One\n\n###### Six")).toBe("<h3>One</h3>\n<h6>Six</h6>\n");
  });

  test("code keeps its characters and its language", () => {
    const html = renderMarkdown('```ts title="a"\nif (a < b && c) {}\n```');

    expect(html).toBe(
      '<pre tabindex="0"><code class="language-ts">if (a &lt; b &amp;&amp; c) {}\n</code></pre>\n',
    );
  });

  test("tables, task lists and emphasis are rendered", () => {
    const html = renderMarkdown("- [x] **done**\n- [ ] *not yet*\n\n| a |\n|--:|\n| 1 |");

    expect(html).toContain("<li>☑ <strong>done</strong></li>");
    expect(html).toContain("<li>☐ <em>not yet</em></li>");
    expect(html).toContain('<td align="right">1</td>');
  });

  test("a web address opens elsewhere and tells nothing about us", () => {
    const html = renderMarkdown("[docs](https://example.org/?a=1&b=2)");

    expect(html).toBe(
      '<p><a href="https://example.org/?a=1&amp;b=2" rel="noopener noreferrer nofollow" target="_blank">docs</a></p>\n',
    );
  });

  test("a picture is a link, so that looking at an answer fetches nothing", () => {
    const html = renderMarkdown("![chart](https://example.org/chart.png)");

    expect(html).toContain('<a href="https://example.org/chart.png"');
    expect(html).not.toContain("<img");
  });

  test("text after a raw tag is text as well", () => {
    expect(renderMarkdown("a <script>b</scr c")).toBe("<p>a &lt;script&gt;b&lt;/scr c</p>\n");
  });

  test("the path behind a local link stays readable", () => {
    expect(renderMarkdown("[the server](src/server.ts)")).toBe(
      "<p>the server (<code>src/server.ts</code>)</p>\n",
    );
  });

  test("the same text gives the same markup", () => {
    const text = hostileMarkdown.join("\n\n");

    expect(renderMarkdown(text)).toBe(renderMarkdown(text));
  });
});

describe("Markdown that costs too much", () => {
  test.each(Object.entries(markdownBombs(16_384)))("%s is rendered without an error", (_, text) => {
    const html = renderMarkdown(text);

    expect(forbiddenMarkup(html)).toEqual([]);
  });

  test("a text over the limit is shown as it came, its beginning only, and says so", () => {
    const text = "**a** ".repeat(formattedCharsMax);

    const html = renderMarkdown(text);

    expect(html).toContain("too long to format");
    expect(html).toContain("**a** **a**");
    expect(html).not.toContain("<strong>");
    expect(html.length).toBeLessThan(formattedCharsMax * 1.1);
  });
});
