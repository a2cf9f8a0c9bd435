import { type Clock, pause } from "../../domain/clock.ts";
import type { RunErrorCode } from "../../domain/error-codes.ts";
import type { PublishFact } from "../../domain/facts.ts";
import type { MakeId } from "../../domain/ids.ts";
import { type ClaimedRun, type Custody, StoreUnavailable } from "../../domain/ports.ts";
import type { Adapter, Dialect, SessionSpec } from "../adapters/adapter.ts";
import type { CliProcess, ProcessLimits, ProcessSpec, Supervisor } from "../process/cli-process.ts";
import type { Workspaces } from "../runner-api.ts";
import type { StartGate, StartPermit, StartRequest } from "../start-gate.ts";
import { endProcess, type SessionProcess } from "../session-process.ts";
import { unlessStoreFails } from "../store-failure.ts";
import { processFingerprint, type SessionPlan } from "./session-plan.ts";

export interface StartProcessOptions {
  supervisor: Supervisor;
  /** Where a start waits for its turn and for memory. */
  gate: StartGate;
  custody: Custody;
  clock: Clock;
  publish: PublishFact;
  makeId: MakeId;
  killGraceMs: number;
  hiddenPaths: readonly string[];
  limits: Omit<ProcessLimits, "memoryBytesMax"> & { memoryLimitMb: number };
  /** Whether agents may (still) work in this folder. */
  checkFolder: Workspaces["check"];
  /** Why the CLI would have no home folder to write in; null when it has one. */
  findHomeTrouble(adapter: Adapter): Promise<string | null>;
  /** The path that the owner set for it, if any: then nothing else counts. */
  configuredPath(adapter: Adapter): string | null;
  /** Where the CLI's executable is, or null. */
  findExecutable(adapter: Adapter): string | null;
  /**
   * Whether a process of that version may be used, or, where it has told none, of the installed one, as far as
   * that is known without waiting.
   */
  checkVersion(adapter: Adapter, told?: string | null): Promise<VersionCheck>;
  environmentFor(
    adapter: Adapter,
    adapterEnv: Readonly<Record<string, string>>,
    processId: string,
  ): Record<string, string>;
}

/** How long a start may wait, and who is told. */
export type StartWait = Omit<StartRequest, "cli">;

export type VersionCheck = { kind: "ok"; cliVersion: string | null } | { kind: "too_old"; message: string };

export type StartOutcome =
  | {
      kind: "started";
      session: SessionProcess;
      /** To be told when it says something: then the next one may come up. */
      cameUp: () => void;
    }
  | StartFailure;
interface StartFailure {
  kind: "failed";
  code: RunErrorCode;
  message: string;
  isOurs?: boolean;
  /** Processes that were started all the same and could not be ended; they are on record. */
  survivors?: number;
}

/** How long to wait before a process that lives on is killed, and put on record, once more. */
const custodyRetryMs = 500;

/** Starts the CLI for a run, as soon as it may be, and takes custody of it before it gets any input. */
export async function startProcess(
  options: StartProcessOptions,
  adapter: Adapter,
  run: ClaimedRun,
  plan: SessionPlan,
  isOneTurn: boolean,
  wait: StartWait,
): Promise<StartOutcome> {
  const found = await findWhatItTakes(options, adapter, run).catch(unlessOutOfDescriptors);
  if (found.kind === "failed") return found;
  const { executable, cliVersion } = found;
  const dialect = adapter.dialects[isOneTurn ? "oneTurn" : "warm"];
  const spec = sessionSpec(run, plan, executable);
  const permit = await options.gate.enter({ cli: adapter.cli, ...wait });
  if (permit.kind !== "entered") return notPermitted(permit);
  const outcome = await options.supervisor.spawn(processSpec(options, adapter, dialect, spec, run));
  if (outcome.kind === "failed") {
    permit.cameUp();
    return outcome;
  }
  const { process } = outcome;
  void process.exited.then(permit.cameUp);
  const refused = await takeCustody(options, process, run);
  if (refused) {
    permit.cameUp();
    const survivors = await endRefused(options, process, run);
    return { ...refused, survivors };
  }
  const dialogue = dialect.open({ ...spec, systemPrompt: run.agent.systemPrompt });
  return {
    kind: "started",
    cameUp: permit.cameUp,
    session: { process, dialect, dialogue, isOneTurn, cliVersion, ...ownerOf(run), retiredBecause: null },
  };
}

type Found = { kind: "found"; executable: string; cliVersion: string | null };

/** The executable and its version, if they and the folders are as they should be. */
async function findWhatItTakes(
  options: StartProcessOptions,
  adapter: Adapter,
  { agent }: ClaimedRun,
): Promise<Found | StartFailure> {
  const executable = options.findExecutable(adapter);
  if (!executable) return notFound(adapter, options.configuredPath(adapter));
  const [obstacle, version, homeTrouble] = await Promise.all([
    checkFolder(options, agent.cwd),
    options.checkVersion(adapter),
    options.findHomeTrouble(adapter),
  ]);
  if (obstacle) return obstacle;
  if (homeTrouble !== null)
    return { kind: "failed", code: "spawn_error", message: homeTrouble, isOurs: true };
  if (version.kind === "too_old") return { kind: "failed", code: "cli_too_old", message: version.message };
  return { kind: "found", executable, cliVersion: version.cliVersion };
}

/** A server that may open no more files can't look for the CLI either. */
function unlessOutOfDescriptors(error: unknown): StartFailure {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== "EMFILE" && code !== "ENFILE") throw error;
  const message = `Headway has no descriptor left to start the CLI with (${code}); raise its limit of open files.`;
  return { kind: "failed", code: "spawn_error", message, isOurs: true };
}

function notPermitted(permit: Exclude<StartPermit, { kind: "entered" }>): StartFailure {
  // How a run ends that was stopped is told by what stopped it.
  const message =
    permit.kind === "stopped" ? "The run was ended before its CLI was started." : permit.message;
  return { kind: "failed", code: "spawn_error", message, isOurs: true };
}

/** Null when the process is on record as the only one of its conversation; else it may not go on. */
async function takeCustody(
  { custody, clock }: StartProcessOptions,
  { id: processId, identity, containment }: CliProcess,
  { agent, conversationId }: ClaimedRun,
): Promise<StartFailure | null> {
  const held = { processId, agentId: agent.id, conversationId, identity, containment, atMs: clock.wallMs() };
  try {
    return (await custody.recordProcess(held)) === "ok" ? null : occupied;
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    return { kind: "failed", code: "store_error", message: error.message };
  }
}

/**
 * Ends a process that may not go on. One that withstands its kill is put on record, however long the store takes to
 * come back: nobody would ever look for it again. Resolves with the survivors.
 */
async function endRefused(
  options: StartProcessOptions,
  process: CliProcess,
  run: ClaimedRun,
): Promise<number> {
  const { id: processId, cli } = process;
  // Its conversation may have another process on record, beside which the store takes none.
  const ownRecord = { ...run, conversationId: processId };
  for (;;) {
    const survivors = await process.killTree();
    if (survivors === 0) return 0;
    if ((await takeCustody(options, process, ownRecord)) === null) {
      options.publish({ type: "process.survived", processId, cli, count: survivors });
      return survivors;
    }
    await pause(options.clock, custodyRetryMs);
  }
}

const occupied: StartFailure = {
  kind: "failed",
  code: "spawn_error",
  message: "Another process of this conversation has no end on record, so none was started beside it.",
  isOurs: true,
};

/** The folder was checked when it was set; since then a link may have been put in its place. */
async function checkFolder(options: StartProcessOptions, cwd: string): Promise<StartFailure | null> {
  const folder = await options.checkFolder(cwd);
  if (folder.kind === "ok" && folder.realPath === cwd) return null;
  const message = folder.kind === "ok" ? "Its place is taken by a link to another folder." : folder.message;
  return {
    kind: "failed",
    code: "cwd_missing",
    message: `The agent's folder ${cwd} can't be used: ${message}`,
  };
}

function notFound({ cli, program }: Adapter, configuredPath: string | null): StartFailure {
  const setting = cli === "acp" ? "its command in acp-agents.json" : `HEADWAY_${cli.toUpperCase()}_PATH`;
  const message =
    configuredPath === null
      ? `No executable for ${program} was found on PATH; install it, or set ${setting}.`
      : `There is no executable at ${configuredPath}; set ${setting} to where it is.`;
  return { kind: "failed", code: "cli_not_found", message };
}

function sessionSpec({ agent }: ClaimedRun, plan: SessionPlan, executable: string): SessionSpec {
  const { cwd, model, permissionMode, mcpConfigPath } = agent;
  const { cliSessionId: sessionId, resume } = plan;
  return { executable, sessionId, resume, cwd, model, permissionMode, mcpConfigPath };
}

function processSpec(
  options: StartProcessOptions,
  adapter: Adapter,
  dialect: Dialect,
  spec: SessionSpec,
  { agent }: ClaimedRun,
): ProcessSpec {
  const command = dialect.command(spec);
  const processId = options.makeId("proc");
  const { memoryLimitMb, ...limits } = options.limits;
  const env = options.environmentFor(adapter, command.env, processId);
  return {
    processId,
    cli: adapter.cli,
    file: command.file,
    args: command.args,
    cwd: agent.cwd,
    env,
    hiddenPaths: options.hiddenPaths,
    writablePaths: agent.filePolicy === "workspace" ? adapter.ownFolders(env) : null,
    limits: { ...limits, memoryBytesMax: (agent.memoryLimitMb ?? memoryLimitMb) * 1_048_576 },
  };
}

function ownerOf({ agent, conversationId }: ClaimedRun) {
  return { agentId: agent.id, conversationId, fingerprint: processFingerprint(agent) };
}

/** Ends a process for good, records that and says how many of its tree survived. */
export async function retireProcess(
  options: StartProcessOptions,
  session: SessionProcess,
  reason: string,
): Promise<number> {
  const { process } = session;
  const survivors = await endProcess(process, options.killGraceMs, options.clock);
  const { exitCode, signal } = process.exitStatus ?? { exitCode: null, signal: null };
  const { id: processId, cli } = process;
  options.publish({ type: "process.ended", processId, cli, reason, exitCode, signal });
  if (survivors > 0) {
    options.publish({ type: "process.survived", processId, cli, count: survivors });
    return survivors;
  }
  const end = { reason, exitCode, signal, atMs: options.clock.wallMs() };
  // Without its end on record the next server looks for the process, and finds it dead.
  await unlessStoreFails(options.custody.recordProcessEnd(processId, end));
  return 0;
}
