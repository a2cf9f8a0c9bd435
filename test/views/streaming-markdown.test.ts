import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { renderMarkdown } from "../../src/views/markdown/markdown.ts";
import { formattedCharsMax } from "../../src/views/chat/renderer-version.ts";
import { createStreamingMarkdown, type TextChange } from "../../src/views/markdown/streaming-markdown.ts";
import { markdownBombs } from "../fixtures/markdown-bombs.ts";
import { anyMarkdown, longMarkdown } from "./any-markdown.ts";
import { countOf, forbiddenMarkup } from "./foreign-markup.ts";

const ids = { code: "growing-code", tail: "growing-tail" };

interface Shown {
  frozen: string;
  open: string;
}

/** What a browser makes of a change. */
function apply(shown: Shown, { frozen, open, code }: TextChange): Shown {
  const next = { frozen: shown.frozen + frozen, open: open ?? shown.open };
  if (code === null) return next;
  const tailAt = next.open.lastIndexOf(`</span><span id="${ids.tail}">`);
  const end = "</span></code></pre></figure>\n";
  const lines = next.open.slice(0, tailAt) + code.added;
  return { ...next, open: `${lines}</span><span id="${ids.tail}">${code.tail}${end}` };
}

/** Pushes the text in pieces and applies all changes; now and then a piece isn't rendered before it is shown. */
async function stream(text: string, cuts: readonly number[]) {
  const markdown = createStreamingMarkdown(ids);
  const places = [0, ...cuts.map((cut) => cut % (text.length + 1)).sort((a, b) => a - b), text.length];
  let shown: Shown = { frozen: "", open: "" };
  for (const [at, place] of places.slice(1).entries()) {
    markdown.push(text.slice(places[at], place));
    if (place % 3 !== 0) await markdown.render();
    shown = apply(shown, markdown.take());
  }
  await markdown.render();
  const grown = apply(shown, markdown.take());
  const fresh = await freshView(text);
  await markdown.end();
  const finished = apply(grown, markdown.take());
  return { markdown, grown, fresh, finished };
}

async function freshView(text: string): Promise<Shown> {
  const markdown = createStreamingMarkdown(ids);
  markdown.push(text);
  await markdown.render();
  return markdown.whole();
}

const cutPlaces = fc.array(fc.nat(), { maxLength: 25 });

describe("an answer that grows", () => {
  test("ends as the whole text rendered at once, wherever it was cut", async () => {
    await fc.assert(
      fc.asyncProperty(anyMarkdown, cutPlaces, async (text, cuts) => {
        const { markdown } = await stream(text, cuts);

        expect(markdown.html()).toBe(await renderMarkdown(text));
      }),
      { numRuns: 300 },
    );
  }, 30_000);

  test("ends so with long blocks too", async () => {
    await fc.assert(
      fc.asyncProperty(longMarkdown, cutPlaces, async (text, cuts) => {
        const { markdown } = await stream(text, cuts);

        expect(markdown.html() === (await renderMarkdown(text))).toBe(true);
      }),
      { numRuns: 25 },
    );
  }, 30_000);

  test("knows whether what it gave out is the whole", async () => {
    await fc.assert(
      fc.asyncProperty(anyMarkdown, cutPlaces, async (text, cuts) => {
        const { markdown, finished } = await stream(text, cuts);

        expect(finished.open).toBe("");
        expect(markdown.isFinal()).toBe(finished.frozen === markdown.html());
        expect(markdown.isFinal() || text.includes("]:")).toBe(true);
      }),
      { numRuns: 300 },
    );
  }, 30_000);

  test("changes a page to what a fresh one shows", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof({ arbitrary: anyMarkdown, weight: 4 }, { arbitrary: longMarkdown, weight: 1 }),
        cutPlaces,
        async (text, cuts) => {
          // A definition makes a difference to what was rendered before it.
          fc.pre(!text.includes("]:"));

          const { grown, fresh } = await stream(text, cuts);

          expect(grown.open === fresh.open && grown.frozen === fresh.frozen).toBe(true);
        },
      ),
      { numRuns: 150 },
    );
  }, 30_000);

  test("shows listed markup only at every moment", async () => {
    await fc.assert(
      fc.asyncProperty(anyMarkdown, fc.nat(), async (text, cut) => {
        const { frozen, open } = await freshView(text.slice(0, cut % (text.length + 1)));

        expect(forbiddenMarkup(frozen + open)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  }, 30_000);

  test("freezes blocks while it grows, so that only the open end is read again", async () => {
    const markdown = createStreamingMarkdown(ids);
    markdown.push("First paragraph.\n\nSecond para");
    await markdown.render();

    const first = markdown.take();
    markdown.push("graph.\n\n");
    const second = markdown.take();
    const third = markdown.take();

    expect(first).toEqual({
      frozen: "<p>First paragraph.</p>\n",
      open: "<p>Second para</p>\n",
      code: null,
    });
    expect(second).toEqual({ frozen: "", open: "<p>Second paragraph.</p>\n", code: null });
    expect(third).toEqual({ frozen: "", open: null, code: null });
  });

  test("tells when a link was defined after it was shown, and renders it anew", async () => {
    const text = "See [x].\n\nMore.\n\n[x]: https://example.org\n";

    const { markdown, finished } = await stream(text, [10]);

    expect(finished.frozen).toContain("See [x].");
    expect(markdown.isFinal()).toBe(false);
    expect(markdown.html()).toContain('<a href="https://example.org"');
  });

  test("is rendered once, however many ask for it at the same time", async () => {
    const markdown = createStreamingMarkdown(ids);
    markdown.push("one\n\n```ts\nlet a;\n```\n\ntwo\n\n");
    const first = markdown.render();
    markdown.push("three\n\n");

    await Promise.all([first, markdown.render(), markdown.end()]);

    const { frozen } = markdown.take();
    expect(frozen).toBe(await renderMarkdown("one\n\n```ts\nlet a;\n```\n\ntwo\n\nthree\n\n"));
    expect(markdown.isFinal()).toBe(true);
  });

  test("shows finished blocks at once when nobody has rendered them", () => {
    const markdown = createStreamingMarkdown(ids);
    markdown.push("one\n\n```ts\nlet a;\n```\ntwo");

    const { frozen, open } = markdown.take();

    expect(frozen).toBe("");
    expect(open).toMatch(/^<p>one<\/p>\n<figure.*let a;\n.*<\/figure>\n<p>two<\/p>\n$/s);
  });

  test.each([
    ["**bol", "<p><strong>bol</strong></p>\n"],
    ["`cod", "<p><code>cod</code></p>\n"],
    ["see [the lin", "<p>see the lin</p>\n"],
    ["see [the link](https://exa", "<p>see the link</p>\n"],
    ["text\n``", "<p>text</p>\n"],
    ["text\n```py", "<p>text</p>\n"],
  ])("shows half-written %j without its markup", (text, html) => {
    const markdown = createStreamingMarkdown(ids);
    markdown.push(text);

    const { open } = markdown.take();

    expect(open).toBe(html);
  });
});

describe("code that grows", () => {
  test("is added to, not sent again", async () => {
    const markdown = createStreamingMarkdown(ids);
    markdown.push("```ts\nlet first = 1;\n");
    const begun = markdown.take();
    markdown.push("let a = '<b>';\n".repeat(1_000));
    const grown = markdown.take();
    markdown.push("let last");
    const more = markdown.take();

    expect(begun.open).toContain('<span id="growing-tail">let first = 1;\n</span>');
    expect(grown.open).toBeNull();
    expect(grown.code?.added.length).toBeGreaterThan(15_000);
    expect(grown.code?.tail.length).toBeLessThan(10_000);
    expect(more.code?.added).toBe("");
    expect(more.code?.tail).toEndWith("let a = &#39;&lt;b&gt;&#39;;\nlet last");
  });

  test("doesn't show a fence that is only begun", () => {
    const markdown = createStreamingMarkdown(ids);
    markdown.push("```ts\nlet a;\n``");

    const { open } = markdown.take();

    expect(open).toContain(">let a;\n</span>");
  });

  test("is highlighted and can be copied when it is complete", async () => {
    const markdown = createStreamingMarkdown(ids);
    markdown.push("```ts\nlet a = 1;\n");
    const { open } = markdown.take();
    markdown.push("```\nafter");
    await markdown.render();
    const { frozen } = markdown.take();

    expect(countOf(open ?? "", "button")).toBe(0);
    expect(countOf(frozen, "figure.code > figcaption > button.copy")).toBe(1);
    expect(frozen).toContain('<span class="hljs-keyword">let</span>');
  });
});

describe("an answer that is long or costs much", () => {
  test("ends at the limit with a note, as the whole text does", async () => {
    const text = `${"word ".repeat(700)}**bold**\n\n`.repeat(310);
    const markdown = createStreamingMarkdown(ids);

    for (let at = 0; at < text.length; at += 100_000) markdown.push(text.slice(at, at + 100_000));
    await markdown.end();

    expect(text.length).toBeGreaterThan(formattedCharsMax);
    expect(markdown.html() === (await renderMarkdown(text))).toBe(true);
    expect(markdown.take().frozen === markdown.html()).toBe(true);
    expect(markdown.html().slice(-80)).toContain("left out here");
  }, 30_000);

  test("sends little more than its own HTML in 4,000 pieces", async () => {
    const section = `## Step\n\nSome **words** and \`code\`.\n\n- one\n- two\n\n\`\`\`ts\n${"let a = 1;\n".repeat(40)}\`\`\`\n\n`;
    const text = section.repeat(Math.ceil(200_000 / section.length));
    const markdown = createStreamingMarkdown(ids);
    let chars = 0;

    for (let at = 0; at < text.length; at += 50) {
      markdown.push(text.slice(at, at + 50));
      await markdown.render();
      const { frozen, open, code } = markdown.take();
      chars += frozen.length + (open?.length ?? 0) + (code?.added.length ?? 0) + (code?.tail.length ?? 0);
    }
    await markdown.end();

    expect(markdown.isFinal()).toBe(true);
    expect(chars).toBeLessThan(markdown.html().length * 3);
  }, 30_000);

  test.each(Object.entries(markdownBombs(9_000)))("is not brought down by %s", async (_, text) => {
    const { markdown } = await stream(text, [1_000, 3_000, 6_000]);

    expect(markdown.html() === (await renderMarkdown(text))).toBe(true);
  });
});
