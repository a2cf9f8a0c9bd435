import { afterEach, describe, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { composeMachine, composeRunner, type RunnerParts } from "../../src/compose-runner.ts";
import { parseConfig } from "../../src/config.ts";
import { systemClock } from "../../src/domain/clock.ts";
import type { Fact } from "../../src/domain/facts.ts";
import { idMaker } from "../../src/domain/ids.ts";
import { StoreUnavailable } from "../../src/domain/ports.ts";
import type { Run } from "../../src/domain/run.ts";
import { createRedactor } from "../../src/runner/policies/redaction.ts";
import type { CliProcess, Supervisor } from "../../src/runner/process/cli-process.ts";
import { detectContainment } from "../../src/runner/process/detect-containment.ts";
import type { RunnerService } from "../../src/runner/runner.ts";
import { survivorsWith } from "../helpers/survivors.ts";
import { fakeClaude } from "../helpers/test-app.ts";
import { waitFor } from "../helpers/wait.ts";
import { openTestStore, settings, type TestStore } from "../store/fixture.ts";

/** A kernel that doesn't carry out kills, as it is while a process hangs in a system call. */
interface Kernel {
  isStuck: boolean;
}

/** What comes before a process is put on record; rejects while the store takes nothing. */
interface Desk {
  beforeRecord(processId: string): Promise<void>;
}

/** The real supervisor, but for processes that live on while the kernel is stuck. */
function onKernel(kernel: Kernel, supervisor: Supervisor): Supervisor {
  const undying = (process: CliProcess): CliProcess =>
    Object.assign(Object.create(process) as CliProcess, {
      signal: (signal: "SIGINT" | "SIGTERM") => !kernel.isStuck && process.signal(signal),
      closeInput: () => !kernel.isStuck && process.closeInput(),
      killLeftovers: () => (kernel.isStuck ? Promise.resolve(1) : process.killLeftovers()),
      killTree: () => (kernel.isStuck ? Promise.resolve(1) : process.killTree()),
    });
  return {
    ...supervisor,
    async spawn(spec) {
      const outcome = await supervisor.spawn(spec);
      return outcome.kind === "spawned" ? { ...outcome, process: undying(outcome.process) } : outcome;
    },
    reap: (identity) => (kernel.isStuck ? Promise.resolve(1) : supervisor.reap(identity)),
    killAll: () => (kernel.isStuck ? Promise.resolve() : supervisor.killAll()),
  };
}

interface Stage {
  at: TestStore;
  kernel: Kernel;
  desk: Desk;
  runner: RunnerService;
  /** Processes that are coming up. */
  countStarting(): number;
  facts: Fact[];
  submit(prompt: string): Promise<Run>;
  settled(runId: string): Promise<Run>;
  /** Another runner on the same store, as the next server has one. */
  restart(): Promise<void>;
}

const stages: Stage[] = [];

async function openStage(env: Record<string, string> = {}): Promise<Stage> {
  const at = openTestStore();
  const cwd = join(at.dataDir, "workspaces");
  mkdirSync(cwd);
  await at.store.createAgent(settings({ cli: "claude", cwd }));
  const kernel = { isStuck: false };
  const desk = { beforeRecord: async () => {} };
  const facts: Fact[] = [];
  const start = () => startRunner(at, { kernel, desk, facts }, env);
  const stage: Stage = {
    at,
    kernel,
    desk,
    facts,
    ...(await start()),
    async submit(prompt) {
      const outcome = await stage.runner.execute({ agentId: "ada", prompt, idempotencyKey: null });
      if (outcome.kind !== "accepted") throw new Error(outcome.detail);
      return outcome.run;
    },
    async settled(runId) {
      const run = await stage.runner.whenSettled(runId, AbortSignal.timeout(20_000));
      if (typeof run === "string") throw new Error(run);
      return run;
    },
    async restart() {
      await stage.runner.stop(0);
      await at.reopen();
      Object.assign(stage, await start());
    },
  };
  stages.push(stage);
  return stage;
}

async function startRunner(
  { store, dataDir }: TestStore,
  { kernel, desk, facts }: Pick<Stage, "kernel" | "desk" | "facts">,
  env: Record<string, string>,
): Promise<Pick<Stage, "runner" | "countStarting">> {
  const environment = {
    PATH: process.env["PATH"] ?? "",
    HOME: join(dataDir, "home"),
    LANG: "C.UTF-8",
    TEST_MARKER: dataDir,
    HEADWAY_CLAUDE_PATH: fakeClaude,
    HEADWAY_WORKSPACES: join(dataDir, "workspaces"),
    HEADWAY_KILL_GRACE_MS: "50",
    HEADWAY_LINGER_MS: "0",
    HEADWAY_PASS_ENV: "TEST_MARKER",
    ...env,
  };
  mkdirSync(environment.HOME, { recursive: true });
  const parsed = parseConfig(environment);
  if (parsed.kind === "bad") throw new Error(parsed.message);
  const parts: RunnerParts = {
    config: parsed.config,
    acpAgents: [],
    environment,
    version: "1.2.3",
    dataDir: join(dataDir, "hidden"),
    installationDir: join(import.meta.dir, "../.."),
    redactor: createRedactor(environment),
    store: {
      ...store,
      recordProcess: (held) => desk.beforeRecord(held.processId).then(() => store.recordProcess(held)),
    },
    containment: await detectContainment({ sandbox: "off", hiddenPaths: [], path: environment.PATH }),
    clock: systemClock,
    makeId: idMaker(Bun.randomUUIDv7),
    newSessionId: () => crypto.randomUUID(),
    publish: (fact) => void facts.push(fact),
    subscribe: () => undefined,
    onLogError(error) {
      throw error;
    },
  };
  const machine = composeMachine(parts);
  const supervisor = onKernel(kernel, machine.supervisor);
  const { runner, countStarting } = composeRunner(parts, { ...machine, supervisor });
  await runner.start();
  return { runner, countStarting };
}

afterEach(async () => {
  for (const { at, kernel, runner } of stages.splice(0)) {
    kernel.isStuck = false;
    await runner.stop(0);
    await waitFor(() => survivorsWith(at.dataDir).length === 0, { what: "the end of all processes" });
    expect(at.violations()).toEqual([]);
    await at[Symbol.asyncDispose]();
  }
});

/** The agent in quarantine, with a run that waits. */
async function quarantined(env: Record<string, string> = {}) {
  const stage = await openStage({ HEADWAY_WARM_PROCESSES: "0", ...env });
  const first = await stage.submit("wait=300 lingerer");
  const waiting = await stage.submit("hello");
  stage.kernel.isStuck = true;
  await stage.settled(first.id);
  await waitFor(() => stage.runner.listQuarantined().length > 0, { what: "the quarantine" });
  return { stage, waiting };
}

const seen = ({ facts }: Stage) => facts.map(({ type }) => type).filter((type) => type.startsWith("agent."));

describe("an agent whose processes can't be ended", () => {
  test("gets no run, and says what to look for and how to go on", async () => {
    const { stage, waiting } = await quarantined();
    const pid = stage.at.store.listOpenProcesses("ada")[0]?.identity.pid;

    const outcome = await stage.runner.execute({ agentId: "ada", prompt: "more", idempotencyKey: null });

    const detail = outcome.kind === "refused" ? outcome.detail : "";
    expect(outcome).toMatchObject({ kind: "refused", code: "agent_quarantined", retryAfterSeconds: 30 });
    expect(detail).toContain(`pid ${pid}.`);
    expect(detail).toContain("POST /api/agents/ada/quarantine/recheck");
    expect(stage.runner.getAgent("ada")?.status).toBe("quarantined");
    expect(stage.runner.getRun(waiting.id)?.state).toBe("queued");
    expect(stage.runner.counts()).toMatchObject({ quarantined: 1, queued: 1 });
    expect(seen(stage)).toEqual(["agent.quarantined"]);
  });

  test("stays so while they live, and its queue goes on by itself when they are proven dead", async () => {
    const { stage, waiting } = await quarantined();
    const { signal } = new AbortController();

    const stuck = await stage.runner.recheckQuarantine("ada");
    const jobStuck = await stage.runner.recheckAll(signal);
    const stateThen = stage.runner.getRun(waiting.id)?.state;
    stage.kernel.isStuck = false;
    const jobDone = await stage.runner.recheckAll(signal);
    const run = await stage.settled(waiting.id);
    const again = await stage.runner.recheckQuarantine("ada");

    expect(stuck).toEqual({ kind: "ok", agentId: "ada", quarantined: true, survivors: 1 });
    expect([jobStuck, stateThen, jobDone]).toEqual([0, "queued", 1]);
    expect(run.state).toBe("succeeded");
    expect(again).toEqual({ kind: "ok", agentId: "ada", quarantined: false, survivors: 0 });
    expect(seen(stage)).toEqual(["agent.quarantined", "agent.released"]);
  });

  test("is free after a restart that proves them dead, and not after one that doesn't", async () => {
    const { stage, waiting } = await quarantined();

    await stage.restart();
    const still = stage.runner.listQuarantined().map(({ agentId }) => agentId);
    const waits = stage.runner.getRun(waiting.id)?.state;
    stage.kernel.isStuck = false;
    await stage.restart();
    const after = stage.runner.listQuarantined();
    const run = await stage.settled(waiting.id);

    expect([still, waits]).toEqual([["ada"], "queued"]);
    expect(after).toEqual([]);
    expect(run.state).toBe("succeeded");
  });

  test("is told apart from one of the same name that is made after it, and what it left is still ended", async () => {
    const { stage, waiting } = await quarantined();
    await stage.runner.cancelRun(waiting.id);

    await stage.runner.removeAgent("ada", { force: true });
    const cwd = join(stage.at.dataDir, "workspaces");
    await stage.at.store.createAgent(settings({ cli: "claude", cwd }));
    const run = await stage.submit("hello");
    stage.kernel.isStuck = false;
    const settled = await stage.settled(run.id);
    const left = stage.at.store.listDisownedProcesses().length;
    await stage.runner.recheckAll(new AbortController().signal);

    expect(settled.state).toBe("succeeded");
    expect([left, stage.at.store.listDisownedProcesses().length]).toEqual([1, 0]);
    expect(stage.runner.listQuarantined()).toEqual([]);
  });

  test("is in quarantine by the time its run is told to have ended", async () => {
    const stage = await openStage();
    const first = await stage.submit("orphaner wait=300");
    stage.kernel.isStuck = true;

    const run = await stage.settled(first.id);
    const then = stage.runner.getAgent("ada")?.status;
    const refused = await stage.runner.execute({ agentId: "ada", prompt: "more", idempotencyKey: null });
    stage.kernel.isStuck = false;
    await stage.runner.recheckQuarantine("ada");
    const next = await stage.submit("hello");

    expect([run.state, run.survivors, then]).toEqual(["succeeded", 1, "quarantined"]);
    expect(refused).toMatchObject({ kind: "refused", code: "agent_quarantined" });
    expect((await stage.settled(next.id)).state).toBe("succeeded");
  });

  test("is so too when an idle warm process is what can't be ended", async () => {
    const stage = await openStage();
    const run = await stage.submit("lingerer");
    await stage.settled(run.id);
    await waitFor(() => stage.runner.counts().warm === 1, { what: "the process to be kept" });

    stage.kernel.isStuck = true;
    await stage.runner.endSession("ada", { force: false });
    const refused = await stage.runner.execute({ agentId: "ada", prompt: "hello", idempotencyKey: null });
    stage.kernel.isStuck = false;
    const checked = await stage.runner.recheckQuarantine("ada");
    const next = await stage.submit("hello");

    expect(refused).toMatchObject({ kind: "refused", code: "agent_quarantined" });
    expect(checked).toMatchObject({ quarantined: false, survivors: 0 });
    expect((await stage.settled(next.id)).state).toBe("succeeded");
  });

  test("isn't held for an agent whose service fails, when a changed one's old process can't be ended", async () => {
    const stage = await openStage({ HEADWAY_BREAKER_FAILURES: "1" });
    await stage.settled((await stage.submit("lingerer")).id);
    await waitFor(() => stage.runner.counts().warm === 1, { what: "the process to be kept" });
    await stage.runner.patchAgent("ada", { model: "opus" });

    stage.kernel.isStuck = true;
    const run = await stage.settled((await stage.submit("hello")).id);
    stage.kernel.isStuck = false;
    await stage.runner.recheckQuarantine("ada");

    expect(run).toMatchObject({ state: "failed", error: { code: "spawn_error" }, survivors: 1 });
    expect(run.error?.message).toStartWith("An earlier process of this conversation could not be ended");
    expect(stage.runner.breakerOf("ada")).toBeNull();
  });

  test("doesn't hold up another one", async () => {
    const { stage } = await quarantined();
    const cwd = join(stage.at.dataDir, "workspaces");
    await stage.at.store.createAgent(settings({ id: "bob", cli: "claude", cwd }));

    const outcome = await stage.runner.execute({ agentId: "bob", prompt: "hello", idempotencyKey: null });
    if (outcome.kind === "refused") throw new Error(outcome.detail);
    await waitFor(() => stage.runner.getRun(outcome.run.id)?.state === "succeeded", { what: "bob's answer" });

    expect(stage.runner.listQuarantined().map(({ agentId }) => agentId)).toContain("ada");
  });
});

describe("a process that may not go on, and can't be ended", () => {
  const openIds = ({ at }: Stage) => at.store.listOpenProcesses("ada").map(({ processId }) => processId);

  test("is on record as soon as the store is back, and a later server ends it", async () => {
    const stage = await openStage();
    const refused: string[] = [];
    stage.kernel.isStuck = true;
    stage.desk.beforeRecord = async (processId) => {
      refused.push(processId);
      throw new StoreUnavailable("gone", "no disk");
    };

    const { id } = await stage.submit("hello");
    await waitFor(() => refused.length > 2, { what: "one refusal after the other" });
    const stateThen = stage.runner.getRun(id)?.state;
    stage.desk.beforeRecord = async () => {};
    const run = await stage.settled(id);
    const then = [stage.runner.getAgent("ada")?.status, ...openIds(stage)];
    await stage.restart();
    const later = [stage.runner.getAgent("ada")?.status, ...openIds(stage)];
    stage.kernel.isStuck = false;
    await stage.restart();

    expect(stateThen).toBe("starting");
    expect(run).toMatchObject({ state: "failed", error: { code: "store_error" }, survivors: 1 });
    expect(then).toEqual(["quarantined", refused[0]!]);
    expect(later).toEqual(then);
    expect([stage.runner.listQuarantined(), openIds(stage)]).toEqual([[], []]);
    expect(survivorsWith(refused[0]!)).toEqual([]);
  });

  test("is on record also where its conversation has another one there", async () => {
    const stage = await openStage({ HEADWAY_WARM_PROCESSES: "0" });
    const { conversationId } = await stage.settled((await stage.submit("hello")).id);
    const recorded: string[] = [];
    stage.desk.beforeRecord = async (processId) => void recorded.push(processId);
    const identity = { pid: 2 ** 22 + 1, pidStart: "1", bootId: "boot", marker: "proc_lost" };
    const where = { agentId: "ada", conversationId, containment: "process-group", atMs: 1 };
    await stage.at.store.recordProcess({ processId: "proc_lost", identity, ...where });

    stage.kernel.isStuck = true;
    const run = await stage.settled((await stage.submit("more")).id);
    const [held, breaker] = [openIds(stage), stage.runner.breakerOf("ada")];
    stage.kernel.isStuck = false;
    const checked = await stage.runner.recheckQuarantine("ada");
    const next = await stage.settled((await stage.submit("again")).id);

    expect(run).toMatchObject({ state: "failed", error: { code: "spawn_error" }, survivors: 1 });
    // It is this server that refused, not the CLI.
    expect(breaker).toBeNull();
    expect(held).toEqual(["proc_lost", recorded[0]!]);
    expect(checked).toMatchObject({ quarantined: false, survivors: 0 });
    expect(next.state).toBe("succeeded");
  });

  test.each(["refused", "stopped"])("keeps no place from those that come up when it was %s", async (how) => {
    const stage = await openStage();
    const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
    const { promise: answered, resolve: answer, reject: refuse } = Promise.withResolvers<void>();
    stage.kernel.isStuck = true;
    stage.desk.beforeRecord = () => (ask(), answered);

    const { id } = await stage.submit("hello");
    await asked;
    const startingThen = stage.countStarting();
    stage.desk.beforeRecord = async () => {};
    const stopped = how === "stopped" ? stage.runner.stopAtOnce() : null;
    if (stopped) answer();
    else refuse(new StoreUnavailable("gone", "no disk"));
    await stage.settled(id);
    await stopped;
    await waitFor(() => stage.runner.counts().active === 0, { what: "the end of the run" });

    expect([startingThen, stage.countStarting()]).toEqual([1, 0]);
    expect(stage.runner.getAgent("ada")?.status).toBe("quarantined");
  });
});
