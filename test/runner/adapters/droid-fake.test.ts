import { afterAll, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Decoded } from "../../../src/runner/adapters/adapter.ts";
import { droidAdapter } from "../../../src/runner/adapters/droid.ts";
import {
  answerOf,
  anomalyCodes,
  eventsOf,
  isEnd,
  isText,
  isTool,
  sessionOf,
  verdicts,
} from "../../contract/decoded.ts";
import { descendantsOf } from "../../helpers/survivors.ts";
import { waitFor } from "../../helpers/wait.ts";
import { fakeContract } from "./fake-contract.ts";
import { openFakeStage } from "./fake-stage.ts";

/* The fake must talk as the real one was recorded, and misbehave as it is told: other tests lean on both. */

const stage = openFakeStage(droidAdapter, "0.225.2");
const { executable, home, start: startFake, carry, recorded } = stage;
afterAll(() => stage[Symbol.dispose]());

interface Message {
  id: string;
  role: string;
  content: { type: string }[];
}

interface Line {
  type: string;
  role?: string;
  method?: string;
  id?: string;
  params?: {
    notification?: { type: string; message?: Message | string };
  };
}

/** What tells nothing of a turn; the real one says more of it. */
const quiet =
  /mcp_status|settings_updated|token_usage|text_complete|phase_changed|working_state|progress|title_updated|permission_resolved/;

/** What kinds of lines came in which order; several of a kind in a row count as one. */
function kindsOf(lines: readonly string[]): string[] {
  const kinds = lines.flatMap((line) => {
    const { type, role = "", method, params } = JSON.parse(line) as Line;
    const { type: told = "", message: anyMessage } = params?.notification ?? {};
    const message = typeof anyMessage === "object" ? anyMessage : null;
    if (quiet.test(told) || message?.id.startsWith("context-")) return [];
    const blocks = message?.content.map((block) => block.type).join("+") ?? "";
    return [
      [type, role || (told === "" ? (method ?? "") : told), message?.role, blocks].filter(Boolean).join("/"),
    ];
  });
  return kinds.filter((kind, at) => kind !== kinds[at - 1]);
}

fakeContract(stage, {
  oneTurn: "one-turn",
  end: "ends of the turn",
  interrupt: "an interrupt",
  kindsOf,
  recordings: [
    ["one-turn", "hello there", "edit"],
    ["one-turn-think", "think", "edit"],
    ["one-turn-tool", "tool=echo done", "full"],
    ["one-turn-denied", "risky=touch made.txt", "edit"],
    ["one-turn-error", "error-400", "edit"],
    ["repetition", "repetition", "edit"],
    ["one-turn-tool-refused", "tool=touch made.txt", "read"],
  ],
  exits: [
    ["double-end", 0, 1],
    ["after-end", 0, 1],
    ["empty", 0, 1],
  ],
});

test.each([
  ["warm-turns", "edit", ["hello there", "recall", "think again"]],
  ["warm-tools", "full", ["tool=echo done", "tool=false"]],
  ["warm-denied", "edit", ["risky=touch made.txt", "and then?"]],
  ["warm-error", "edit", ["error-400", "and then?"]],
  ["warm-hook-refused", "edit", ["hook-refused"]],
] as const)(
  "warm, its lines come in the order of the recording %s",
  async (name, permissionMode, prompts) => {
    await using fake = startFake("warm", { permissionMode });

    for (const prompt of prompts) await fake.say(prompt);

    const hooks = (kind: string) => !kind.includes("hook_execution");
    expect(kindsOf(fake.lines)).toEqual(kindsOf(recorded(name)).filter(hooks));
  },
);

test("an interrupt in mid-stream and one in a tool give the lines of the recording warm-interrupt", async () => {
  await using fake = startFake("warm", { permissionMode: "full" });
  for (const [prompt, isUnderWay] of [
    ["slow=20 one two three four five six seven eight", isText],
    ["tool=sleep 301", isTool],
  ] as const) {
    fake.send(prompt);
    await fake.until(isUnderWay, "the turn under way");
    fake.interrupt("stop");
    await fake.until(isEnd, "the end of the turn");
  }
  await fake.say("still there?");

  // When the interrupt is acknowledged depends on what the real one has to end first.
  const told = (lines: readonly string[]) => kindsOf(lines.filter((line) => !line.includes('"response"')));
  expect(told(fake.lines)).toEqual(told(recorded("warm-interrupt")));
  await waitFor(() => descendantsOf(fake.pid).length === 0, { what: "the end of the tool's process" });
});

test("each form goes on with a session of the other, and its system prompt goes with it", async () => {
  await using begun = startFake("warm", {}, { systemPrompt: "Be brief." });
  const sessionId = sessionOf(await begun.say("first"));
  const fork = await carry("second", { sessionId, resume: true });

  await using loaded = startFake("warm", { sessionId: sessionOf(fork.decoded), resume: true });

  expect(sessionOf(fork.decoded)).not.toBe(sessionId);
  expect(answerOf(await loaded.say("recall"))).toBe("Earlier you said: first | second");
  expect(answerOf(await loaded.say("recall-system"))).toBe("System prompt: Be brief.");
});

test("a session that is unknown ends one-turn without a word, and warm it is lost", async () => {
  await using warm = startFake("warm", { resume: true });

  const { exit, lines, stderr } = await carry("hello", { resume: true });
  await warm.say("hello");

  expect([exit, lines, stderr]).toEqual([1, [], ""]);
  expect(verdicts(warm.decoded)).toMatchObject([{ kind: "failed", code: "session_lost" }]);
});

test.each([
  ["read", "tool=touch d1.txt", [false, false]],
  ["edit", "tool=touch d2.txt", [true, true]],
  ["edit", "risky=touch d3.txt", [false, false]],
  ["full", "risky=touch d4.txt", [true, true]],
] as const)("in mode %s, %s is done one-turn and warm: %j", async (permissionMode, prompt, done) => {
  await using warm = startFake("warm", { permissionMode });
  const path = join(home.path, /d\d\.txt/.exec(prompt)?.[0] ?? "");

  await carry(prompt, { permissionMode });
  const once = existsSync(path);
  await warm.say(prompt.replace(".txt", ".warm"));

  expect([once, existsSync(path.replace(".txt", ".warm"))]).toEqual([...done]);
});

test("a tool that is denied in a fork is only cancelled, and the turn goes on", async () => {
  const { decoded: first } = await carry("first");

  const { decoded } = await carry("risky=touch x", { sessionId: sessionOf(first), resume: true });

  expect(eventsOf(decoded, "notice")).toMatchObject([{ code: "permission_denied" }]);
  expect(answerOf(decoded)).toContain("cancelled");
});

test("a signal ends a tool and the turn goes on; without a tool it ends the process", async () => {
  await using tool = startFake("oneTurn", { permissionMode: "full" });
  await using held = startFake("oneTurn");
  tool.send("tool=sleep 301");
  held.send("hold");
  await tool.until(isTool, "the tool");
  await held.until(isText, "the first text");

  for (const fake of [tool, held]) fake.signal("SIGINT");

  expect([await tool.exited, await held.exited]).toEqual([0, 0]);
  expect(answerOf(tool.decoded)).toContain("terminated by signal");
  expect([verdicts(tool.decoded).length, verdicts(held.decoded)]).toEqual([1, []]);
});

test("late text follows the end of an interrupted turn, and belongs to none", async () => {
  await using fake = startFake("warm");
  fake.send("late-text");
  await fake.until(isText, "the first text");

  fake.interrupt("stop");
  await waitFor(() => anomalyCodes(fake.decoded).includes("output_after_result"), { what: "the late text" });

  expect(answerOf(await fake.say("and on"))).toBe("You said: and on");
});

test.each([
  ["refused-handshake", false, "unready"],
  ["unreadable-handshake", false, "unready"],
  ["no-such-model", false, "unready"],
  ["refused-settings", true, "unready"],
  ["signed-out", false, "failed"],
])("with the model %s nothing is asked of the model (resumed: %p)", async (model, resume, kind) => {
  const { decoded } = await carry("first");
  await using fake = startFake("warm", { sessionId: sessionOf(decoded), model, resume });

  await fake.say("hello");

  expect(verdicts(fake.decoded)).toMatchObject([{ kind }]);
  expect(fake.inputs.join("")).not.toContain("add_user_message");
});

test.each([
  ["dying-handshake", false, false],
  ["dying-session", false, true],
  ["dying-session", true, true],
])("with the model %s it dies before it answers a turn (resumed: %p)", async (model, resume, isOpened) => {
  const { decoded } = await carry("first");
  await using fake = startFake("warm", { sessionId: sessionOf(decoded), model, resume });

  fake.send("hello");

  expect(await fake.exited).toBe(1);
  expect([verdicts(fake.decoded), fake.lines.length > 0]).toEqual([[], isOpened]);
});

test.each([
  ["error-401", "auth_required"],
  ["error-403", "auth_required"],
  ["error-429", "rate_limited"],
  ["error-529", "overloaded"],
  ["error-400", "cli_error"],
  ["repetition", "cli_error"],
])("%s means %s in both forms", async (prompt, code) => {
  await using warm = startFake("warm");

  const { exit, decoded } = await carry(prompt);

  expect(exit).toBe(1);
  for (const one of [decoded, await warm.say(prompt)])
    expect(verdicts(one)).toMatchObject([{ kind: "failed", code }]);
});

test("of retries and remarks only the warm form tells, and an asked user cancels", async () => {
  await using fake = startFake("warm");

  const once = await carry("retries=2 remark ask-user");
  const notices = (decoded: readonly Decoded[]) => eventsOf(decoded, "notice").map(({ code }) => code);

  expect(notices(once.decoded)).toEqual([]);
  expect(notices(await fake.say("retries=2"))).toEqual(["api_retry", "api_retry"]);
  expect(notices(await fake.say("remark"))).toEqual(["cli_warning"]);
  expect(notices(await fake.say("ask-user"))).toEqual(["cli_warning"]);
});

test.each([
  ["double-end", ["duplicate_result"]],
  ["after-end", ["output_after_result", "output_after_result"]],
  ["banner", ["parse_error", "parse_error"]],
  ["unknown-events=2", ["unknown_event", "unknown_event"]],
  ["broken-stream", []],
])("warm, %s is no more than an anomaly", async (prompt, codes) => {
  await using fake = startFake("warm");

  const decoded = await fake.say(prompt);
  await waitFor(() => anomalyCodes(fake.decoded).length === codes.length, { what: "the anomalies" });

  expect(answerOf(decoded)).toBe(`You said: ${prompt}`);
  expect(anomalyCodes(fake.decoded)).toEqual(codes);
});

test("it tells its version, and doesn't know every model", async () => {
  const version = Bun.spawnSync([executable, "--version"], { env: { PATH: Bun.env["PATH"] ?? "" } });

  const { exit, stderr, lines } = await carry("hello", { model: "no-such-model" });

  expect(version.stdout.toString()).toBe("0.225.2\n");
  expect([exit, stderr.split("\n")[0], lines]).toEqual([1, "Invalid model: no-such-model", []]);
});
