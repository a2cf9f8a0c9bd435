import { describe, expect, test } from "bun:test";
import { claudeAdapter } from "../../../src/runner/adapters/claude.ts";
import { inputsOf } from "../../contract/decoded.ts";

const { warm, oneTurn } = claudeAdapter.dialects;

const spec = {
  executable: "/opt/claude",
  sessionId: "5b0f8f0e-7a45-4b7e-9d0c-3f1d2c4b5a69",
  resume: false,
  cwd: "/home/dev/project",
  model: null,
  permissionMode: "edit",
  mcpConfigPath: null,
} as const;

test("the command is the long-lived stream-json form with our own session id", () => {
  expect(warm.command(spec)).toEqual({
    file: "/opt/claude",
    args: [
      "--disallowedTools",
      "Monitor,CronCreate,CronDelete,CronList,ScheduleWakeup",
      "-p",
      "--input-format",
      "stream-json",
      "--output-format",
      "stream-json",
      "--verbose",
      "--include-partial-messages",
      "--permission-mode",
      "acceptEdits",
      "--session-id",
      "5b0f8f0e-7a45-4b7e-9d0c-3f1d2c4b5a69",
    ],
    env: {
      DISABLE_AUTOUPDATER: "1",
      CLAUDE_CODE_MAX_RETRIES: "4",
      CLAUDE_CODE_DISABLE_BACKGROUND_TASKS: "1",
    },
  });
});

test("a session that the CLI has is resumed; model and MCP configuration are passed on, the latter last", () => {
  const { args } = warm.command({
    ...spec,
    resume: true,
    model: "opus",
    permissionMode: "read",
    mcpConfigPath: "/home/dev/mcp.json",
  });

  expect(args.slice(args.indexOf("--permission-mode"))).toEqual([
    "--permission-mode",
    "plan",
    "--resume",
    spec.sessionId,
    "--model",
    "opus",
    "--mcp-config",
    "/home/dev/mcp.json",
  ]);
});

test("full permission is offered to everybody but root", () => {
  expect(claudeAdapter.permissionModes(false)).toEqual(["read", "edit", "full"]);
  expect(claudeAdapter.permissionModes(true)).toEqual(["read", "edit"]);
  expect(warm.command({ ...spec, permissionMode: "full" }).args).toContain("bypassPermissions");
});

test("the two forms differ only in whether the prompt ends the input", () => {
  expect({ ...oneTurn, promptEndsInput: false }).toEqual(warm);
  expect([warm.promptEndsInput, oneTurn.promptEndsInput]).toEqual([false, true]);
});

describe("what is written to a process", () => {
  const message = (content: string) => ({ type: "user", message: { role: "user", content } });

  test("is the system prompt once, by protocol, and each prompt as one line", () => {
    const dialogue = warm.open({ ...spec, systemPrompt: "Be brief.\n--dangerously" });

    const first = linesIn(inputsOf(dialogue.begin("one\ntwo")));
    const second = linesIn(inputsOf(dialogue.begin("three")));

    expect(first).toMatchObject([
      {
        type: "control_request",
        request_id: "initialize",
        request: { subtype: "initialize", appendSystemPrompt: "Be brief.\n--dangerously" },
      },
      message("one\ntwo"),
    ]);
    expect(second).toMatchObject([message("three")]);
  });

  test("is nothing but the prompt where there is no system prompt", () => {
    const dialogue = warm.open({ ...spec, systemPrompt: null });

    expect(dialogue.prompted).toBe(false);
    expect(linesIn(inputsOf(dialogue.begin("hello")))).toMatchObject([message("hello")]);
    expect(dialogue.prompted).toBe(true);
  });

  test("is, to interrupt, a control request with the caller's id", () => {
    expect(warm.open({ ...spec, systemPrompt: null }).interrupt("run_1")).toBe(
      '{"type":"control_request","request_id":"run_1","request":{"subtype":"interrupt"}}\n',
    );
  });
});

function linesIn(inputs: readonly string[]): unknown[] {
  return inputs.flatMap((input) => input.trimEnd().split("\n")).map((line) => JSON.parse(line) as unknown);
}

const exit = { exitCode: 1, signal: null, stderrTail: "", printed: true };

test.each([
  ["exit 0 with output", { ...exit, exitCode: 0 }, "no_result"],
  ["exit 0 without any", { ...exit, exitCode: 0, printed: false }, "exit_before_output"],
  ["exit 1 without any", { ...exit, printed: false }, "exit_before_output"],
  ["exit 1 with output", exit, "exit_nonzero"],
  ["exit 1 with words on stderr only", { ...exit, printed: false, stderrTail: "boom" }, "exit_nonzero"],
  ["a signal", { ...exit, exitCode: null, signal: "SIGSEGV" }, "signal"],
  ["a refused key", { ...exit, stderrTail: "Invalid API key · Please run /login" }, "auth_required"],
  ["an unknown session", { ...exit, stderrTail: "No conversation found with session ID: x" }, "session_lost"],
  ["a session id in use", { ...exit, stderrTail: "Error: Session ID x is already in use." }, "session_lost"],
] as const)("an end without result is explained: %s", (_how, ended, code) => {
  expect(warm.explainExit(ended).code).toBe(code);
});

test("the end of stderr is the message, and how it ended when stderr is silent", () => {
  expect(warm.explainExit({ ...exit, stderrTail: "first\nthe reason\n" }).message).toBe("first\nthe reason");
  expect(warm.explainExit({ ...exit, exitCode: 3 }).message).toBe(
    "The CLI ended with exit code 3 without giving a result.",
  );
});
