import { expect, test } from "bun:test";
import type { PermissionMode } from "../../../src/domain/agent.ts";
import { answerOf, eventsOf, inputsOf } from "../../contract/decoded.ts";
import {
  assistant,
  decodeTurn,
  delta,
  init,
  newDecoder,
  result,
  sessionId,
  start,
  text,
  toolResult,
  toolUse,
} from "./claude-lines.ts";

test("a stream that broke off is discarded when the CLI asks the model again", () => {
  const decoded = decodeTurn([
    init,
    start("m1"),
    delta("You"),
    delta(" said"),
    start("m2"),
    delta("You said"),
    delta(": hi"),
    assistant("m2", text("You said: hi")),
    result({ result: "You said: hi" }),
  ]);

  expect(eventsOf(decoded, "text.discarded")).toEqual([{ type: "text.discarded", block: 0 }]);
  expect(eventsOf(decoded, "text").map(({ block }) => block)).toEqual([0, 0, 0, 0]);
  expect(answerOf(decoded)).toBe("You said: hi");
});

test("a whole message that replaces a broken stream takes its place", () => {
  const decoded = decodeTurn([init, start("m1"), delta("You sa"), assistant("m2", text("Hello")), result()]);

  expect(answerOf(decoded)).toBe("Hello");
});

test("nothing of a broken stream stays beside the whole message that replaces it", () => {
  const broken = [start("m1"), delta("One"), delta("Two", 1)];

  expect(answerOf(decodeTurn([init, ...broken, assistant("m2", text("Hello")), result()]))).toBe("Hello");
});

test("after a broken stream the result is the answer when nothing else came", () => {
  const decoded = decodeTurn([init, start("m1"), delta("You sa"), start("m2"), result({ result: "Hello" })]);

  expect(answerOf(decoded)).toBe("Hello");
});

test("what was streamed stays when the aborted message holds less of it", () => {
  const decoded = decodeTurn([init, start("m1"), delta("You said"), assistant("m1", text("You"))]);

  expect(answerOf(decoded)).toBe("You said");
});

test("a complete message adds what its stream left out, and says nothing twice", () => {
  const decoded = decodeTurn([
    init,
    start("m1"),
    delta("You"),
    assistant("m1", text("You said: hi")),
    result(),
  ]);

  expect(eventsOf(decoded, "text")).toEqual([
    { type: "text", text: "You", block: 0 },
    { type: "text", text: " said: hi", block: 0 },
  ]);
});

test("a complete message that contradicts its stream replaces it", () => {
  const decoded = decodeTurn([init, start("m1"), delta("Yuo"), assistant("m1", text("You")), result()]);

  expect(answerOf(decoded)).toBe("You");
});

test("text blocks are numbered over the whole turn, across messages and tool calls", () => {
  const decoded = decodeTurn([
    init,
    start("m1"),
    delta("one"),
    assistant("m1", text("one")),
    delta("two", 1),
    assistant("m1", text("two")),
    assistant("m1", toolUse("t1")),
    toolResult("t1", "ok"),
    start("m2"),
    delta("three"),
    assistant("m2", text("three")),
    result({ result: "three" }),
  ]);

  expect(eventsOf(decoded, "text").map((event) => [event.block, event.text])).toEqual([
    [0, "one"],
    [1, "two"],
    [2, "three"],
  ]);
  expect(answerOf(decoded)).toBe("three");
});

test("a result that nobody streamed becomes the answer", () => {
  const decoded = decodeTurn([
    init,
    assistant("m1", text("Let me see."), toolUse("t1")),
    toolResult("t1", "x"),
    result({ result: "All done" }),
  ]);

  expect(answerOf(decoded)).toBe("All done");
});

test("control characters don't reach the answer, wherever a delta was cut", () => {
  const red = "\x1b[31mred\0\x1b[0m";
  const pieces = [red.slice(0, 1), red.slice(1, 7), red.slice(7)].map((piece) => delta(piece));

  const decoded = decodeTurn([
    init,
    start("m1"),
    ...pieces,
    assistant("m1", text(red)),
    toolResult("t1", red),
    result(),
  ]);

  expect(answerOf(decoded)).toBe("red");
  expect(eventsOf(decoded, "tool.finished")[0]?.output).toBe("red");
});

test("thoughts are told once, streamed or whole", () => {
  const thought = { type: "thinking", thinking: "Hm." };
  const streamed = { type: "stream_event", event: { type: "content_block_delta", index: 0, delta: thought } };

  const both = decodeTurn([init, start("m1"), streamed, assistant("m1", thought), result()]);
  const whole = decodeTurn([init, assistant("m1", thought), result()]);

  expect(eventsOf(both, "thinking")).toEqual([{ type: "thinking", text: "Hm." }]);
  expect(eventsOf(whole, "thinking")).toEqual([{ type: "thinking", text: "Hm." }]);
});

test("a whole thought is told although an earlier message's was streamed", () => {
  const thought = { type: "thinking", thinking: "Hm." };
  const streamed = { type: "stream_event", event: { type: "content_block_delta", index: 0, delta: thought } };

  const decoded = decodeTurn([init, start("m1"), streamed, start("m2"), assistant("m2", thought), result()]);

  expect(eventsOf(decoded, "thinking")).toHaveLength(2);
});

test("a tool call that is told twice began once", () => {
  const decoded = decodeTurn([
    init,
    assistant("m1", toolUse("t1")),
    assistant("m2", toolUse("t1")),
    result(),
  ]);

  expect(eventsOf(decoded, "tool.started")).toHaveLength(1);
});

test("what a sub-agent says and does is the inside of its tool call", () => {
  const inside = [
    assistant("m8", text("inner"), toolUse("t9")),
    toolResult("t9", "x"),
    start("m9"),
    delta("inner"),
  ].map((line) => ({ ...line, parent_tool_use_id: "t1" }));

  const decoded = decodeTurn([
    init,
    assistant("m1", text("Looking."), toolUse("t1")),
    ...inside,
    toolResult("t1", "found"),
    assistant("m2", text("Found it.")),
    result(),
  ]);

  expect(eventsOf(decoded, "tool.started").map(({ toolId }) => toolId)).toEqual(["t1"]);
  expect(eventsOf(decoded, "tool.finished").map(({ output }) => output)).toEqual(["found"]);
  expect(answerOf(decoded)).toBe("Found it.");
});

test("a tool's output is text, whatever blocks it came in, and bounded in bytes", () => {
  const blocks = [text("a"), { type: "image", source: {} }, text("b")];
  const decoded = decodeTurn([
    init,
    toolResult("t1", blocks),
    toolResult("t2", "é".repeat(40_000)),
    result(),
  ]);

  const [first, second] = eventsOf(decoded, "tool.finished");
  expect(first?.output).toBe("a\n[image]\nb");
  expect(second?.output).toBe(`${"é".repeat(32_768)}… 14464 bytes more`);
});

test("a tool's input is kept as it is unless it is too long or too deep", () => {
  const deep = JSON.parse('{"a":'.repeat(5000) + "1" + "}".repeat(5000)) as unknown;
  const inputs = [{ path: "a" }, { text: "x".repeat(70_000) }, deep];
  const decoded = decodeTurn([
    init,
    ...inputs.map((input, at) => assistant(`m${at}`, toolUse(`t${at}`, input))),
    result(),
  ]);

  const [kept, long, nested] = eventsOf(decoded, "tool.started").map(({ input }) => input);
  expect(kept).toEqual({ path: "a" });
  expect(long).toMatch(/^\{"text":"x{1000,}… 4475 bytes more$/);
  expect(nested).toBe("… nested too deeply to be kept");
});

test("a session of another name is reported and not adopted", () => {
  const decoded = decodeTurn([{ ...init, session_id: "other" }, result()]);

  expect(decoded).toContainEqual({ kind: "session.mismatch", cliSessionId: "other" });
  expect(eventsOf(decoded, "session")).toEqual([{ type: "session", cliSessionId: sessionId, model: "m" }]);
});

test("a denied tool is told once, with the way to allow it in this mode", () => {
  const denied = { type: "system", subtype: "permission_denied", tool_name: "Bash", tool_use_id: "t1" };
  const refused = {
    ...toolResult("t1", "no"),
    tool_result_meta: [{ id: "t1", non_execution_kind: "permission-rule" }],
  };
  const denials = { permission_denials: [{ tool_name: "Bash", tool_use_id: "t1" }] };

  const messageIn = (mode: PermissionMode) =>
    eventsOf(
      decodeTurn([init, assistant("m1", toolUse("t1")), denied, refused, result(denials)], newDecoder(mode)),
      "notice",
    ).map(({ code, message }) => `${code}: ${message}`);

  expect(messageIn("read")).toEqual([
    'permission_denied: Bash was not allowed in permission mode "read". Set the agent\'s permission mode to "edit" or "full" to allow it.',
  ]);
  expect(messageIn("full")[0]).toContain("A rule in the CLI's own settings");
});

test("a request for permission is denied at once, any other request is refused", () => {
  const ask = (id: string, request: object) => ({ type: "control_request", request_id: id, request });
  const decoded = decodeTurn([
    init,
    ask("r1", { subtype: "can_use_tool", tool_name: "Bash", tool_use_id: "t1" }),
    ask("r2", { subtype: "hook_callback" }),
  ]);

  const replies = inputsOf(decoded).map((input) => JSON.parse(input) as object);
  expect(replies).toMatchObject([
    { response: { request_id: "r1", subtype: "success", response: { behavior: "deny" } } },
    { response: { request_id: "r2", subtype: "error" } },
  ]);
  expect(eventsOf(decoded, "notice").map(({ code }) => code)).toEqual(["permission_denied", "unknown_event"]);
});
