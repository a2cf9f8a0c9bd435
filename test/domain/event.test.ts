import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  allText,
  emptyAnswer,
  finalText,
  foldAnswer,
  type RunEventBody,
  runEventBodySchema,
  runEventSchema,
} from "../../src/domain/event.ts";

const text = (block: number, piece: string): RunEventBody => ({ type: "text", block, text: piece });
const discarded = (block: number): RunEventBody => ({ type: "text.discarded", block });
const tool: RunEventBody = { type: "tool.started", toolId: "t", name: "Bash", input: {} };
const toolDone: RunEventBody = { type: "tool.finished", toolId: "t", isError: false, output: "out" };

function fold(...events: RunEventBody[]) {
  const answer = emptyAnswer();
  for (const event of events) foldAnswer(answer, event);
  return { all: allText(answer), final: finalText(answer) };
}

describe("an answer", () => {
  const answers: [what: string, events: RunEventBody[], all: string, final: string][] = [
    ["of nothing is empty", [], "", ""],
    ["is put together from its pieces", [text(0, "Hel"), text(0, "lo")], "Hello", "Hello"],
    ["has its blocks apart", [text(0, "one"), text(1, "two")], "one\n\ntwo", "one\n\ntwo"],
    [
      "is final after the last tool",
      [text(0, "look"), tool, toolDone, text(1, "done")],
      "look\n\ndone",
      "done",
    ],
    ["has no final text when a tool comes last", [text(0, "look"), tool, toolDone], "look", ""],
    ["that begins with a tool is final after it", [tool, toolDone, text(0, "done")], "done", "done"],
    [
      "is final after the last of several tools",
      [text(0, "a"), tool, text(1, "b"), tool, text(2, "c")],
      "a\n\nb\n\nc",
      "c",
    ],
    [
      "leaves out a block that was discarded",
      [text(0, "wrong"), discarded(0), text(0, "right")],
      "right",
      "right",
    ],
    ["leaves out what is only discarded", [text(0, "a"), text(1, "b"), discarded(1)], "a", "a"],
    ["leaves out empty blocks", [text(0, "a"), text(1, ""), text(2, "c")], "a\n\nc", "a\n\nc"],
    ["doesn't mind a discard of nothing", [discarded(7), text(0, "a")], "a", "a"],
  ];
  for (const [what, events, all, final] of answers) {
    test(what, () => {
      expect(fold(...events)).toEqual({ all, final });
    });
  }

  test("is the same in whatever pieces it comes", () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 20 }), (pieces) => {
        const whole = fold(text(0, pieces.join("")));
        return Bun.deepEquals(fold(...pieces.map((piece) => text(0, piece))), whole);
      }),
    );
  });

  test("ends with its final text, whatever happened before", () => {
    const event = fc.oneof(
      fc.tuple(fc.nat(4), fc.string({ minLength: 1 })).map(([block, piece]) => text(block, piece)),
      fc.nat(4).map(discarded),
      fc.constant(tool),
      fc.constant(toolDone),
    );
    const inOrder = fc
      .array(event, { maxLength: 30 })
      .map((events) => events.map((one, at) => (one.type === "text" ? { ...one, block: at } : one)));

    fc.assert(
      fc.property(inOrder, (events) => {
        const { all, final } = fold(...events);
        return all.endsWith(final);
      }),
    );
  });

  test("is touched by text, discards and tools only", () => {
    const others: RunEventBody[] = [
      { type: "run.queued" },
      { type: "run.started" },
      { type: "session", cliSessionId: "s", model: null },
      { type: "thinking", text: "hm" },
      toolDone,
      { type: "notice", code: "cold_start", message: "x" },
      { type: "run.finished", state: "succeeded", error: null },
    ];

    expect(fold(text(0, "a"), ...others)).toEqual({ all: "a", final: "a" });
  });
});

describe("an event", () => {
  test("of a known type is read, with its place in the log", () => {
    const event = { seq: 1, runId: "run_1", at: "2026-01-01T00:00:00.000Z", ...text(0, "a") };

    expect(runEventSchema.parse(event)).toEqual(event as never);
  });

  test("of another type isn't", () => {
    expect(runEventBodySchema.safeParse({ type: "run.paused" }).success).toBe(false);
    expect(runEventBodySchema.safeParse({ type: "notice", code: "made_up", message: "x" }).success).toBe(
      false,
    );
    expect(
      runEventBodySchema.safeParse({ type: "run.finished", state: "running", error: null }).success,
    ).toBe(false);
  });

  test("is never read from just anything, and reading never throws", () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => !runEventBodySchema.safeParse(value).success));
  });
});
