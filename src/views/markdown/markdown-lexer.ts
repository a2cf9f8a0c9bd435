import { Lexer, type Links, Marked, Tokenizer, type TokensList } from "marked";

/**
 * marked reads its blocks with regular expressions and calls itself for what stands inside them, so a
 * hostile text of a few kilobytes can overflow the stack or take seconds. These limits were measured with
 * the texts in test/fixtures/markdown-bombs.ts: below them, 128 KiB of the worst take well under a second.
 */
const nestingMax = 24;
const paragraphCharsMax = 4_096;
const underlinedHeadingCharsMax = 600;
/** Length of a block's text times the number of characters in it that may begin inline markup. */
const inlineCostMax = 4_000_000;

const nestingNames = ["blockquote", "list", "emStrong", "del", "link", "reflink"] as const;
type TokenizerName = (typeof nestingNames)[number] | "lheading" | "paragraph" | "tag";
type Tokenize = (this: unknown, ...args: unknown[]) => unknown;

function original(name: TokenizerName): Tokenize {
  return Tokenizer.prototype[name] as Tokenize;
}

/** Beyond the limit a construct is plain text. The depth is shared, because marked works synchronously. */
function nestingTokenizers(): Record<string, Tokenize> {
  let depth = 0;
  const bounded = (tokenize: Tokenize): Tokenize =>
    function (this: unknown, ...args) {
      if (depth >= nestingMax) return undefined;
      depth++;
      try {
        return tokenize.apply(this, args);
      } finally {
        depth--;
      }
    };
  return Object.fromEntries(nestingNames.map((name) => [name, bounded(original(name))]));
}

/** Looks for the line of "=" or "-" before it lets marked's slow expression run. */
function underlinedHeading(this: unknown, source: unknown): unknown {
  const head = wholeLines(String(source), underlinedHeadingCharsMax);
  if (!/\n {0,3}(?:=+|-+)[ \t]*(?:\n|$)/.test(head)) return undefined;
  return original("lheading").call(this, head);
}

/** A paragraph longer than the limit becomes several. */
function paragraph(this: unknown, source: unknown): unknown {
  return original("paragraph").call(this, wholeLines(String(source), paragraphCharsMax));
}

/** The lines that fit; of a single line that doesn't fit, its beginning. */
function wholeLines(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text;
  const lineEnd = text.lastIndexOf("\n", charsMax - 1);
  return text.slice(0, lineEnd > 0 ? lineEnd + 1 : charsMax);
}

/**
 * After a raw <script> or <pre> marked takes the text that follows for escaped already, and so lets "<"
 * through. Raw tags are text here, hence they mustn't change how anything else is read.
 */
function rawTag(this: Tokenizer, source: unknown): unknown {
  const { inLink, inRawBlock } = this.lexer.state;
  const token = original("tag").call(this, source);
  Object.assign(this.lexer.state, { inLink, inRawBlock });
  return token;
}

/** The one configured marked; `markdown.ts` adds the renderer. */
export const marked = new Marked({ gfm: true, breaks: false, async: false });
marked.use({
  tokenizer: {
    ...nestingTokenizers(),
    lheading: underlinedHeading,
    paragraph,
    tag: rawTag,
  } as Partial<Tokenizer>,
});

/** Line ends as marked wants them. */
export function withPlainLineEnds(text: string): string {
  return text.replace(/\r\n?/g, "\n");
}

/** Blocks only, their texts not yet read for inline markup: cheap, and enough to see where blocks end. */
export function lexBlocks(text: string, links: Links): Lexer {
  const lexer = new Lexer(marked.defaults);
  Object.assign(lexer.tokens.links, links);
  lexer.blockTokens(text, lexer.tokens);
  return lexer;
}

/** Reads the texts of all blocks for inline markup; a text that would cost too much stays as it is. */
export function lexInlines(lexer: Lexer): TokensList {
  for (const { src, tokens } of lexer.inlineQueue) {
    if (inlineCost(src) <= inlineCostMax) lexer.inlineTokens(src, tokens);
    else tokens.push({ type: "text", raw: src, text: src, escaped: false });
  }
  lexer.inlineQueue = [];
  return lexer.tokens;
}

function inlineCost(text: string): number {
  return text.length * (text.match(/[*_~[\]!`<@]/g)?.length ?? 0);
}
