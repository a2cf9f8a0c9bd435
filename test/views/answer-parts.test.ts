import { describe, expect, test } from "bun:test";
import type { RunEventBody } from "../../src/domain/event.ts";
import {
  type AnswerPart,
  emptyParts,
  foldPart,
  inputSummary,
  partsMax,
  toolOutputCharsMax,
} from "../../src/views/chat/answer-parts.ts";
import { eventsOf } from "../helpers/records.ts";

function fold(events: readonly RunEventBody[]) {
  const answer = emptyParts();
  for (const event of eventsOf("run_1", events)) foldPart(answer, event);
  return answer;
}
const tools = (parts: readonly AnswerPart[]) => parts.filter((part) => part.kind === "tool");
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

    expect(tools(parts).map(({ result }) => result)).toEqual([
      { isError: true, output: "no", outputChars: 2, finishedAt: "2026-11-22T10:00:00.000Z" },
      null,
    ]);
  });

  test("of a tool's output the beginning is kept, and its length", () => {
    const output = "x".repeat(toolOutputCharsMax + 1);

    const { parts } = fold([tool("t1"), { type: "tool.finished", toolId: "t1", isError: false, output }]);

    expect(tools(parts)[0]?.result).toMatchObject({
      output: output.slice(1),
      outputChars: toolOutputCharsMax + 1,
    });
  });

  test("an input that is too long for a card is left out", () => {
    const input = { file_path: "a", content: "x".repeat(200_000) };

    const { parts } = fold([{ type: "tool.started", toolId: "t1", name: "Write", input }]);

    expect(tools(parts)[0]?.input).toBeUndefined();
  });

  test("thoughts that follow each other are one part", () => {
    const { parts } = fold([
      { type: "thinking", text: "hm, " },
      { type: "thinking", text: "yes" },
      text(0, "Yes."),
      { type: "thinking", text: "more" },
    ]);

    expect(parts.map((part) => ("text" in part ? part.text : ""))).toEqual(["hm, yes", "Yes.", "more"]);
  });

  test("a denial marks the newest call of the tool that it names", () => {
    const denied = { type: "notice", code: "permission_denied", message: "Bash was not allowed." } as const;

    const { parts } = fold([tool("t1"), tool("t2"), denied]);

    expect(tools(parts).map((part) => part.denied)).toEqual([false, true]);
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
    [{ path: "src", pattern: "tidesFor" }, "tidesFor"],
    [{ other: 1 }, '{"other":1}'],
    ["plain words", "plain words"],
    [null, "null"],
    [undefined, ""],
  ])("a tool's input %j is summed up as %j", (input, summary) => {
    expect(inputSummary(input, 80)).toBe(summary);
  });
});
