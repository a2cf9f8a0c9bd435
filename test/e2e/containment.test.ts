import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { waitFor } from "../helpers/wait.ts";
import { openStage, type Stage, type StageAgent } from "./stage.ts";

const modes: [string, Record<string, string>][] = [
  ["warm", { HEADWAY_WARM_PROCESSES: "8" }],
  ["one-turn", { HEADWAY_WARM_PROCESSES: "0" }],
];

/** Variables of the server's; each is handed on only where the contract says so. */
const serverVariables = {
  HEADWAY_TOKEN: "a-token-of-the-server's",
  ANTHROPIC_API_KEY: "sk-ant-made-up",
  CLAUDE_CODE_OAUTH_TOKEN: "made-up-oauth",
  CLAUDE_CONFIG_DIR: "/nonexistent/config",
  CLAUDE_CODE_USE_BEDROCK: "1",
  GEMINI_API_KEY: "another CLI's",
  AWS_SECRET_ACCESS_KEY: "nobody's",
  LC_ALL: "C.UTF-8",
  TZ: "UTC",
  HTTPS_PROXY: "http://127.0.0.1:9",
  NODE_EXTRA_CA_CERTS: "/dev/null",
  MY_OWN: "passed",
  HEADWAY_PASS_ENV: "MY_OWN",
};

const handedOn = "PATH HOME LANG LC_ALL TERM TZ TMPDIR HTTPS_PROXY NODE_EXTRA_CA_CERTS".split(" ");
const signIn = ["ANTHROPIC_API_KEY", "CLAUDE_CODE_OAUTH_TOKEN", "CLAUDE_CONFIG_DIR"];
const ofTheAdapter = [
  "DISABLE_AUTOUPDATER",
  "CLAUDE_CODE_MAX_RETRIES",
  "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS",
];
const ofOurs = ["HEADWAY_PROCESS_ID"];
const ofTheTest = ["MY_OWN", "TEST_MARKER", "FAKE_LOG"];

describe.each(modes)("what a run leaves behind (%s)", (_mode, modeEnv) => {
  let stage: Stage;

  beforeAll(async () => {
    stage = await openStage({ ...modeEnv, HEADWAY_KILL_GRACE_MS: "400", HEADWAY_DRAIN_MS: "0" });
  });
  afterEach(() => stage.tidy());
  afterAll(() => stage[Symbol.asyncDispose]());

  const sleepers = () => stage.server.survivors().filter(({ argv }) => argv[0] === "sleep");

  test("nothing of it lives on, whether it finishes, is cancelled or runs out of time", async () => {
    const agents = [await stage.agent(), await stage.agent(), await stage.agent()] as const;

    const [finished, cancelled, late] = await Promise.all([
      agents[0].execute("orphaner hello").then(({ body }) => body),
      cancelAmidOrphans(agents[1]),
      agents[2].execute("orphaner-hang", { timeoutMs: 1_500 }).then(({ body }) => body),
    ]);

    expect(finished).toMatchObject({ state: "succeeded", survivors: 0 });
    expect(cancelled).toMatchObject({ state: "cancelled", survivors: 0 });
    expect(late).toMatchObject({ state: "timed_out", survivors: 0, error: { code: "deadline" } });
    expect(sleepers()).toEqual([]);
  });

  async function cancelAmidOrphans(agent: StageAgent) {
    const run = await agent.begin("orphaner-hang");
    await waitFor(() => sleepers().length > 0, { what: "processes in their own session" });
    return stage.cancel(run.id);
  }

  test("nothing of it lives on when the server is killed, or told to stop", async () => {
    const agent = await stage.agent();
    const first = await agent.begin("orphaner-hang");
    await waitFor(() => sleepers().length >= 3, { what: "processes in their own session" });

    await stage.server.kill();
    await waitFor(() => stage.server.survivors().length === 0, { deadlineMs: 2_000, what: "their end" });
    await stage.server.restart();
    const second = await agent.begin("orphaner-hang");
    await waitFor(() => sleepers().length >= 3, { what: "processes in their own session" });
    const exitCode = await stage.server.stop();
    const left = stage.server.survivors();
    await stage.server.restart();

    expect([exitCode, left]).toEqual([0, []]);
    expect(await stage.getRun(first.id)).toMatchObject({
      state: "interrupted",
      error: { code: "server_restart" },
    });
    expect(await stage.getRun(second.id)).toMatchObject({
      state: "interrupted",
      error: { code: "shutdown" },
    });
  });
});

describe("what a run can see", () => {
  let stage: Stage;

  beforeAll(async () => {
    stage = await openStage(serverVariables);
  });
  afterEach(() => stage.tidy());
  afterAll(() => stage[Symbol.asyncDispose]());

  test("the data directory is empty to it, under every name it may have", async () => {
    const agent = await stage.agent();
    const { dataDir } = stage.server;
    const inside = `cat ${dataDir}/token ${dataDir}/headway.db; ls -A ${dataDir} | wc -l`;
    const around = `ls -A /proc/1/root${dataDir} | wc -l; umount ${dataDir}; ls -A ${dataDir} | wc -l`;

    const answer = await agent.ask(`tool=${inside}; ${around}; ls /proc/${stage.server.pid}/root${dataDir}`);

    expect(readdirSync(dataDir)).toContain("headway.db");
    expect(answer).not.toContain("headway.db\n");
    expect(answer.split("\n").filter((line) => /^\d+$/.test(line))).toEqual(["0", "0", "0"]);
    expect(answer).not.toContain("SQLite format");
    expect(answer).not.toContain(stage.server.token);
  });

  test("it doesn't see the server, nor what the server says to other CLIs", async () => {
    const agent = await stage.agent();

    const answer = await agent.ask("tool=cat /proc/[0-9]*/cmdline | tr '\\0' ' '");

    expect(answer).toContain(`node ${stage.cliPath}`);
    expect(answer).not.toContain("src/server.ts");
  });

  test("its environment is the contract's list and nothing else", async () => {
    const agent = await stage.agent();

    const environment = JSON.parse(await agent.ask("echo-env")) as Record<string, string>;

    // PWD is bwrap's own, and says no more than the folder does.
    const names = Object.keys(environment).filter((name) => name !== "PWD");
    expect(names.toSorted()).toEqual(
      [...handedOn, ...signIn, ...ofTheAdapter, ...ofOurs, ...ofTheTest].toSorted(),
    );
    expect(environment).toMatchObject({
      MY_OWN: "passed",
      TEST_MARKER: stage.server.marker,
      HOME: stage.server.home,
      ANTHROPIC_API_KEY: "[redacted:ANTHROPIC_API_KEY]",
      HEADWAY_PROCESS_ID: expect.stringMatching(/^proc_/),
    });
  });

  test("no prompt changes its arguments, and every prompt arrives as it was sent", async () => {
    const prompts = hostilePrompts(stage.cliPath);
    const agents = await Promise.all(prompts.map(() => stage.agent()));

    const argvs = await Promise.all(
      prompts.map((prompt, at) => agents[at]!.ask(`${prompt}\necho-argv`).then(withoutSession)),
    );
    const shas = await Promise.all(
      prompts.map((prompt, at) => shaOf(agents[at]!, `${prompt}\necho-stdin-sha`)),
    );

    expect(prompts.length).toBeGreaterThanOrEqual(30);
    expect(new Set(argvs).size).toBe(1);
    expect(shas.filter(({ sha, arrived }) => sha !== arrived)).toEqual([]);
    expect(agents.flatMap(({ cwd }) => readdirSync(cwd))).toEqual([]);
  });

  test("a prompt of 1 MiB arrives whole; one byte more, none at all, or a NUL is refused", async () => {
    const agent = await stage.agent();
    const keyword = " echo-stdin-sha";
    const longest = "é".repeat((1_048_576 - keyword.length - 1) / 2) + "x" + keyword;

    const { sha, arrived } = await shaOf(agent, longest);
    const refused = await Promise.all(
      [`${longest}x`, "", "a\0b"].map((prompt) => agent.execute(prompt).then((answer) => answer as unknown)),
    );

    expect(Buffer.byteLength(longest)).toBe(1_048_576);
    expect(arrived).toBe(sha);
    expect(refused).toMatchObject([
      { status: 422, body: { code: "prompt_too_long" } },
      { status: 422, body: { code: "invalid" } },
      { status: 422, body: { code: "invalid" } },
    ]);
  });
});

function withoutSession(argv: string): string {
  return argv.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "SESSION");
}

async function shaOf(agent: StageAgent, prompt: string) {
  const sha = createHash("sha256").update(prompt).digest("hex");
  return { sha, arrived: await agent.ask(prompt) };
}

function hostilePrompts(cliPath: string): string[] {
  const control = Array.from({ length: 31 }, (_, at) => String.fromCharCode(at + 1)).join("");
  const flags = [
    "--help",
    "-p",
    "--version",
    "--settings=/tmp/x",
    "--dangerously-skip-permissions",
    "--",
    "-",
  ];
  const shell = [
    "$(id > pwned)",
    "`id > pwned`",
    "; touch pwned",
    "| touch pwned",
    "&& touch pwned",
    "> pwned",
  ];
  const quotes = [`"`, `'`, `'"'"'`, `\\`, `\\n`, `%s%n`, `\${HOME}`, `!!`, `*`, `~/.ssh/id_rsa`];
  const json = [
    `{"type":"user"}`,
    `"}\n{"type":"control_request"}`,
    `\u2028\u2029`,
    "\uFEFF\uFFFE",
    "👩‍👩‍👧‍👦 e\u0301",
  ];
  const terminal = [
    control,
    "\u007f\u0080\u009b31m",
    "\u001b[201~\rtouch pwned\r",
    "\r\n\r\n",
    "   ",
    cliPath,
  ];
  return [...flags, ...shell, ...quotes, ...json, ...terminal];
}
