import { expect, test } from "bun:test";
import type { PermissionMode } from "../../../src/domain/agent.ts";
import { eventsOf, verdicts } from "../../contract/decoded.ts";
import {
  loading,
  opening,
  promptsOf,
  refusalOf,
  replyTo,
  sessionId,
  talkWith,
  writtenBy,
} from "./acp-lines.ts";

const openCode = {
  configOptions: [
    {
      id: "model",
      category: "model",
      currentValue: "a/one",
      options: [{ value: "a/one" }, { name: "Group", options: [{ value: "b/two" }] }],
    },
    { id: "mode", category: "mode", currentValue: "build", options: [{ value: "build" }, { value: "plan" }] },
  ],
};
const claudeCode = modes("default", "acceptEdits", "bypassPermissions", "default", "dontAsk", "plan");
const codex = modes("auto", "auto", "full-access", "read-only");

function modes(currentModeId: string, ...ids: string[]) {
  return { modes: { currentModeId, availableModes: ids.map((id) => ({ id })) } };
}

function setMode(modeId: string) {
  return { method: "session/set_mode", params: { sessionId, modeId } };
}

function setOption(configId: string, value: string) {
  return { method: "session/set_config_option", params: { sessionId, configId, value } };
}

test.each<[string, object, PermissionMode, object | null]>([
  ["Claude's", claudeCode, "read", setMode("plan")],
  ["Claude's", claudeCode, "edit", setMode("acceptEdits")],
  ["Claude's", claudeCode, "full", setMode("bypassPermissions")],
  ["Codex's", codex, "read", setMode("read-only")],
  ["Codex's", codex, "edit", null],
  ["Codex's", codex, "full", setMode("full-access")],
  ["opencode's", openCode, "read", setOption("mode", "plan")],
  ["opencode's", openCode, "edit", null],
  ["one that is set", modes("plan", "plan", "default"), "read", null],
  ["one that was left for reading", modes("plan", "plan", "build"), "edit", setMode("build")],
  ["one that was left for reading", modes("plan", "plan", "build"), "full", setMode("build")],
  ["one that was left for everything", modes("yolo", "yolo", "ask"), "edit", setMode("ask")],
  ["one that is all there is", modes("yolo", "yolo"), "edit", null],
  ["both kinds of", { ...claudeCode, ...openCode }, "read", setOption("mode", "plan")],
])("of %s modes (%j) %s sets %j", (_whose, session, permissionMode, change) => {
  const talk = talkWith({ permissionMode });

  talk.begin("hello");
  talk.say(opening(session));

  const changes = writtenBy(talk).filter(({ method }) => method?.startsWith("session/set"));
  const asked: unknown = changes.map(({ method, params }) => ({ method, params }));
  expect(asked).toEqual(change ? [change] : []);
  expect(promptsOf(talk)).toEqual(change ? [] : ["hello"]);
});

test("an agent whose arguments choose model and mode is told neither", () => {
  const talk = talkWith(
    { permissionMode: "full", model: "b/two" },
    { modelByArgs: true, permissionModeByArgs: true },
  );

  talk.begin("hello");
  talk.say(opening({ ...claudeCode, ...openCode }));

  expect(writtenBy(talk).map(({ method }) => method)).toEqual([
    "initialize",
    "session/new",
    "session/prompt",
  ]);
});

test("mode and model are set one after the other, and the prompt is sent when both are", () => {
  const talk = talkWith({ permissionMode: "read", model: "b/two" });
  talk.begin("hello");

  talk.say(opening(openCode));
  const first = writtenBy(talk).at(-1);
  talk.say([replyTo("session/set_config_option", openCode)]);
  const second = writtenBy(talk).at(-1);
  const decoded = talk.say([replyTo("session/set_config_option", openCode)]);

  expect(first).toMatchObject(setOption("mode", "plan"));
  expect(second).toMatchObject(setOption("model", "b/two"));
  expect(promptsOf(talk)).toEqual(["hello"]);
  expect(eventsOf(decoded, "session")).toMatchObject([{ model: "b/two" }]);
});

test.each([
  ["by a list of models", { models: { currentModelId: "m-1", availableModels: [{ modelId: "m-2" }] } }],
  ["by nothing", {}],
])("a model that the agent doesn't offer, %s, is told, and the turn goes on without", (_how, session) => {
  const talk = talkWith({ model: "no/such" });
  talk.begin("hello");

  const decoded = talk.say(opening(session));

  expect(eventsOf(decoded, "notice")).toMatchObject([
    { code: "cli_warning", message: expect.stringContaining("doesn't offer the model no/such") as string },
  ]);
  expect(promptsOf(talk)).toEqual(["hello"]);
});

test("a model that is offered the older way is set the older way", () => {
  const talk = talkWith({ model: "m-2" });

  talk.begin("hello");
  talk.say(opening({ models: { currentModelId: "m-1", availableModels: [{ modelId: "m-2" }] } }));

  expect(writtenBy(talk).at(-1)).toMatchObject({
    method: "session/set_model",
    params: { sessionId, modelId: "m-2" },
  });
});

test("a model that is offered and refused is told, and the turn goes on with the one before", () => {
  const talk = talkWith({ model: "b/two" });
  talk.begin("hello");
  talk.say(opening(openCode));

  const decoded = talk.say([
    refusalOf("session/set_config_option", { code: 1, message: "Not in your plan" }),
  ]);

  expect(eventsOf(decoded, "notice")).toMatchObject([
    { message: "Some Agent refused to change its model: Not in your plan" },
  ]);
  expect(eventsOf(decoded, "session")).toMatchObject([{ model: "a/one" }]);
});

test("an agent that refuses to only read is sent no prompt", () => {
  const talk = talkWith({ permissionMode: "read" });
  talk.begin("hello");
  talk.say(opening(claudeCode));

  const decoded = talk.say([refusalOf("session/set_mode", { code: 1, message: "Not now" })]);

  expect(verdicts(decoded)).toMatchObject([{ kind: "unready", code: "cli_error" }]);
  expect(promptsOf(talk)).toEqual([]);
});

test.each<[PermissionMode, number]>([
  ["read", 1],
  ["edit", 0],
  ["full", 0],
])("an agent without modes is worth a warning in permission mode %s: %d", (permissionMode, warnings) => {
  const talk = talkWith({ permissionMode });
  talk.begin("hello");

  const decoded = talk.say(opening());

  expect(eventsOf(decoded, "notice")).toHaveLength(warnings);
  expect(promptsOf(talk)).toEqual(["hello"]);
});

test("where a loaded session's settings are changed, its history is over with the reply to that", () => {
  const talk = talkWith({ resume: true, permissionMode: "read" });
  talk.begin("recall");

  talk.say(loading(claudeCode));
  const asked = writtenBy(talk).map(({ method }) => method);
  talk.say([replyTo("session/set_mode", {})]);

  expect(asked).toEqual(["initialize", "session/load", "session/set_mode"]);
  expect(promptsOf(talk)).toEqual(["recall"]);
});
