import { expect, test } from "bun:test";
import type { Decoded } from "../../../src/runner/adapters/adapter.ts";
import { eventsOf, verdicts } from "../../contract/decoded.ts";
import {
  ended,
  failed,
  folder,
  historyEnd,
  initialized,
  lineOf,
  loading,
  opening,
  prompted,
  promptsOf,
  refusalOf,
  replyTo,
  says,
  sessionId,
  talkWith,
  update,
  writtenBy,
} from "./acp-lines.ts";

test("the protocol and a session are opened one after the other, and then the prompt is sent", () => {
  const talk = talkWith();

  talk.begin("hello");
  const beforeSession = talk.dialogue.prompted;
  const decoded = talk.say(opening({ models: { currentModelId: "m-1", availableModels: [] } }));

  expect(beforeSession).toBe(false);
  expect(talk.dialogue.prompted).toBe(true);
  expect(writtenBy(talk)).toMatchObject([
    {
      jsonrpc: "2.0",
      id: 1,
      method: "initialize",
      params: {
        protocolVersion: 1,
        clientCapabilities: { fs: { readTextFile: false, writeTextFile: false }, terminal: false },
        clientInfo: { name: "headway" },
      },
    },
    { id: 2, method: "session/new", params: { cwd: folder, mcpServers: [] } },
    { id: 3, method: "session/prompt", params: { sessionId, prompt: [{ type: "text", text: "hello" }] } },
  ]);
  expect(decoded.find(({ kind }) => kind === "version")).toEqual({ kind: "version", cliVersion: "2.1.0" });
  expect(eventsOf(decoded, "session")).toEqual([{ type: "session", cliSessionId: sessionId, model: "m-1" }]);
});

test("every turn after the first is sent at once, in the same session", () => {
  const talk = prompted();
  talk.say([ended()]);

  const decoded = talk.begin("and then?");

  expect(talk.dialogue.prompted).toBe(true);
  expect(writtenBy(decoded)).toMatchObject([{ id: 4, method: "session/prompt", params: { sessionId } }]);
  expect(eventsOf(decoded, "session")).toEqual([{ type: "session", cliSessionId: sessionId, model: null }]);
});

test("a resumed session is loaded, and none of its history is an answer, before the reply or after", () => {
  const talk = talkWith({ resume: true }, { replaysLate: true });
  const replayed = [
    update("user_message_chunk", { content: { type: "text", text: "hi" } }),
    says("old answer"),
  ];
  const history = replayed.map(lineOf);
  talk.begin("recall");
  const [initialize, load] = loading();

  const decoded = talk.say([initialize!, ...history, load!]);
  decoded.push(...talk.say([...history, historyEnd]), ...talk.say([...history, historyEnd]));
  const unsent = promptsOf(talk);
  decoded.push(...talk.say([historyEnd, lineOf(says("new answer")), ended()]));

  const asked = writtenBy(talk).filter(({ method }) => method === "_headway/end_of_history");
  expect(asked).toHaveLength(3);
  expect(unsent).toEqual([]);
  expect(promptsOf(talk)).toEqual(["recall"]);
  expect(writtenBy(talk)[1]).toMatchObject({
    method: "session/load",
    params: { sessionId, cwd: folder, mcpServers: [] },
  });
  expect(eventsOf(decoded, "text").map(({ text }) => text)).toEqual(["new answer"]);
  expect(eventsOf(decoded, "session")).toMatchObject([{ cliSessionId: sessionId }]);
  expect(decoded.filter(({ kind }) => kind === "anomaly")).toEqual([]);
});

test("a session can be loaded under another id, and keeps its own for us", () => {
  const spokenId = ` ${sessionId}`;
  const talk = talkWith({ resume: true }, { loadedAs: (id) => ` ${id}`, replaysLate: true });
  talk.begin("recall");

  const decoded = talk.say([...loading(), historyEnd]);
  decoded.push(
    ...talk.say([
      lineOf(update("agent_message_chunk", { content: { type: "text", text: "yes" } }, spokenId)),
    ]),
  );
  const cancel = talk.dialogue.interrupt("stop");

  const sessions = writtenBy(talk).flatMap(({ params }) => params?.["sessionId"] ?? []);
  expect([...new Set(sessions)]).toEqual([spokenId]);
  expect(JSON.parse(cancel ?? "")).toMatchObject({ params: { sessionId: spokenId } });
  expect(eventsOf(decoded, "session")).toMatchObject([{ cliSessionId: sessionId }]);
  expect(eventsOf(decoded, "text")).toMatchObject([{ text: "yes" }]);
});

const authRequired = { code: -32000, message: "Authentication required" };

test.each([
  ["an agent that can't load sessions", [replyTo("initialize", { ...initialized, agentCapabilities: {} })]],
  [
    "an unknown session",
    [loading()[0]!, refusalOf("session/load", { code: -32603, message: "Internal error" })],
  ],
])("%s has lost the session, and nothing was asked of the model", (_what, lines) => {
  const talk = talkWith({ resume: true });

  const decoded = [...talk.begin("recall"), ...talk.say(lines)];

  expect(verdicts(decoded)).toMatchObject([{ kind: "failed", code: "session_lost" }]);
  expect(talk.dialogue.prompted).toBe(false);
  expect(promptsOf(talk)).toEqual([]);
});

test.each([
  ["session/new", false],
  ["session/load", true],
])("an agent that wants a sign-in at %s says so, and how", (method, resume) => {
  const talk = talkWith({ resume });

  talk.begin("hello");
  const decoded = talk.say([replyTo("initialize", initialized), refusalOf(method, authRequired)]);

  const message =
    "Authentication required. Sign in to the agent in a terminal, as the user that runs Headway, then send it again.";
  expect(verdicts(decoded)).toEqual([{ kind: "failed", code: "auth_required", message }]);
});

test.each([
  ["refuses the handshake", [refusalOf("initialize", { code: -32603, message: "No" })], "No"],
  [
    "speaks another version",
    [replyTo("initialize", { ...initialized, protocolVersion: 2 })],
    "version 2 of ACP",
  ],
  ["tells no version", [replyTo("initialize", "hello")], "version unknown of ACP"],
  [
    "begins no session",
    [opening()[0]!, refusalOf("session/new", { code: 1, message: "Disk full" })],
    "Disk full",
  ],
  ["names no session", [opening()[0]!, replyTo("session/new", {})], "without naming it"],
])("an agent that %s is not ready, and stays so", (_what, lines, words) => {
  const talk = talkWith();
  talk.begin("hello");

  const decoded = talk.say(lines);
  const again = talk.begin("hello again");

  expect(verdicts(decoded)).toEqual([
    { kind: "unready", code: "cli_error", message: expect.stringContaining(words) as string },
  ]);
  expect(verdicts(again)).toEqual(verdicts(decoded));
  expect(talk.dialogue.prompted).toBe(false);
});

test("a turn can't be interrupted by protocol before its prompt was sent, or after its end", () => {
  const talk = talkWith();
  talk.begin("hello");

  const early = talk.dialogue.interrupt("stop");
  talk.say([...opening(), ended()]);
  const late = talk.dialogue.interrupt("stop");

  expect([early, late]).toEqual([null, null]);
});

const keptIn = (decoded: Decoded[]) =>
  decoded.flatMap((one) => (one.kind === "helpers.kept" ? [one.ageMsMin ?? 0] : []));

test("the processes that are there when the session is open, and at the agent's first word, are its own, but for young ones", () => {
  const talk = talkWith();
  talk.begin("hello");

  const opened = talk.say(opening());
  const first = talk.say([lineOf(says("I"))]);
  const second = talk.say([lineOf(says(" will"))]);

  expect([opened, first, second].map(keptIn)).toEqual([[0], [500], []]);
});

test("young ones are its own, too, once the first turn has ended without a tool, and no later turn tells", () => {
  const talk = prompted();
  talk.say([lineOf(says("Hello"))]);

  const atEnd = talk.say([ended()]);
  talk.begin("again");
  const later = talk.say([lineOf(says("Hello again")), ended()]);

  expect(atEnd.map(({ kind }) => kind)).toEqual(["helpers.kept", "turn.ended"]);
  expect([atEnd, later].map(keptIn)).toEqual([[0], []]);
});

test("a young one may be a tool's where one ran after the first word, or where the turn was cancelled", () => {
  const running = update("tool_call", { toolCallId: "t1", kind: "execute", status: "in_progress" });
  const ran = prompted();
  const cancelled = prompted();
  ran.say([lineOf(says("I will use a tool"))]);
  cancelled.say([lineOf(says("I will use a tool"))]);
  cancelled.dialogue.interrupt("stop");

  const ends = [
    ran.say([lineOf(running), ended()]),
    cancelled.say([replyTo("session/prompt", { stopReason: "cancelled" })]),
  ];

  expect(ends.map(keptIn)).toEqual([[], []]);
});

test("a process that is there because a tool runs isn't the agent's own", () => {
  const running = update("tool_call", { toolCallId: "t1", kind: "execute", status: "in_progress" });

  const decoded = prompted().say([lineOf(running), lineOf(says("Done"))]);

  expect(decoded.filter(({ kind }) => kind === "helpers.kept")).toEqual([]);
});

test("the system prompt stands before prompts until a turn that brought it has succeeded", () => {
  const talk = prompted({ systemPrompt: "Talk like a pirate." }, "one");
  talk.say([failed({ code: 500, message: "Down" })]);
  talk.begin("two");
  talk.say([replyTo("session/prompt", { stopReason: "cancelled" })]);
  talk.begin("three");
  talk.say([ended()]);

  talk.begin("four");

  const prompts = promptsOf(talk);
  expect(prompts.map((prompt) => prompt.includes("pirate"))).toEqual([true, true, true, false]);
  expect(prompts.map((prompt) => prompt.split("\n").at(-1))).toEqual(["one", "two", "three", "four"]);
});

test("a resumed session has heard the system prompt before", () => {
  const talk = talkWith({ resume: true, systemPrompt: "Talk like a pirate." });

  talk.begin("recall");
  talk.say(loading());

  expect(promptsOf(talk)).toEqual(["recall"]);
});

test.each([
  ["some-agent", []],
  ["gemini-cli", ["_headway/end_of_history"]],
])("when a session is loaded, %s is asked only for %j before it is prompted", (name, asked) => {
  const talk = talkWith({ resume: true });
  talk.begin("recall");
  const [, load] = loading();

  talk.say([replyTo("initialize", { ...initialized, agentInfo: { name } }), load!]);

  const methods = writtenBy(talk).map(({ method }) => method ?? "");
  expect(methods.filter((method) => method.startsWith("_"))).toEqual(asked);
  expect(talk.dialogue.prompted).toBe(asked.length === 0);
});

const isUuid = (id: string) => id === sessionId;

test.each([
  ["x".repeat(200), {}, true],
  ["x".repeat(201), {}, false],
  ["a\nb", {}, false],
  ["a\u202eb", {}, false],
  [" ", {}, false],
  ["s-1", {}, true],
  ["s-1", { isSessionId: isUuid }, false],
  [sessionId, { isSessionId: isUuid }, true],
])("a new session of the id %j is spoken to where it can be used (%o): %p", (id, agent, isUsable) => {
  const talk = talkWith({}, agent);
  talk.begin("hello");

  const decoded = talk.say([opening()[0]!, replyTo("session/new", { sessionId: id })]);

  const message = "Some Agent gave its session an id that Headway can't use.";
  const refused = [{ kind: "unready", code: "cli_error", message }];
  expect(verdicts(decoded) as unknown).toEqual(isUsable ? [] : refused);
  expect(talk.dialogue.prompted).toBe(isUsable);
});

test.each(["x".repeat(201), "../../x\u0000", "s-1"])("a session of the id %j is lost, unasked", (id) => {
  const talk = talkWith({ resume: true, sessionId: id }, { isSessionId: isUuid });

  const decoded = [...talk.begin("hello"), ...talk.say([loading()[0]!])];

  expect(verdicts(decoded)).toMatchObject([{ kind: "failed", code: "session_lost" }]);
  expect(talk.inputs).toHaveLength(1);
});

test.each(["v".repeat(65), "1\n2", "\u202e1.0"])("a version that isn't one is passed over: %j", (version) => {
  const talk = talkWith();
  talk.begin("hello");

  const decoded = talk.say([replyTo("initialize", { ...initialized, agentInfo: { version } })]);

  expect(decoded.filter(({ kind }) => kind === "version")).toEqual([]);
  expect(writtenBy(decoded)).toMatchObject([{ method: "session/new" }]);
});

test.each(["m".repeat(129), "a\u001bb"])("a model that isn't one is passed over: %j", (currentModelId) => {
  const decoded = startedWith({ models: { currentModelId, availableModels: [] } });

  expect(eventsOf(decoded, "session")).toMatchObject([{ model: null }]);
});

function startedWith(session: object) {
  const talk = talkWith();
  return [...talk.begin("hello"), ...talk.say(opening(session))];
}

test.each([{ id: 2, error: null }, { id: 2 }])("a reply without a result is a refusal: %j", (reply) => {
  const talk = talkWith();
  talk.begin("hello");

  const decoded = talk.say([opening()[0]!, lineOf(reply)]);

  expect(verdicts(decoded)).toMatchObject([{ kind: "unready", code: "cli_error" }]);
});
