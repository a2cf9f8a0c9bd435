/** What the renderers of foreign text may make of it, written without their help. */

const tags = [
  "p|br|hr|h4|ul|ol|li|blockquote|pre|code|em|strong|del|a|table|thead|tbody|tr|th|td",
  "figure|figcaption|button|span|details|summary|div",
].join("|");

const attributes: Record<string, RegExp> = {
  href: /^(?:https?:\/\/|mailto:)[^\s"<>]*$/,
  rel: /^noopener noreferrer nofollow$/,
  target: /^_blank$/,
  tabindex: /^0$/,
  align: /^(?:left|right|center)$/,
  start: /^\d+$/,
  type: /^button$/,
  role: /^group$/,
  "aria-label": /^Table$/,
  id: /^growing-(?:code|tail)$/,
  class:
    /^(?:language-[\w+#.-]+|code(?: long| growing-code)?|language|copy|fold|table|lines|hint|depth-[1-6]|hljs-[\w-]+(?: \w+)*)$/,
};

/** Everything between "<" and ">" that is not on the list. */
export function forbiddenMarkup(html: string): string[] {
  const found: string[] = [];
  for (const [markup] of html.matchAll(/<[^>]*>?/g)) {
    const parsed = new RegExp(`^</?(?:${tags})((?: [a-z-]+="[^"]*"| data-copy)*)(?: /)?>$`).exec(markup);
    if (parsed === null) found.push(markup);
    for (const [, name = "", value = ""] of (parsed?.[1] ?? "").matchAll(/ ([a-z-]+)="([^"]*)"/g)) {
      if (!attributes[name]?.test(value)) found.push(markup);
    }
  }
  return [...found, ...misplacedMarkup(html)];
}

/** Where elements that only we make may stand, found with another parser. */
const places: Record<string, string[]> = {
  figure: ["figure.code"],
  figcaption: ["figure.code > figcaption"],
  button: ["figure.code > figcaption > button.copy"],
  details: ["figure.code.long > details.fold"],
  summary: ["figure.code.long > details.fold > summary"],
  div: ["div.table"],
  h4: ["h4[class^=depth-]"],
  span: [
    "figcaption > span.language",
    "pre > code > span",
    "pre > code span[class^=hljs-]",
    "pre > code > span > span.lines",
  ],
};

function misplacedMarkup(html: string): string[] {
  return Object.entries(places)
    .filter(([tag, selectors]) => countOf(html, tag) > countOf(html, selectors.join(", ")))
    .map(([tag]) => `<${tag}> in a wrong place`);
}

/** How many elements match. */
export function countOf(html: string, selector: string): number {
  const found = new Set<number>();
  let position = 0;
  const rewriter = new HTMLRewriter().on("*", { element: () => void position++ });
  for (const one of selector.split(", ")) rewriter.on(one, { element: () => void found.add(position) });
  rewriter.transform(html);
  return found.size;
}
