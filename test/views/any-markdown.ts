import fc from "fast-check";
import { hostileMarkdown } from "../fixtures/hostile-markdown.ts";

const block = fc.oneof(
  fc.constantFrom(
    "# Heading",
    "Under\n===",
    "- a\n- b\n  - c",
    "1. a",
    "2. b",
    "2",
    "- ",
    "-",
    "  lazy",
    "    code",
    "> quote",
    "> - nested\n> ```\n> x",
    "```ts\nlet a = 1;\n\nlet b;\n```",
    "```\nopen\n\nfence",
    "````md\n```\ninner\n```",
    "  ```js\n  a()",
    "- ```sh\n  ls\n",
    "```",
    "~~~\n```\n~~~",
    "| a | b |\n|---|---|\n| 1 | **2** |",
    "| 3 | 4 |",
    "***",
    "<div>\n\ntext\n\n</div>",
    "<!-- open",
    "<script>\n\nalert(1)",
    "[x]: https://example.org",
    "[x]: https://example.com\n[y]: https://example.net",
    "see [x] and [y][x]",
    "**bold** `code` [link](https://example.org)",
    "\t",
    "   ",
  ),
  fc.constantFrom(...hostileMarkdown),
  fc.string({ maxLength: 12 }),
);
const separator = fc.constantFrom("\n", "\n\n", "\n\n\n", "\r\n\r\n", "\r", "\n \n", " ");

/** Documents made of what Markdown can hold, joined in all ways. */
export const anyMarkdown = fc
  .array(fc.tuple(block, separator), { maxLength: 14 })
  .map((parts) => parts.map(([text, end]) => text + end).join(""));

/** The same, with blocks that are long. */
export const longMarkdown = fc
  .array(fc.tuple(block, separator, fc.constantFrom(1, 1, 1, 30, 300)), { maxLength: 5 })
  .map((parts) => parts.map(([text, end, times]) => (text + end).repeat(times)).join(""));
