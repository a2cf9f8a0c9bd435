import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Config } from "./config.ts";
import type { Cli } from "./domain/agent.ts";
import type { Clock } from "./domain/clock.ts";
import type { PublishFact } from "./domain/facts.ts";
import type { MakeId } from "./domain/ids.ts";
import type { Adapter } from "./runner/adapters/adapter.ts";
import { findAdapter } from "./runner/adapters/registry.ts";
import { createAgentDesk } from "./runner/agent-desk.ts";
import { findClis, listClis } from "./runner/cli-reports.ts";
import type { Redactor } from "./runner/policies/redaction.ts";
import { createVersionReader } from "./runner/process/cli-version.ts";
import type { Containment } from "./runner/process/containment.ts";
import { cliEnvironment } from "./runner/process/environment.ts";
import { type Executable, findExecutable } from "./runner/process/find-executable.ts";
import { createRunLogs } from "./runner/process/run-logs.ts";
import { createSupervisor } from "./runner/process/supervisor.ts";
import { createWorkspaces } from "./runner/process/workspaces.ts";
import { createRunner } from "./runner/runner.ts";
import { createHeadlessTransport } from "./runner/transports/headless.ts";
import { retireProcess, type StartProcessOptions } from "./runner/transports/start-process.ts";
import type { Wakeups } from "./runner/runner-api.ts";
import { createWakeups } from "./runner/wakeups.ts";
import { createWarmPool } from "./runner/warm-pool.ts";
import type { Store } from "./store/store.ts";

const mebibyte = 1_048_576;
/** A page waits no longer for a CLI to tell its version. */
const versionMsMax = 250;
const isRoot = process.getuid?.() === 0;

export interface RunnerParts {
  config: Config;
  environment: Readonly<Record<string, string | undefined>>;
  version: string;
  dataDir: string;
  installationDir: string;
  /** Masks secrets in all that is stored, shown or logged. */
  redactor: Redactor;
  store: Store;
  containment: Containment;
  clock: Clock;
  makeId: MakeId;
  publish: PublishFact;
  onLogError(error: Error): void;
}

/** Puts the runner together with the machine that it runs on. */
export function composeRunner(parts: RunnerParts) {
  const { environment, store, clock, publish, makeId, config } = parts;
  const machine = composeMachine(parts);
  const wakeups = createWakeups();
  const { pool, transport } = composeTransport(parts, machine, wakeups);
  const permissionModesOf = (cli: Cli) => findAdapter(cli)?.permissionModes(isRoot) ?? [];
  const { workspaces, supervisor, rawLogs } = machine;
  const agentDesk = createAgentDesk({
    agents: store,
    workspaces,
    clock,
    publish,
    wakeups,
    pool,
    permissionModesOf,
  });
  const runner = createRunner({
    ...parts,
    transport,
    supervisor,
    pool,
    agentDesk,
    wakeups,
    newSessionId: () => crypto.randomUUID(),
    hash: sha256,
    removeRawLogs: rawLogs.remove,
    queueLimit: config.queueLimit,
    runsMax: config.maxRuns,
  });
  const readVersion = createVersionReader({
    supervisor,
    makeProcessId: () => makeId("proc"),
    environmentOf: (cli, processId) => environmentFor(parts, findAdapter(cli) ?? null, {}, processId),
    hiddenPaths: [parts.dataDir],
  });
  const reports = {
    environment,
    isRoot,
    keepsWarm: pool.keepsAny,
    version: parts.version,
    findExecutable: (cli: Cli) => executableOf(parts, cli),
    readVersion,
  };
  return {
    runner,
    wakeups,
    workspaces,
    listClis: () => listClis(reports),
    findClis: () => findClis(reports, versionMsMax),
    readRawLog: rawLogs.read,
    readLogPiece: rawLogs.readPiece,
    onLogGrown: rawLogs.onGrown,
  };
}

type Machine = ReturnType<typeof composeMachine>;

function composeMachine(parts: RunnerParts) {
  const { config, environment, containment, clock, publish, dataDir, onLogError } = parts;
  const home = environment.HOME ?? "/nonexistent";
  const workspaces = createWorkspaces({
    roots: config.workspaces.length > 0 ? config.workspaces : [home],
    homeFolder: home,
    dataFolder: dataDir,
    installationFolder: parts.installationDir,
  });
  const supervisor = createSupervisor({ containment, clock, publish, scratchFolder: tmpdir() });
  const rawLogs = createRunLogs({
    folder: join(dataDir, "logs"),
    bytesMax: config.logLimitMb * mebibyte,
    onError: onLogError,
  });
  return { workspaces, supervisor, rawLogs };
}

function composeTransport(
  parts: RunnerParts,
  { supervisor, workspaces, rawLogs }: Machine,
  wakeups: Wakeups,
) {
  const { config, store, clock, publish, makeId, dataDir, redactor } = parts;
  const start: StartProcessOptions = {
    supervisor,
    custody: store,
    clock,
    publish,
    makeId,
    killGraceMs: config.killGraceMs,
    hiddenPaths: [dataDir],
    limits: {
      memoryLimitMb: config.memoryLimitMb,
      processesMax: config.processLimit,
      lineBytesMax: config.lineLimitMb * mebibyte,
      stdoutBytesMax: config.outputLimitMb * mebibyte,
    },
    checkFolder: workspaces.check,
    findExecutable: (cli) => executableOf(parts, cli)?.path ?? null,
    environmentFor: (adapter, adapterEnv, processId) => environmentFor(parts, adapter, adapterEnv, processId),
  };
  const pool = createWarmPool({
    processesMax: config.warmProcesses,
    idleMs: config.warmIdleMs,
    clock,
    publish,
    end: (session, reason) => retireProcess(start, session, reason),
  });
  const transport = createHeadlessTransport({
    ...config,
    start,
    pool,
    adapterOf: (cli) => findAdapter(cli) ?? null,
    log: store,
    conversations: store,
    wakeups,
    redactor,
    clock,
    publish,
    newSessionId: () => crypto.randomUUID(),
    openRawLog: rawLogs.open,
  });
  return { pool, transport };
}

function environmentFor(
  { config, environment }: RunnerParts,
  adapter: Adapter | null,
  adapterEnv: Readonly<Record<string, string>>,
  processId: string,
): Record<string, string> {
  const signInVariables = adapter?.signInVariables ?? [];
  return cliEnvironment({
    serverEnvironment: environment,
    signInVariables,
    passEnv: config.passEnv,
    adapterEnv,
    processId,
  });
}

/** The demo is run by the Bun that runs us; the others are the owner's. */
function executableOf({ config, environment }: RunnerParts, cli: Cli): Executable | null {
  if (cli === "demo") return { path: process.execPath, realPath: process.execPath };
  const configured = {
    claude: config.claudePath,
    droid: config.droidPath,
    gemini: config.geminiPath,
    acp: undefined,
  };
  return findExecutable({ name: cli, configuredPath: configured[cli] ?? null, path: environment.PATH ?? "" });
}

export function sha256(text: string): string {
  return new Bun.CryptoHasher("sha256").update(text).digest("hex");
}
