import { afterAll, expect, test } from "bun:test";
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { geminiAdapter } from "../../../src/runner/adapters/gemini.ts";
import { answerOf, anomalyCodes, eventsOf, isEnd, isText, verdicts } from "../../contract/decoded.ts";
import { descendantsOf } from "../../helpers/survivors.ts";
import { waitFor } from "../../helpers/wait.ts";
import { fakeContract } from "./fake-contract.ts";
import { forms, openFakeStage } from "./fake-stage.ts";

/* The fake must talk as the real one was recorded, and misbehave as it is told: other tests lean on both. */

const stage = openFakeStage(geminiAdapter, "0.61.0");
const { executable, home, start: startFake, carry, recorded } = stage;
afterAll(() => stage[Symbol.dispose]());

/** What kinds of lines came in which order; several of a kind in a row count as one. */
function kindsOf(lines: readonly string[]): string[] {
  const kinds = lines.map((line) => {
    const {
      type,
      role = "",
      method,
      params,
    } = JSON.parse(line) as {
      type?: string;
      role?: string;
      method?: string;
      params?: { update?: { sessionUpdate: string } };
    };
    return [type ?? method ?? "reply", role, params?.update?.sessionUpdate ?? ""].filter(Boolean).join("/");
  });
  return kinds.filter((kind, at) => kind !== kinds[at - 1]);
}

fakeContract(stage, {
  oneTurn: "stream-json",
  end: "results",
  interrupt: "a cancel",
  kindsOf,
  recordings: [
    ["simple", "hello there", "edit"],
    ["tool_use", "tool=echo done", "full"],
    ["tool_use_denied", "tool=touch made.txt", "edit"],
    ["empty_answer", "empty", "edit"],
    ["error_401", "error-401", "edit"],
    ["error_503_twice", "retries=2", "edit"],
    ["cancel_sigint", "liar", "edit"],
  ],
  exits: [
    ["double-result", 0, 1],
    ["after-result", 0, 1],
    ["session-mismatch", 0, 1],
  ],
});

test("its ACP speaks in the order of the recording acp_tools", async () => {
  await using fake = startFake("warm", { permissionMode: "full" });
  for (const prompt of ["hello there", "think again", "tool=echo one", "write=made.txt", "tool=false"])
    await fake.say(prompt);

  const kinds = kindsOf(fake.lines).filter((kind) => !kind.includes("commands"));
  expect(kinds).toEqual(kindsOf(recorded("acp_tools")).filter((kind) => !kind.includes("commands")));
});

test("each of its forms goes on with a session of the other", async () => {
  const sessionId = randomUUID();
  await carry("first", { sessionId });

  await using warm = startFake("warm", { sessionId, resume: true });
  await warm.say("second");
  const { decoded } = await carry("recall", { sessionId, resume: true });

  expect(answerOf(decoded)).toBe("Earlier you said: first | second");
});

test.each(forms)("a session that is unknown, or of another folder, is lost (%s)", async (form) => {
  const elsewhere = join(home.path, "elsewhere");
  mkdirSync(elsewhere, { recursive: true });
  const sessionId = randomUUID();
  await carry("first", { sessionId });

  for (const spec of [{ sessionId: randomUUID() }, { sessionId, cwd: elsewhere }]) {
    await using fake = startFake(form, { ...spec, resume: true });
    fake.send("hello");
    await fake.ended();

    const code =
      form === "warm"
        ? verdicts(fake.decoded).map((verdict) => (verdict.kind === "failed" ? verdict.code : verdict.kind))
        : [explained(await fake.exited, await fake.stderr())];
    expect(code).toEqual(["session_lost"]);
  }
});

function explained(exit: number | NodeJS.Signals, stderrTail: string): string {
  const exitCode = typeof exit === "number" ? exit : null;
  const signal = typeof exit === "number" ? null : exit;
  return geminiAdapter.dialects.oneTurn.explainExit({ exitCode, signal, stderrTail, printed: false }).code;
}

test.each([
  ["a session id in use", {}, 42, "session_lost"],
  ["no sign-in", { sessionId: randomUUID(), model: "signed-out" }, 41, "auth_required"],
] as const)("it refuses %s as recorded", async (_what, spec, exitCode, code) => {
  const sessionId = randomUUID();
  await carry("mine", { sessionId });

  const { exit, stderr } = await carry("hello", { sessionId, ...spec });

  expect([exit, explained(exit, stderr)]).toEqual([exitCode, code]);
});

test("in ACP it asks before a tool, and does as it is told", async () => {
  await using careful = startFake("warm", { permissionMode: "read" });
  await using bold = startFake("warm", { permissionMode: "full" });

  const refused = await careful.say("tool=touch refused.txt");
  const allowed = await bold.say("tool=touch allowed.txt");

  expect(eventsOf(refused, "notice").map(({ code }) => code)).toEqual(["permission_denied"]);
  expect(eventsOf(allowed, "tool.finished")).toMatchObject([{ isError: false }]);
  const made = ["refused.txt", "allowed.txt"].map((name) => existsSync(join(home.path, name)));
  expect(made).toEqual([false, true]);
});

test.each([
  ["read", "write=w1.txt", false],
  ["edit", "write=w2.txt", true],
  ["edit", "tool=touch w3.txt", false],
  ["full", "tool=touch w4.txt", true],
] as const)("in stream-json mode %s, %s is done: %p", async (permissionMode, prompt, isDone) => {
  const { decoded } = await carry(prompt, { permissionMode });

  const denials = eventsOf(decoded, "notice").filter(({ code }) => code === "permission_denied");
  expect(denials).toHaveLength(isDone ? 0 : 1);
  expect(existsSync(join(home.path, /w\d\.txt/.exec(prompt)?.[0] ?? ""))).toBe(isDone);
});

test("a cancel of ACP ends the turn and its tool, and the process lives on", async () => {
  await using fake = startFake("warm", { permissionMode: "full" });
  fake.send("tool=sleep 302");
  const sleeps = () => descendantsOf(fake.pid).filter(({ argv }) => argv.includes("302"));
  await waitFor(() => sleeps().length > 0, { what: "the tool's process" });

  fake.interrupt("stop");
  await fake.until(isEnd, "the end of the turn");

  expect(verdicts(fake.decoded)).toEqual([{ kind: "aborted" }]);
  await waitFor(() => sleeps().length === 0, { what: "the end of the tool's process" });
  expect(answerOf(await fake.say("still there"))).toBe("You said: still there");
});

test.each(forms)("a signal ends it without a result, as recorded (%s)", async (form) => {
  await using fake = startFake(form);
  fake.send("hold");
  await fake.until(isText, "the first text");

  fake.signal("SIGINT");

  expect(await fake.exited).toBe(0);
  expect(verdicts(fake.decoded)).toEqual([]);
});

test("late chunks follow the reply to a cancel, and belong to no turn", async () => {
  await using fake = startFake("warm");
  fake.send("late-chunks");
  await fake.until(isText, "the first text");

  fake.interrupt("stop");
  await waitFor(() => anomalyCodes(fake.decoded).length > 0, { what: "the late chunks" });

  expect(answerOf(await fake.say("and on"))).toBe("You said: and on");
});

test.each([
  ["refused-handshake", "unready"],
  ["old-handshake", "unready"],
  ["lost-session", "failed"],
  ["signed-out", "failed"],
] as const)("with the model %s nothing is asked of the model", async (model, kind) => {
  const sessionId = randomUUID();
  await carry("first", { sessionId });
  await using fake = startFake("warm", { model, sessionId, resume: model === "lost-session" });

  fake.send("hello");
  await fake.ended();

  expect(verdicts(fake.decoded)).toMatchObject([{ kind }]);
  expect(fake.inputs.join("")).not.toContain("session/prompt");
});

test.each([["dying-handshake"], ["dying-session"]])(
  "with the model %s it dies before the prompt",
  async (model) => {
    await using fake = startFake("warm", { model });

    fake.send("hello");

    expect(await fake.exited).toBe(1);
    expect(verdicts(fake.decoded)).toEqual([]);
  },
);

test("with the model silent-handshake it answers nothing, and ends with its input", async () => {
  await using fake = startFake("warm", { model: "silent-handshake" });

  fake.send("hello");
  fake.closeInput();

  expect([await fake.exited, fake.lines]).toEqual([0, []]);
});

test.each([
  ["error-401", 145, "auth_required"],
  ["error-429", 173, "rate_limited"],
  ["error-503", 247, "overloaded"],
  ["error-400", 144, "cli_error"],
])("%s ends stream-json with %p, and in both forms means %s", async (prompt, exitCode, code) => {
  await using warm = startFake("warm");

  const { exit, decoded } = await carry(prompt);

  expect(exit).toBe(exitCode);
  for (const one of [decoded, await warm.say(prompt)])
    expect(verdicts(one)).toMatchObject([{ kind: "failed", code }]);
});

test.each(forms)("retries are told on stderr only, and noise means nothing (%s)", async (form) => {
  await using fake = startFake(form);

  const decoded = await fake.say("retries=2 noisy");

  expect(answerOf(decoded)).toBe("You said: retries=2 noisy");
  await waitFor(() => eventsOf(fake.decoded, "notice").length === 2, { what: "both retries" });
});

test("it tells its version, and nothing of a folder that isn't declared trusted", async () => {
  const version = Bun.spawnSync([executable, "--version"], { env: { PATH: Bun.env.PATH ?? "" } });
  const untrusting = Bun.spawnSync([executable], { env: { PATH: Bun.env.PATH ?? "" } });

  expect(version.stdout.toString()).toBe("0.61.0\n");
  expect([untrusting.exitCode, untrusting.stdout.toString()]).toEqual([55, ""]);
});

test("an answer in another session's name is no success, in ACP", async () => {
  await using fake = startFake("warm");

  const [first, second] = [await fake.say("session-mismatch"), await fake.say("hello")];

  for (const decoded of [first, second]) {
    expect(decoded.map(({ kind }) => kind)).toContain("session.mismatch");
    expect(decoded.map(({ kind }) => kind)).toContain("retire");
    expect(verdicts(decoded)).toMatchObject([{ kind: "failed", code: "cli_error" }]);
  }
});

test.each(forms)("what its policy denies is told as denied (%s)", async (form) => {
  await using fake = startFake(form);
  fake.send("denied");
  await fake.ended();

  const notices = eventsOf(fake.decoded, "notice").map(({ code }) => code as string);
  expect(notices).toEqual(["permission_denied"]);
});

test.each(forms)("a session that an earlier Headway kept by a foreign id is lost (%s)", async (form) => {
  await using fake = startFake(form, { sessionId: "../s-1", resume: true });
  fake.send("hello");
  await fake.ended();

  const [verdict] = verdicts(fake.decoded);
  const stderrTail = await (form === "warm" ? "" : fake.stderr());
  const failure =
    verdict ??
    geminiAdapter.dialects[form].explainExit({ exitCode: 42, signal: null, stderrTail, printed: false });
  expect(failure).toMatchObject({ code: "session_lost" });
});
