import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Config } from "./config.ts";
import type { AcpAgentConfig } from "./domain/acp-agent.ts";
import type { Cli } from "./domain/agent.ts";
import type { Clock } from "./domain/clock.ts";
import type { Fact, PublishFact } from "./domain/facts.ts";
import type { MakeId } from "./domain/ids.ts";
import type { Adapter } from "./runner/adapters/adapter.ts";
import { type Adapters, createAdapters, findAdapter } from "./runner/adapters/registry.ts";
import { listAcpAgents } from "./runner/acp-reports.ts";
import { createAgentDesk } from "./runner/agent-desk.ts";
import { findClis, listClis } from "./runner/cli-reports.ts";
import { type KnownCli, knownClis } from "./runner/known-clis.ts";
import { createDriftTally } from "./runner/drift-tally.ts";
import type { Redactor } from "./runner/policies/redaction.ts";
import { type CliVersions, createCliVersions } from "./runner/process/cli-version.ts";
import type { Containment } from "./runner/process/containment.ts";
import { cliEnvironment } from "./runner/process/environment.ts";
import { type Executable, findExecutable } from "./runner/process/find-executable.ts";
import { findHomeTrouble } from "./runner/process/home-folder.ts";
import { readFreeBytes } from "./runner/process/free-memory.ts";
import type { RunCgroups } from "./runner/process/run-cgroup.ts";
import { createRunLogs } from "./runner/process/run-logs.ts";
import { createSupervisor } from "./runner/process/supervisor.ts";
import { createWorkspaces } from "./runner/process/workspaces.ts";
import type { Quarantine } from "./runner/quarantine.ts";
import { createRunner } from "./runner/runner.ts";
import { createStartGate } from "./runner/start-gate.ts";
import { createHeadlessTransport } from "./runner/transports/headless.ts";
import { retireProcess, type StartProcessOptions } from "./runner/transports/start-process.ts";
import type { Wakeups } from "./runner/runner-api.ts";
import { createVersionCheck, learnVersions, type VersionCheckOptions } from "./runner/version-check.ts";
import { createWakeups } from "./runner/wakeups.ts";
import { createWarmPool } from "./runner/warm-pool.ts";
import type { Store } from "./store/store.ts";

const mebibyte = 1_048_576;
/** A page waits no longer for a CLI to tell its version. */
const versionMsMax = 250;
const isRoot = process.getuid?.() === 0;

export interface RunnerParts {
  config: Config;
  acpAgents: readonly AcpAgentConfig[];
  environment: Readonly<Record<string, string | undefined>>;
  version: string;
  dataDir: string;
  installationDir: string;
  /** Masks secrets in all that is stored, shown or logged. */
  redactor: Redactor;
  store: Store;
  containment: Containment;
  /** Where control groups may be made; without them limits are watched by looks alone. */
  cgroups?: RunCgroups | null;
  clock: Clock;
  makeId: MakeId;
  /** UUIDs for the CLIs that let us choose. */
  newSessionId(): string;
  publish: PublishFact;
  subscribe(listener: (fact: Fact) => void): void;
  onLogError(error: Error): void;
}

/** Puts the runner together with the machine that it runs on, or with one that a simulation has made up. */
export function composeRunner(parts: RunnerParts, machine: Machine = composeMachine(parts)) {
  const { environment, store, clock, publish, config } = parts;
  const wakeups = createWakeups();
  const adapters = createAdapters(parts.acpAgents);
  const quarantine: Quarantine["begin"] = (agentId, survivors) => runner.quarantine(agentId, survivors);
  const { pool, transport, gate } = composeTransport(parts, machine, adapters, wakeups, quarantine);
  const { workspaces, supervisor, rawLogs } = machine;
  const permissionModesOf = (cli: Cli, acpAgent: string | null) =>
    adapters.find({ cli, acpAgent })?.permissionModes(isRoot) ?? [];
  const agentDesk = createAgentDesk({
    agents: store,
    workspaces,
    clock,
    publish,
    wakeups,
    pool,
    acpAgentNames: parts.acpAgents.map(({ name }) => name),
    permissionModesOf,
    takesMcpConfig: (cli, acpAgent) => adapters.find({ cli, acpAgent })?.takesMcpConfig ?? false,
    hasFilePolicy: parts.containment.rung === "bwrap",
  });
  const runner = createRunner({
    ...parts,
    transport,
    supervisor,
    gate,
    pool,
    agentDesk,
    wakeups,
    hash: sha256,
    removeRawLogs: rawLogs.remove,
    queueLimit: config.queueLimit,
    runsMax: config.maxRuns,
    breakerSettings: {
      failuresMax: config.breakerFailures,
      pauseMs: config.breakerPauseMs,
      pauseMaxMs: config.breakerPauseMaxMs,
    },
    timeZone: new Intl.DateTimeFormat().resolvedOptions().timeZone,
  });
  const known = (Object.keys(knownClis) as KnownCli[]).flatMap((cli) => findAdapter(cli) ?? []);
  learnVersions(composeVersionCheck(parts, machine.versions), known);
  const drift = createDriftTally();
  parts.subscribe(drift.hear);
  const reports = {
    listDrift: drift.list,
    environment,
    isRoot,
    keepsWarm: pool.keepsAny,
    version: parts.version,
    findExecutable: (cli: Cli) => {
      const adapter = findAdapter(cli);
      return adapter && executableOf(parts, adapter);
    },
    readVersion: machine.versions.read,
    listAcpAgents: () =>
      listAcpAgents({
        acpAgents: parts.acpAgents,
        keepsWarm: pool.keepsAny,
        findExecutable(acpAgent) {
          const adapter = adapters.find({ cli: "acp", acpAgent });
          return adapter && executableOf(parts, adapter);
        },
        permissionModesOf: (acpAgent) => permissionModesOf("acp", acpAgent),
        listDrift: () => drift.list("acp"),
      }),
  };
  return {
    runner,
    countStarting: () => gate.starting,
    wakeups,
    workspaces,
    listClis: () => listClis(reports),
    findClis: () => findClis(reports, versionMsMax),
    readRawLog: rawLogs.read,
    readLogPiece: rawLogs.readPiece,
    onLogGrown: rawLogs.onGrown,
    removeStrayLogs: rawLogs.removeStray,
    removeOldLogs: rawLogs.removeOld,
    countLogBytes: () => rawLogs.bytes,
  };
}

/** What the runner needs of the machine that it runs on. */
export type Machine = ReturnType<typeof composeMachine>;

export function composeMachine(parts: RunnerParts) {
  const { config, environment, containment, clock, publish, dataDir, onLogError } = parts;
  const home = environment.HOME ?? "/nonexistent";
  const workspaces = createWorkspaces({
    roots: config.workspaces.length > 0 ? config.workspaces : [home],
    homeFolder: home,
    dataFolder: dataDir,
    installationFolder: parts.installationDir,
  });
  const { cgroups = null } = parts;
  const supervisor = createSupervisor({ containment, clock, publish, scratchFolder: tmpdir(), cgroups });
  const rawLogs = createRunLogs({
    folder: join(dataDir, "logs"),
    bytesMax: config.logLimitMb * mebibyte,
    redactor: parts.redactor,
    clock,
    onError: onLogError,
  });
  const versions = createCliVersions({
    supervisor,
    makeProcessId: () => parts.makeId("proc"),
    environmentOf: (cli, processId) => environmentFor(parts, findAdapter(cli), {}, processId),
    hiddenPaths: [dataDir],
  });
  return { workspaces, supervisor, rawLogs, versions, readFreeBytes: () => readFreeBytes() };
}

function composeTransport(
  parts: RunnerParts,
  { supervisor, workspaces, rawLogs, versions, readFreeBytes: readFree }: Machine,
  adapters: Adapters,
  wakeups: Wakeups,
  quarantine: Quarantine["begin"],
) {
  const { config, store, clock, publish, makeId, dataDir, redactor } = parts;
  const gate = createStartGate({
    startsMax: config.maxStarts,
    freeMemoryMb: config.freeMemoryMb,
    clock,
    publish,
    readFreeBytes: readFree,
    giveUpIdle: () => pool.giveUpOldest(),
  });
  const start: StartProcessOptions = {
    supervisor,
    gate,
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
    // The demo agent remembers where it can, and does without where it can't.
    findHomeTrouble: async ({ cli }) => (cli === "demo" ? null : findHomeTrouble(parts.environment.HOME)),
    configuredPath: (adapter) => configuredPathOf(parts, adapter),
    findExecutable: (adapter) => executableOf(parts, adapter)?.path ?? null,
    checkVersion: createVersionCheck(composeVersionCheck(parts, versions)),
    environmentFor: (adapter, adapterEnv, processId) => environmentFor(parts, adapter, adapterEnv, processId),
  };
  const pool = createWarmPool({
    processesMax: config.warmProcesses,
    idleMs: config.warmIdleMs,
    clock,
    publish,
    async end(session, reason) {
      const survivors = await retireProcess(start, session, reason);
      if (survivors > 0) await quarantine(session.agentId, survivors);
      return survivors;
    },
  });
  const transport = createHeadlessTransport({
    ...config,
    start,
    pool,
    adapterOf: adapters.find,
    log: store,
    conversations: store,
    wakeups,
    redactor,
    clock,
    publish,
    newSessionId: parts.newSessionId,
    openRawLog: rawLogs.open,
  });
  return { pool, transport, gate };
}

function composeVersionCheck(parts: RunnerParts, versions: CliVersions): VersionCheckOptions {
  return { versions, findExecutable: (adapter) => executableOf(parts, adapter) };
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
function executableOf(parts: RunnerParts, adapter: Adapter): Executable | null {
  if (adapter.cli === "demo") return { path: process.execPath, realPath: process.execPath };
  const configuredPath = configuredPathOf(parts, adapter);
  return findExecutable({ name: adapter.program, configuredPath, path: parts.environment.PATH ?? "" });
}

function configuredPathOf({ config }: RunnerParts, { cli, program }: Adapter): string | null {
  const configured = {
    claude: config.claudePath,
    droid: config.droidPath,
    gemini: config.geminiPath,
    acp: program.startsWith("/") ? program : undefined,
    demo: undefined,
  };
  return configured[cli] ?? null;
}

export function sha256(text: string): string {
  return new Bun.CryptoHasher("sha256").update(text).digest("hex");
}
