import { expect, test } from "bun:test";
import { createScrubber, cutLists } from "./scrub.ts";

const scrub = () =>
  createScrubber([
    ["/tmp/abc", "/home/dev"],
    ["/tmp/abc/bin/cli", "/opt/cli"],
    ["http://127.0.0.1:41733", "http://127.0.0.1:4010"],
  ]);

test("paths, addresses and their placeholders are replaced, the longest first", () => {
  expect(scrub()("/tmp/abc/bin/cli in /tmp/abc/project asks http://127.0.0.1:41733/v1")).toBe(
    "/opt/cli in /home/dev/project asks http://127.0.0.1:4010/v1",
  );
});

test("an id has the same placeholder wherever it comes, and the recording begins to count anew", () => {
  const [one, other] = ["8d3f8f0e-7a45-4b7e-9d0c-3f1d2c4b5a69", "1e6f8f0e-7a45-4b7e-9d0c-3f1d2c4b5a69"];
  const text = `${one} ${other} ${one}`;
  const expected =
    "00000001-0000-4000-8000-000000000000 00000002-0000-4000-8000-000000000000 00000001-0000-4000-8000-000000000000";

  expect(scrub()(text)).toBe(expected);
  expect(scrub()(text)).toBe(expected);
});

test.each([
  ["a message's id", "msg_8f7a0b1c2d3e4f5a", "msg_00000001"],
  ["a tool call's id", '"toolu_01AbCdEfGhIj"', '"toolu_00000001"'],
  [
    "one at the end of another name",
    "run_shell_command__call_4255d65a21394eca",
    "run_shell_command__call_00000001",
  ],
  ["a time in a file's name", "error-2026-11-22T17-20-09-678Z.json", "error-2026-01-01T12:00:00.000Z.json"],
  ["a date in words", "It is Sunday, November 22, 2026 here", "It is Thursday, January 1, 2026 here"],
  ["a trace", "00-7235e743497ea92576f7d4489c172da8-3f9cba245f8c0474-01", /^00-0{31}1-0{15}2-01$/],
  ["a time", "at 2026-11-22T08:31:13.363Z", "at 2026-01-01T12:00:00.000Z"],
  ["milliseconds since 1970", '{"timestamp":1795336658336}', '{"timestamp":1}'],
  ["such milliseconds under any name", '{"x":1795336658336}', '{"x":1767268800000}'],
  ["a duration", '{"duration_ms":195,"durationMs":217.5}', '{"duration_ms":1,"durationMs":1}'],
  ["a process's socket", "/home/dev/cc-socks/24516.sock", "/home/dev/cc-socks/1.sock"],
])("%s has a placeholder", (_what, text, expected) => {
  expect(scrub()(text)).toMatch(expected);
});

test("versions, models, names of tools and counts of tokens stay", () => {
  const text =
    '{"version":"2.1.330","model":"claude-opus-5-5","tool":"tool_use","name":"run_shell_command","input_tokens":2536}';

  expect(scrub()(text)).toBe(text);
});

test("long lists of names are cut, and nothing else is", () => {
  const names = Array.from({ length: 20 }, (_, at) => `tool${at}`);
  const commands = names.map((name) => ({ name, description: "x" }));
  const blocks = names.map((text) => ({ type: "text", text }));

  expect(JSON.parse(cutLists(JSON.stringify({ names, commands, blocks })))).toEqual({
    names: names.slice(0, 3),
    commands: commands.slice(0, 3),
    blocks,
  });
  expect(cutLists('{"a": 1.0}')).toBe('{"a": 1.0}');
});
