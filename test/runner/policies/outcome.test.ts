import { expect, test } from "bun:test";
import fc from "fast-check";
import { runErrorCodes } from "../../../src/domain/error-codes.ts";
import { terminalStates } from "../../../src/domain/run-state.ts";
import { decideOutcome, type TurnEnd } from "../../../src/runner/policies/outcome.ts";

const success = { kind: "succeeded", result: "done", byCliItself: false } as const;
const nothing: TurnEnd = { verdict: null, stop: null, exitAfterResult: null, failure: null };

test("a result is a success", () => {
  expect(decideOutcome({ ...nothing, verdict: success })).toEqual({ state: "succeeded", error: null });
});

test("a result that came before our stop could take effect is still a success", () => {
  const end: TurnEnd = { ...nothing, verdict: success, stop: { kind: "cancel" } };

  expect(decideOutcome(end).state).toBe("succeeded");
});

test("a one-turn process that fails right after its result has failed", () => {
  const end: TurnEnd = { ...nothing, verdict: success, exitAfterResult: { exitCode: 3, signal: null } };

  const { state, error } = decideOutcome(end);

  expect(state).toBe("failed");
  expect(error).toEqual({
    code: "exit_nonzero_after_result",
    message: "The CLI gave a result and then ended with exit code 3.",
  });
});

test("a one-turn process that ends well after its result has succeeded", () => {
  const end: TurnEnd = { ...nothing, verdict: success, exitAfterResult: { exitCode: 0, signal: null } };

  expect(decideOutcome(end).state).toBe("succeeded");
});

test.each([
  [{ kind: "cancel" }, "cancelled", undefined],
  [{ kind: "deadline" }, "timed_out", "deadline"],
  [{ kind: "stalled", message: "silent" }, "timed_out", "stalled"],
  [{ kind: "shutdown" }, "interrupted", "shutdown"],
  [{ kind: "limit", code: "memory_limit" }, "failed", "memory_limit"],
  [{ kind: "store_error", message: "disk full" }, "failed", "store_error"],
] as const)("the stop %j makes the run %s", (stop, state, code) => {
  const outcome = decideOutcome({ ...nothing, stop });

  expect(outcome.state).toBe(state);
  expect(outcome.error?.code).toBe(code as never);
});

test("our stop counts more than what the CLI complained of because of it", () => {
  const verdict = { kind: "failed", code: "cli_error", message: "interrupted" } as const;

  expect(decideOutcome({ ...nothing, verdict, stop: { kind: "cancel" } }).state).toBe("cancelled");
});

test("a turn that the CLI ended by itself, unasked, has failed", () => {
  expect(decideOutcome({ ...nothing, verdict: { kind: "aborted" } }).error?.code).toBe("cli_error");
});

test("every end has exactly one outcome, with an error unless it succeeded or was cancelled", () => {
  const verdict = fc.constantFrom(
    null,
    success,
    { kind: "aborted" } as const,
    { kind: "failed", code: "cli_error", message: "" } as const,
  );
  const stop = fc.constantFrom(null, { kind: "cancel" } as const, { kind: "deadline" } as const);
  const exitAfterResult = fc.constantFrom(
    null,
    { exitCode: 0, signal: null },
    { exitCode: null, signal: "SIGKILL" },
  );
  const failure = fc.constantFrom(...runErrorCodes).map((code) => ({ code, message: "why" }));

  fc.assert(
    fc.property(verdict, stop, exitAfterResult, failure, (...[v, s, e, f]) => {
      const outcome = decideOutcome({ verdict: v, stop: s, exitAfterResult: e, failure: f });

      expect(terminalStates).toContain(outcome.state);
      expect(outcome.error === null).toBe(outcome.state === "succeeded" || outcome.state === "cancelled");
      if (outcome.error) expect(outcome.error.message).not.toBe("");
    }),
  );
});
