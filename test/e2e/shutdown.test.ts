import { afterEach, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { requestJson } from "../helpers/http.ts";
import { runRefusedServer, startServer } from "../helpers/server-process.ts";
import { makeTempFolder } from "../helpers/temp.ts";
import { waitFor } from "../helpers/wait.ts";
import { openStage, type Stage } from "./stage.ts";

const stages: Stage[] = [];
afterEach(async () => {
  for (const stage of stages.splice(0)) await stage[Symbol.asyncDispose]();
});

async function stageWith(env: Record<string, string>): Promise<Stage> {
  const stage = await openStage(env);
  stages.push(stage);
  return stage;
}

test("SIGTERM lets a running turn finish, refuses what is new, and leaves what waits in the queue", async () => {
  const stage = await stageWith({ HEADWAY_DRAIN_MS: "20000" });
  const [agent, idle] = [await stage.agent(), await stage.agent()];
  const running = agent.execute("finish slow=300 one two three four five six");
  await waitFor(() => stage.fakeLog().length > 0, { what: "the turn to run" });
  const waiting = agent.execute("wait for the next server", { key: "waits" });
  await waitFor(async () => (await queueLength(stage, agent.id)) === 1, { what: "a run in the queue" });

  const stopped = stage.server.stop("SIGTERM");
  const told = await waiting;
  const refused = await idle.execute("too late").catch((error: unknown) => error);
  const ready = await requestJson(stage.server.fetch, "GET", "/readyz").catch((error: unknown) => error);
  const finished = await running;
  const exitCode = await stopped;
  await stage.server.restart();
  const queued = await agent.execute("wait for the next server", { key: "waits" });

  expect(told).toMatchObject({
    status: 503,
    body: { code: "draining", runId: expect.stringMatching(/^run_/) },
  });
  expect(told.headers.get("retry-after")).toMatch(/^\d+$/);
  expect(refused).toMatchObject({ status: 503, body: { code: "draining" } });
  expect(ready).toMatchObject({ status: 503 });
  expect(finished).toMatchObject({ status: 200, body: { state: "succeeded", contentFinal: true } });
  expect(exitCode).toBe(0);
  expect(queued.body).toMatchObject({
    id: (told.body as unknown as { runId: string }).runId,
    state: "succeeded",
    content: "You said: wait for the next server",
  });
});

async function queueLength(stage: Stage, agentId: string): Promise<number> {
  const { body } = await requestJson<{ queueLength: number }>(
    stage.server.fetch,
    "GET",
    `/api/agents/${agentId}`,
  );
  return body.queueLength;
}

test("a turn that takes longer than the drain time is interrupted, and its client is told so", async () => {
  const stage = await stageWith({ HEADWAY_DRAIN_MS: "300", HEADWAY_KILL_GRACE_MS: "300" });
  const agents = [await stage.agent(), await stage.agent()];
  const turns = [agents[0]!.execute("slow=100 one two three forever"), agents[1]!.execute("deaf")];
  await waitFor(() => stage.fakeLog().length === 2, { what: "both turns to run" });

  const exitCode = await stage.server.stop("SIGINT");
  const answers = await Promise.all(turns);
  const left = stage.server.survivors();

  expect(exitCode).toBe(0);
  expect(answers).toMatchObject(
    turns.map(() => ({
      status: 503,
      body: { state: "interrupted", contentFinal: false, error: { code: "shutdown" }, survivors: 0 },
    })),
  );
  expect(left).toEqual([]);
});

test("a second signal ends everything at once", async () => {
  const stage = await stageWith({ HEADWAY_DRAIN_MS: "600000", HEADWAY_KILL_GRACE_MS: "600000" });
  const agents = [await stage.agent(), await stage.agent()];
  const turns = [agents[0]!.begin("forever"), agents[1]!.begin("deaf orphaner")];
  const runs = await Promise.all(turns);
  await waitFor(() => stage.fakeLog().length === 2, { what: "both turns to run" });

  const stopped = stage.server.stop("SIGTERM");
  await waitFor(() => stage.server.logLines().some(({ msg }) => /drain/.test(String(msg))), {
    what: "the drain",
  });
  process.kill(stage.server.pid, "SIGTERM");
  const exitCode = await stopped;
  const left = stage.server.survivors();
  await stage.server.restart();

  expect([exitCode, left]).toEqual([0, []]);
  for (const { id } of runs) {
    expect(await stage.getRun(id)).toMatchObject({ state: "interrupted", error: { code: "shutdown" } });
  }
});

test("an idle server stops at once, and its streams end", async () => {
  const stage = await stageWith({ HEADWAY_DRAIN_MS: "600000" });
  const agent = await stage.agent();
  await agent.ask("hello");

  const exitCode = await stage.server.stop();

  expect(exitCode).toBe(0);
  expect(stage.server.survivors()).toEqual([]);
});

test("a port in use is exit 74, and the database stays as it was", async () => {
  await using server = await startServer();
  using folder = makeTempFolder();

  const refused = await runRefusedServer({ port: server.port, dataDir: folder.path });

  expect(refused.exitCode).toBe(74);
  expect(refused.stderr).toContain(String(server.port));
  expect(refused.stdout).not.toContain("listening");
  expect(readdirSync(folder.path)).not.toContain("headway.db");
});

test("a second server on the same data directory is exit 75, and the first goes on", async () => {
  const stage = await stageWith({});
  const agent = await stage.agent();

  const refused = await runRefusedServer({ dataDir: stage.server.dataDir });

  expect(refused.exitCode).toBe(75);
  expect(refused.stderr.trim().split("\n")).toHaveLength(1);
  expect(await agent.ask("hello")).toBe("You said: hello");
});

test("a bad value is exit 64 and one line that names variable, value and what is allowed", async () => {
  const bad: [variable: string, value: string, allowed: string][] = [
    ["HEADWAY_MAX_RUNS", "many", "1 to 1000"],
    ["HEADWAY_PORT", "65536", "0 to 65535"],
    ["HEADWAY_DATA_DIR", "relative/path", "absolute path"],
    ["HEADWAY_PASS_ENV", "HEADWAY_TOKEN", "none beginning with HEADWAY_"],
    ["HEADWAY_SANDBOX", "maybe", "auto or off"],
    ["HEADWAY_KILL_GRACE_MS", "-1", "0 to 600000"],
  ];

  const refused = await Promise.all(
    bad.map(([variable, value]) => runRefusedServer({ env: { [variable]: value } })),
  );

  for (const [at, { exitCode, stderr, stdout }] of refused.entries()) {
    expect(exitCode).toBe(64);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    for (const part of bad[at]!) expect(stderr).toContain(part);
    expect(stdout).not.toContain("listening");
  }
});

test("a database that isn't ours is exit 78, and stays untouched", async () => {
  using folder = makeTempFolder();
  const path = join(folder.path, "data", "headway.db");
  mkdirSync(join(folder.path, "data"));
  writeFileSync(path, `Not a database at all.\n${"x".repeat(8_192)}`);
  const before = hashOf(path);

  const refused = await runRefusedServer({ dataDir: join(folder.path, "data") });

  expect(refused.exitCode).toBe(78);
  expect(refused.stderr).toContain(path);
  expect(hashOf(path)).toBe(before);
});

function hashOf(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}
