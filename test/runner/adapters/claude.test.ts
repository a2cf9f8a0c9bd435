import { expect, test } from "bun:test";
import { join } from "node:path";
import { claudeAdapter } from "../../../src/runner/adapters/claude.ts";
import { adapterContract } from "../../contract/adapter-contract.ts";
import { recordedLines, recordingsFolder } from "./recordings.ts";

const spec = {
  executable: "/opt/claude",
  sessionId: "5b0f8f0e-7a45-4b7e-9d0c-3f1d2c4b5a69",
  resume: false,
  model: null,
  permissionMode: "edit",
  mcpConfigPath: null,
} as const;

const recording = (name: string) => recordedLines(join(recordingsFolder("claude", "2.1.330"), name));

/** The lines of one of a recording's turns, each up to its result. */
function turnOf(lines: readonly string[], number: number): string[] {
  const ends = lines.flatMap((line, at) => (line.includes('"type":"result"') ? [at + 1] : []));
  return lines.slice(ends[number - 1] ?? 0, ends[number]);
}

adapterContract("claude", () => {
  const session = recording("bidi_session");
  return {
    adapter: claudeAdapter,
    sessionId: "ab1250cb-e274-41f0-a368-eba79b9dd425",
    first: { lines: turnOf(session, 0), answer: "You said: first alpha" },
    second: { lines: turnOf(session, 1), answer: "Earlier you said: first alpha" },
    tool: { lines: recording("tool_use"), answer: "Tool said: done" },
    failed: recording("error_429_retries1"),
    interrupted: turnOf(session, 2),
  };
});

test("the command is the long-lived stream-json form with our own session id", () => {
  expect(claudeAdapter.command(spec)).toEqual({
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
  const { args } = claudeAdapter.command({
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
  expect(claudeAdapter.command({ ...spec, permissionMode: "full" }).args).toContain("bypassPermissions");
});

test("the system prompt goes by protocol before the first turn, and without one nothing is written", () => {
  const opening = claudeAdapter.opening({ systemPrompt: "Be brief.\n--dangerously" });

  expect(JSON.parse(opening)).toEqual({
    type: "control_request",
    request_id: "initialize",
    request: { subtype: "initialize", appendSystemPrompt: "Be brief.\n--dangerously" },
  });
  expect(claudeAdapter.opening({ systemPrompt: null })).toBe("");
});

test("an interrupt is a control request with the caller's id", () => {
  expect(claudeAdapter.interruptInput("run_1")).toBe(
    '{"type":"control_request","request_id":"run_1","request":{"subtype":"interrupt"}}\n',
  );
});

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
  expect(claudeAdapter.explainExit(ended).code).toBe(code);
});

test("the end of stderr is the message, and how it ended when stderr is silent", () => {
  expect(claudeAdapter.explainExit({ ...exit, stderrTail: "first\nthe reason\n" }).message).toBe(
    "first\nthe reason",
  );
  expect(claudeAdapter.explainExit({ ...exit, exitCode: 3 }).message).toBe(
    "The CLI ended with exit code 3 without giving a result.",
  );
});
