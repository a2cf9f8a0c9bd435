import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { type Config, parseConfig, settings } from "../src/config.ts";
import { runRefusedServer } from "./helpers/server-process.ts";
import { makeTempFolder } from "./helpers/temp.ts";

const configOf = (environment: Record<string, string | undefined>): Config => {
  const parsed = parseConfig(environment);
  if (parsed.kind === "bad") throw new Error(parsed.message);
  return parsed.config;
};
const messageOf = (environment: Record<string, string>) => {
  const parsed = parseConfig(environment);
  return parsed.kind === "bad" ? parsed.message : null;
};

describe("without any variable", () => {
  test("everything is as the contract has it", () => {
    expect(configOf({})).toEqual({
      host: "127.0.0.1",
      port: 4270,
      publicUrls: [],
      dataDir: undefined,
      token: undefined,
      workspaces: [],
      claudePath: undefined,
      droidPath: undefined,
      geminiPath: undefined,
      passEnv: [],
      maxRuns: 10,
      queueLimit: 200,
      runTimeoutMs: 1_800_000,
      stallTimeoutMs: 300_000,
      firstOutputMs: 60_000,
      killGraceMs: 2_000,
      lingerMs: 2_000,
      drainMs: 10_000,
      warmProcesses: 4,
      warmIdleMs: 600_000,
      memoryLimitMb: 2_048,
      processLimit: 512,
      outputLimitMb: 256,
      lineLimitMb: 8,
      eventLimit: 100_000,
      logLimitMb: 16,
      logsTotalMb: 2_048,
      logKeepDays: 30,
      eventKeepDays: 0,
      maxStarts: 4,
      freeMemoryMb: 512,
      breakerFailures: 5,
      breakerPauseMs: 30_000,
      breakerPauseMaxMs: 900_000,
      sandbox: "auto",
      cgroup: "auto",
      selfTest: "auto",
      logLevel: "info",
    });
  });

  test("an empty value counts as none", () => {
    const empty = Object.fromEntries(Object.values(settings).map(({ variable }) => [variable, ""]));

    expect(configOf(empty)).toEqual(configOf({}));
  });

  test("every variable of the contract is there, under its name", () => {
    const names = (
      "HOST PORT PUBLIC_URL DATA_DIR TOKEN WORKSPACES CLAUDE_PATH DROID_PATH GEMINI_PATH PASS_ENV MAX_RUNS " +
      "QUEUE_LIMIT RUN_TIMEOUT_MS STALL_TIMEOUT_MS FIRST_OUTPUT_MS KILL_GRACE_MS LINGER_MS DRAIN_MS WARM_PROCESSES " +
      "WARM_IDLE_MS MEMORY_LIMIT_MB PROCESS_LIMIT OUTPUT_LIMIT_MB LINE_LIMIT_MB EVENT_LIMIT LOG_LIMIT_MB " +
      // Of our own, beside the contract's.
      "LOGS_TOTAL_MB LOG_KEEP_DAYS EVENT_KEEP_DAYS MAX_STARTS FREE_MEMORY_MB BREAKER_FAILURES BREAKER_PAUSE_MS " +
      "BREAKER_PAUSE_MAX_MS " +
      "SANDBOX CGROUP SELF_TEST LOG_LEVEL"
    ).split(" ");

    expect(Object.values(settings).map(({ variable }) => variable)).toEqual(
      names.map((name) => `HEADWAY_${name}`),
    );
  });
});

describe("a good value", () => {
  const good: [variable: string, value: string, key: keyof Config, read: unknown][] = [
    ["HEADWAY_HOST", "0.0.0.0", "host", "0.0.0.0"],
    ["HEADWAY_HOST", "::1", "host", "::1"],
    ["HEADWAY_PORT", "0", "port", 0],
    ["HEADWAY_PORT", "65535", "port", 65_535],
    ["HEADWAY_PUBLIC_URL", "https://a.example", "publicUrls", ["https://a.example"]],
    ["HEADWAY_PUBLIC_URL", "https://a.example/", "publicUrls", ["https://a.example"]],
    [
      "HEADWAY_PUBLIC_URL",
      "https://A.example:443, http://b:8080",
      "publicUrls",
      ["https://a.example", "http://b:8080"],
    ],
    ["HEADWAY_DATA_DIR", "/var/lib/head way", "dataDir", "/var/lib/head way"],
    ["HEADWAY_TOKEN", "x", "token", "x"],
    ["HEADWAY_TOKEN", "y".repeat(512), "token", "y".repeat(512)],
    ["HEADWAY_WORKSPACES", "/a:/b/c", "workspaces", ["/a", "/b/c"]],
    ["HEADWAY_CLAUDE_PATH", "/usr/bin/claude", "claudePath", "/usr/bin/claude"],
    ["HEADWAY_PASS_ENV", "FOO, BAR_2,_x", "passEnv", ["FOO", "BAR_2", "_x"]],
    ["HEADWAY_MAX_RUNS", "1", "maxRuns", 1],
    ["HEADWAY_QUEUE_LIMIT", "0", "queueLimit", 0],
    ["HEADWAY_WARM_PROCESSES", "0", "warmProcesses", 0],
    ["HEADWAY_KILL_GRACE_MS", "0", "killGraceMs", 0],
    ["HEADWAY_SANDBOX", "off", "sandbox", "off"],
    ["HEADWAY_CGROUP", "off", "cgroup", "off"],
    ["HEADWAY_CGROUP", "/sys/fs/cgroup/headway", "cgroup", "/sys/fs/cgroup/headway"],
    ["HEADWAY_LOG_LEVEL", "debug", "logLevel", "debug"],
  ];
  for (const [variable, value, key, read] of good) {
    test(`is read: ${variable}=${value.slice(0, 40)}`, () => {
      expect(configOf({ [variable]: value })[key]).toEqual(read as never);
    });
  }
});

describe("a bad value", () => {
  const numbers = Object.values(settings).filter(({ allowed }) => allowed.startsWith("a whole number from"));

  for (const { variable, allowed } of numbers) {
    test(`of ${variable} is told in one line with what is allowed`, () => {
      const [, min = "", max = ""] = /from (\d+) to (\d+)$/.exec(allowed) ?? [];
      const values = ["x", "-1", "1.5", "1e3", "0x10", " 5", "5 ", "NaN", "Infinity", `${Number(max) + 1}`];
      if (Number(min) > 0) values.push(`${Number(min) - 1}`);

      const messages = values.map((value) => messageOf({ [variable]: value }));

      expect(messages).toEqual(
        values.map((value) => `${variable} is ${JSON.stringify(value)}; allowed is ${allowed}.`),
      );
      expect(messageOf({ [variable]: min })).toBeNull();
      expect(messageOf({ [variable]: max })).toBeNull();
    });
  }

  const bad: [variable: string, value: string, allowed: string][] = [
    ["HEADWAY_HOST", "a b", "an IP address or host name"],
    ["HEADWAY_HOST", "http://x", "an IP address or host name"],
    ["HEADWAY_PUBLIC_URL", "headway.example", "http or https URLs without a path, separated by commas"],
    ["HEADWAY_PUBLIC_URL", "ftp://headway.example", "http or https URLs without a path, separated by commas"],
    [
      "HEADWAY_PUBLIC_URL",
      "https://a.example/headway",
      "http or https URLs without a path, separated by commas",
    ],
    [
      "HEADWAY_PUBLIC_URL",
      "https://a.example/?x=1",
      "http or https URLs without a path, separated by commas",
    ],
    [
      "HEADWAY_PUBLIC_URL",
      "https://me:secret@a.example",
      "http or https URLs without a path, separated by commas",
    ],
    ["HEADWAY_PUBLIC_URL", "https://*.example", "http or https URLs without a path, separated by commas"],
    ["HEADWAY_DATA_DIR", "data", "an absolute path"],
    ["HEADWAY_DATA_DIR", "~/data", "an absolute path"],
    ["HEADWAY_WORKSPACES", "/a:b", "absolute paths, separated by colons"],
    ["HEADWAY_CLAUDE_PATH", "claude", "an absolute path"],
    ["HEADWAY_DROID_PATH", "./droid", "an absolute path"],
    ["HEADWAY_GEMINI_PATH", "gemini\n", "an absolute path"],
    ["HEADWAY_PASS_ENV", "FOO BAR", "names of variables, separated by commas, none beginning with HEADWAY_"],
    [
      "HEADWAY_PASS_ENV",
      "HEADWAY_TOKEN",
      "names of variables, separated by commas, none beginning with HEADWAY_",
    ],
    ["HEADWAY_SANDBOX", "on", "auto or off"],
    ["HEADWAY_CGROUP", "headway", "auto, off or an absolute path"],
    ["HEADWAY_LOG_LEVEL", "INFO", "debug, info, warn or error"],
  ];
  for (const [variable, value, allowed] of bad) {
    test(`is told in one line: ${variable}=${JSON.stringify(value)}`, () => {
      expect(messageOf({ [variable]: value })).toBe(
        `${variable} is ${JSON.stringify(value)}; allowed is ${allowed}.`,
      );
    });
  }

  for (const token of ["with a space in it", "x".repeat(513), "umlaut-ä-umlaut-ä"]) {
    test(`of the token isn't shown: ${token.slice(0, 20)}`, () => {
      expect(messageOf({ HEADWAY_TOKEN: token })).toBe(
        "HEADWAY_TOKEN is (hidden); allowed is 1 to 512 visible ASCII characters without spaces; " +
          "fewer than 16 are warned about.",
      );
    });
  }

  test("never throws and is always one line that names its variable, whatever it is", () => {
    const variables = Object.values(settings).map(({ variable }) => variable);

    fc.assert(
      fc.property(fc.constantFrom(...variables), fc.string({ unit: "binary" }), (variable, value) => {
        const message = messageOf({ [variable]: value });
        return message === null || (message.startsWith(`${variable} is `) && !/[\n\r]/.test(message));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("a server with bad settings", () => {
  const linesOf = (text: string) => text.split("\n").filter((line) => line !== "");

  test("ends with 64 and one line", async () => {
    const ended = await runRefusedServer({ env: { HEADWAY_MAX_RUNS: "many" } });

    expect(ended).toEqual({
      exitCode: 64,
      stdout: "",
      stderr: 'headway: HEADWAY_MAX_RUNS is "many"; allowed is a whole number from 1 to 1000.\n',
    });
  });

  for (const host of ["no-such-host.invalid", "192.0.2.1", "a:b:c"]) {
    test(`ends with one line when it can't bind ${host}`, async () => {
      const { exitCode, stdout, stderr } = await runRefusedServer({ env: { HEADWAY_HOST: host } });

      expect([64, 74]).toContain(exitCode);
      expect(linesOf(stderr)).toHaveLength(1);
      expect(stderr).toContain(host);
      expect(stdout).toBe("");
    });
  }

  test("ends with 64 when its token file holds no token", async () => {
    using folder = makeTempFolder();
    writeFileSync(join(folder.path, "token"), "short\n");

    const { exitCode, stderr } = await runRefusedServer({ dataDir: folder.path });

    expect(exitCode).toBe(64);
    expect(linesOf(stderr)).toHaveLength(1);
  });
});
