import { describe, expect, test } from "bun:test";
import { DiffView } from "../../src/views/chat/diff.tsx";
import { editsOf } from "../../src/views/chat/edits.ts";
import { renderHtml } from "../../src/views/render.ts";
import { visibleText } from "../../src/views/visible-text.ts";
import { hostileMarkdown } from "../fixtures/hostile-markdown.ts";
import { countOf } from "./foreign-markup.ts";

const htmlOf = (toolName: string, input: unknown) =>
  renderHtml(<DiffView edits={editsOf(toolName, input) ?? []} />);

/** What stands there for who can't see it. */
const textOf = (html: string) => html.replace(/<[^>]*>/g, "");

describe("the diff of an edit", () => {
  test("is signed lines under the file's name", () => {
    const html = htmlOf("Edit", {
      file_path: "src/a.ts",
      old_string: "one\ntwo\nthree",
      new_string: "one\n2\nthree",
      replace_all: true,
    });

    expect(textOf(html)).toBe("src/a.ts every occurrence one\n-two\n+2\n three\n");
    expect(countOf(html, '[role="deletion"] > .diff-line.removed')).toBe(1);
    expect(countOf(html, '[role="insertion"] > .diff-line.added')).toBe(1);
  });

  test("keeps the space in its lines", () => {
    const html = htmlOf("Write", { file_path: "Makefile", content: "all:\n\tmake  -j  \n\n" });

    expect(textOf(html)).toBe("Makefile whole file+all:\n+\tmake  -j  \n+\n");
  });

  test("marks the changed part of a line", () => {
    const html = htmlOf("Edit", { file_path: "a", old_string: "let <a> = 1;", new_string: "let <b> = 1;" });

    expect(html).toContain('-let &lt;<span class="changed">a</span>&gt; = 1;');
    expect(html).toContain('+let &lt;<span class="changed">b</span>&gt; = 1;');
  });

  test("shows so many lines and counts the others, over all files", () => {
    const lines = "+line\n".repeat(300);

    const html = htmlOf("ApplyPatch", { input: `*** Add File: a\n${lines}*** Add File: b\n${lines}` });

    expect(countOf(html, ".diff-line")).toBe(400);
    expect(textOf(html)).toEndWith("… and 200 more lines");
  });

  test("cuts a line that is too long", () => {
    const html = htmlOf("Write", { file_path: "a.json", content: "x".repeat(500_000) });

    expect(html.length).toBeLessThan(2_000);
    expect(textOf(html)).toEndWith("x…\n");
  });

  test.each(hostileMarkdown.map((payload) => [payload]))(
    "shows %j as it is, wherever it stands",
    (payload) => {
      const edit = { file_path: payload, old_string: `a ${payload}`, new_string: `b ${payload}` };
      const patch = `*** Update File: ${payload}\n*** Move to: ${payload}\n@@ ${payload}\n-${payload}\n+${payload}`;
      const html = htmlOf("Edit", edit) + htmlOf("ApplyPatch", { input: patch });

      const markup = [...html.matchAll(/<[^>]*>?/g)].map(([tag]) => tag);

      const own =
        /^<(?:\/?(?:div|p|span)|div (?:class="diff"|role="(?:insertion|deletion)")|p class="(?:diff-file|hint)"|span class="(?:diff-line(?: (?:added|removed|diff-gap))?|diff-note|changed)")>$/;
      expect(markup.filter((tag) => !own.test(tag))).toEqual([]);
    },
  );

  test("shows what would reorder it or drive a terminal", () => {
    const html = htmlOf("Write", {
      file_path: "exe.\u202egpj",
      content: "if (isAdmin) /*\u2066 \u202e*/\n\u001b[31mred\u0007\u009b2J",
    });

    expect(textOf(html)).toBe(
      "exe.⟨U+202E⟩gpj whole file+if (isAdmin) /*⟨U+2066⟩ ⟨U+202E⟩*/\n+␛[31mred␇⟨U+009B⟩2J\n",
    );
  });
});

describe("a text made visible", () => {
  test.each([
    ["tabs\tand\nlines", "tabs\tand\nlines"],
    ["nul \0 bell \x07 delete \x7f", "nul ␀ bell ␇ delete ␡"],
    ["العربية and 👩‍🚀 stay", "العربية and 👩‍🚀 stay"],
  ])("of %j is %j", (text, visible) => {
    expect(visibleText(text)).toBe(visible);
  });
});
