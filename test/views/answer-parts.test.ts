import { describe, expect, test } from "bun:test";
import type { RunEventBody } from "../../src/domain/event.ts";
import { emptyParts, foldPart, inputSummary, partsMax } from "../../src/views/answer-parts.ts";

function fold(events: readonly RunEventBody[]) {
  const answer = emptyParts();
  for (const event of events) foldPart(answer, event);
  return answer;
}
const text = (block: number, words: string): RunEventBody => ({ type: "text", block, text: words });
const tool = (toolId: string): RunEventBody => ({ type: "tool.started", toolId, name: "Bash", input: {} });

describe("the parts of an answer", () => {
  test("stand in the order in which they began, pieces of one text together", () => {
    const { parts } = fold([text(0, "I "), text(0, "look."), tool("t1"), text(1, "Done.")]);

    expect(parts.map((part) => (part.kind === "text" ? part.text : part.kind))).toEqual([
      "I look.",
      "tool",
      "Done.",
    ]);
  });

  test("a tool's result belongs to its call, whatever came between", () => {
    const { parts } = fold([
      tool("t1"),
      tool("t2"),
      { type: "tool.finished", toolId: "t1", isError: true, output: "no" },
    ]);

    expect(parts.map((part) => (part.kind === "tool" ? part.result : null))).toEqual([
      { isError: true, output: "no" },
      null,
    ]);
  });

  test("a block that is begun again is a new part; the old one is marked", () => {
    const { parts } = fold([text(0, "wro"), { type: "text.discarded", block: 0 }, text(0, "right")]);

    expect(parts).toMatchObject([
      { part: 0, text: "wro", discarded: true },
      { part: 1, text: "right", discarded: false },
    ]);
  });

  test("the final answer starts after the last tool call", () => {
    const { finalFromBlock } = fold([text(0, "a"), tool("t1"), text(1, "b"), tool("t2"), text(2, "c")]);

    expect(finalFromBlock).toBe(2);
  });

  test("beyond the limit parts are counted, not kept", () => {
    const { parts, leftOut } = fold(Array.from({ length: partsMax + 7 }, (_, index) => tool(`t${index}`)));

    expect([parts.length, leftOut]).toEqual([partsMax, 7]);
  });

  test.each([
    [{ command: "ls\n  -la", description: "List" }, "ls -la"],
    [{ file_path: "/a/b.ts", content: "x" }, "/a/b.ts"],
    [{ other: 1 }, '{"other":1}'],
    ["plain words", "plain words"],
    [null, "null"],
    [undefined, ""],
  ])("a tool's input %j is summed up as %j", (input, summary) => {
    expect(inputSummary(input, 80)).toBe(summary);
  });
});
