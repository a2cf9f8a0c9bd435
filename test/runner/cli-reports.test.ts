import { describe, expect, test } from "bun:test";
import { findClis, listClis, type CliReportsOptions } from "../../src/runner/cli-reports.ts";

const claude = { path: "/opt/claude", realPath: "/opt/claude" };
const never = () => new Promise<never>(() => undefined);

/** A machine with a good Claude Code on it and nothing else, but for what is given. */
function aMachine(given: Partial<CliReportsOptions> = {}): CliReportsOptions {
  return {
    environment: { HOME: "/nonexistent" },
    isRoot: false,
    keepsWarm: true,
    version: "1.0.0",
    findExecutable: (cli) => (cli === "claude" ? claude : null),
    readVersion: async () => "2.1.330",
    ...given,
  };
}

async function findClaude(given: Partial<CliReportsOptions> = {}, versionMsMax = 60_000) {
  const [finding] = await findClis(aMachine(given), versionMsMax);
  return finding!;
}

describe("what is missing of a CLI", () => {
  test("is nothing when it is there, and how to sign in is known all the same", async () => {
    const { missing, signIn, carried } = await findClaude();

    expect(missing).toEqual([]);
    expect(carried).toBe(true);
    expect(signIn?.command).toBe("claude auth login");
  });

  test("is the program, with the command that installs it", async () => {
    const { missing } = await findClaude({ findExecutable: () => null });

    expect(missing).toMatchObject([{ what: "install", command: "npm install -g @anthropic-ai/claude-code" }]);
  });

  test.each<[string, string[]]>([
    ["2.1.162", ["update"]],
    ["2.1.163", []],
    ["2.1.163-beta.1", []],
    ["10.0.0", []],
  ])("of version %s is %p", async (version, whats) => {
    const { missing } = await findClaude({ readVersion: async () => version });

    expect(missing.map(({ what }) => String(what))).toEqual(whats);
  });

  test("isn't told of a CLI that this release can't run", async () => {
    const findings = await findClis(aMachine(), 60_000);

    expect(findings.map(({ report, carried, missing }) => [report.cli, carried, missing])).toEqual([
      ["claude", true, []],
      ["gemini", false, []],
      ["droid", false, []],
      ["demo", true, []],
    ]);
  });
});

test("a program that doesn't tell its version is waited for no longer than allowed", async () => {
  const { report } = await findClaude({ readVersion: never }, 1);

  expect(report).toMatchObject({ found: true, version: null });
});

test("programs get the reports without what is for people", async () => {
  const [report] = await listClis(aMachine({ findExecutable: () => null }));

  expect(Object.keys(report!).toSorted()).not.toContain("missing");
  expect(report!.notes).toEqual(["Install it with: npm install -g @anthropic-ai/claude-code"]);
});
