import { describe, expect, test } from "bun:test";
import type { RunErrorCode } from "../../src/domain/error-codes.ts";
import { failureRows } from "../../src/domain/failure-taxonomy.ts";
import type { TerminalState } from "../../src/domain/run-state.ts";
import { type EndedRun, serviceOutcomeOf } from "../../src/domain/service-outcome.ts";

const atMs = Date.parse("2026-11-22T12:00:00.000Z");

function ended(state: TerminalState, code: RunErrorCode | null, message = "No."): EndedRun {
  const error = code && { code, message };
  return { cli: "claude", state, error, isOurs: false, atMs, limitEndsAtMs: null, timeZone: "UTC" };
}

describe("what a run's end says of the service", () => {
  test("is good when it succeeded", () => {
    expect(serviceOutcomeOf(ended("succeeded", null))).toEqual({ kind: "succeeded" });
  });

  test.each([
    ["cancelled", null],
    ["interrupted", "shutdown"],
    ["interrupted", "server_restart"],
    ["timed_out", "deadline"],
    ["failed", "memory_limit"],
    ["failed", "process_limit"],
    ["failed", "output_limit"],
    ["failed", "store_error"],
    ["failed", "session_lost"],
    ["failed", "cli_not_found"],
    ["failed", "cwd_missing"],
  ] as const)("is nothing when it was %s with %s", (state, code) => {
    expect(serviceOutcomeOf(ended(state, code))).toEqual({ kind: "uncounted" });
  });

  test.each([
    ["failed", "exit_nonzero"],
    ["failed", "exit_before_output"],
    ["failed", "no_result"],
    ["failed", "signal"],
    ["failed", "overloaded"],
    ["timed_out", "stalled"],
  ] as const)("is bad when it was %s with %s", (state, code) => {
    expect(serviceOutcomeOf(ended(state, code))).toMatchObject({ kind: "failed", code, resetAtMs: null });
  });

  test("is nothing when the model's provider refused the request, though the code is that of other failures", () => {
    const refused = ended("failed", "cli_error", "API Error: 400 invalid_request_error: messages: too few");
    const unexplained = ended("failed", "cli_error", "Something odd happened.");

    expect(serviceOutcomeOf(refused)).toEqual({ kind: "uncounted" });
    expect(serviceOutcomeOf(unexplained)).toMatchObject({ kind: "failed", code: "cli_error" });
  });

  test("has the time at which a limit is over where the CLI tells it, in the server's zone where it names none", () => {
    const inUtc = serviceOutcomeOf(
      ended("failed", "rate_limited", "You've hit your session limit · resets 3pm"),
    );
    const inTokyo = serviceOutcomeOf({
      ...ended("failed", "rate_limited", "You've hit your session limit · resets 11pm"),
      timeZone: "Asia/Tokyo",
    });
    const untold = serviceOutcomeOf(ended("failed", "rate_limited", "API Error: 429"));

    expect(inUtc).toMatchObject({ resetAtMs: Date.parse("2026-11-22T15:00:00.000Z") });
    expect(inTokyo).toMatchObject({ resetAtMs: Date.parse("2026-11-22T14:00:00.000Z") });
    expect(untold).toMatchObject({ kind: "failed", resetAtMs: null });
  });

  test("is nothing when the machine refused to start the CLI, and bad when the CLI can't be started", () => {
    const refused = ended("failed", "spawn_error", "The system refused to start the CLI (EAGAIN).");

    expect(serviceOutcomeOf({ ...refused, isOurs: true })).toEqual({ kind: "uncounted" });
    expect(serviceOutcomeOf(refused)).toMatchObject({ kind: "failed", code: "spawn_error" });
  });

  test("has the time that the CLI gave as a number, unless that can't be", () => {
    const limited = ended("failed", "rate_limited", "You've hit your session limit · resets 3pm");
    const resetOf = (limitEndsAtMs: number) => {
      const outcome = serviceOutcomeOf({ ...limited, limitEndsAtMs });
      return outcome.kind === "failed" ? outcome.resetAtMs : null;
    };

    expect(resetOf(atMs + 60_000)).toBe(atMs + 60_000);
    expect([atMs, atMs * 1_000].map(resetOf)).toEqual([atMs + 3 * 3_600_000, atMs + 3 * 3_600_000]);
    expect(
      serviceOutcomeOf({ ...ended("failed", "overloaded"), limitEndsAtMs: atMs + 60_000 }),
    ).toMatchObject({ kind: "failed", resetAtMs: null });
  });

  test("is what the table of failures says wherever a message ends with a row's advice", () => {
    const recognised = failureRows.filter(({ clis }) => clis === "all" || clis.includes("claude"));

    for (const { code, advice, countsAgainstService } of recognised) {
      const outcome = serviceOutcomeOf(ended("failed", code, `It says so. ${advice}`));
      const known = recognised.find((row) => row.code === code && row.advice === advice);
      expect([code, outcome.kind]).toEqual([code, known?.countsAgainstService ? "failed" : "uncounted"]);
      if (outcome.kind === "failed" && countsAgainstService) expect(outcome.advice).toBe(advice);
    }
  });
});
