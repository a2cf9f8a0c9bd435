import { expect, test } from "bun:test";
import { describeDialect, mergeShapes } from "./describe.ts";

function shapeOf(lines: object[], inputs: object[] = []) {
  const [said, written] = [lines, inputs].map((some) => some.map((line) => JSON.stringify(line)));
  return describeDialect({ lines: said ?? [], inputs: written ?? [] });
}

test("an event is told by its type, with the JSON types of its fields and without their values", () => {
  const shape = shapeOf([
    { type: "system", subtype: "init", cwd: "/secret", tools: ["a"], n: 1, on: true, none: null },
  ]);

  expect(shape).toEqual({
    "system/init": {
      cwd: "string",
      n: "number",
      none: "null",
      on: "boolean",
      subtype: "string",
      tools: "array",
      "tools[]": "string",
      type: "string",
    },
  });
});

test("a field that has been of several types has them all", () => {
  const shape = shapeOf([
    { type: "a", x: null },
    { type: "a", x: "1" },
    { type: "a", x: [] },
  ]);

  expect(shape["a"]?.["x"]).toBe("array|null|string");
});

test("what has a type of its own within an event has its own fields", () => {
  const [text, tool] = [
    { type: "text", text: "hi" },
    { type: "tool_use", input: { anything: 1 } },
  ];

  const shape = shapeOf([{ type: "assistant", content: [text, tool] }]);

  expect(Object.keys(shape["assistant"] ?? {})).toEqual([
    "content",
    "content[](text)",
    "content[](text).text",
    "content[](text).type",
    "content[](tool_use)",
    "content[](tool_use).input",
    "content[](tool_use).type",
    "type",
  ]);
});

test("names that are values, as those of models, are one field", () => {
  const shape = shapeOf([{ type: "a", byModel: { "gemini-2.5-pro": { in: 1 }, "o.3": { out: 1 } } }]);

  expect(Object.keys(shape["a"] ?? {})).toEqual([
    "byModel",
    "byModel.*",
    "byModel.*.in",
    "byModel.*.out",
    "type",
  ]);
});

test("JSON-RPC is told by methods and kinds of updates, replies by the request that they answer", () => {
  const shape = shapeOf(
    [
      { jsonrpc: "2.0", id: 1, result: {} },
      { jsonrpc: "2.0", id: 2, error: { code: 1 } },
      { jsonrpc: "2.0", method: "session/update", params: { update: { sessionUpdate: "plan" } } },
      {
        type: "notification",
        method: "droid.session_notification",
        params: { notification: { type: "idle" } },
      },
      { type: "response", id: "9", result: {} },
    ],
    [
      { id: 1, method: "initialize" },
      { id: 2, method: "session/prompt" },
    ],
  );

  expect(Object.keys(shape)).toEqual([
    "droid.session_notification/idle",
    "error of session/prompt",
    "result of a request of nobody",
    "result of initialize",
    "session/update/plan",
  ]);
});

test("lines that aren't JSON are a type of their own", () => {
  expect(Object.keys(describeDialect({ lines: ["Welcome!", "[1]"], inputs: [] }))).toEqual([
    "(no JSON object)",
  ]);
});

test("shapes of several recordings make one", () => {
  const merged = mergeShapes([
    shapeOf([{ type: "a", x: 1 }]),
    shapeOf([{ type: "a", x: "1", y: 1 }, { type: "b" }]),
  ]);

  expect(merged).toEqual({ a: { type: "string", x: "number|string", y: "number" }, b: { type: "string" } });
});
