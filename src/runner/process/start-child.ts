import { setPriority } from "node:os";
import { join } from "node:path";
import type { ProcessSpec } from "./cli-process.ts";
import { type Containment, type WrappedCommand, wrap } from "./containment.ts";
import { processMarker } from "./environment.ts";
import type { RunCgroup, RunCgroups } from "./run-cgroup.ts";
import { type StartFailure, checkStart, existingFolders } from "./start-check.ts";
import { writablePlaces } from "./writable-places.ts";
import { type WrapperStatus, openWrapperStatus } from "./wrapper-status.ts";

export type Child = Bun.Subprocess<"pipe", "pipe", "pipe">;

export interface Started {
  kind: "started";
  child: Child;
  /** Where bwrap reports; null on other rungs. */
  status: WrapperStatus | null;
  /** What limits it by the kernel; null where looks alone do. */
  cgroup: RunCgroup | null;
}

/** Where a command is started. */
export interface StartGround {
  containment: Containment;
  scratchFolder: string;
  cgroups: RunCgroups | null;
}

/** A CLI yields to the server and to people, without being slower on an idle machine. */
const niceness = 10;
const statusFd = 3;

/** Starts a command in its containment, or tells why it can't be. */
export function startChild(ground: StartGround, spec: ProcessSpec): Started | StartFailure {
  try {
    return startChecked(ground, spec);
  } catch (error) {
    return spawnFailure(error);
  }
}

function startChecked(ground: StartGround, spec: ProcessSpec): Started | StartFailure {
  const { containment, cgroups } = ground;
  const hiddenPaths = containment.rung === "process-group" ? [] : existingFolders(spec.hiddenPaths);
  const files = writablePlaces(spec);
  if (files !== null && containment.rung !== "bwrap") return withoutFilePolicy;
  const obstacle = checkStart(spec, hiddenPaths, files);
  if (obstacle !== null) return obstacle;
  const readOnlyPaths = cgroups?.mountPaths ?? [];
  const wrapped = wrap(containment, { ...spec, hiddenPaths, files, readOnlyPaths, statusFd });
  const status = openStatus(ground, spec);
  if (status !== null && "code" in status) return status;
  return startWrapped(ground, spec, wrapped, status);
}

/** Whatever keeps that file from being made, it isn't the CLI. */
function openStatus(
  { containment, scratchFolder }: StartGround,
  { processId }: ProcessSpec,
): WrapperStatus | null | StartFailure {
  if (containment.rung !== "bwrap") return null;
  try {
    return openWrapperStatus(join(scratchFolder, `headway-${processId}`));
  } catch (error) {
    return { ...spawnFailure(error), isOurs: true };
  }
}

function startWrapped(
  { containment, cgroups }: StartGround,
  spec: ProcessSpec,
  { file, args }: WrappedCommand,
  status: WrapperStatus | null,
): Started {
  const yielding = yieldingFirst(containment);
  let cgroup: RunCgroup | null = null;
  try {
    cgroup = cgroups?.make(spec.processId, spec.limits) ?? null;
    const command = [...(cgroup?.commandPrefix ?? []), ...yielding, file, ...args];
    const child = spawn(command, spec, status, cgroup);
    if (yielding.length === 0) lowerPriority(child.pid);
    return { kind: "started", child, status, cgroup };
  } catch (error) {
    status?.close();
    cgroup?.remove();
    throw error;
  }
}

/** A priority that is lowered from here comes too late for what has been started by then: bwrap and many CLIs are that quick. */
function yieldingFirst({ tools }: Containment): string[] {
  return tools.nice === null ? [] : [tools.nice, "-n", String(niceness)];
}

/** An agent that was promised to write in its folder only isn't run without that. */
const withoutFilePolicy: StartFailure = {
  kind: "failed",
  code: "spawn_error",
  message: "The agent's file policy needs bwrap, which doesn't contain runs on this server any more.",
  isOurs: true,
};

function spawn(
  command: string[],
  spec: ProcessSpec,
  status: WrapperStatus | null,
  cgroup: RunCgroup | null,
): Child {
  return Bun.spawn(command, {
    cwd: spec.cwd,
    env: { ...spec.env, [processMarker]: spec.processId },
    stdio: ["pipe", "pipe", "pipe", ...(status === null ? [] : [status.descriptor])],
    // A session of its own, so that Ctrl-C at the server's terminal isn't the CLI's.
    detached: true,
    // Read only as fast as it is consumed; otherwise Bun collects what a flood prints.
    lazy: true,
    ...cgroup?.spawnOptions,
  });
}

/** No more processes, memory, descriptors or room: what the machine is short of, whatever the CLI is like. */
const shortages: readonly string[] = ["EAGAIN", "ENOMEM", "EMFILE", "ENFILE", "ENOSPC", "EDQUOT"];

/** What the system refused although nothing spoke against it. */
function spawnFailure(error: unknown): StartFailure {
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) throw error;
  const message = `The system refused to start the CLI (${code}).`;
  return { kind: "failed", code: "spawn_error", message, isOurs: shortages.includes(code) };
}

/** Has a process yield as a CLI does. */
export function lowerPriority(pid: number): void {
  try {
    setPriority(pid, niceness);
  } catch (error) {
    // It has ended already, or this server itself yields even more.
    const code = (error as { info?: { code?: string } }).info?.code ?? "";
    if (!["ESRCH", "EACCES", "EPERM"].includes(code)) throw error;
  }
}
