import { expect, test } from "bun:test";
import { Answer, LeftOut, PartView } from "../../src/views/chat/answer.tsx";
import type { AnswerPart, ToolPart } from "../../src/views/chat/answer-parts.ts";
import { renderMarkdown } from "../../src/views/markdown/markdown.ts";
import { renderHtml } from "../../src/views/render.ts";
import { rendererVersion } from "../../src/views/chat/renderer-version.ts";
import { hostileMarkdown } from "../fixtures/hostile-markdown.ts";
import { markdownBombs } from "../fixtures/markdown-bombs.ts";
import { aRun } from "../helpers/records.ts";
import recorded from "../fixtures/renderer-version.json";

const edit = { file_path: "a.ts", old_string: "a\nb\nc", new_string: "a\nB\nc\u202e", replace_all: true };
const samples = [
  "# Heading\n\nA *paragraph* with `code`, **words** and [a link](https://example.org).\n\n> quote\n\n---",
  "1. one\n2. two\n   - nested\n\n     ```sh\n     ls -l\n     ```\n\n- [x] done\n\n| a | b |\n|---|--:|\n| 1 | 2 |",
  `\`\`\`ts\nexport const a: string = \`\${1}\`;\n\`\`\`\n\n\`\`\`\n${"line\n".repeat(50)}\`\`\`\n\n    indented`,
  "- one item of a long list\n".repeat(400),
  `| a | b |\n|---|---|\n${"| 1 | 2 |\n".repeat(400)}`,
  `- item\n  \`\`\`js\n${"  let a = 1;\n".repeat(900)}  \`\`\`\n- next`,
  "[x] [y](src/a.ts) ![z](https://example.org/z.png)\n\n[x]: https://example.org",
];

/** Everything that is kept under the version: what a cached answer consists of. */
async function corpus(): Promise<string> {
  const texts = [...samples, ...hostileMarkdown, ...Object.values(markdownBombs(2_000))];
  const answers = await Promise.all(texts.map(renderMarkdown));
  return [...answers, renderHtml(answer)].join("\n");
}

const at = "2026-11-22T10:00:00.000Z";
const tool: ToolPart = {
  part: 0,
  kind: "tool",
  toolId: "t1",
  name: "Bash",
  input: { command: "ls" },
  startedAt: at,
  denied: false,
  result: null,
};
const result = { isError: false, output: "a.txt", outputChars: 9_000, finishedAt: at };
const parts: AnswerPart[] = [
  { ...tool, result },
  { ...tool, part: 1, result: { ...result, isError: true } },
  { ...tool, part: 2, denied: true, input: undefined },
  { ...tool, part: 3, name: "Edit", input: edit, result },
  { part: 4, kind: "thinking", text: "hm" },
  { part: 5, kind: "notice", code: "api_retry", message: "again" },
  { part: 6, kind: "text", block: 0, text: "words", discarded: false },
];
const answer = (
  <Answer
    run={{
      ...aRun({ state: "failed", model: "opus", costUsd: 0.5 }),
      error: { code: "cli_error", message: "It broke.", runbook: "/api/docs#error-cli_error" },
      usage: { inputTokens: 1, outputTokens: 2, cacheReadTokens: 3, cacheWriteTokens: 4 },
      hasPage: true,
      place: { conversationId: "conv_1", seq: 2, turnId: "turn_2" },
    }}
    name="helper"
  >
    {parts.map((part) => (
      <PartView runId="run_1" part={part} html="<p>words</p>" />
    ))}
    <LeftOut count={3} runId="run_1" />
  </Answer>
);

test("the renderer's version goes up when what it renders changes", async () => {
  const bytes = new TextEncoder().encode(await corpus());
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();

  // Kept answers carry the version. Raise it in src/views/chat/renderer-version.ts, then record the new hash here.
  expect({ version: rendererVersion, hash }).toEqual(recorded);
});
