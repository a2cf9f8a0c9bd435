import { expect, test } from "bun:test";
import { droidAdapter } from "../../../src/runner/adapters/droid.ts";
import { spec } from "./droid-lines.ts";

const { warm, oneTurn } = droidAdapter.dialects;

test("one turn is a process of stream-json, and the prompt is its stdin", () => {
  expect(oneTurn.command(spec)).toEqual({
    file: "/opt/droid",
    args: ["exec", "--output-format", "stream-json", "--auto", "low"],
    env: { FACTORY_DROID_AUTO_UPDATE_ENABLED: "false" },
  });
  expect(oneTurn.promptEndsInput).toBe(true);
});

test.each([
  ["read", ["--remove-tools", "Execute"]],
  ["edit", ["--auto", "low"]],
  ["full", ["--auto", "high"]],
] as const)("one turn in mode %s has the arguments %j", (permissionMode, args) => {
  expect(oneTurn.command({ ...spec, permissionMode }).args.slice(3)).toEqual([...args]);
});

test("a session goes on as a fork of it, and a model is passed on", () => {
  const { args } = oneTurn.command({ ...spec, resume: true, model: "claude-opus-5" });

  expect(args).toEqual([
    "exec",
    "--output-format",
    "stream-json",
    "-m",
    "claude-opus-5",
    "--auto",
    "low",
    "--fork",
    spec.sessionId,
  ]);
});

test("a warm process is told everything by protocol, whatever its session is", () => {
  const { args } = warm.command({ ...spec, resume: true, model: "m", permissionMode: "full" });

  expect(args).toEqual(["exec", "--input-format", "stream-jsonrpc", "--output-format", "stream-jsonrpc"]);
  expect(warm.command(spec)).toEqual({ file: "/opt/droid", args, env: oneTurn.command(spec).env });
});

test("a turn that goes on after a signal doesn't count, and only its own key is handed on", () => {
  expect([oneTurn.goesOnWhenSignalled, warm.goesOnWhenSignalled]).toEqual([true, false]);
  expect(droidAdapter).toMatchObject({
    program: "droid",
    signInVariables: ["FACTORY_API_KEY"],
    sessionsKeepFolder: true,
    takesMcpConfig: false,
  });
  expect(droidAdapter.permissionModes(true)).toEqual(["read", "edit", "full"]);
});

test("one turn: the system prompt stands before the first prompt of a session, and nowhere else", () => {
  const systemPrompt = "Be brief.\n--dangerously";
  const begin = (over: object) => oneTurn.open({ ...spec, ...over }).begin("hello");

  expect(JSON.stringify(begin({ systemPrompt }))).toContain("Be brief.");
  expect(begin({ systemPrompt, resume: true })).toEqual([{ kind: "write", input: "hello" }]);
  expect(begin({ systemPrompt: null })).toEqual([{ kind: "write", input: "hello" }]);
});

const exit = { exitCode: 1, signal: null, stderrTail: "", printed: false };

test.each([
  [
    "a model that it doesn't know",
    { ...exit, stderrTail: "Invalid model: x\n\nAvailable:\n  y" },
    "cli_error",
  ],
  ["a flag that it doesn't know", { ...exit, stderrTail: "error: unknown option '--x'\n" }, "exit_nonzero"],
  ["no sign-in", { ...exit, stderrTail: "Not authenticated. Please log in using /login" }, "auth_required"],
  ["silence", exit, "exit_before_output"],
  ["silence and exit 0 after some lines", { ...exit, exitCode: 0, printed: true }, "no_result"],
  ["a signal", { ...exit, exitCode: null, signal: "SIGSEGV", printed: true }, "signal"],
] as const)("an end without a result is explained: %s", (_how, ended, code) => {
  for (const dialect of [warm, oneTurn]) expect(dialect.explainExit(ended).code).toBe(code);
});

test("of a long list of models the beginning is quoted, of anything else the end", () => {
  const models = `Invalid model: x\n${"a-model, ".repeat(500)}`;
  const trace = `${"at somewhere\n".repeat(500)}the reason`;

  expect(oneTurn.explainExit({ ...exit, stderrTail: models }).message).toStartWith("Invalid model: x");
  expect(oneTurn.explainExit({ ...exit, stderrTail: trace }).message).toEndWith("the reason");
});
