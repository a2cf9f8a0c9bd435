import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import type { ConversationGlance, ConversationListItem } from "../../src/domain/conversation.ts";
import { ConversationCard } from "../../src/views/conversations/conversation-card.tsx";
import { ConversationPage, plainLine } from "../../src/views/conversations/conversation-page.tsx";
import {
  noSearch,
  searchPath,
  type SearchValues,
} from "../../src/views/conversations/conversation-search.ts";
import {
  ConversationsPage,
  type Found,
  FoundFragment,
  FurtherConversations,
} from "../../src/views/conversations/conversations-page.tsx";
import type { Frame } from "../../src/views/layout.tsx";
import { MarkedSnippet, piecesOf } from "../../src/views/conversations/marked-snippet.tsx";
import { renderHtml } from "../../src/views/render.ts";
import { hostileMarkdown } from "../fixtures/hostile-markdown.ts";

const at = "2026-11-22T10:00:00.000Z";
const frame: Frame = {
  assetUrl: (name) => `/assets/${name}`,
  version: "1.2.3",
  containment: { rung: "bwrap", degradedBecause: null, sandboxOff: false },
  attention: 0,
};
const aGlance = (given: Partial<ConversationGlance> = {}): ConversationGlance => ({
  running: false,
  failed: false,
  firstLines: "Hello.",
  cwd: "/srv/project",
  agentLives: true,
  ...given,
});
const anItem = (given: Partial<ConversationListItem> = {}): ConversationListItem => ({
  id: "conv_1",
  agentId: "anna",
  cli: "claude",
  cliSessionId: "6f1c1c1e-3d2a-4a57-9a51-0f5d9a0c2b11",
  status: "ended",
  title: "A question",
  turnCount: 2,
  createdAt: at,
  updatedAt: at,
  ...given,
});
const card = (item: Partial<ConversationListItem>, glance: Partial<ConversationGlance> = {}) =>
  renderHtml(<ConversationCard item={anItem(item)} glance={aGlance(glance)} />);
const readingPage = (item: Partial<ConversationListItem>, glance: Partial<ConversationGlance> = {}) =>
  renderHtml(
    <ConversationPage
      frame={frame}
      head={anItem(item)}
      glance={aGlance(glance)}
      acpAgent={item.cli === "acp" ? "opencode" : null}
      model={null}
      turns=""
      shown={null}
      idempotencyKey="key"
      problem={null}
    />,
  );
const searchPage = (values: Partial<SearchValues>, found: Found) =>
  renderHtml(
    <ConversationsPage
      frame={frame}
      result={{ values: { ...noSearch, ...values }, found }}
      choices={{ agentIds: ["anna"], clis: ["claude", "demo"] }}
    />,
  );
const nothingFound: Found = { kind: "found", conversations: [], nextCursor: null, isFirstPage: true };

/** All markup, without the text between. */
const tagsOf = (html: string) => html.match(/<[^>]*>/g);

test("the page of a conversation names the ACP agent", () => {
  const html = readingPage({ cli: "acp" });

  expect(html).toContain('<span class="chip cli-acp">ACP agent opencode</span>');
  expect(html).toContain("know how opencode resumes a session");
});

describe("a snippet", () => {
  test("is cut at its ranges", () => {
    const pieces = piecesOf({
      snippet: "the quick brown fox",
      ranges: [
        [4, 9],
        [16, 19],
      ],
    });

    expect(pieces).toEqual([
      { text: "the ", isHit: false },
      { text: "quick", isHit: true },
      { text: " brown ", isHit: false },
      { text: "fox", isHit: true },
    ]);
  });

  test("keeps all of its text, whatever the ranges are", () => {
    const ranges = fc.array(fc.tuple(fc.integer({ min: -3, max: 40 }), fc.integer({ min: -3, max: 40 })));

    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 30 }), ranges, (snippet, given) => {
        const pieces = piecesOf({ snippet, ranges: given });

        expect(pieces.map(({ text }) => text).join("")).toBe(snippet);
      }),
    );
  });

  test("marks what was found, as text", () => {
    const snippet = "</mark><script>alert(1)</script> & more";
    const html = renderHtml(
      <MarkedSnippet
        match={{
          snippet,
          ranges: [
            [7, 15],
            [34, 38],
          ],
        }}
      />,
    );

    expect(html).toBe(
      '<bdi class="snippet">&lt;/mark&gt;<mark>&lt;script&gt;</mark>alert(1)&lt;/script&gt; &amp;<mark> mor</mark>e</bdi>',
    );
  });
});

describe("foreign text in lists and pages of conversations", () => {
  const match = (snippet: string) => ({
    turnId: "turn_1",
    seq: 3,
    snippet,
    ranges: [] as [number, number][],
  });
  const places: [what: string, show: (text: string) => string][] = [
    ["a title in a list", (title) => card({ title })],
    ["a title on its page", (title) => readingPage({ title })],
    ["first lines", (firstLines) => card({}, { firstLines })],
    ["a snippet", (snippet) => card({ matches: [match(snippet)] })],
    ["a folder", (cwd) => readingPage({}, { cwd: `/srv/${cwd.replace(/[\p{Cc}\p{Cf}]/gu, "")}` })],
    [
      "what was searched in vain",
      (q) =>
        searchPage({ q: ` ${q}` }, nothingFound)
          .split("</form>")
          .at(-1)!,
    ],
  ];

  test.each(places)("%s makes no markup", (_, show) => {
    const harmless = tagsOf(show("harmless"));

    const changed = hostileMarkdown.filter((payload) => !Bun.deepEquals(tagsOf(show(payload)), harmless));

    expect(changed).toEqual([]);
  });

  test("in the field of a search is its value, and in addresses it is encoded", () => {
    const q = `"><script>alert(1)</script>`;
    const found: Found = { kind: "found", conversations: [], nextCursor: "next", isFirstPage: true };

    const html = searchPage({ q, agent: "anna" }, found);

    expect(html).toContain('value="&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"');
    expect(html).toContain('href="/conversations?q=%22%3E%3Cscript%3Ealert%281%29%3C%2Fscript%3E"');
    expect(html).not.toContain("<script>");
  });

  test("that turns the direction of writing stays within its element, and out of the tab's title", () => {
    const title = "invoice\u202efdp.exe\u2066";

    expect(card({ title })).toContain(`<bdi>${title}</bdi>`);
    expect(readingPage({ title })).toContain(`<bdi>${title}</bdi>`);
    expect(readingPage({ title })).toContain("<title>invoicefdp.exe · Headway</title>");
    expect(plainLine("\u200b\u202e ")).toBe("Untitled");
  });
});

describe("a conversation in a list", () => {
  test("leads to its page, and says who, with what, in which state and when", () => {
    const html = card({ turnCount: 1_234 });

    expect(html).toContain('<a href="/conversations/conv_1">');
    for (const part of ["A question", '"/agents/anna"', "Claude Code", "ended", "1,234 turns", at, "Hello."])
      expect(html).toContain(part);
  });

  test("shows where the words were found instead of its beginning, each place a link to its turn", () => {
    const matches = [{ turnId: "turn_9", seq: 41, snippet: "a fox", ranges: [[2, 5]] as [number, number][] }];

    const html = card({ matches });

    expect(html).toContain('href="/conversations/conv_1?at=41#turn_9"');
    expect(html).toContain("Turn 41");
    expect(html).toContain("a <mark>fox</mark>");
    expect(html).not.toContain("Hello.");
  });

  test.each([
    ["active", "active", {}],
    ["ended", "ended", {}],
    ["running", "active", { running: true, failed: true }],
    ["last run failed", "active", { failed: true }],
  ] as const)("is called %s", (shown, status, glance) => {
    expect(card({ status }, glance)).toContain(`${shown}</span>`);
  });

  test("of a deleted agent leads to what that has left", () => {
    const html = card({}, { agentLives: false });

    expect(html).toContain('<a href="/conversations?agent=anna">anna</a> (deleted)');
    expect(html).not.toContain("/agents/anna");
  });

  test("without a title can be opened all the same", () => {
    expect(card({ title: " " })).toContain('<a href="/conversations/conv_1">Untitled</a>');
  });
});

describe("the address of a search", () => {
  test("has what is asked for and nothing else", () => {
    expect(searchPath(noSearch)).toBe("/conversations");
    expect(searchPath({ ...noSearch, q: "a&b=c #d", to: "2026-11-22" }, "x")).toBe(
      "/conversations?q=a%26b%3Dc+%23d&to=2026-11-22&cursor=x",
    );
  });
});

describe("the pages of a search", () => {
  const conversations = [{ item: anItem(), glance: aGlance() }];

  test("say how many there are, as far as they know", () => {
    const page = (nextCursor: string | null, isFirstPage = true): Found => ({
      kind: "found",
      conversations,
      nextCursor,
      isFirstPage,
    });

    expect(searchPage({}, page(null))).toContain(">1 conversation</p>");
    expect(searchPage({}, page("next"))).toContain(">More than 1 conversation</p>");
    expect(searchPage({}, page(null, false))).toContain(">1 further conversation</p>");
  });

  test("show each filter as what it is, with the way to be rid of it and of all", () => {
    const values = { q: "fox", agent: "anna", cli: "claude", state: "failed", from: "2026-11-01" };

    const html = searchPage(values, nothingFound);

    for (const shown of ["agent anna", "Claude Code", "last run failed", "from 2026-11-01"])
      expect(html).toContain(`<span class="unseen">Remove the filter </span>${shown}`);
    expect(html).toContain('href="/conversations?q=fox&amp;cli=claude&amp;state=failed&amp;from=2026-11-01"');
    expect(html).toContain('<a href="/conversations?q=fox">Remove all</a>');
  });

  test("without anything found say what was looked for and how", () => {
    const html = searchPage({ q: " quick fox ", state: "ended" }, nothingFound);

    expect(html).toContain("No conversation has a turn with <q><bdi>quick fox</bdi></q> among these: ended.");
    expect(html).toContain("the last one may be unfinished");
  });

  test("keep the name of an agent that isn't there any more among the choices", () => {
    expect(searchPage({ agent: "gone" }, nothingFound)).toContain('<option value="gone" selected="">gone');
  });

  test("as fragments tell the form of its problems, and of there being none", () => {
    const values = noSearch;
    const refused: Found = { kind: "refused", problems: { to: "The last day is before the first." } };

    const bad = renderHtml(<FoundFragment result={{ values, found: refused }} />);
    const good = renderHtml(<FoundFragment result={{ values, found: nothingFound }} />);

    expect(bad).toContain("Nothing was searched: The last day is before the first.");
    expect(bad).toContain(
      '<hx-partial hx-target="#field-to-problem" hx-swap="innerHTML"><p class="problem">The last day',
    );
    expect(good).toContain('<hx-partial hx-target="#field-to-problem" hx-swap="innerHTML"></hx-partial>');
  });

  test("that follow end in a link that keeps the focus", () => {
    const page = (nextCursor: string | null): Found => ({
      kind: "found",
      conversations,
      nextCursor,
      isFirstPage: false,
    });
    const further = (nextCursor: string | null) =>
      renderHtml(
        <FurtherConversations result={{ values: { ...noSearch, q: "fox" }, found: page(nextCursor) }} />,
      );

    expect(further("next")).toContain(
      '<a id="more-link" href="/conversations?q=fox&amp;cursor=next" hx-get=',
    );
    expect(further(null)).toContain('That is all. <a id="more-link" href="#main">Back to the top</a>');
  });
});
