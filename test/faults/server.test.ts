import { afterEach, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readMetric } from "../e2e/raw-streams.ts";
import { openStage, type Stage } from "../e2e/stage.ts";
import { createApp } from "../../src/app.ts";
import { parseConfig } from "../../src/config.ts";
import type { Agent } from "../../src/domain/agent.ts";
import { findHomeTrouble } from "../../src/runner/process/home-folder.ts";
import { requestJson } from "../helpers/http.ts";
import { projectDir } from "../helpers/source-tree.ts";
import { runRefusedServer } from "../helpers/server-process.ts";
import { isAlive } from "../helpers/survivors.ts";
import { makeTempFolder } from "../helpers/temp.ts";
import { waitFor } from "../helpers/wait.ts";
import { expectAgentWorks } from "./agent-works.ts";

/** V cases of the fault list: what can happen to the server itself. */

const injected = `--preload=${join(import.meta.dir, "injected.ts")}`;
const stages: Stage[] = [];
afterEach(async () => {
  for (const stage of stages.splice(0)) await stage[Symbol.asyncDispose]();
});

async function stageWith(env: Record<string, string>): Promise<Stage> {
  const stage = await openStage(env);
  stages.push(stage);
  return stage;
}

const logged = (stage: Stage, text: string) => stage.server.logLines().filter(({ msg }) => msg === text);

test("V3: a signal that comes when everything has ended already does no harm", async () => {
  using folder = makeTempFolder();
  const environment = { PATH: process.env["PATH"], HOME: folder.path, HEADWAY_DATA_DIR: folder.path };
  const parsed = parseConfig(environment);
  if (parsed.kind === "bad") throw new Error(parsed.message);
  const app = createApp(parsed.config, { environment, writeLine: () => undefined });
  await app.start({ host: "127.0.0.1", port: 1 });

  await app.stop();

  expect(await app.stopAtOnce().catch(String)).toBeUndefined();
});

test("V6: a bug that nobody catches ends what runs as interrupted, and the server with 70, also amid a stop", async () => {
  const stage = await stageWith({ BUN_OPTIONS: injected, HEADWAY_DRAIN_MS: "600000" });
  const [agent, other] = [await stage.agent(), await stage.agent()];
  // Their sessions are kept by then: one that was lost would be told the prompts, and do them again.
  for (const { ask } of [agent, other]) await ask("hello");
  const runs = [await agent.begin("orphaner-hang"), await other.begin("deaf")];
  const waiting = await agent.begin("behind it");
  const clients = [agent, other].map(({ execute }) => execute("while the client waits"));
  for (const { id } of runs) await stage.eventSeen(id, ({ type }) => type === "session");

  process.kill(stage.server.pid, "SIGUSR2");
  const exitCode = await stage.server.stop();
  const left = stage.server.survivors();
  const answers = await Promise.all(clients);
  await stage.server.restart();

  expect([exitCode, left]).toEqual([70, []]);
  expect(logged(stage, "a bug ended the server")).toHaveLength(1);
  expect(stage.server.stderr()).toContain(
    "headway: a bug ended the server, please report it: Error: injected",
  );
  expect(answers.map(({ status }) => status)).toEqual([503, 503]);
  for (const { id } of runs) {
    expect(await stage.getRun(id)).toMatchObject({ state: "interrupted", error: { code: "shutdown" } });
  }
  expect(await stage.settled(waiting.id)).toMatchObject({ state: "succeeded" });
  await expectAgentWorks(other);
});

test.each([
  ["before anything is there", {}],
  ["amid its start", { HEADWAY_TOKEN: "a-token-that-nobody-may-read" }],
])("V6: a bug ends a server %s with 70, and says so without a secret", async (_when, env) => {
  const preload = `--preload=${join(import.meta.dir, "injected-at-start.ts")}`;

  const { exitCode, stderr } = await runRefusedServer({ env: { BUN_OPTIONS: preload, ...env } });

  expect(exitCode).toBe(70);
  expect(stderr).toStartWith("headway: a bug ");
  expect(stderr).toContain("please report it: TypeError: injected by the test");
  expect(stderr).not.toContain("a-token-that-nobody-may-read");
});

test("V6: a bug that comes again and again doesn't keep the server from ending", async () => {
  const stage = await stageWith({ BUN_OPTIONS: injected, HEADWAY_KILL_GRACE_MS: "60000" });
  const agent = await stage.agent();
  await agent.ask("hello");
  const run = await agent.begin("deaf");
  await stage.eventSeen(run.id, ({ type }) => type === "session");
  const { pid } = stage.server;

  process.kill(pid, "SIGALRM");
  await waitFor(() => !isAlive(pid), { what: "the server's end" });
  await waitFor(() => stage.server.survivors().length === 0, { deadlineMs: 2_000, what: "all to be dead" });
  await stage.server.restart();

  expect(logged(stage, "a bug ended the server").length).toBeLessThanOrEqual(10);
  expect(await stage.getRun(run.id)).toMatchObject({ state: "interrupted" });
  await expectAgentWorks(agent);
});

test.each([
  ["one bug", "SIGUSR2", 70],
  ["a bug that comes again and again", "SIGALRM", 70],
  ["a signal", "SIGTERM", 0],
] as const)("V6: %s ends a server whose log nobody reads any more", async (_what, signal, code) => {
  using folder = makeTempFolder();
  const child = Bun.spawn([process.execPath, "--no-env-file", "src/server.ts"], {
    cwd: projectDir,
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: folder.path,
      HEADWAY_PORT: "0",
      HEADWAY_DATA_DIR: join(folder.path, "data"),
      HEADWAY_LOG_LEVEL: "debug",
      BUN_OPTIONS: injected,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const readers = [child.stdout.getReader(), child.stderr.getReader()];
  const decoder = new TextDecoder();
  let log = "";
  await waitFor(
    async () => {
      log += decoder.decode((await readers[0]!.read()).value);
      return log.includes('"listening"');
    },
    { what: "the server to listen" },
  );
  const [url = ""] = /http:[^"]+/.exec(log) ?? [];

  await Promise.all(readers.map((reader) => reader.cancel()));
  const { status } = await fetch(`${url}/healthz`);
  child.kill(signal);
  await waitFor(() => child.exitCode !== null || child.signalCode !== null, { what: "the server's end" });

  expect([status, child.exitCode]).toEqual([200, code]);
});

test.each([
  ["warm", "4"],
  ["one-turn", "0"],
])("V7: a loop that stood still blames no run for it, and a metric tells of it (%s)", async (_mode, warm) => {
  const stage = await stageWith({
    BUN_OPTIONS: injected,
    HEADWAY_WARM_PROCESSES: warm,
    HEADWAY_STALL_TIMEOUT_MS: "1000",
    HEADWAY_FIRST_OUTPUT_MS: "1000",
  });
  const [agent, second] = [await stage.agent(), await stage.agent()];
  const metrics = async () => (await stage.server.fetch("/metrics")).text();
  await metrics();
  const talking = await agent.begin("slow=200 one two three four five six seven eight nine ten");
  const starting = await second.begin("hello");
  await stage.eventSeen(talking.id, ({ type }) => type === "text");

  process.kill(stage.server.pid, "SIGWINCH");
  const runs = [await stage.settled(talking.id), await stage.settled(starting.id)];
  const lagSeconds = readMetric(await metrics(), "headway_nodejs_eventloop_lag_max_seconds");

  expect(runs).toMatchObject(runs.map(() => ({ state: "succeeded", error: null })));
  expect(lagSeconds).toBeGreaterThan(2);
  await expectAgentWorks(agent);
});

test("V10: without a home folder no CLI is started, and log and run say why", async () => {
  const stage = await stageWith({ HOME: "/dev/null/home" });
  const agent = await stage.agent();

  const { body } = await agent.execute("hello");
  const ready = await requestJson(stage.server.fetch, "GET", "/readyz");
  const { body: blamed } = await requestJson<Agent>(stage.server.fetch, "GET", `/api/agents/${agent.id}`);
  const started = stage.fakeLog();
  await stage.server.stop();
  await stage.server.restart({ HOME: stage.server.home });

  expect(body).toMatchObject({ state: "failed", error: { code: "spawn_error" } });
  expect(body.error?.message).toContain("HOME is /dev/null/home, which isn't there");
  expect(started).toEqual([]);
  // It says nothing of the CLI.
  expect(blamed.breaker.failures).toBe(0);
  expect(ready.status).toBe(200);
  expect(logged(stage, "no CLI can be started")).toHaveLength(1);
  await expectAgentWorks(agent);
});

test("V10: a home folder is none that isn't set, isn't there, or is a file", async () => {
  using folder = makeTempFolder();
  const file = join(folder.path, "file");
  writeFileSync(file, "");
  mkdirSync(join(folder.path, "home"));
  const homes = [
    undefined,
    "",
    join(folder.path, "nothing"),
    file,
    join(file, "below"),
    join(folder.path, "home"),
  ];

  const troubles = await Promise.all(homes.map(findHomeTrouble));

  expect(troubles.map((trouble) => trouble?.replaceAll(folder.path, "…") ?? null)).toEqual([
    "HOME is not set for the server, and the CLIs keep their sign-in and sessions there.",
    "HOME is not set for the server, and the CLIs keep their sign-in and sessions there.",
    "HOME is …/nothing, which isn't there; the CLIs keep their sign-in and sessions there.",
    "HOME is …/file, which is no folder.",
    "HOME is …/file/below, which isn't there; the CLIs keep their sign-in and sessions there.",
    null,
  ]);
});
