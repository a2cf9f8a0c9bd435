import { expect, test } from "bun:test";
import { droidAdapter } from "../../../src/runner/adapters/droid.ts";
import { eventsOf, inputsOf, verdicts } from "../../contract/decoded.ts";
import { recordedLines, recordingsFolder } from "./recordings.ts";
import { beginRpc, completed, feed, prompted, refusal, reply, sessionId, spec } from "./droid-lines.ts";

/* How a warm Droid's session is opened. */

const { warm } = droidAdapter.dialects;

interface Request {
  id: string;
  method: string;
  params: Record<string, unknown>;
}

const requestsIn = (inputs: readonly string[]) => inputs.map((input) => JSON.parse(input) as Request);

test("a new session is begun under our id, with its folder, level, model, system prompt and title", () => {
  const dialogue = warm.open({ ...spec, model: "m", systemPrompt: "Be brief.", permissionMode: "full" });

  const [request] = requestsIn(inputsOf(dialogue.begin("  What is\nthis? ")));

  expect(request).toMatchObject({
    id: "open",
    method: "droid.initialize_session",
    params: {
      machineId: "headway",
      sessionId,
      cwd: "/home/dev/project",
      title: "What is\nthis?",
      autonomyLevel: "high",
      modelId: "m",
      systemPrompt: { type: "preset", preset: "droid", append: "Be brief." },
    },
  });
  expect(dialogue.prompted).toBe(false);
});

test("without a model and a system prompt none is named, and a title there is always", () => {
  const [request] = requestsIn(inputsOf(warm.open(spec).begin(" ")));

  expect(Object.keys(request?.params ?? {}).sort()).toEqual([
    "autonomyLevel",
    "cwd",
    "machineId",
    "sessionId",
    "title",
  ]);
  expect(request?.params["title"]).toBe("Headway");
});

test.each([
  ["read", "off"],
  ["edit", "low"],
  ["full", "high"],
] as const)(
  "mode %s is the autonomy level %s, in a new session and in a loaded one",
  (permissionMode, level) => {
    const [begun] = requestsIn(inputsOf(warm.open({ ...spec, permissionMode }).begin("hello")));
    const loaded = beginRpc({ permissionMode, resume: true, model: "m" });
    const [settings] = requestsIn(
      inputsOf(feed(loaded, reply("open", { session: { messages: [{}] }, settings: { modelId: "m" } }))),
    );

    expect(begun?.params["autonomyLevel"]).toBe(level);
    expect(settings).toMatchObject({
      method: "droid.update_session_settings",
      params: { autonomyLevel: level, modelId: "m" },
    });
  },
);

test("the prompt is sent when the session is open, with what the session is called and runs on", () => {
  const dialogue = beginRpc();

  const decoded = feed(dialogue, reply("open", { sessionId, settings: { modelId: "a-model" } }));

  expect(decoded[0]).toEqual({ kind: "helpers.kept" });
  expect(eventsOf(decoded, "session")).toEqual([
    { type: "session", cliSessionId: sessionId, model: "a-model" },
  ]);
  expect(requestsIn(inputsOf(decoded))).toMatchObject([
    { id: "turn-1", method: "droid.add_user_message", params: { text: "hello" } },
  ]);
  expect(dialogue.prompted).toBe(true);
});

test("a session that the CLI gave another id is known by that; one that is no UUID is not adopted", () => {
  const other = "11111111-2222-4333-8444-555555555555";

  for (const [named, known] of [
    [other, other],
    ["--help", sessionId],
  ]) {
    const decoded = feed(beginRpc(), reply("open", { sessionId: named }));
    expect(eventsOf(decoded, "session")).toMatchObject([{ cliSessionId: known }]);
  }
});

test("a session is loaded, and its prompt waits until its settings are those of the agent", () => {
  const dialogue = warm.open({ ...spec, resume: true });
  const [load] = requestsIn(inputsOf(dialogue.begin("hello")));
  feed(dialogue, reply("open", { session: { messages: [{}] } }));
  const isEarly = dialogue.prompted;

  const decoded = feed(dialogue, reply("settings"));

  expect(load).toMatchObject({ method: "droid.load_session", params: { sessionId } });
  expect([isEarly, dialogue.prompted]).toEqual([false, true]);
  expect(requestsIn(inputsOf(decoded))).toMatchObject([{ id: "turn-1" }]);
});

test.each([
  ["isn't there", refusal("open", "Session not found", -32004)],
  ["can't be read", refusal("open", "Invalid session file: missing session_start event")],
  ["is blank", reply("open", { session: { messages: [] } })],
])("a session that %s is lost, and nothing is asked of the model", (_what, answer) => {
  const dialogue = beginRpc({ resume: true });

  const decoded = feed(dialogue, answer);

  expect(verdicts(decoded)).toMatchObject([{ kind: "failed", code: "session_lost" }]);
  expect(dialogue.prompted).toBe(false);
});

test("without a sign-in no other form does better, whether a session is begun or loaded", () => {
  for (const resume of [false, true]) {
    const decoded = feed(
      beginRpc({ resume }),
      refusal("open", "Not authenticated. Please log in using /login"),
    );
    expect(verdicts(decoded)).toMatchObject([{ kind: "failed", code: "auth_required" }]);
  }
});

test.each([
  ["the folder isn't there", { resume: false }, [refusal("open", "Working directory does not exist")]],
  ["it refuses in words that aren't its own", { resume: false }, [{ ...reply("open"), error: "no" }]],
  ["it can't read our lines", { resume: false }, [refusal(null, "Invalid JSON-RPC message", -32700)]],
  [
    "an earlier turn goes on",
    { resume: true },
    [reply("open", { session: { messages: [{}] }, isAgentLoopInProgress: true })],
  ],
  [
    "a policy forbids the level",
    { resume: true },
    [reply("open", { session: { messages: [{}] } }), refusal("settings", "Autonomy level not allowed")],
  ],
])("when %s it is not ready, and says so to every further turn", (_what, over, answers) => {
  const dialogue = beginRpc(over);

  const decoded = feed(dialogue, ...answers);

  expect(verdicts(decoded)).toMatchObject([{ kind: "unready", code: "cli_error" }]);
  expect(dialogue.prompted).toBe(false);
  expect(dialogue.begin("again")).toEqual([{ kind: "turn.ended", verdict: verdicts(decoded)[0]! }]);
});

test("a model that Droid passes over in silence is not taken for another, as recorded", () => {
  const dialogue = beginRpc({ model: "no-such-model" });
  const lines = recordedLines(`${recordingsFolder("droid", "0.225.2")}/warm-bad-model`);

  const decoded = lines.flatMap((line) => dialogue.decode(line));

  expect(verdicts(decoded)).toEqual([
    { kind: "unready", code: "cli_error", message: "Droid does not know the model no-such-model." },
  ]);
});

test("a loaded session may have another model than the agent, if Droid knows the agent's", () => {
  const opened = (ids: string[]) =>
    reply("open", {
      session: { messages: [{}] },
      settings: { modelId: "old" },
      availableModels: ids.map((id) => ({ id })),
    });

  const known = feed(beginRpc({ resume: true, model: "new" }), opened(["old", "new"]));
  const unknown = feed(beginRpc({ resume: true, model: "new" }), opened(["old"]));

  expect([verdicts(known), verdicts(unknown).length]).toEqual([[], 1]);
});

test("the session is opened once for all turns of a process, and a turn that waits for it can be replaced", () => {
  const dialogue = beginRpc();
  const waiting = dialogue.begin("another");

  const first = feed(dialogue, reply("open", { sessionId }), prompted());
  feed(dialogue, completed());
  const second = dialogue.begin("and then?");

  expect(waiting).toEqual([]);
  expect(requestsIn(inputsOf(first))).toMatchObject([{ id: "turn-1", params: { text: "another" } }]);
  expect(requestsIn(inputsOf(second))).toMatchObject([{ id: "turn-2", params: { text: "and then?" } }]);
});
