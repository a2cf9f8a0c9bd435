import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { cliNames } from "../../src/domain/agent.ts";
import { type RunErrorCode, runErrorCodes, runErrors } from "../../src/domain/error-codes.ts";
import { findHttpStatus } from "../../src/domain/failure-status.ts";
import {
  classifyFailure,
  failureRows,
  findFailure,
  type SeenFailure,
  unexplainedFailure,
} from "../../src/domain/failure-taxonomy.ts";

const statusesOfAll: [httpStatus: number, code: RunErrorCode][] = [
  [400, "cli_error"],
  [401, "auth_required"],
  [402, "rate_limited"],
  [403, "auth_required"],
  [404, "cli_error"],
  [413, "cli_error"],
  [422, "cli_error"],
  [429, "rate_limited"],
  [500, "overloaded"],
  [502, "overloaded"],
  [503, "overloaded"],
  [504, "overloaded"],
  [529, "overloaded"],
];

describe("the status of the model's API", () => {
  test.each(statusesOfAll)("%d means %s, whichever CLI it is told by", (httpStatus, code) => {
    const codes = cliNames.map((cli) => classifyFailure({ cli, httpStatus, text: "" }).code);

    expect(codes).toEqual(cliNames.map(() => code));
  });

  test.each<[string, number | null]>([
    ["API Error: 500 Internal server error (fake)", 500],
    ["API Error: Repeated 529 Overloaded errors.", 529],
    ["API Error: Request rejected (429) · Rate limited (fake)", 429],
    ['[API Error: {"error":{"code":401,"message":"invalid"}}]', 401],
    ['429 {"type":"error","error":{"type":"rate_limit_error"}}', 429],
    ["402 Insufficient credits", 402],
    ["It took 500 ms and 429 tokens.", null],
    ["Exit code 404", null],
    ["", null],
  ])("is read out of %p", (text, httpStatus) => {
    expect(findHttpStatus(text)).toBe(httpStatus);
  });
});

describe("words that no recording shows", () => {
  test.each<[string, SeenFailure]>([
    [
      "claude-sign-in-busy",
      {
        cli: "claude",
        text: "server_error Failed to refresh OAuth token: another Claude Code process is refreshing it or exited",
      },
    ],
    [
      "claude-sign-in-ended",
      { cli: "claude", text: "authentication_failed Login expired · Please run /login" },
    ],
    [
      "claude-keychain",
      {
        cli: "claude",
        text: "invalid_request Failed to refresh OAuth token: can't save to the Keychain. If locked, run `security unlock-keychain`.",
      },
    ],
    [
      "gemini-tier-ended",
      {
        cli: "gemini",
        text: "IneligibleTierError: This client is no longer supported for\nGemini Code Assist for individuals.",
      },
    ],
    [
      "droid-key-unverified",
      {
        cli: "droid",
        text: "FACTORY_API_KEY could not be validated because the Factory API is not accessible.",
      },
    ],
    [
      "droid-sign-in-ended",
      {
        cli: "droid",
        text: "Authentication failed. Your login session may have expired. Please log in again using /login.",
      },
    ],
    [
      "droid-usage-limit",
      {
        cli: "droid",
        text: "BYOK Error: 429\n\nYour model provider's usage quota is exhausted. Limits reset at 3:00 PM.",
      },
    ],
    [
      "droid-overloaded",
      {
        cli: "droid",
        text: "This LLM provider is currently overloaded. Please switch to a different model and try again.",
      },
    ],
    [
      "droid-network",
      {
        cli: "droid",
        text: "Your request to the LLM failed due to network issues. Please try again later.",
      },
    ],
    [
      "api-credit-used-up",
      {
        cli: "acp",
        text: "You exceeded your current quota, please check your plan and billing details.",
      },
    ],
    [
      "gemini-rate-limit",
      { cli: "gemini", text: "You exceeded your current quota. Please retry in 5.8s.", httpStatus: 429 },
    ],
    ["network-broken-off", { cli: "gemini", text: "terminated" }],
    ["acp-overloaded", { cli: "acp", text: "Service Unavailable" }],
    ["acp-session-unknown", { cli: "acp", text: "Session 7f not found" }],
  ])("are %s", (id, seen) => {
    expect(classifyFailure(seen).id).toBe(id);
  });
});

describe("exit codes of Gemini CLI", () => {
  test.each<[number, string]>([
    [41, "gemini-not-signed-in"],
    [44, "gemini-settings"],
    [52, "gemini-settings"],
    [53, "gemini-turn-limit"],
    [55, "gemini-untrusted"],
    [145, "gemini-key-refused"],
    [173, "gemini-rate-limit"],
    [244, "gemini-failing"],
    [247, "gemini-failing"],
  ])("%d is %s, even without a word", (exitCode, id) => {
    expect(findFailure({ cli: "gemini", text: "", exitCode })?.id).toBe(id);
  });

  test.each([0, 1, 42, 130, 143])("%d alone says nothing", (exitCode) => {
    expect(findFailure({ cli: "gemini", text: "", exitCode })).toBeNull();
  });

  test("mean nothing of another CLI", () => {
    expect(findFailure({ cli: "claude", text: "", exitCode: 41 })).toBeNull();
  });
});

describe("the table", () => {
  test("names each row once, and shows it to people in sentences", () => {
    const ids = [...failureRows, unexplainedFailure].map(({ id }) => id);

    expect(ids.length).toBe(new Set(ids).size);
    for (const { id, sentence, advice, seen } of [...failureRows, unexplainedFailure]) {
      expect(id).toMatch(/^[a-z]+(?:-[a-z]+)*$/);
      expect(sentence).toMatch(/^[A-Z].*\.$/);
      expect(advice).toMatch(/^[A-Z].*\.$/);
      expect(seen).not.toBe("");
    }
  });

  test("has words of a CLI's own before those of anybody, so that they are reached", () => {
    const first = failureRows.findIndex(({ clis }) => clis === "all");

    expect(failureRows.slice(first).filter(({ clis, traces }) => clis !== "all" && traces)).toEqual([]);
  });

  test("advises a retry only where its code does, or knows better", () => {
    const unlike = failureRows.filter(({ code, retry }) => retry && !runErrors[code].retry);

    expect(unlike).toEqual([]);
  });

  test("has no pattern that remembers where it was", () => {
    const flags = failureRows.map(({ traces }) => traces?.wording?.flags ?? "");

    expect(flags.filter((flag) => /[gy]/.test(flag))).toEqual([]);
  });
});

test("an error that nobody knows is the CLI's, and speaks against it", () => {
  expect(classifyFailure({ cli: "droid", text: "flux capacitor empty" })).toBe(unexplainedFailure);
  expect(findFailure({ cli: "droid", text: "flux capacitor empty" })).toBeNull();
});

test("every text of a CLI has a row, and soon", () => {
  const seen = fc.record({
    cli: fc.constantFrom(...cliNames),
    httpStatus: fc.option(fc.integer({ min: 0, max: 999 })),
    text: fc.string({ maxLength: 2_000, unit: "binary" }),
    exitCode: fc.option(fc.integer({ min: 0, max: 255 })),
  });
  fc.assert(fc.property(seen, (failure) => runErrorCodes.includes(classifyFailure(failure).code)));
});

test("no long text makes a pattern run away", () => {
  const texts = ["context ", "API Error: ", "hit your ", "exceeds ", "Session ", "a", " "].map((piece) =>
    piece.repeat(100_000 / piece.length),
  );

  const rows = texts.flatMap((text) => cliNames.map((cli) => classifyFailure({ cli, text })));

  expect(new Set(rows)).toEqual(new Set([unexplainedFailure]));
});

describe("an error of a run", () => {
  test("counts against the service where the CLI or its provider is at fault", () => {
    const counting = runErrorCodes.filter((code) => runErrors[code].countsAgainstService);

    expect(counting).toEqual([
      "spawn_error",
      "exit_before_output",
      "exit_nonzero",
      "exit_nonzero_after_result",
      "signal",
      "no_result",
      "cli_error",
      "auth_required",
      "rate_limited",
      "overloaded",
      "stalled",
      "tmux_gone",
      "pane_dead",
    ]);
  });
});
