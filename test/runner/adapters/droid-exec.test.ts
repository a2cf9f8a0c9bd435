import { expect, test } from "bun:test";
import { answerOf, anomalyCodes, eventsOf, verdicts } from "../../contract/decoded.ts";
import {
  beginExec,
  completion,
  error,
  failedTool,
  feed,
  init,
  said,
  sessionId,
  toolCall,
} from "./droid-lines.ts";

/* Droid's one-turn form, in what the recordings don't show. */

test("the session is the one that the CLI names, under an id of whatever kind of UUID", () => {
  const decoded = feed(beginExec({ sessionId: "11111111-2222-4333-8444-555555555555" }), init);

  expect(decoded).toEqual([
    { kind: "event", event: { type: "session", cliSessionId: sessionId, model: "m" } },
  ]);
});

test.each(["--help", "../../x", `${sessionId}\n--fork`, ""])(
  "a session that is no UUID is not adopted, since it would become an argument: %j",
  (named) => {
    expect(feed(beginExec(), { ...init, session_id: named })).toEqual([]);
  },
);

test("each message is a block of its own, and the answer is what comes after the last tool", () => {
  const decoded = feed(
    beginExec(),
    init,
    said("one"),
    said("two"),
    toolCall("c1"),
    { type: "tool_result", id: "c1", isError: false, value: "ok", session_id: sessionId },
    said("three"),
    completion("three"),
  );

  expect(eventsOf(decoded, "text").map(({ block, text }) => [block, text])).toEqual([
    [0, "one"],
    [1, "two"],
    [2, "three"],
  ]);
  expect(answerOf(decoded)).toBe("three");
});

test.each([
  ["nothing at all", []],
  ["nothing after its last tool", [said("let me see"), toolCall("c1")]],
])("a final text that is another turn's is no answer of one that said %s", (_, lines) => {
  const decoded = feed(beginExec({ resume: true }), init, ...lines, completion("Tool said: hello-tool"));

  expect(eventsOf(decoded, "text").map(({ text }) => text)).not.toContain("Tool said: hello-tool");
  expect(verdicts(decoded)).toEqual([{ kind: "succeeded", result: "", byCliItself: false }]);
});

test("what a sub-agent says is the inside of its tool call", () => {
  const inner = { session_id: "11111111-2222-4333-8444-555555555555" };
  const decoded = feed(
    beginExec(),
    init,
    said("inner", inner),
    error("agent_loop", "401 inner trouble", inner),
    said("mine"),
    error("cli", "Exec failed"),
  );

  expect(answerOf(decoded)).toBe("mine");
  expect(verdicts(decoded)).toMatchObject([{ kind: "failed", code: "cli_error", message: "Exec failed" }]);
});

test.each([
  ['401 {"error":{"message":"bad key"}}', "auth_required", "bad key (HTTP 401). Start `droid` in"],
  ['403 {"error":{"message":"no model for you"}}', "auth_required", "no model for you (HTTP 403)."],
  ['429 {"error":{"message":"slow down"}}', "rate_limited", "slow down (HTTP 429)"],
  ['500 {"error":{"message":"oops"}}', "overloaded", "oops (HTTP 500)"],
  ['529 {"error":{"message":"busy"}}', "overloaded", "busy (HTTP 529)"],
  ['400 {"error":{"message":"too long"}}', "cli_error", "too long (HTTP 400)"],
  ["400 {no json", "cli_error", "400 {no json"],
  ["LLM output entered an exact repetition cycle", "cli_error", "The model repeated itself without end: LLM"],
  ["", "cli_error", "Droid reported an error without a word about it."],
])("the error %j is %s", (message, code, words) => {
  const decoded = feed(
    beginExec(),
    init,
    error("agent_loop", message),
    error("cli", message === "" ? "" : "Exec failed"),
  );

  const [verdict] = verdicts(decoded);
  expect(verdict).toMatchObject({ kind: "failed", code });
  expect((verdict as { message: string }).message).toStartWith(words);
});

test("the turn ends once, however often the CLI says that it gives up", () => {
  const dialogue = beginExec();
  const decoded = feed(dialogue, init, error("agent_loop", "boom"), error("cli", "Exec failed"));
  const late = feed(dialogue, error("cli", "Exec failed"), completion("x"));

  expect(verdicts(decoded)).toHaveLength(1);
  expect(verdicts(late)).toEqual([]);
  expect(anomalyCodes(late)).toEqual(["duplicate_result", "duplicate_result"]);
});

test("what Droid says of its permissions is a notice, not an answer, and the failure is in our words", () => {
  const words = "Exec ended early: insufficient permission to proceed. Re-run with --auto high.";
  const decoded = feed(
    beginExec({ permissionMode: "edit" }),
    init,
    toolCall("c1"),
    failedTool("c1", `Error: ${words}`),
    said(words),
    error("cli", words),
  );

  expect(eventsOf(decoded, "text")).toEqual([]);
  expect(eventsOf(decoded, "notice")).toMatchObject([{ code: "permission_denied" }]);
  expect(verdicts(decoded)).toEqual([
    {
      kind: "failed",
      code: "cli_error",
      message: 'Droid ended the turn because it may not use Execute in permission mode "edit".',
    },
  ]);
});

test("lines of unknown types are told once each, also when the turn is over, and then without a notice", () => {
  const dialogue = beginExec();
  const news = [{ type: "news" }, { type: "news" }, { type: 7 }, {}];
  const decoded = feed(dialogue, ...news, init, completion("x"));
  const late = feed(dialogue, { type: "other news" });

  expect(anomalyCodes(decoded)).toEqual(Array.from({ length: 4 }, () => "unknown_event"));
  expect(eventsOf(decoded, "notice")).toHaveLength(2);
  expect([anomalyCodes(late), eventsOf(late, "notice")]).toEqual([["unknown_event"], []]);
});

test("a banner is an anomaly, and odd counts of tokens are none", () => {
  const dialogue = beginExec();
  const banner = ["Welcome!", "[1,2]", "null"].flatMap((line) => dialogue.decode(line));
  const decoded = feed(
    dialogue,
    init,
    completion("x", { usage: { input_tokens: -1, output_tokens: 1.5, cache_read_input_tokens: 3 } }),
  );

  expect(anomalyCodes(banner)).toEqual(["parse_error", "parse_error", "parse_error"]);
  expect(decoded.filter(({ kind }) => kind === "usage")).toMatchObject([
    { usage: { inputTokens: 0, outputTokens: 0, cacheReadTokens: 3, cacheWriteTokens: 0 } },
  ]);
});
