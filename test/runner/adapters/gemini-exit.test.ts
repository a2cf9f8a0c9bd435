import { expect, test } from "bun:test";
import { explainGeminiExit } from "../../../src/runner/adapters/gemini-exit.ts";

const exit = { exitCode: 0, signal: null, stderrTail: "", printed: true };

test.each([
  ["exit 0 with output", exit, "no_result"],
  ["exit 0 without any", { ...exit, printed: false }, "exit_before_output"],
  ["exit 1 with output", { ...exit, exitCode: 1 }, "exit_nonzero"],
  ["exit 1 without any", { ...exit, exitCode: 1, printed: false }, "exit_before_output"],
  ["exit 41", { ...exit, exitCode: 41, printed: false }, "auth_required"],
  ["exit 55", { ...exit, exitCode: 55, printed: false }, "cli_error"],
  ["exit 143, which is nobody's SIGTERM", { ...exit, exitCode: 143 }, "exit_nonzero"],
  ["a signal", { ...exit, exitCode: null, signal: "SIGTERM" }, "signal"],
] as const)("an end without a result is explained: %s", (_how, ended, code) => {
  expect(explainGeminiExit(ended).code).toBe(code);
});

test.each([144, 145, 147, 173, 244, 247])("exit code %p is no signal's", (exitCode) => {
  expect(explainGeminiExit({ ...exit, exitCode }).code).not.toBe("signal");
});

test("noise, stacks and repetitions are left out of the words", () => {
  const stderrTail = [
    "[STARTUP] Phase 'cleanup_ops' was started but never ended. Skipping metrics.",
    "YOLO mode is enabled. All tool calls will be automatically approved.",
    "(node:6206) MaxListenersExceededWarning: Possible EventEmitter memory leak detected.",
    "Error authenticating: FatalAuthenticationError: Please log in.",
    "    at initOauthClient (file:///opt/gemini-cli/bundle/chunk.js:279252:13) {",
    "  exitCode: 41",
    "}",
    "\u001b[31mPlease log in.\u001b[0m",
  ].join("\n");

  const { code, message } = explainGeminiExit({ ...exit, exitCode: 41, stderrTail });

  expect(code).toBe("auth_required");
  expect(message).toStartWith("Please log in. ");
  expect(message.match(/log in/g)).toHaveLength(1);
});

test("stderr that holds nothing but noise leaves it to our own words", () => {
  const stderrTail = "Ripgrep is not available. Falling back to GrepTool.\n";

  expect(explainGeminiExit({ ...exit, stderrTail })).toEqual({
    code: "no_result",
    message: "The CLI ended with exit code 0 without giving a result.",
  });
});

test("the help that follows a wrong argument is left out", () => {
  const stderrTail = `Unknown arguments: such-flag\nUsage: gemini [options] [command]\n\n${"  --help\n".repeat(300)}`;

  expect(explainGeminiExit({ ...exit, exitCode: 1, stderrTail }).message).toBe(
    "Unknown arguments: such-flag",
  );
});

test("however long the words are, the message has its limit and ends with what to do", () => {
  const stderrTail = `Invalid auth method selected. ${"x ".repeat(4000)}`;

  const { message } = explainGeminiExit({ ...exit, exitCode: 41, stderrTail });

  expect(message.length).toBeLessThanOrEqual(2000);
  expect(message).toEndWith("then send it again.");
});

test("what would turn its words round is left out", () => {
  const stderrTail = "Unknown \u202eargument\u202c: \u2066x\u2069";

  expect(explainGeminiExit({ ...exit, exitCode: 1, stderrTail }).message).toBe("Unknown argument: x");
});
