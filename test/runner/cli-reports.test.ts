import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { permissionModes } from "../../src/domain/agent.ts";
import type { Adapter, SessionSpec } from "../../src/runner/adapters/adapter.ts";
import { findAdapter } from "../../src/runner/adapters/registry.ts";
import { findClis, listClis, type CliReportsOptions } from "../../src/runner/cli-reports.ts";
import { judgeVersion, type KnownCli, knownClis, tooOldMessage } from "../../src/runner/known-clis.ts";
import type { CliReport, VersionJudgement } from "../../src/runner/runner-api.ts";
import { makeTempFolder } from "../helpers/temp.ts";

const never = () => new Promise<never>(() => undefined);
const tested = { claude: "2.1.330", gemini: "0.61.0", droid: "0.225.2" };
const clis = Object.keys(tested) as KnownCli[];

/** A machine with the three CLIs on it as the tests know them, but for what is given. */
function aMachine(given: Partial<CliReportsOptions> = {}): CliReportsOptions {
  return {
    environment: {},
    isRoot: false,
    keepsWarm: true,
    version: "1.0.0",
    findExecutable: (cli) => ({ path: `/opt/${cli}`, realPath: `/opt/${cli}` }),
    readVersion: async (cli) => tested[cli as KnownCli],
    listAcpAgents: () => [],
    listDrift: () => [],
    ...given,
  };
}

async function findCli(cli: KnownCli, given: Partial<CliReportsOptions> = {}, versionMsMax = 60_000) {
  const findings = await findClis(aMachine(given), versionMsMax);
  return findings.find(({ report }) => report.cli === cli)!;
}

const anAcpAgent: CliReport = {
  cli: "acp",
  acpAgent: "opencode",
  found: true,
  path: "/opt/opencode",
  version: null,
  tested: null,
  minimum: null,
  signedIn: "unknown",
  warm: true,
  permissionModes: ["read", "edit", "full"],
  notes: ["It is configured."],
};

describe("what is missing of a CLI", () => {
  test.each<[KnownCli, string]>([
    ["claude", "claude auth login"],
    ["gemini", "gemini"],
    ["droid", "droid"],
  ])("is nothing when %s is there, and how to sign in is known all the same", async (cli, command) => {
    const { missing, signIn, carried } = await findCli(cli);

    expect(missing).toEqual([]);
    expect(carried).toBe(true);
    expect(signIn?.command).toBe(command);
  });

  test.each<[KnownCli, string]>([
    ["claude", "npm install -g @anthropic-ai/claude-code"],
    ["gemini", "npm install -g @google/gemini-cli"],
    ["droid", "npm install -g @factory/cli"],
  ])("is the program of %s, with the command that installs it", async (cli, command) => {
    const { missing } = await findCli(cli, { findExecutable: () => null });

    expect(missing).toMatchObject([{ what: "install", command }]);
  });

  test.each<[KnownCli, string, string[]]>([
    ["claude", "2.1.162", ["update"]],
    ["claude", "2.1.163", []],
    ["claude", "2.1.163-beta.1", []],
    ["claude", "10.0.0", []],
    ["gemini", "0.39.0", ["update"]],
    ["gemini", "0.39.1", []],
    ["gemini", "0.62.0-nightly.20261120", []],
    ["droid", "0.1.0", []],
  ])("of %s %s is %p", async (cli, version, whats) => {
    const { missing } = await findCli(cli, { readVersion: async () => version });

    expect(missing.map(({ what }) => String(what))).toEqual(whats);
  });

  test("is told of an ACP agent whose program isn't there, as its report has it", async () => {
    const listAcpAgents = () => [
      { ...anAcpAgent, found: false, path: null, notes: ["opencode was not found."] },
    ];

    const findings = await findClis(aMachine({ listAcpAgents }), 60_000);

    expect(findings.find(({ report }) => report.cli === "acp")).toMatchObject({
      carried: true,
      missing: [{ what: "install", advice: "opencode was not found.", command: null }],
      signIn: null,
      permissionWords: null,
      takesMcpConfig: false,
    });
  });
});

test("the CLIs are listed in their order, then ACP agents, then the demo", async () => {
  const reports = await listClis(aMachine({ listAcpAgents: () => [anAcpAgent] }));

  expect(reports.map(({ cli }) => cli)).toEqual(["claude", "gemini", "droid", "acp", "demo"]);
});

describe("a version is", () => {
  test.each<[string | null, string | null, string | null, VersionJudgement]>([
    ["1.2.3", "1.2.3", "1.0.0", "ok"],
    ["1.1.0", "1.2.3", "1.0.0", "ok"],
    ["1.0.0", "1.2.3", "1.0.0", "ok"],
    ["0.9.9", "1.2.3", "1.0.0", "too_old"],
    ["0.9.9", "1.2.3", null, "ok"],
    ["1.2.4", "1.2.3", "1.0.0", "newer_than_tested"],
    ["1.10.0", "1.9.0", null, "newer_than_tested"],
    ["1.2.4", null, null, "ok"],
    [null, "1.2.3", "1.0.0", "unknown"],
  ])("%p, tested %p and at least %p: %s", (version, testedVersion, minimum, judgement) => {
    expect(judgeVersion(version, { tested: testedVersion, minimum })).toBe(judgement);
  });

  test("refused with a sentence that names both versions, the reason and the cure", () => {
    expect(tooOldMessage("0.38.0", knownClis.gemini)).toBe(
      "Gemini CLI 0.38.0 is older than 0.39.1, the oldest that Headway starts: older ones trust any folder by themselves when nobody is there to ask. Update it: npm install -g @google/gemini-cli@latest",
    );
  });
});

describe("the notes of a report tell", () => {
  const notesOn = async (cli: KnownCli, given: Partial<CliReportsOptions>) =>
    (await findCli(cli, given)).report.notes;

  test.each<[KnownCli, string]>([
    ["gemini", "GEMINI_API_KEY"],
    ["droid", "FACTORY_API_KEY"],
  ])("how to sign in to %s, where nobody has", async (cli, variable) => {
    const environment = { HOME: "/nonexistent" };

    const [note] = await notesOn(cli, { environment });
    const signedIn = await notesOn(cli, { environment: { ...environment, [variable]: "a-key" } });

    expect(note).toContain(`start Headway with ${variable}.`);
    expect(signedIn).not.toContain(note);
  });

  test("nothing of a version that the tests know", async () => {
    expect(await notesOn("claude", {})).toEqual([]);
  });

  test("that a version is newer than those that the tests know", async () => {
    expect(await notesOn("gemini", { readVersion: async () => "0.62.0" })).toEqual([
      "This version is newer than 0.61.0, the last that Headway's tests know.",
    ]);
  });

  test("which version the tests know, of an older one", async () => {
    expect(await notesOn("claude", { readVersion: async () => "2.1.200" })).toEqual([
      "Headway's tests were made with 2.1.330.",
    ]);
  });

  test("that a version is too old to be started", async () => {
    const [note] = await notesOn("claude", { readVersion: async () => "2.1.100" });

    expect(note).toContain("Claude Code 2.1.100 is older than 2.1.163");
  });

  test("that Claude Code refuses the mode full as root", async () => {
    expect(await notesOn("claude", { isRoot: true })).toEqual([
      "As root it refuses the permission mode full.",
    ]);
  });

  test("that Droid's modes are no sandbox", async () => {
    const notes = await notesOn("droid", {});

    expect(notes.join(" ")).toContain("no sandbox");
  });

  test("how Gemini CLI has to be told of a key, only where an address of its API is set", async () => {
    const environment = { GOOGLE_GEMINI_BASE_URL: "http://127.0.0.1:1" };

    expect(await notesOn("gemini", {})).toEqual([]);
    expect((await notesOn("gemini", { environment })).join(" ")).toContain("security.auth.selectedType");
  });
});

describe("whether somebody has signed in is", () => {
  async function signedIn(cli: KnownCli, files: string[], environment: Record<string, string> = {}) {
    using folder = makeTempFolder();
    for (const file of files) {
      mkdirSync(dirname(join(folder.path, file)), { recursive: true });
      writeFileSync(join(folder.path, file), "never read", { mode: 0 });
    }
    return (await findCli(cli, { environment: { HOME: folder.path, ...environment } })).report.signedIn;
  }

  test.each<[KnownCli, string]>([
    ["claude", "ANTHROPIC_API_KEY"],
    ["claude", "CLAUDE_CODE_OAUTH_TOKEN"],
    ["gemini", "GEMINI_API_KEY"],
    ["gemini", "GOOGLE_APPLICATION_CREDENTIALS"],
    ["droid", "FACTORY_API_KEY"],
  ])("yes for %s with %s", async (cli, variable) => {
    expect(await signedIn(cli, [], { [variable]: "a-key" })).toBe("yes");
    expect(await signedIn(cli, [], { [variable]: "" })).not.toBe("yes");
  });

  test.each<[KnownCli, string]>([
    ["claude", ".claude/.credentials.json"],
    ["gemini", ".gemini/oauth_creds.json"],
    ["gemini", ".gemini/gemini-credentials.json"],
    ["droid", ".factory/auth.v2.file"],
  ])("yes for %s with %s, which nobody reads", async (cli, file) => {
    expect(await signedIn(cli, [file])).toBe("yes");
  });

  test.each<[KnownCli, "no" | "unknown"]>([
    ["claude", "unknown"],
    ["gemini", "no"],
    ["droid", "no"],
  ])("what can be told of %s where it was never started: %s", async (cli, expected) => {
    expect(await signedIn(cli, [])).toBe(expected);
  });

  test.each<[KnownCli, string]>([
    ["claude", ".claude/settings.json"],
    ["gemini", ".gemini/settings.json"],
    ["droid", ".factory/settings.json"],
  ])("unknown for %s once it was started: a keychain may hold it", async (cli, file) => {
    expect(await signedIn(cli, [file])).toBe("unknown");
  });

  test("unknown without a home, and of a program that isn't there", async () => {
    const { report } = await findCli("gemini", { findExecutable: () => null });

    expect((await findCli("gemini")).report.signedIn).toBe("unknown");
    expect(report.signedIn).toBe("unknown");
  });

  test("missing where it is known to be", async () => {
    const { missing } = await findCli("gemini", { environment: { HOME: "/nonexistent" } });

    expect(missing).toMatchObject([{ what: "sign_in", command: "gemini" }]);
  });
});

test.each(clis)("the words for the permission modes of %s are those that it is started with", (cli) => {
  const { permissionWords } = knownClis[cli];
  const { dialects } = findAdapter(cli) as Adapter;
  const spec: SessionSpec = {
    executable: "/opt/cli",
    sessionId: "5b0f8f0e-7a45-4b7e-9d0c-3f1d2c4b5a69",
    resume: false,
    cwd: "/home/dev/project",
    model: null,
    permissionMode: "read",
    mcpConfigPath: null,
  };

  for (const permissionMode of permissionModes) {
    const args = dialects.oneTurn.command({ ...spec, permissionMode }).args.join(" ");
    const words = permissionWords[permissionMode];
    expect(args.includes(words.replace(/^no /, ""))).toBe(!words.startsWith("no "));
  }
});

test("a program that doesn't tell its version is waited for no longer than allowed", async () => {
  const { report, judgement } = await findCli("claude", { readVersion: never }, 1);

  expect(report).toMatchObject({ found: true, version: null });
  expect(judgement).toBe("unknown");
});

test("programs get the reports without what is for people", async () => {
  const [report] = await listClis(aMachine({ findExecutable: () => null }));

  expect(Object.keys(report!).toSorted()).toEqual(
    "acpAgent cli found minimum notes path permissionModes signedIn tested version warm".split(" "),
  );
  expect(report!.notes).toEqual(["Install it with: npm install -g @anthropic-ai/claude-code"]);
});
