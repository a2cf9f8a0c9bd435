import { afterAll, expect, test } from "bun:test";
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Decoded } from "../../../src/runner/adapters/adapter.ts";
import { claudeAdapter } from "../../../src/runner/adapters/claude.ts";
import { answerOf, anomalyCodes, eventsOf, isEnd, isText, isTool, verdicts } from "../../contract/decoded.ts";
import { descendantsOf } from "../../helpers/survivors.ts";
import { waitFor } from "../../helpers/wait.ts";
import { openFakeStage } from "./fake-stage.ts";
import type { Talk } from "./talk.ts";

/* The fake must talk as the real one was recorded, and misbehave as it is told: other tests lean on both. */

const stage = openFakeStage(claudeAdapter, "2.1.330");
const { home, recorded } = stage;
afterAll(() => stage[Symbol.dispose]());

function startFake(
  spec: { sessionId?: string; resume?: boolean } = {},
  env: Record<string, string> = {},
): Talk {
  return stage.start("warm", spec, { env, systemPrompt: "Be brief." });
}

interface Line {
  type: string;
  subtype?: string;
  event?: { type: string };
  message?: { content: { type: string }[] };
}

/** What kinds of lines came in which order; several deltas in a row count as one. */
function kindsOf(lines: readonly string[]): string[] {
  const kinds = lines.map((line) => {
    const { type, subtype = "", event, message } = JSON.parse(line) as Line;
    const blocks = message?.content.map((block) => block.type).join() ?? "";
    return [type, type === "result" ? "" : subtype, event?.type ?? "", blocks].filter(Boolean).join("/");
  });
  return kinds.filter((kind, at) => kind !== kinds[at - 1]);
}

/** The events of a FAKE_LOG, with their prompts. */
function eventsIn(log: string): string[] {
  const lines = existsSync(log) ? readFileSync(log, "utf8").split("\n").filter(Boolean) : [];
  const entries = lines.map((line) => JSON.parse(line) as { event: string; prompt: string });
  return entries.map(({ event, prompt }) => `${event} ${prompt}`.trim());
}

const isSession = (one: Decoded) => one.kind === "event" && one.event.type === "session";

test.each([
  ["simple_partial", "hello there"],
  ["tool_use", "tool=touch x.txt && echo done"],
])("its lines come in the order of the recording %s", async (name, prompt) => {
  await using fake = startFake();
  await fake.say(prompt);

  expect(kindsOf(fake.lines.slice(1))).toEqual(kindsOf(recorded(name)));
});

test("an interrupt in mid-stream gives the lines of the recording cancel_sigint, and the process lives on", async () => {
  await using fake = startFake();
  fake.send("slow=20 one two three four five six seven eight nine ten");
  await fake.until(isText, "the first word");

  fake.interrupt("stop");
  await fake.until(isEnd, "the end of the turn");

  const lines = fake.lines.filter((line) => !line.includes("control_response"));
  expect(kindsOf(lines)).toEqual(kindsOf(recorded("cancel_sigint")));
  expect(answerOf(await fake.say("still there"))).toBe("You said: still there");
});

test("it remembers a session over its processes, and knows its system prompt", async () => {
  const sessionId = randomUUID();
  await using before = startFake({ sessionId });
  await before.say("first");
  before.closeInput();
  expect(await before.exited).toBe(0);

  await using after = startFake({ sessionId, resume: true });

  expect(answerOf(await after.say("recall"))).toBe("Earlier you said: first");
  expect(answerOf(await after.say("recall-system"))).toBe("System prompt: Be brief.");
});

test("a session that is unknown, or in use, ends it as recorded", async () => {
  const sessionId = randomUUID();
  await using unknown = startFake({ sessionId, resume: true });
  expect(await unknown.exited).toBe(1);
  expect(verdicts(unknown.decoded)).toMatchObject([{ kind: "failed", code: "session_lost" }]);

  await using first = startFake({ sessionId });
  await first.say("mine");
  await using second = startFake({ sessionId });

  expect(await second.exited).toBe(1);
  expect(await second.stderr()).toBe(`Error: Session ID ${sessionId} is already in use.\n`);
});

test("costs and usage are one turn's, though the total runs on", async () => {
  await using fake = startFake();
  const costs = (decoded: Decoded[]) => decoded.flatMap((one) => (one.kind === "usage" ? [one.costUsd] : []));

  const first = costs(await fake.say("one two"));

  expect(costs(await fake.say("one two"))).toEqual(first);
  expect(first).toEqual([0.01008]);
});

test.each([
  ["banner", ["parse_error", "parse_error"]],
  ["unknown-events=2", ["unknown_event", "unknown_event"]],
  ["broken-stream", []],
  ["eof-early", []],
  ["long-line=1", []],
])("%s is no more than an anomaly", async (prompt, codes) => {
  await using fake = startFake();

  const decoded = await fake.say(prompt);

  expect(answerOf(decoded)).toBe(`You said: ${prompt}`);
  expect(anomalyCodes(decoded)).toEqual(codes);
});

test.each([
  ["double-result", "duplicate_result"],
  ["late-result=1", "duplicate_result"],
  ["after-result", "output_after_result"],
])("%s gives something after its result", async (prompt, code) => {
  await using fake = startFake();

  await fake.say(prompt);
  await waitFor(() => anomalyCodes(fake.decoded).length > 0, { what: code });

  expect(anomalyCodes(fake.decoded)).toEqual([code]);
});

test.each([
  ["error-401", "auth_required"],
  ["error-429", "rate_limited"],
  ["error-529", "overloaded"],
  ["is-error=no such thing", "cli_error"],
])("%s fails with %s", async (prompt, code) => {
  await using fake = startFake();

  expect(verdicts(await fake.say(prompt))).toMatchObject([{ kind: "failed", code }]);
});

test.each([
  ["exit=4", 4, false],
  ["exit-late=5", 5, false],
  ["liar", 0, false],
  ["torn", 0, false],
  ["liar-exit=3", 3, true],
  ["no-newline", 0, true],
  ["crash", "SIGSEGV", false],
])("%s ends it with %p, with a result: %p", async (prompt, how, hasResult) => {
  await using fake = startFake();
  fake.send(prompt);

  expect(await fake.exited).toBe(how as number);
  expect(verdicts(fake.decoded).length > 0).toBe(hasResult);
});

test.each(["forever", "silent"])("%s says nothing more and obeys an interrupt", async (prompt) => {
  await using fake = startFake();
  fake.send(prompt);

  fake.interrupt("stop");
  await fake.until(isEnd, "the end of the turn");

  expect(verdicts(fake.decoded)).toEqual([{ kind: "aborted" }]);
});

test("deaf obeys neither an interrupt nor a polite signal", async () => {
  const log = join(home.path, "deaf.jsonl");
  await using fake = startFake({}, { FAKE_LOG: log });
  fake.send("deaf");
  await fake.until(isSession, "init");

  for (const signal of ["SIGINT", "SIGTERM"] as const) fake.signal(signal);
  fake.interrupt("stop");
  await waitFor(() => eventsIn(log).length === 4, { what: "all three to be ignored" });

  expect(eventsIn(log).sort()).toEqual([
    "ignored SIGINT",
    "ignored SIGTERM",
    "ignored interrupt",
    "start deaf",
  ]);
  expect(verdicts(fake.decoded)).toEqual([]);
});

test("an interrupt ends a tool that runs in its own session", async () => {
  await using fake = startFake();
  fake.send("tool=sleep 301");
  const sleeps = () => descendantsOf(fake.pid).filter(({ argv }) => argv.includes("301"));
  await waitFor(() => sleeps().length > 0, { what: "the tool's process" });

  fake.interrupt("stop");
  await fake.until(isEnd, "the end of the turn");

  await waitFor(() => sleeps().length === 0, { what: "the end of the tool's process" });
  expect(eventsOf(fake.decoded, "tool.finished")).toMatchObject([{ isError: true }]);
});

test("a process dies on its second turn when it is told to, and a fresh one carries it", async () => {
  const sessionId = randomUUID();
  await using worn = startFake({ sessionId });
  await worn.say("hello");
  worn.send("die-before-output-once");
  expect(await worn.exited).toBe(1);

  await using fresh = startFake({ sessionId, resume: true });

  expect(answerOf(await fresh.say("die-before-output-once"))).toContain("You said");
});

const steps = [
  { think: "Let me see." },
  { say: "Looking." },
  { tool: "Read", id: "call-1", input: { file_path: "a.ts" }, output: "1 | hello" },
  { tool: "Bash", input: { command: "rm -rf /" }, output: "No.", denied: true },
  {
    line: { type: "rate_limit_event", rate_limit_info: { status: "rejected", resetsAt: 1_700_000_000 } },
  },
  { say: ["It says ", "exit=3."] },
];

test.each([
  ["in the prompt", `play=${steps.map((step) => JSON.stringify(step)).join("\n")}`],
  ["of the working directory", "please crash\nand play"],
])("it plays the steps %s, in their order", async (_where, prompt) => {
  writeFileSync(join(home.path, ".plays.json"), JSON.stringify({ "please crash": steps }));
  await using fake = startFake();

  const decoded = await fake.say(prompt);

  expect(answerOf(decoded)).toBe("It says exit=3.");
  expect(eventsOf(decoded, "thinking").map(({ text }) => text)).toEqual(["Let", " me", " see."]);
  expect(eventsOf(decoded, "tool.started")).toMatchObject([
    { toolId: "call-1", name: "Read", input: { file_path: "a.ts" } },
    { name: "Bash", input: { command: "rm -rf /" } },
  ]);
  expect(eventsOf(decoded, "tool.finished")).toMatchObject([
    { toolId: "call-1", isError: false, output: "1 | hello" },
    { isError: true, output: "No." },
  ]);
  expect(eventsOf(decoded, "notice").map(({ code }) => code)).toEqual(["permission_denied", "rate_limit"]);
  expect(verdicts(decoded)).toMatchObject([{ kind: "succeeded" }]);
});

test.each([
  ["a text", { say: "half a", hold: true }, "half a"],
  ["a tool", { tool: "Bash", input: { command: "make" } }, ""],
])("it holds in the middle of %s until it is interrupted", async (_what, step, said) => {
  await using fake = startFake();
  fake.send(`play=${JSON.stringify(step)}`);
  await fake.until((one) => isText(one) || isTool(one), "the beginning");

  fake.interrupt("stop");
  await fake.until(isEnd, "the end of the turn");

  expect(verdicts(fake.decoded)).toEqual([{ kind: "aborted" }]);
  expect(answerOf(fake.decoded)).toBe(said);
});

test("the log tells when turns start and end", async () => {
  const log = join(home.path, "turns.jsonl");
  await using fake = startFake({}, { FAKE_LOG: log });

  await fake.say("one");
  await fake.say("two");

  expect(eventsIn(log)).toEqual(["start one", "end one", "start two", "end two"]);
});

test("the small fake for measurements is understood as well", async () => {
  await using fake = stage.start("warm", { executable: `${stage.executable}-sh` });

  expect(answerOf(await fake.say("anything"))).toBe("ok");
  expect(answerOf(await fake.say("again"))).toBe("ok");
});
