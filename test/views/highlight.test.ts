import { afterAll, describe, expect, test } from "bun:test";
import hljs from "highlight.js/lib/common";
import { codeFigure, languageOf } from "../../src/views/markdown/code-block.ts";
import {
  createHighlighter,
  highlightedCharsMax,
  type HighlightRequest,
  type HighlightWorker,
  onlyHighlighted,
} from "../../src/views/markdown/highlight.ts";
import { highlightedLanguage } from "../../src/views/markdown/highlighted-languages.ts";
import { renderMarkdown } from "../../src/views/markdown/markdown.ts";
import { hostileMarkdown } from "../fixtures/hostile-markdown.ts";
import { countOf, forbiddenMarkup } from "./foreign-markup.ts";

const languages = hljs.listLanguages().filter((language) => language !== "plaintext");
const limits = { startDeadlineMs: 10_000, deadlineMs: 10_000, restMs: 60_000, idleMs: 60_000 };

/** A highlighter whose thread is a function; null never answers, an error breaks. */
function highlighterWith(answer: (request: HighlightRequest) => string | null | Error, deadlineMs = 10_000) {
  const calls: string[] = [];
  const startWorker = (): HighlightWorker => {
    calls.push("start");
    const worker: HighlightWorker = {
      onmessage: null,
      onerror: null,
      terminate: () => void calls.push("terminate"),
      postMessage(request) {
        calls.push(request.text);
        const html = answer(request);
        if (html instanceof Error) worker.onerror?.(new ErrorEvent("error"));
        else if (html !== null)
          worker.onmessage?.(new MessageEvent("message", { data: { id: request.id, html } }));
      },
    };
    return worker;
  };
  const options = { ...limits, deadlineMs, startDeadlineMs: deadlineMs, startWorker };
  return { highlighter: createHighlighter(options), calls };
}

describe("a highlighter", () => {
  const highlighter = createHighlighter({
    ...limits,
    startWorker: () => new Worker(new URL("../../src/views/markdown/highlight-worker.ts", import.meta.url)),
  });
  afterAll(() => highlighter.stop());

  test("marks the words of a language that it knows, by any of its names", async () => {
    const html = await highlighter.highlight('const a = "<b>";', "JS");

    expect(html).toBe(
      '<span class="hljs-keyword">const</span> a = <span class="hljs-string">&quot;&lt;b&gt;&quot;</span>;',
    );
  });

  test("marks a language within another one without naming it", async () => {
    const html = await highlighter.highlight("<style>a{}</style>", "html");

    expect(html).toContain('<span class="hljs-embedded">');
    expect(html).not.toContain("language-");
  });

  test.each(languages.map((language) => [language]))(
    "makes nothing but its marks of hostile text as %s",
    async (language) => {
      for (const payload of hostileMarkdown) {
        const html = await highlighter.highlight(payload, language);

        expect(html).not.toBeNull();
        expect(forbiddenMarkup(codeFigure({ text: payload, language: null }, html ?? ""))).toEqual([]);
      }
    },
  );

  test("is ended when a text takes it too long, and the text stays as it is", async () => {
    const closed = Promise.withResolvers<void>();
    const endless = createHighlighter({
      ...limits,
      startDeadlineMs: 250,
      startWorker() {
        const thread = new Worker(new URL("../fixtures/endless-worker.ts", import.meta.url));
        thread.addEventListener("close", () => closed.resolve());
        return thread;
      },
    });

    const html = await endless.highlight("let a;", "ts");
    await closed.promise;

    expect(html).toBeNull();
  });
});

describe("a highlighter's limits", () => {
  test("long texts and unknown languages don't even start it", async () => {
    const { highlighter, calls } = highlighterWith(() => "");

    const answers = await Promise.all([
      highlighter.highlight("a".repeat(highlightedCharsMax + 1), "ts"),
      highlighter.highlight("a", "brainfuck"),
      highlighter.highlight("a", "constructor"),
      highlighter.highlight("a", ""),
    ]);

    expect(answers).toEqual([null, null, null, null]);
    expect(calls).toEqual([]);
  });

  test("pieces of code are highlighted one after the other in one thread", async () => {
    const { highlighter, calls } = highlighterWith(({ text }) => text);

    await Promise.all([highlighter.highlight("one", "ts"), highlighter.highlight("two", "ts")]);
    highlighter.stop();

    expect(calls).toEqual(["start", "one", "two", "terminate"]);
  });

  test("after a text that took too long it rests, so that many of them cost no more than one", async () => {
    const { highlighter, calls } = highlighterWith(() => null, 1);

    const answers = await Promise.all([1, 2, 3].map((text) => highlighter.highlight(`${text}`, "ts")));

    expect(answers).toEqual([null, null, null]);
    expect(calls).toEqual(["start", "1", "terminate"]);
  });

  test("one that breaks leaves the text as it is", async () => {
    const { highlighter } = highlighterWith(() => new Error("broken"));

    expect(await highlighter.highlight("a", "ts")).toBeNull();
  });

  test.each([
    ["changes the text", "b"],
    ["leaves a tag open", '<span class="hljs-a">a'],
    ["closes what it didn't open", '</span>a<span class="hljs-a">'],
    ["adds an element", '<img src="x">a'],
    ["adds an attribute", '<span class="hljs-a" onclick="x">a</span>'],
    ["takes another class", '<span class="page-head">a</span>'],
    ["breaks out of a class", '<span class="hljs-"><img src=x>">a</span>'],
  ])("one that %s isn't believed", (_what, html) => {
    expect(onlyHighlighted(html, "a")).toBeNull();
  });
});

describe("languages", () => {
  test("are all that the highlighter has, by all their names", () => {
    const names = languages.flatMap((language) => [language, ...(hljs.getLanguage(language)?.aliases ?? [])]);

    expect(names.length).toBeGreaterThan(100);
    for (const name of names) {
      expect(hljs.getLanguage(highlightedLanguage(name) ?? "")?.name).toBe(
        hljs.getLanguage(name)?.name ?? "",
      );
    }
  });

  test.each([
    ["ts", "ts"],
    ["ts title=a", "ts"],
    ["ts:src/a.ts", "ts"],
    ["js{1,3}", "js"],
    ["c++", "c++"],
    ["objective-c", "objective-c"],
    ['"><img src=x>', null],
    ['ts"onload=x', null],
    ["<b>", null],
    ["a".repeat(33), null],
    ["", null],
  ])("of %j is %j", (info, language) => {
    expect(languageOf(info)).toBe(language);
  });
});

describe("a piece of code", () => {
  test("has its language, a button and its text, whole", async () => {
    const html = await renderMarkdown("```ts title=x\nif (a < b) {}\n```");

    expect(html).toBe(
      '<figure class="code"><figcaption><span class="language">ts</span>' +
        '<button type="button" class="copy" data-copy>Copy</button></figcaption>' +
        '<pre tabindex="0"><code class="language-ts"><span class="hljs-keyword">if</span> (a &lt; b) {}\n' +
        "</code></pre></figure>\n",
    );
  });

  test("of an unknown language is plain, under its name", async () => {
    const html = await renderMarkdown("```brainfuck\n+<\n```");

    expect(html).toContain('<span class="language">brainfuck</span>');
    expect(html).toContain('<code class="language-brainfuck">+&lt;\n</code>');
  });

  test("without a language is plain", async () => {
    const html = await renderMarkdown("```\nlet a = 1;\n```");

    expect(html).toContain("<code>let a = 1;\n</code>");
  });

  test.each([
    [40, 0],
    [41, 1],
  ])("of %i lines folds %i times, and stays whole for the copy", async (lines, folds) => {
    const html = await renderMarkdown(`\`\`\`\n${"a\n".repeat(lines)}\`\`\``);

    expect(countOf(html, "figure.code.long > details.fold > summary")).toBe(folds);
    expect(html).toContain(`<code>${"a\n".repeat(lines)}</code>`);
  });
});
