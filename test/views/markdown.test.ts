import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { renderMarkdown } from "../../src/views/markdown/markdown.ts";
import { formattedCharsMax } from "../../src/views/chat/renderer-version.ts";
import { hostileMarkdown } from "../fixtures/hostile-markdown.ts";
import { markdownBombs } from "../fixtures/markdown-bombs.ts";
import { countOf, forbiddenMarkup } from "./foreign-markup.ts";

const inDocument = (payload: string) =>
  `- **before** ${payload}\n> ${payload}\n\n| ${payload} |\n|---|\n| ${payload} |\n\n${payload}\n`;

describe("Markdown of unknown origin", () => {
  test.each(hostileMarkdown.map((payload) => [payload]))("%j becomes harmless", async (payload) => {
    const html = await renderMarkdown(payload);

    expect(forbiddenMarkup(html)).toEqual([]);
  });

  test.each(hostileMarkdown.map((payload) => [payload]))(
    "%j is harmless inside other Markdown",
    async (payload) => {
      const html = await renderMarkdown(inDocument(payload));

      expect(forbiddenMarkup(html)).toEqual([]);
    },
  );

  test("any text at all comes out as listed markup only", async () => {
    const marks = ["<", ">", '"', "'", "`", "```", "[", "](", ")", "!", "*", "_", "|", "&", "on", "="];
    const piece = fc.oneof(
      fc.constantFrom(...marks, "\n", "\n\n", "```html\n", "javascript:", 'data-code="0"'),
      fc.constantFrom(...hostileMarkdown),
      fc.string({ unit: "binary", maxLength: 8 }),
    );

    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 30 }), async (pieces) => {
        expect(forbiddenMarkup(await renderMarkdown(pieces.join("")))).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  test("a button comes from a piece of code and from nowhere else", async () => {
    const html = await renderMarkdown(`\`\`\`\nreal\n\`\`\`\n\n${hostileMarkdown[0]}\n\n<button>x</button>`);

    expect(countOf(html, "button")).toBe(1);
    expect(html).toContain("&lt;button&gt;");
  });

  test("the place of a piece of code can't be forged", async () => {
    const html = await renderMarkdown('<pre data-code="0"></pre>\n\n- ```\n  real\n  ```\n');

    expect(countOf(html, "figure")).toBe(1);
    expect(html).toContain('&lt;pre data-code="0"&gt;');
  });
});

describe("Markdown that people write", () => {
  test("headings begin below the page's own", async () => {
    expect(await renderMarkdown("# One\n\n###### Six")).toBe(
      '<h4 class="depth-1">One</h4>\n<h4 class="depth-6">Six</h4>\n',
    );
  });

  test("tables scroll within themselves and can be reached by keyboard", async () => {
    const html = await renderMarkdown("| a |\n|--:|\n| 1 |");

    expect(html).toStartWith('<div class="table" tabindex="0" role="group" aria-label="Table"><table>');
    expect(html).toEndWith("</table></div>\n");
    expect(html).toContain('<td align="right">1</td>');
  });

  test("task lists and emphasis are rendered", async () => {
    const html = await renderMarkdown("- [x] **done**\n- [ ] *not yet*");

    expect(html).toContain("<li>☑ <strong>done</strong></li>");
    expect(html).toContain("<li>☐ <em>not yet</em></li>");
  });

  test("a web address opens elsewhere and tells nothing about us", async () => {
    const html = await renderMarkdown("[docs](https://example.org/?a=1&b=2)");

    expect(html).toBe(
      '<p><a href="https://example.org/?a=1&amp;b=2" rel="noopener noreferrer nofollow" target="_blank">docs</a></p>\n',
    );
  });

  test("a link may be defined after a text that uses it", async () => {
    const html = await renderMarkdown("See [the docs][1].\n\nMore.\n\n[1]: https://example.org");

    expect(html).toContain('<a href="https://example.org"');
  });

  test("a picture is a link, so that looking at an answer fetches nothing", async () => {
    const html = await renderMarkdown("![chart](https://example.org/chart.png)");

    expect(html).toContain('<a href="https://example.org/chart.png"');
    expect(html).not.toContain("<img");
  });

  test("text after a raw tag is text as well", async () => {
    expect(await renderMarkdown("a <script>b</scr c")).toBe("<p>a &lt;script&gt;b&lt;/scr c</p>\n");
  });

  test("the path behind a local link stays readable", async () => {
    expect(await renderMarkdown("[the server](src/server.ts)")).toBe(
      "<p>the server (<code>src/server.ts</code>)</p>\n",
    );
  });

  test("the same text gives the same markup", async () => {
    const text = hostileMarkdown.join("\n\n");

    expect(await renderMarkdown(text)).toBe(await renderMarkdown(text));
  });
});

describe("Markdown that is long or costs much", () => {
  test.each(Object.entries(markdownBombs(24_576)))("%s is rendered without an error", async (_, text) => {
    const html = await renderMarkdown(text);

    expect(forbiddenMarkup(html)).toEqual([]);
  });

  test("others get their turn while a long text is rendered", async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 0);

    await renderMarkdown("word **bold**\n\n".repeat(2_000));

    clearInterval(timer);
    expect(turns).toBeGreaterThan(3);
  });

  test("a text of 300 KB is formatted to its end", async () => {
    const html = await renderMarkdown(`${`${"word ".repeat(50)}**bold**\n\n`.repeat(1_200)}*end*`);

    expect(countOf(html, "strong")).toBe(1_200);
    expect(html).toEndWith("<p><em>end</em></p>\n");
  });

  test("a text over the limit is formatted as far as it goes, and says how much is left out", async () => {
    const paragraph = `${"word ".repeat(202)}**bold**\n\n`;

    const html = await renderMarkdown(paragraph.repeat(1_100));

    expect(paragraph).toHaveLength(1_020);
    expect(countOf(html, "strong")).toBe(Math.floor(formattedCharsMax / 1_020));
    expect(html.slice(-80)).toEndWith('<p class="hint">73,424 more characters left out here.</p>\n');
  }, 20_000);
});
