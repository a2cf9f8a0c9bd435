import { expect, test } from "bun:test";
import type { PermissionMode } from "../../../src/domain/agent.ts";
import type { Decoded, Dialogue } from "../../../src/runner/adapters/adapter.ts";
import { openGeminiDialogue } from "../../../src/runner/adapters/gemini-dialogue.ts";
import { answerOf, anomalyCodes, eventsOf, verdicts } from "../../contract/decoded.ts";

/* What the recordings don't show, or not alone, in small hand-made lines. */

const sessionId = "5b0f8f0e-7a45-4b7e-9d0c-3f1d2c4b5a69";

function open(permissionMode: PermissionMode = "edit"): Dialogue {
  return openGeminiDialogue({
    executable: "/opt/gemini",
    sessionId,
    resume: false,
    cwd: "/home/dev",
    model: null,
    permissionMode,
    mcpConfigPath: null,
    systemPrompt: null,
  });
}

function decode(lines: readonly object[], dialogue = open()): Decoded[] {
  dialogue.begin("hello");
  return lines.flatMap((line) => dialogue.decode(JSON.stringify(line)));
}

const init = { type: "init", session_id: sessionId, model: "m" };
const said = (content: string) => ({ type: "message", role: "assistant", content, delta: true });
const toolUse = (id: string, name = "run_shell_command") => ({
  type: "tool_use",
  tool_name: name,
  tool_id: id,
  parameters: { command: "ls" },
});
const toolResult = (id: string, over: object = {}) => ({
  type: "tool_result",
  tool_id: id,
  status: "success",
  output: "ok",
  ...over,
});
const result = (over: object = {}) => ({ type: "result", status: "success", ...over });

test("text after a tool is a block of its own, and the answer is the last one", () => {
  const decoded = decode([
    init,
    said("Let me"),
    said(" see."),
    toolUse("1"),
    toolResult("1"),
    said("Done."),
    result(),
  ]);

  const blocks = eventsOf(decoded, "text").map(({ block, text }) => [block, text]);
  expect(blocks).toEqual([
    [0, "Let me"],
    [0, " see."],
    [1, "Done."],
  ]);
  expect(answerOf(decoded)).toBe("Done.");
});

test("several tools at once begin and end by their ids, each once", () => {
  const decoded = decode([toolUse("1"), toolUse("2"), toolUse("1"), toolResult("2"), toolResult("1")]);

  expect(eventsOf(decoded, "tool.started").map(({ toolId }) => toolId)).toEqual(["1", "2"]);
  expect(eventsOf(decoded, "tool.finished").map(({ toolId }) => toolId)).toEqual(["2", "1"]);
});

test("a tool's output is bounded and free of what steers terminals, and an error has its words", () => {
  const long = "x".repeat(70_000);
  const failed = {
    status: "error",
    output: undefined,
    error: { type: "file_not_found", message: "No \u001b[31msuch file" },
  };

  const decoded = decode([toolUse("1"), toolResult("1", { output: long }), toolResult("2", failed)]);

  const [first, second] = eventsOf(decoded, "tool.finished");
  expect(first?.output).toEndWith("… 4464 bytes more");
  expect(second).toMatchObject({ isError: true, output: "No such file" });
});

test.each([
  ["read", "write_file", "tool_not_registered", true],
  ["edit", "run_shell_command", "tool_not_registered", true],
  ["edit", "a_tool_that_the_model_made_up", "tool_not_registered", false],
  ["full", "run_shell_command", "tool_not_registered", false],
  ["full", "run_shell_command", "policy_violation", true],
  ["edit", "write_file", "file_write_failure", false],
] as const)("in mode %s, that %s ends with %s is a denial: %p", (mode, name, type, isDenied) => {
  const error = { type, message: "No." };

  const decoded = decode([toolUse("1", name), toolResult("1", { status: "error", error })], open(mode));

  const denials = eventsOf(decoded, "notice").filter(({ code }) => code === "permission_denied");
  expect(denials).toHaveLength(isDenied ? 1 : 0);
  if (isDenied) expect(denials[0]?.message).toContain(name);
});

test("another session than the one asked for is told, and ours is the run's", () => {
  const other = "00000000-0000-4000-8000-000000000001";

  const decoded = decode([{ ...init, session_id: other }]);

  expect(decoded).toEqual([
    { kind: "session.mismatch", cliSessionId: other },
    { kind: "event", event: { type: "session", cliSessionId: sessionId, model: "m" } },
  ]);
});

test("usage is this run's, what was cached is told apart, and there is no cost", () => {
  const stats = { total_tokens: 150, input_tokens: 120, output_tokens: 30, cached: 100, input: 20 };

  const [usage] = decode([result({ stats })]);

  expect(usage).toEqual({
    kind: "usage",
    usage: { inputTokens: 20, outputTokens: 30, cacheReadTokens: 100, cacheWriteTokens: 0 },
    costUsd: null,
  });
});

test("numbers that can't be counts of tokens are none", () => {
  const stats = { input_tokens: -1, output_tokens: 1.5, cached: Number.MAX_VALUE };

  expect(decode([result({ stats })])[0]).toMatchObject({
    usage: { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0 },
  });
});

const warning = (message: string) => ({ type: "error", severity: "warning", message });
const loop = warning("Loop detected, stopping execution");
const turnLimit = { type: "error", severity: "error", message: "Maximum session turns exceeded" };
const success = { kind: "succeeded", result: "", byCliItself: false } as const;

test("a warning is a notice at once", () => {
  const decoded = decode([warning("A hook stepped in."), result()]);

  expect(decoded[0]).toEqual({
    kind: "event",
    event: { type: "notice", code: "cli_warning", message: "A hook stepped in." },
  });
  expect(verdicts(decoded)).toEqual([success]);
});

test.each([
  ["a loop", loop],
  ["its limit of steps", turnLimit],
])("what ended at %s with an answer is a success with a notice, and without one it failed", (_, end) => {
  const answered = decode([toolUse("1"), toolResult("1"), said("So far."), end, result()]);
  const unanswered = decode([said("Let me see."), toolUse("1"), toolResult("1"), end, result()]);

  const { message } = end;
  expect(eventsOf(answered, "notice")).toMatchObject([{ code: "cli_warning", message }]);
  expect(verdicts(answered)).toEqual([success]);
  expect(eventsOf(unanswered, "notice")).toEqual([]);
  expect(verdicts(unanswered)).toEqual([{ kind: "failed", code: "cli_error", message }]);
});

const apiError = (code: number, message: string, status: string) =>
  `[API Error: ${JSON.stringify({ error: { code, message, status, details: [] } })}]`;

test.each([
  [apiError(401, "Who are you?", "UNAUTHENTICATED"), "auth_required", "Who are you?"],
  [apiError(403, "Not you.", "PERMISSION_DENIED"), "auth_required", "Not you."],
  [apiError(400, "API key not valid.", "INVALID_ARGUMENT"), "auth_required", "API key not valid."],
  [apiError(429, "Too many.", "RESOURCE_EXHAUSTED"), "rate_limited", "Too many."],
  [
    "[API Error: You have exhausted your daily quota on this model.]\nPlease wait and try again later.",
    "rate_limited",
    "You have exhausted your daily quota on this model.",
  ],
  [apiError(500, "Oops.", "INTERNAL"), "overloaded", "Oops."],
  ["[API Error: Service unavailable (fake)]", "overloaded", "Service unavailable (fake)"],
  [apiError(400, "Bad request.", "INVALID_ARGUMENT"), "cli_error", "Bad request."],
  [apiError(400, JSON.stringify({ error: { message: "Inside." } }), "X"), "cli_error", "Inside."],
  ["[API Error: terminated]", "cli_error", "The connection to the model's provider broke off in mid-answer."],
  ["[API Error: a { brace [and] a bracket]", "cli_error", "a { brace [and] a bracket"],
  ["", "cli_error", "The CLI reported an error and nothing more."],
])("the error %j fails with %s", (message, code, words) => {
  const decoded = decode([result({ status: "error", error: { type: "unknown", message } })]);

  expect(verdicts(decoded)).toEqual([{ kind: "failed", code, message: words }] as never);
});

test("an error without words of its own has those of the error event before it", () => {
  const message = "The model returned an empty response with no text or thoughts.";

  const decoded = decode([{ type: "error", severity: "error", message }, result({ status: "error" })]);

  expect(verdicts(decoded)).toEqual([{ kind: "failed", code: "cli_error", message }]);
});

test("an operation that was cancelled is aborted, and a status that nobody knows is no success", () => {
  const error = { type: "FatalCancellationError", message: "Operation cancelled." };

  expect(verdicts(decode([result({ status: "error", error })]))).toEqual([{ kind: "aborted" }]);
  expect(verdicts(decode([result({ status: "partly" })]))).toMatchObject([{ kind: "failed" }]);
  expect(verdicts(decode([{ type: "result" }]))).toMatchObject([{ kind: "failed" }]);
});

test("what a slash command prints among the lines is an anomaly and no text", () => {
  const dialogue = open();
  dialogue.begin("/memory show");

  const decoded = ["Memory is currently empty.", "", "[]", "7"].flatMap((line) => dialogue.decode(line));

  expect(anomalyCodes(decoded)).toEqual(["parse_error", "parse_error", "parse_error", "parse_error"]);
  expect(eventsOf(decoded, "text")).toEqual([]);
});

test("after the result nothing counts any more, and a second one makes the process unfit", () => {
  const decoded = decode([said("one"), result(), said("two"), { type: "novelty" }, result()]);

  expect(answerOf(decoded)).toBe("one");
  expect(anomalyCodes(decoded)).toEqual(["output_after_result", "output_after_result", "duplicate_result"]);
  expect(decoded.at(-1)?.kind).toBe("retire");
});

test("a type that nobody knows is an anomaly each time, and a notice once", () => {
  const decoded = decode([{ type: "novelty" }, { type: "novelty" }, { type: "toString" }, {}]);

  expect(anomalyCodes(decoded)).toEqual(["unknown_event", "unknown_event", "unknown_event", "unknown_event"]);
  expect(eventsOf(decoded, "notice")).toHaveLength(3);
});

const retry503 =
  'Attempt 3 failed with status 503. Retrying with backoff... _ApiError: {"error":{"code":503,"message":"Busy."}}';

test.each([
  [retry503, "The model's API failed at attempt 3 (HTTP 503: Busy.); the CLI tries again."],
  [
    "Attempt 1 failed: Rate limited (fake)",
    "The model's API failed at attempt 1 (Rate limited (fake)); the CLI tries again.",
  ],
  [
    "Attempt 1 failed: Slow down. Retrying after 5833ms...",
    "The model's API failed at attempt 1 (Slow down); the CLI tries again.",
  ],
  [
    "Attempt 2 failed. Retrying with backoff... Error: exception TypeError: fetch failed sending request",
    "The model's API failed at attempt 2 (fetch failed sending request); the CLI tries again.",
  ],
])("the stderr line %j is a retry", (line, message) => {
  const dialogue = open();
  dialogue.begin("hello");

  expect(dialogue.decodeError?.(line)).toEqual([
    { kind: "event", event: { type: "notice", code: "api_retry", message } },
  ]);
});

test.each([
  "[STARTUP] Phase 'cleanup_ops' was started but never ended. Skipping metrics.",
  "YOLO mode is enabled. All tool calls will be automatically approved.",
  "    at throwErrorIfNotOK (file:///opt/gemini-cli/bundle/chunk.js:1:1) {",
  "Attempt 10 failed: Rate limited. Max attempts reached",
  "Suggested retry after 1s.. Retrying after 5833ms...",
  "{}",
])("the stderr line %j is nothing", (line) => {
  const dialogue = open();
  dialogue.begin("hello");

  expect(dialogue.decodeError?.(line)).toEqual([]);
});

test("stderr makes a bounded number of notices, and none after the result", () => {
  const dialogue = open();
  dialogue.begin("hello");
  const floods = Array.from({ length: 500 }, () => dialogue.decodeError?.(retry503) ?? []).flat();
  const ended = open();
  decode([result()], ended);

  expect(floods).toHaveLength(40);
  expect(ended.decodeError?.(retry503)).toEqual([]);
});

test("that the machine's own policies push ours aside is told, since the model may then leave its mode", () => {
  const dialogue = open();
  dialogue.begin("hello");
  const line =
    "Security Warning: Ignoring --admin-policy because system policies are already defined in /etc/x";

  expect(eventsOf(dialogue.decodeError?.(line) ?? [], "notice")).toMatchObject([{ code: "cli_warning" }]);
});

test.each(["t".repeat(201), "a\u0007b"])("a tool call of the id %j is none that we know", (tool_id) => {
  const decoded = decode([{ type: "tool_use", tool_name: "x", tool_id }, result()]);

  expect(anomalyCodes(decoded)).toEqual(["unknown_event"]);
  expect(eventsOf(decoded, "tool.started")).toEqual([]);
});
