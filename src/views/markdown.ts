import type { Links, RendererObject } from "marked";
import sanitizeHtml from "sanitize-html";
import { escapeHtml } from "./escape-html.ts";
import { lexBlocks, lexInlines, marked, withPlainLineEnds } from "./markdown-lexer.ts";

/** Goes up with every change of what the renderer makes of the same text; part of each cache key. */
export const rendererVersion = 1;

/** A longer text is shown as it came, and only its beginning. */
export const formattedCharsMax = 131_072;

const headingShift = 2;

/** First layer: raw HTML becomes text, addresses pass an allow-list, pictures become links. */
const renderer: RendererObject = {
  html: ({ text, block }) => (block ? `<p>${escapeHtml(text)}</p>\n` : escapeHtml(text)),
  heading({ tokens, depth }) {
    const level = Math.min(6, depth + headingShift);
    return `<h${level}>${this.parser.parseInline(tokens)}</h${level}>\n`;
  },
  link({ href, tokens }) {
    return link(href, this.parser.parseInline(tokens));
  },
  image: ({ href, text }) => link(href, escapeHtml(text || "image")),
  checkbox: ({ checked }) => (checked ? "☑ " : "☐ "),
  code({ text, lang }) {
    const language = /^[\w+#.-]{1,32}(?=\s|$)/.exec(lang ?? "")?.[0];
    const className = language === undefined ? "" : ` class="language-${escapeHtml(language)}"`;
    return `<pre tabindex="0"><code${className}>${escapeHtml(text)}\n</code></pre>\n`;
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

/** Second layer, blind to what the first one thinks it did. */
const allowList: sanitizeHtml.IOptions = {
  allowedTags:
    "p br hr h3 h4 h5 h6 ul ol li blockquote pre code em strong del a table thead tbody tr th td".split(" "),
  allowedAttributes: {
    a: ["href", "rel", "target"],
    pre: ["tabindex"],
    th: ["align"],
    td: ["align"],
    ol: ["start"],
  },
  allowedClasses: { code: ["language-*"] },
  allowedSchemes: ["http", "https", "mailto"],
  allowProtocolRelative: false,
  disallowedTagsMode: "escape",
};

/** Markdown of unknown origin as harmless HTML; put it inside an element with `hx-ignore`. */
export function renderMarkdown(text: string): string {
  if (text.length > formattedCharsMax) return renderPlain(text.slice(0, formattedCharsMax), text.length);
  return renderBlocks(withPlainLineEnds(text), {}).html;
}

/** As `renderMarkdown`, for a piece of a text; also tells the link definitions known at its end. */
export function renderBlocks(text: string, links: Links): { html: string; links: Links } {
  const tokens = lexInlines(lexBlocks(text, links));
  return { html: sanitizeHtml(marked.parser(tokens), allowList), links: tokens.links };
}

/** A text as it came, with a note when there is more of it. */
export function renderPlain(beginning: string, charsTotal: number): string {
  const note =
    charsTotal > beginning.length
      ? "<p><em>This text is too long to format. Its beginning, as it came:</em></p>\n"
      : "";
  return `${note}<pre tabindex="0"><code>${escapeHtml(beginning)}\n</code></pre>\n`;
}
