import { expect, test } from "bun:test";
import { answerOf, anomalyCodes, eventsOf, inputsOf, verdicts } from "../../contract/decoded.ts";
import {
  beginRpc,
  completed,
  delta,
  feed,
  prompted,
  refusal,
  reply,
  runRpc,
  sessionId,
  tell,
  text,
  toolUse,
  whole,
} from "./droid-lines.ts";

/* The turns of a warm Droid, in what the recordings don't show, or not alone. */

const texts = (decoded: ReturnType<typeof feed>) =>
  eventsOf(decoded, "text").map((event) => [event.block, event.text]);

test("a message is said as it streams, and whole only what didn't stream", () => {
  const decoded = feed(
    runRpc(),
    delta("You"),
    delta(" said"),
    whole("assistant", [text("You said: hi"), text("And more.")]),
    completed(),
  );

  expect(texts(decoded)).toEqual([
    [0, "You"],
    [0, " said"],
    [0, ": hi"],
    [1, "And more."],
  ]);
  expect(verdicts(decoded)).toMatchObject([{ kind: "succeeded" }]);
});

test("a whole message that contradicts its stream takes its place", () => {
  const decoded = feed(runRpc(), delta("Yuo"), whole("assistant", [text("You")]), completed());

  expect(eventsOf(decoded, "text.discarded")).toEqual([{ type: "text.discarded", block: 0 }]);
  expect(answerOf(decoded)).toBe("You");
});

test("the whole message belongs to its blocks whatever lies between them, and empty ones are none", () => {
  const decoded = feed(
    runRpc(),
    delta("one", 1),
    delta("two", 3),
    whole("assistant", [{ type: "thinking", thinking: "hm" }, text(""), text("one"), text("two!")]),
  );

  expect(texts(decoded)).toEqual([
    [0, "one"],
    [1, "two"],
    [1, "!"],
  ]);
});

test("blocks are numbered over the whole turn, and a retracted message begins again where it began", () => {
  const decoded = feed(
    runRpc(),
    delta("one", 0, "m1"),
    whole("assistant", [text("one")]),
    delta("tw", 0, "m2"),
    tell("assistant_message_retracted", { messageId: "m2" }),
    tell("assistant_message_retracted", { messageId: "m2" }),
    delta("two", 0, "m2"),
    completed(),
  );

  expect(texts(decoded).map(([block]) => block)).toEqual([0, 1, 1]);
  expect(eventsOf(decoded, "text.discarded")).toEqual([{ type: "text.discarded", block: 1 }]);
  expect(answerOf(decoded)).toBe("one\n\ntwo");
});

test("thoughts are told once, streamed or whole", () => {
  const thinking = { type: "thinking", thinking: "Let me see." };
  const thought = tell("thinking_text_delta", { messageId: "m1", blockIndex: 0, textDelta: "Let me see." });

  const streamed = feed(runRpc(), thought, whole("assistant", [thinking, text("x")]));
  const unstreamed = feed(runRpc(), whole("assistant", [thinking, text("x")]));

  for (const decoded of [streamed, unstreamed])
    expect(eventsOf(decoded, "thinking")).toEqual([{ type: "thinking", text: "Let me see." }]);
});

test("a tool begins with its whole input and finishes once; a result of nobody's is none", () => {
  const input = { command: "ls" };
  const result = { toolUseId: "c1", content: [text("a"), { type: "image" }], isError: false };

  const decoded = feed(
    runRpc(),
    tell("tool_call", { toolUse: toolUse("c1") }),
    tell("tool_call", { toolUse: toolUse("c1", input) }),
    whole("assistant", [toolUse("c1", input)]),
    whole("assistant", [toolUse("c1", input)]),
    tell("tool_result", result),
    tell("tool_result", { ...result, isError: true }),
    tell("tool_result", { ...result, toolUseId: "c9" }),
  );

  expect(eventsOf(decoded, "tool.started")).toEqual([
    { type: "tool.started", toolId: "c1", name: "Execute", input },
  ]);
  expect(eventsOf(decoded, "tool.finished")).toEqual([
    { type: "tool.finished", toolId: "c1", isError: false, output: "a\n[image]" },
  ]);
});

test("what a sub-agent tells is the inside of its tool call", () => {
  const other = "11111111-2222-4333-8444-555555555555";
  const inner = ["assistant_text_delta", "create_message", "agent_turn_completed", "novelty"];

  const decoded = feed(runRpc(), ...inner.map((type) => tell(type, {}, other)));

  expect(decoded).toEqual([]);
});

test.each([
  ["completed", "succeeded"],
  ["spec_handoff", "succeeded"],
  ["cancelled", "aborted"],
  ["error", "cli_error"],
  ["model_authentication_failed", "auth_required"],
  ["model_rate_limited", "rate_limited"],
  ["model_usage_exhausted", "rate_limited"],
  ["model_provider_unavailable", "overloaded"],
  ["model_request_rejected", "cli_error"],
  ["process_exit", "signal"],
  ["a_reason_of_a_later_version", "cli_error"],
] as const)("a turn that ended as %s is %s", (reason, code) => {
  const [verdict] = verdicts(feed(runRpc(), completed(reason)));

  expect(verdict?.kind === "failed" ? verdict.code : verdict?.kind).toBe(code);
  if (verdict?.kind === "failed") expect(verdict.message).toContain(reason.replaceAll("_", " "));
});

test("the words of an error are the failure's, and what Droid adds to them is not said again", () => {
  const decoded = feed(
    runRpc(),
    tell("error", { message: '429 {"error":{"message":"slow down"}}' }),
    whole("system", [text("BYOK Error: slow down")], {}, { visibility: "user_only" }),
    completed("model_rate_limited"),
  );

  expect(verdicts(decoded)).toEqual([
    { kind: "failed", code: "rate_limited", message: "slow down (HTTP 429)" },
  ]);
  expect(eventsOf(decoded, "notice")).toEqual([]);
});

test("what Droid says by itself is a notice to people; what it says to the model is none", () => {
  const decoded = feed(
    runRpc(),
    whole("system", [text("A server did not start.")], {}, { visibility: "user_only" }),
    whole("system", [text("Request interrupted")], {}, { visibility: "llm_only" }),
    tell("session_compacted", { summaryId: "s", removedCount: 3 }),
    tell("llm_retry", { attempt: 2, reason: "rate_limited" }),
  );

  expect(eventsOf(decoded, "notice")).toEqual([
    { type: "notice", code: "cli_warning", message: "A server did not start." },
    {
      type: "notice",
      code: "compacted",
      message: "The CLI summarised the conversation so far to make room.",
    },
    {
      type: "notice",
      code: "api_retry",
      message: "The model's API failed (rate limited), attempt 2; Droid may try again.",
    },
  ]);
});

test("usage is the turn's, and of an answer that was never counted nothing is told", () => {
  const uncounted = tell("agent_turn_completed", {
    reason: "cancelled",
    turnId: "t1",
    tokenUsage: { inputTokens: 0 },
  });

  const counted = feed(runRpc(), completed()).filter(({ kind }) => kind === "usage");
  const none = feed(runRpc(), uncounted).filter(({ kind }) => kind === "usage");

  expect(counted).toEqual([
    {
      kind: "usage",
      usage: { inputTokens: 2, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0 },
      costUsd: null,
    },
  ]);
  expect(none).toEqual([]);
});

test("until its prompt comes back nothing belongs to a turn, and an end of another turn is not its end", () => {
  const dialogue = runRpc();
  feed(dialogue, completed());
  dialogue.begin("second");

  const stale = feed(dialogue, delta("old"), whole("assistant", [text("old")]), prompted(1), completed());
  const other = feed(dialogue, prompted(2), delta("new", 0, "m2"), completed("completed", "t1"));
  const decoded = feed(dialogue, completed("completed", "t2"));

  expect(eventsOf(stale, "text")).toEqual([]);
  expect([...verdicts(stale), ...verdicts(other)]).toEqual([]);
  expect(anomalyCodes(other)).toEqual(["duplicate_result"]);
  expect(other.some(({ kind }) => kind === "retire")).toBe(true);
  expect(verdicts(decoded)).toMatchObject([{ kind: "succeeded" }]);
});

test("a prompt that broke before it came back ends its turn: an error, or a hook's refusal", () => {
  const sent = () => {
    const dialogue = beginRpc();
    feed(dialogue, reply("open", { sessionId }), reply("turn-1"));
    return dialogue;
  };

  const broken = feed(sent(), tell("error", { message: "disk full" }), completed("error", "?"));
  const refused = feed(
    sent(),
    tell("queued_messages_discarded", { text: "hello", requestId: "turn-1" }),
    completed("prompt_rejected", "?"),
  );
  const others = feed(
    sent(),
    tell("queued_messages_discarded", { text: "hello", requestId: "turn-9" }),
    completed("completed", "?"),
  );

  expect(verdicts(broken)).toEqual([{ kind: "failed", code: "cli_error", message: "disk full" }]);
  expect(verdicts(refused)).toMatchObject([{ kind: "failed", code: "cli_error" }]);
  expect(verdicts(others)).toEqual([]);
});

test("a prompt that is refused after it was acknowledged ends its turn, and the next one has its own", () => {
  const dialogue = beginRpc();
  feed(dialogue, reply("open", { sessionId }));

  const refused = feed(dialogue, reply("turn-1"), refusal("turn-1", "No active session."));
  dialogue.begin("again");
  const decoded = feed(
    dialogue,
    refusal("turn-1", "late"),
    prompted(2),
    delta("hi"),
    completed("completed", "t2"),
  );

  expect(verdicts(refused)).toEqual([{ kind: "failed", code: "cli_error", message: "No active session." }]);
  expect(answerOf(decoded)).toBe("hi");
  expect(verdicts(decoded)).toMatchObject([{ kind: "succeeded" }]);
});

test("an interrupt is asked for while a turn runs, and its reply is known by its id", () => {
  const dialogue = beginRpc();
  const early = dialogue.interrupt("stop");
  feed(dialogue, reply("open", { sessionId }));

  const input = JSON.parse(dialogue.interrupt("stop-1") ?? "{}") as object;
  const replied = feed(dialogue, reply("stop-1"), refusal("stop-2", "no"));
  feed(dialogue, prompted(), completed("cancelled"));

  expect(early).toBeNull();
  expect(input).toMatchObject({
    type: "request",
    id: "stop-1",
    method: "droid.interrupt_session",
    params: {},
  });
  expect(replied).toEqual([
    { kind: "control.replied", requestId: "stop-1", ok: true },
    { kind: "control.replied", requestId: "stop-2", ok: false },
  ]);
  expect(dialogue.interrupt("late")).toBeNull();
});

test("the CLI's own helpers are those that connect before a tool has run", () => {
  const connected = (count: number) => tell("mcp_status_changed", { summary: { connected: count } });
  const dialogue = runRpc();

  const before = feed(dialogue, connected(0), connected(1));
  const after = feed(dialogue, whole("assistant", [toolUse("c1")]), connected(2));

  expect(before).toEqual([{ kind: "helpers.kept" }]);
  expect(after.filter(({ kind }) => kind === "helpers.kept")).toEqual([]);
});

test("what is unknown is told once for each kind, and what is known for quiet is quiet", () => {
  const dialogue = runRpc();
  const news = [
    tell("novelty"),
    tell("novelty"),
    { type: "news" },
    {},
    tell("create_message", { message: 7 }),
    { type: "notification", method: "droid.novelty" },
  ];

  const decoded = feed(dialogue, ...news, tell("session_title_updated", { title: "x" }));
  feed(dialogue, completed());
  const late = feed(dialogue, tell("another novelty"), { type: "other news" });

  expect(anomalyCodes(decoded)).toEqual(Array.from({ length: 6 }, () => "unknown_event"));
  expect(eventsOf(decoded, "notice")).toHaveLength(5);
  expect(anomalyCodes(late)).toEqual(["unknown_event", "unknown_event"]);
  expect(eventsOf(late, "notice")).toEqual([]);
  expect(inputsOf(decoded)).toEqual([]);
});
