import type { Clock } from "../../domain/clock.ts";
import type { Cli } from "../../domain/agent.ts";
import type { RunErrorCode } from "../../domain/error-codes.ts";
import type { PublishFact } from "../../domain/facts.ts";
import type { MakeId } from "../../domain/ids.ts";
import { type ClaimedRun, type Custody, StoreUnavailable } from "../../domain/ports.ts";
import type { Adapter } from "../adapters/adapter.ts";
import type { CliProcess, ProcessLimits, Supervisor } from "../process/cli-process.ts";
import type { Workspaces } from "../runner-api.ts";
import { endProcess, type SessionProcess } from "../session-process.ts";
import { unlessStoreFails } from "../store-failure.ts";
import { processFingerprint, type SessionPlan } from "./session-plan.ts";

export interface StartProcessOptions {
  supervisor: Supervisor;
  custody: Custody;
  clock: Clock;
  publish: PublishFact;
  makeId: MakeId;
  killGraceMs: number;
  hiddenPaths: readonly string[];
  limits: Omit<ProcessLimits, "memoryBytesMax"> & { memoryLimitMb: number };
  /** Whether agents may (still) work in this folder. */
  checkFolder: Workspaces["check"];
  /** Where the CLI's executable is, or null. */
  findExecutable(cli: Cli): string | null;
  environmentFor(
    adapter: Adapter,
    adapterEnv: Readonly<Record<string, string>>,
    processId: string,
  ): Record<string, string>;
}

export type StartOutcome =
  { kind: "started"; session: SessionProcess } | { kind: "failed"; code: RunErrorCode; message: string };

/** Starts the CLI for a run and takes custody of it before it gets any input. */
export async function startProcess(
  options: StartProcessOptions,
  adapter: Adapter,
  run: ClaimedRun,
  plan: SessionPlan,
  keepsInput: boolean,
): Promise<StartOutcome> {
  const executable = options.findExecutable(adapter.cli);
  if (!executable) return notFound(adapter.cli);
  const obstacle = await checkFolder(options, run.agent.cwd);
  if (obstacle) return obstacle;
  const outcome = await options.supervisor.spawn(processSpec(options, adapter, run, plan, executable));
  if (outcome.kind === "failed") return outcome;
  const { process } = outcome;
  try {
    await takeCustody(options, process, run);
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    await process.killTree();
    return { kind: "failed", code: "store_error", message: error.message };
  }
  return { kind: "started", session: sessionOf(process, adapter, run, plan, keepsInput) };
}

function takeCustody(
  { custody, clock }: StartProcessOptions,
  process: CliProcess,
  run: ClaimedRun,
): Promise<void> {
  return custody.recordProcess({
    processId: process.id,
    agentId: run.agent.id,
    conversationId: run.conversationId,
    identity: process.identity,
    containment: process.containment,
    atMs: clock.wallMs(),
  });
}

/** The folder was checked when it was set; since then a link may have been put in its place. */
async function checkFolder(options: StartProcessOptions, cwd: string): Promise<StartOutcome | null> {
  const folder = await options.checkFolder(cwd);
  if (folder.kind === "ok" && folder.realPath === cwd) return null;
  const message = folder.kind === "ok" ? "Its place is taken by a link to another folder." : folder.message;
  return {
    kind: "failed",
    code: "cwd_missing",
    message: `The agent's folder ${cwd} can't be used: ${message}`,
  };
}

function notFound(cli: Cli): StartOutcome {
  const variable = `HEADWAY_${cli.toUpperCase()}_PATH`;
  return {
    kind: "failed",
    code: "cli_not_found",
    message: `No executable for ${cli} was found on PATH; install it, or set ${variable}.`,
  };
}

function processSpec(
  options: StartProcessOptions,
  adapter: Adapter,
  run: ClaimedRun,
  plan: SessionPlan,
  executable: string,
) {
  const { agent } = run;
  const command = adapter.command({
    executable,
    sessionId: plan.cliSessionId,
    resume: plan.resume,
    model: agent.model,
    permissionMode: agent.permissionMode,
    mcpConfigPath: agent.mcpConfigPath,
  });
  const processId = options.makeId("proc");
  const { memoryLimitMb, ...limits } = options.limits;
  return {
    processId,
    cli: adapter.cli,
    file: command.file,
    args: command.args,
    cwd: agent.cwd,
    env: options.environmentFor(adapter, command.env, processId),
    hiddenPaths: options.hiddenPaths,
    limits: { ...limits, memoryBytesMax: (agent.memoryLimitMb ?? memoryLimitMb) * 1_048_576 },
  };
}

function sessionOf(
  process: CliProcess,
  adapter: Adapter,
  run: ClaimedRun,
  plan: SessionPlan,
  keepsInput: boolean,
): SessionProcess {
  const { permissionMode } = run.agent;
  return {
    process,
    adapter,
    decoder: adapter.decoder({ sessionId: plan.cliSessionId, permissionMode }),
    agentId: run.agent.id,
    conversationId: run.conversationId,
    fingerprint: processFingerprint(run.agent),
    keepsInput,
    retiredBecause: null,
  };
}

/** Ends a process for good, records that and says how many of its tree survived. */
export async function retireProcess(
  options: StartProcessOptions,
  session: SessionProcess,
  reason: string,
): Promise<number> {
  const { process } = session;
  const survivors = await endProcess(process, options.killGraceMs);
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
