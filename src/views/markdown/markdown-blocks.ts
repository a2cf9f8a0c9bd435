import type { Links, RendererObject } from "marked";
import sanitizeHtml from "sanitize-html";
import { type Code, languageOf } from "./code-block.ts";
import { escapeHtml } from "../escape-html.ts";
import { lexBlocks, lexInlines, marked } from "./markdown-lexer.ts";

/** HTML with an empty place for each piece of code in it. */
export interface LaidOut {
  html: string;
  codes: Code[];
}

/**
 * All headings of an answer are of the level below that of its turn: an answer that begins at "###" leaves
 * none out. Their depth is for the eye.
 */
const headingTag = "h4";
/** marked goes through all of them for each text with a bracket in it. */
const definitionsMax = 200;
/** Of the text that is laid out just now: marked works synchronously. */
let codesFound: Code[] = [];

/** First layer: raw HTML becomes text, addresses pass an allow-list, pictures become links. */
const renderer: RendererObject = {
  html: ({ text, block }) => (block ? `<p>${escapeHtml(text)}</p>\n` : escapeHtml(text)),
  heading({ tokens, depth }) {
    return `<${headingTag} class="depth-${depth}">${this.parser.parseInline(tokens)}</${headingTag}>\n`;
  },
  link({ href, tokens }) {
    return link(href, this.parser.parseInline(tokens));
  },
  image: ({ href, text }) => link(href, escapeHtml(text || "image")),
  checkbox: ({ checked }) => (checked ? "☑ " : "☐ "),
  code({ text, lang }) {
    const at = codesFound.push({ text, language: languageOf(lang ?? "") }) - 1;
    return `<pre data-code="${at}"></pre>\n`;
  },
};
marked.use({ renderer });

function link(href: string, label: string): string {
  if (isWebAddress(href)) {
    return `<a href="${escapeHtml(href)}" rel="noopener noreferrer nofollow" target="_blank">${label}</a>`;
  }
  // A path that the agent names is worth reading, though there is nothing of ours behind it.
  return /^[\w@.][\w@./#-]*$/.test(href) && href !== label ? `${label} (<code>${href}</code>)` : label;
}

function isWebAddress(href: string): boolean {
  return /^(?:https?:\/\/[^\s/\\]|mailto:)[^\s<>"'`\\\p{Cc}\p{Cf}]*$/iu.test(href) && URL.canParse(href);
}

/** Second layer, blind to what the first one thinks it did. What isn't listed here is made after it. */
const allowList: sanitizeHtml.IOptions = {
  allowedTags: "p br hr h4 ul ol li blockquote pre code em strong del a table thead tbody tr th td".split(
    " ",
  ),
  allowedAttributes: {
    a: ["href", "rel", "target"],
    pre: ["data-code"],
    th: ["align"],
    td: ["align"],
    ol: ["start"],
  },
  allowedClasses: { [headingTag]: ["depth-*"] },
  allowedSchemes: ["http", "https", "mailto"],
  allowProtocolRelative: false,
  disallowedTagsMode: "escape",
};

/** Blocks of unknown origin as harmless HTML. `links` are the link definitions of the whole text. */
export function layOutBlocks(text: string, links: Links): LaidOut {
  codesFound = [];
  const html = sanitizeHtml(marked.parser(lexInlines(lexBlocks(text, links))), allowList);
  return { html: withScrollingTables(html), codes: codesFound };
}

/** Every "<" that the sanitiser leaves is its own: in texts and attributes it is escaped. */
function withScrollingTables(html: string): string {
  return html
    .replaceAll("<table>", '<div class="table" tabindex="0" role="group" aria-label="Table"><table>')
    .replaceAll("</table>", "</table></div>");
}

/** Puts pieces of code into their places. The places are numbers, so nothing but our own figures gets there. */
export function fillCodes({ html }: LaidOut, figures: readonly string[]): string {
  return html.replace(
    /<pre data-code="(\d*)"><\/pre>\n?/g,
    (_place, at: string) => figures[Number(at)] ?? "",
  );
}

/**
 * The link definitions in a text, after those known already: the first one of a name counts. The object is
 * the same when there are none.
 */
export function definitionsIn(text: string, known: Links): Links {
  if (!text.includes("]:")) return known;
  const found = Object.entries(lexBlocks(text, known).tokens.links).filter(([name]) => !(name in known));
  if (found.length === 0) return known;
  const room = Math.max(0, definitionsMax - Object.keys(known).length);
  return { ...known, ...Object.fromEntries(found.slice(0, room)) };
}
