import { expect, test } from "bun:test";
import fc from "fast-check";
import { join } from "node:path";
import { runEventBodySchema } from "../../../src/domain/event.ts";
import type { Decoded } from "../../../src/runner/adapters/adapter.ts";
import { createLineFramer } from "../../../src/runner/process/lines.ts";
import { anomalyCodes, eventsOf, verdicts } from "../../contract/decoded.ts";
import {
  asks,
  dialectOf,
  ended,
  historyEnd,
  lineOf,
  loading,
  prompted,
  promptsOf,
  says,
  specOf,
  talkWith,
  toolUpdate,
  update,
  writtenBy,
} from "./acp-lines.ts";
import { recordedLines, recordingsFolder } from "./recordings.ts";

test("a banner is an anomaly, and the turn goes on", () => {
  const talk = prompted();

  const decoded = talk.say(["Welcome!", "42", "[1]", '{"torn":', lineOf(says("Hi")), ended()]);

  expect(anomalyCodes(decoded)).toEqual(["parse_error", "parse_error", "parse_error", "parse_error"]);
  expect(verdicts(decoded)).toMatchObject([{ kind: "succeeded" }]);
});

test("what the agent tells and we don't know is counted each time, and shown once", () => {
  const unknown = [
    lineOf({ method: "session/news", params: {} }),
    lineOf(update("news")),
    lineOf(update("agent_message_chunk", { content: 7 })),
    lineOf({ greeting: "hello" }),
    lineOf({ id: 99, result: {} }),
    lineOf({ id: null, error: { code: -32700, message: "Parse error" } }),
  ];

  const decoded = prompted().say([...unknown, ...unknown]);

  expect(anomalyCodes(decoded)).toEqual(Array.from({ length: 12 }, () => "unknown_event"));
  expect(eventsOf(decoded, "notice").map(({ message }) => message.split("not know: ")[1])).toEqual([
    "session/news",
    "session/update news",
    "session/update agent_message_chunk",
    "a message that is neither request nor reply",
    "a reply to what was not asked",
  ]);
});

test.each([
  ["fs/read_text_file", 4],
  ["terminal/create", "t-1"],
  ["elicitation/create", 0],
  ["session/request_permission", 5],
])("what we don't offer is refused, so that the agent can go on: %s", (method, id) => {
  const talk = prompted();

  const decoded = talk.say([lineOf({ id, method, params: { path: "/etc/passwd" } })]);

  expect(writtenBy(decoded)).toMatchObject([{ id, error: { code: -32601 } }]);
  expect(anomalyCodes(decoded)).toEqual(["unknown_event"]);
});

test("what comes before the prompt, between turns or from another session is no answer", () => {
  const talk = talkWith();
  talk.begin("hello");
  const stray = [lineOf(says("Nobody asked.")), lineOf(toolUpdate("t1", { status: "completed" }))];
  const foreign = update(
    "agent_message_chunk",
    { content: { type: "text", text: "Psst" } },
    "another-session",
  );

  const early = talk.say(stray);
  talk.say([
    { replyTo: "initialize", line: lineOf({ id: 0, result: { protocolVersion: 1 } }) },
    { replyTo: "session/new", line: lineOf({ id: 0, result: { sessionId: specOf().sessionId } }) },
  ]);
  const meanwhile = talk.say([lineOf(foreign)]);
  talk.say([ended()]);
  const late = talk.say(stray);

  expect(meanwhile).toContainEqual({ kind: "session.mismatch", cliSessionId: "another-session" });
  expect([early, meanwhile, late].map(anomalyCodes)).toEqual([
    ["output_after_result", "output_after_result"],
    [],
    ["output_after_result", "output_after_result"],
  ]);
  expect([early, meanwhile, late].flatMap((some) => eventsOf(some, "text"))).toEqual([]);
});

test("a second reply to the prompt ends no turn, and the process gets no more", () => {
  const talk = prompted();
  talk.say([lineOf(says("Done.")), ended()]);
  talk.begin("and then?");

  const late = talk.say([lineOf({ id: 3, result: { stopReason: "end_turn" } })]);
  const own = talk.say([ended()]);

  expect(late).toMatchObject([{ kind: "anomaly", code: "duplicate_result" }, { kind: "retire" }]);
  expect(verdicts(own)).toMatchObject([{ kind: "succeeded" }]);
});

test("the late end of a turn that was given up doesn't end the next one", () => {
  const talk = prompted();
  talk.begin("and then?");

  const late = talk.say([lineOf({ id: 3, result: { stopReason: "cancelled" } })]);
  const own = talk.say([lineOf(says("Here.")), lineOf({ id: 4, result: { stopReason: "end_turn" } })]);

  expect(late).toMatchObject([{ kind: "anomaly", code: "output_after_result" }]);
  expect(verdicts(own)).toMatchObject([{ kind: "succeeded" }]);
});

const recordings = [
  ...["acp_session", "acp_permissions", "acp_load", "acp_errors"].map(
    (name) => ["gemini", "0.61.0", name] as const,
  ),
  ...["acp_session", "acp_read_only"].map((name) => ["opencode", "1.18.33", name] as const),
];
const recorded = recordings.flatMap(([cli, version, name]) =>
  recordedLines(join(recordingsFolder(cli, version), name)),
);

/** A dialogue in any of its phases. */
const phases = fc.constantFrom("unopened", "opening", "loading", "history", "prompted", "cancelled", "idle");

function dialogueIn(phase: string) {
  const resume = phase === "loading" || phase === "history";
  const talk = talkWith({ resume, systemPrompt: "Be kind." }, { replaysLate: true });
  if (phase !== "unopened") talk.begin("hello");
  if (phase === "history") talk.say(loading());
  if (["prompted", "cancelled", "idle"].includes(phase)) {
    talk.say([
      { replyTo: "initialize", line: lineOf({ id: 0, result: { protocolVersion: 1 } }) },
      { replyTo: "session/new", line: lineOf({ id: 0, result: { sessionId: specOf().sessionId } }) },
    ]);
  }
  if (phase === "cancelled") talk.dialogue.interrupt("stop");
  if (phase === "idle") talk.say([ended()]);
  return talk;
}

function isSound(one: Decoded): boolean {
  if (one.kind === "event") return runEventBodySchema.safeParse(one.event).success;
  return one.kind !== "write" || (one.input.endsWith("\n") && one.input.trim().split("\n").length === 1);
}

test("no line makes it throw in any phase, and all that it answers is sound", () => {
  const ids = fc.constantFrom(0, 1, 2, 3, 4, "p1", null);
  const message = fc.record(
    {
      id: ids,
      method: fc.constantFrom("session/update", "session/request_permission", "fs/write_text_file"),
      result: fc.jsonValue(),
      error: fc.jsonValue(),
      params: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );
  const line = fc.oneof(fc.string(), fc.json(), fc.constantFrom(...recorded), message.map(lineOf));

  fc.assert(
    fc.property(phases, fc.array(line, { maxLength: 20 }), (phase, lines) => {
      const talk = dialogueIn(phase);
      const decoded = [...talk.say(lines), ...talk.begin("and then?"), ...talk.say(lines)];
      expect(decoded.filter((one) => !isSound(one))).toEqual([]);
    }),
    { numRuns: 400 },
  );
});

test("a prompt ends once, whatever else is said meanwhile", () => {
  const noise = fc.array(fc.oneof(fc.constantFrom(...recorded.filter((line) => line.includes('"method"')))), {
    maxLength: 20,
  });

  fc.assert(
    fc.property(noise, noise, (before, after) => {
      const talk = prompted();
      const decoded = talk.say([...before, ended(), ...after]);
      expect(verdicts(decoded)).toHaveLength(1);
    }),
  );
});

test("the edges of chunks don't matter, down to single bytes", () => {
  const folder = join(recordingsFolder("gemini", "0.61.0"), "acp_session");
  const bytes = new TextEncoder().encode(`${recordedLines(folder).join("\n")}\n`);
  const whole = decodeInChunks(bytes, () => bytes.length);

  expect(decodeInChunks(bytes, () => 1)).toEqual(whole);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 8 }), (sizes) => {
      expect(decodeInChunks(bytes, (at) => sizes[at % sizes.length] ?? 1)).toEqual(whole);
    }),
    { numRuns: 30 },
  );
});

function decodeInChunks(bytes: Uint8Array, sizeAt: (at: number) => number): Decoded[] {
  const framer = createLineFramer({ lineBytesMax: 1_048_576 });
  const dialogue = dialectOf().open(specOf());
  const decoded = dialogue.begin("hello");
  for (let at = 0; at < bytes.length;) {
    const size = sizeAt(at);
    decoded.push(...framer.push(bytes.slice(at, at + size)).lines.flatMap((line) => dialogue.decode(line)));
    at += size;
  }
  return decoded;
}

test("a loaded session's history can be of any length and kind, and is never an answer", () => {
  const updates = recorded.filter((line) => line.includes('"session/update"'));

  fc.assert(
    fc.property(fc.array(fc.constantFrom(...updates), { maxLength: 30 }), (history) => {
      const talk = talkWith({ resume: true }, { replaysLate: true });
      const [initialize, load] = loading();
      talk.begin("recall");
      const decoded = talk.say([initialize!, ...history, load!, ...history, historyEnd, ...history]);
      while (talk.awaits("_headway/end_of_history")) decoded.push(...talk.say([historyEnd]));
      expect(eventsOf(decoded, "text")).toEqual([]);
      expect(anomalyCodes(decoded)).toEqual([]);
      expect(promptsOf(talk)).toEqual(["recall"]);
    }),
  );
});

test("an answer in another session's name is no success, and the process gets no further turn", () => {
  const foreign = (text: string) =>
    lineOf(update("agent_message_chunk", { content: { type: "text", text } }, `x\u0000${"y".repeat(300)}`));

  const decoded = prompted().say([foreign("Hel"), foreign("lo"), ended()]);

  expect(eventsOf(decoded, "text")).toEqual([]);
  expect(decoded.filter(({ kind }) => kind === "session.mismatch")).toEqual([
    { kind: "session.mismatch", cliSessionId: `x${"y".repeat(62)}` },
  ]);
  expect(decoded.filter(({ kind }) => kind === "retire")).toHaveLength(1);
  expect(anomalyCodes(decoded)).toEqual(["output_after_result"]);
  expect(verdicts(decoded)).toMatchObject([
    { kind: "failed", code: "cli_error", message: expect.stringContaining("another session") as string },
  ]);
});

test("what else is told in another session's name costs the process, and not the answer", () => {
  const foreign = lineOf(update("agent_thought_chunk", { content: { type: "text", text: "Hm" } }, "other"));

  const decoded = prompted().say([foreign, lineOf(says("Hello")), ended()]);

  expect(decoded.filter(({ kind }) => kind === "retire")).toHaveLength(1);
  expect(verdicts(decoded)).toMatchObject([{ kind: "succeeded" }]);
});

test.each(["t".repeat(201), "a\u0007b", ""])("a tool call of the id %j is none that we know", (id) => {
  const talk = prompted({ permissionMode: "full" });

  const decoded = talk.say([
    lineOf(toolUpdate(id, { status: "completed" })),
    lineOf(asks(9, { toolCallId: id })),
  ]);

  expect(anomalyCodes(decoded)).toEqual(["unknown_event", "unknown_event"]);
  expect(eventsOf(decoded, "tool.started")).toEqual([]);
  expect(writtenBy(decoded)).toMatchObject([{ id: 9, error: { code: -32601 } }]);
});
