import { expect, test } from "bun:test";
import { answerOf, eventsOf, inputsOf, verdicts } from "../../contract/decoded.ts";
import {
  asks,
  dialectOf,
  ended,
  failed,
  lineOf,
  prompted,
  replyTo,
  says,
  sessionId,
  specOf,
  talkWith,
  toolUpdate,
  turnOf,
  update,
} from "./acp-lines.ts";

test("pieces of text are one block until a tool call, and what follows it is the answer", () => {
  const decoded = turnOf([
    says("I "),
    update("agent_thought_chunk", { content: { type: "text", text: "Hm." } }),
    says("will."),
    toolUpdate("t1", { status: "completed", title: "ls" }),
    says("Do"),
    says("ne."),
  ]);

  const blocks = eventsOf(decoded, "text").map(({ text, block }) => [block, text]);
  expect(blocks).toEqual([
    [0, "I "],
    [0, "will."],
    [1, "Do"],
    [1, "ne."],
  ]);
  expect(answerOf(decoded)).toBe("Done.");
  expect(eventsOf(decoded, "thinking")).toEqual([{ type: "thinking", text: "Hm." }]);
  expect(verdicts(decoded)).toEqual([{ kind: "succeeded", result: "", byCliItself: false }]);
});

test("another message is another block where the agent tells its messages apart", () => {
  const decoded = turnOf([
    says("One", { messageId: "m1" }),
    says(".", { messageId: "m1" }),
    says("Two.", { messageId: "m2" }),
  ]);

  expect(eventsOf(decoded, "text").map(({ block }) => block)).toEqual([0, 0, 1]);
  expect(answerOf(decoded)).toBe("One.\n\nTwo.");
});

test("blocks are numbered from zero in each turn", () => {
  const talk = prompted();
  talk.say([lineOf(says("one")), ended()]);
  talk.begin("again");

  const decoded = talk.say([lineOf(says("two")), ended()]);

  expect(eventsOf(decoded, "text")).toEqual([{ type: "text", text: "two", block: 0 }]);
});

test.each([
  [{ type: "resource_link", uri: "file:///home/dev/a.txt", name: "a.txt" }, "file:///home/dev/a.txt"],
  [{ type: "resource", resource: { uri: "file:///a", text: "inside" } }, "inside"],
  [{ type: "image", data: "aGk=", mimeType: "image/png" }, "[image]"],
  [{ type: "text", text: "\u001b[1mbold\u001b[0m\0" }, "bold"],
])("what isn't plain text is said as what can be shown of it: %j", (content, text) => {
  const decoded = turnOf([update("agent_message_chunk", { content })]);

  expect(answerOf(decoded)).toBe(text);
});

test("updates that tell nothing of the turn are quiet, while it runs and between turns", () => {
  const quiet = [
    "user_message_chunk",
    "plan",
    "available_commands_update",
    "current_mode_update",
    "config_option_update",
    "session_info_update",
    "usage_update",
  ].map((type) => lineOf(update(type, { used: 9, content: { type: "text", text: "hi" } })));
  const talk = prompted();

  const decoded = [...talk.say(quiet), ...talk.say([ended()]), ...talk.say(quiet)];

  expect(decoded).toMatchObject([{ kind: "turn.ended" }]);
});

test.each([
  ["max_tokens", "The answer is cut short: it reached the model's limit of tokens."],
  ["max_turn_requests", "limit of steps"],
  ["refusal", "refused to go on"],
  ["lunch", "a reason that Headway doesn't know: lunch"],
  [undefined, "without saying how"],
])("a turn that stops by %s failed, and keeps what it said", (stopReason, words) => {
  const talk = prompted();

  const decoded = talk.say([lineOf(says("Half an ans")), replyTo("session/prompt", { stopReason })]);

  expect(answerOf(decoded)).toBe("Half an ans");
  expect(verdicts(decoded)).toEqual([
    { kind: "failed", code: "cli_error", message: expect.stringContaining(words) as string },
  ]);
});

const apiError = (code: number, message: string) => ({
  code: code === 404 ? 500 : code,
  message: JSON.stringify({ error: { code, message, status: "SOME_STATUS" } }),
});

/** The failure taxonomy's: of ACP agents, of a status, of the code alone. */
const advice = {
  agent: "Sign in to the agent in a terminal, as the user that runs Headway, then send it again.",
  cli: "Sign in to the CLI in a terminal, as the user that runs Headway, then send it again.",
};

test.each([
  [apiError(400, "Bad prompt"), "cli_error", "Bad prompt"],
  [apiError(401, "Who are you?"), "auth_required", `Who are you? ${advice.cli}`],
  [apiError(404, "No such thing"), "cli_error", "No such thing"],
  [apiError(429, "Slow down"), "rate_limited", "Slow down"],
  [apiError(503, "Come later"), "overloaded", "Come later"],
  [{ code: 429, message: "Try again later." }, "rate_limited", "Try again later."],
  [
    { code: 500, message: "terminated" },
    "cli_error",
    "The connection to the model's provider broke off in mid-answer.",
  ],
  [{ code: -32000, message: "Key is missing" }, "auth_required", `Key is missing. ${advice.cli}`],
  [
    { code: -32603, message: "Internal error: invalid x-api-key" },
    "auth_required",
    `invalid x-api-key. ${advice.agent}`,
  ],
  [{ code: -32603, message: "Internal error: Rate limited" }, "rate_limited", "Rate limited"],
  [{ code: -32603, message: "Internal error", data: { details: "Disk full" } }, "cli_error", "Disk full"],
  [
    { code: -32602, message: `Session not found: ${sessionId}` },
    "session_lost",
    `Session not found: ${sessionId}`,
  ],
  [{}, "cli_error", "The agent reported an error without a word about it."],
])("the error %j means %s", (error, code, message) => {
  const talk = prompted();

  const decoded = talk.say([failed(error)]);

  expect(verdicts(decoded) as unknown).toEqual([{ kind: "failed", code, message }]);
});

test.each([
  ["Gemini's", { _meta: { quota: { token_count: { input_tokens: 7, output_tokens: 3 } } } }, [7, 3, 0, 0]],
  [
    "others'",
    { usage: { inputTokens: 7, outputTokens: 3, cachedReadTokens: 2, cachedWriteTokens: 1 } },
    [7, 3, 2, 1],
  ],
  ["damaged", { usage: { inputTokens: -7, outputTokens: 1.5, cachedReadTokens: "2" } }, [0, 0, 0, 0]],
])("tokens are told once, in %s words, and without a price", (_whose, result, counts) => {
  const [inputTokens = 0, outputTokens = 0, cacheReadTokens = 0, cacheWriteTokens = 0] = counts;

  const decoded = prompted().say([ended(result)]);

  expect(decoded.filter(({ kind }) => kind === "usage")).toEqual([
    {
      kind: "usage",
      usage: { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens },
      costUsd: null,
    },
  ]);
});

const noTokens = { _meta: { quota: { token_count: { input_tokens: 0, output_tokens: 0 } } } };
const tokens = { usage: { inputTokens: 7, outputTokens: 3 } };

test.each([
  ["/about", [says("Version 2")], noTokens, true],
  ["/nosuch", [], {}, true],
  ["/tmp/a is a file", [says("So it is.")], tokens, false],
  ["/tmp/a is a file", [says("So it is.")], {}, false],
  ["about", [says("Version 2")], noTokens, false],
])(
  "the prompt %p, answered with %j and %j, was the agent's own command: %p",
  (prompt, said, result, isOwn) => {
    const talk = prompted({}, prompt);

    const decoded = talk.say([...said.map(lineOf), ended(result)]);

    const notices = eventsOf(decoded, "notice").map(({ code }) => code);
    expect(verdicts(decoded)).toMatchObject([{ kind: "succeeded", byCliItself: isOwn }]);
    expect(notices).toEqual(isOwn ? ["cli_command"] : []);
  },
);

test("a turn is interrupted by a notification, and ends as the agent says", () => {
  const talk = prompted();

  const input = talk.dialogue.interrupt("stop");
  const decoded = talk.say([replyTo("session/prompt", { stopReason: "cancelled" })]);

  expect(input).toBe(`${lineOf({ method: "session/cancel", params: { sessionId } })}\n`);
  expect(verdicts(decoded)).toEqual([{ kind: "aborted" }]);
});

test.each([
  ["an error", [failed({ code: -32603, message: "Aborted" })], "aborted"],
  ["an end without a word", [ended({ usage: { inputTokens: 0, outputTokens: 0 } })], "aborted"],
  ["its whole answer", [lineOf(says("Done.")), ended()], "succeeded"],
])("after an interrupt %s means that the turn is %s", (_what, lines, kind) => {
  const talk = prompted();
  talk.dialogue.interrupt("stop");

  const decoded = talk.say(lines);

  expect(verdicts(decoded).map((verdict) => verdict.kind as string)).toEqual([kind]);
});

test("a tool that was ended with its turn hasn't succeeded, whatever the agent calls it", () => {
  const talk = prompted({ permissionMode: "full" });
  talk.say([lineOf(toolUpdate("t1", { kind: "execute", status: "in_progress" }))]);
  talk.dialogue.interrupt("stop");

  const decoded = talk.say([lineOf(toolUpdate("t1", { status: "completed" }))]);

  expect(eventsOf(decoded, "tool.finished")).toMatchObject([{ toolId: "t1", isError: true }]);
});

test("nothing that is asked after an interrupt is allowed, and nothing is told of it", () => {
  const talk = prompted({ permissionMode: "full" });
  talk.dialogue.interrupt("stop");

  const decoded = talk.say([lineOf(asks(7, { toolCallId: "t1", kind: "execute", title: "rm -r build" }))]);

  expect(inputsOf(decoded)).toEqual([
    `${lineOf({ id: 7, result: { outcome: { outcome: "cancelled" } } })}\n`,
  ]);
  expect(eventsOf(decoded, "tool.started")).toEqual([]);
});

test("what an agent says on stderr belongs to the turn that runs, and to no other", () => {
  const retry = { type: "notice", code: "api_retry", message: "It tries again." } as const;
  const talk = talkWith({}, { readErrorLine: (line) => (line.startsWith("Attempt") ? [retry] : []) });
  const errors = "Attempt 1 failed\nStarting up\n";
  talk.begin("hello");

  const early = talk.sayError(errors);
  talk.say([replyTo("initialize", { protocolVersion: 1 }), replyTo("session/new", { sessionId })]);
  const meanwhile = talk.sayError(errors);
  talk.say([ended()]);
  const late = talk.sayError(errors);

  expect([early, meanwhile, late]).toEqual([[], [{ kind: "event", event: retry }], []]);
});

test("any prompt is one line, and arrives as it is", () => {
  const prompt = 'a\nb\r\n"quoted" \u2028 \u0001 \ud83d\ude00 /x';
  const dialogue = dialectOf().open(specOf());
  dialogue.begin(prompt);
  dialogue.decode(lineOf({ id: 1, result: { protocolVersion: 1 } }));

  const decoded = dialogue.decode(lineOf({ id: 2, result: { sessionId } }));

  const [input = ""] = inputsOf(decoded);
  const message = JSON.parse(input) as { params: { prompt: unknown } };
  expect(input.trimEnd()).not.toMatch(/[\n\r]/);
  expect(message.params.prompt).toEqual([{ type: "text", text: prompt }]);
});

test("what would turn the words of an error round is left out", () => {
  const decoded = prompted().say([failed({ code: 1, message: "Pay \u202eeno\u202c \u2067now\u2069" })]);

  expect(verdicts(decoded)).toEqual([{ kind: "failed", code: "cli_error", message: "Pay eno now" }]);
});
