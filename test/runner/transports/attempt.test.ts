import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type AttemptEnd, type Remedies, remedyFor } from "../../../src/runner/transports/attempt.ts";

const dead: AttemptEnd = {
  reused: false,
  isOneTurn: false,
  resumed: false,
  prompted: true,
  silent: true,
  spoke: false,
  printed: false,
  stopped: false,
  verdict: null,
  failure: { code: "exit_before_output", message: "" },
};
const untried: Remedies = { replaced: false, fellBack: false, renewed: false };

describe("a turn is begun once more", () => {
  test("when its warm process was dead", () => {
    expect(remedyFor({ ...dead, reused: true }, untried)?.kind).toBe("replaced");
  });

  test("by a process of its own, when a warm one does not come up", () => {
    expect(remedyFor(dead, untried)?.kind).toBe("fellBack");
  });

  test("by a process of its own, when the warm one could not be made ready, and says why", () => {
    const verdict = { kind: "unready", code: "cli_error", message: "It speaks version 9." } as const;

    const remedy = remedyFor({ ...dead, verdict, failure: null }, untried);

    expect(remedy).toMatchObject({ kind: "fellBack", notice: { code: "cold_start" } });
    expect(remedy?.notice.message).toContain("It speaks version 9.");
  });

  test("in a fresh session, when a process of its own ends without a word on the old one", () => {
    const torn = { ...dead, isOneTurn: true, resumed: true };

    expect(remedyFor(torn, untried)).toMatchObject({ kind: "renewed", isCertain: false });
    expect(remedyFor({ ...torn, failure: { code: "signal", message: "" } }, untried)).toBeNull();
    expect(remedyFor({ ...torn, silent: false }, untried)).toBeNull();
  });

  test("in a fresh session, when the CLI has lost the old one", () => {
    const verdict = { kind: "failed", code: "session_lost", message: "" } as const;

    expect(remedyFor({ ...dead, printed: true, verdict }, untried)?.kind).toBe("renewed");
    expect(remedyFor({ ...dead, failure: { code: "session_lost", message: "" } }, untried)?.kind).toBe(
      "renewed",
    );
  });
});

describe("a turn is not begun again", () => {
  test.each([
    ["when it was stopped", { stopped: true }],
    ["when it had spoken: tools have side effects", { spoke: true }],
    ["when it had printed something", { printed: true }],
    ["when there is no such CLI", { failure: { code: "cli_not_found", message: "" } }],
    ["when nobody is signed in", { failure: { code: "auth_required", message: "" } }],
    [
      "when nobody is signed in, as it turned out while the protocol was opened",
      { verdict: { kind: "unready", code: "auth_required", message: "" } },
    ],
    ["when it was a one-turn process anyway", { isOneTurn: true }],
    ["when it succeeded", { verdict: { kind: "succeeded", result: "", byCliItself: false } }],
  ] as const)("%s", (_when, end) => {
    expect(remedyFor({ ...dead, ...(end as Partial<AttemptEnd>) }, untried)).toBeNull();
  });

  test("when its prompt has ended two processes, unless it never came to the second one", () => {
    const replaced = { ...untried, replaced: true };

    expect(remedyFor(dead, replaced)).toBeNull();
    expect(remedyFor({ ...dead, prompted: false }, replaced)?.kind).toBe("fellBack");
  });

  test("more often than there are remedies, whatever happens", () => {
    const end = fc.record({
      reused: fc.boolean(),
      isOneTurn: fc.boolean(),
      resumed: fc.boolean(),
      prompted: fc.boolean(),
      silent: fc.boolean(),
      spoke: fc.boolean(),
      printed: fc.boolean(),
      stopped: fc.boolean(),
      verdict: fc.constantFrom(
        null,
        { kind: "failed", code: "session_lost", message: "" } as const,
        { kind: "unready", code: "cli_error", message: "" } as const,
      ),
      failure: fc.constantFrom(
        null,
        { code: "session_lost", message: "" } as const,
        { code: "signal", message: "" } as const,
      ),
    });

    fc.assert(
      fc.property(fc.array(end, { minLength: 10, maxLength: 20 }), (ends) => {
        const tried = { ...untried };
        let attempts = 0;
        for (const one of ends) {
          const remedy = remedyFor(one, tried);
          if (!remedy) continue;
          expect(tried[remedy.kind]).toBe(false);
          tried[remedy.kind] = true;
          attempts++;
        }
        expect(attempts).toBeLessThanOrEqual(3);
      }),
    );
  });
});
