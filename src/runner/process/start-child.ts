import { setPriority } from "node:os";
import { join } from "node:path";
import type { ProcessSpec } from "./cli-process.ts";
import { type Containment, wrap } from "./containment.ts";
import { processMarker } from "./environment.ts";
import { type StartFailure, checkStart, existingFolders } from "./start-check.ts";
import { type WrapperStatus, openWrapperStatus } from "./wrapper-status.ts";

export type Child = Bun.Subprocess<"pipe", "pipe", "pipe">;

export interface Started {
  kind: "started";
  child: Child;
  /** Where bwrap reports; null on other rungs. */
  status: WrapperStatus | null;
}

/** A CLI yields to the server and to people, without being slower on an idle machine. */
const niceness = 10;
const statusFd = 3;

/** Starts a command in its containment, or tells why it can't be. */
export function startChild(
  containment: Containment,
  scratchFolder: string,
  spec: ProcessSpec,
): Started | StartFailure {
  const hiddenPaths = containment.rung === "process-group" ? [] : existingFolders(spec.hiddenPaths);
  const obstacle = checkStart(spec, hiddenPaths);
  if (obstacle !== null) return obstacle;
  const { file, args } = wrap(containment, { ...spec, hiddenPaths, statusFd });
  let status: WrapperStatus | null = null;
  try {
    if (containment.rung === "bwrap")
      status = openWrapperStatus(join(scratchFolder, `headway-${spec.processId}`));
    const child = spawn([file, ...args], spec, status);
    lowerPriority(child.pid);
    return { kind: "started", child, status };
  } catch (error) {
    status?.close();
    return spawnFailure(error);
  }
}

function spawn(command: string[], spec: ProcessSpec, status: WrapperStatus | null): Child {
  return Bun.spawn(command, {
    cwd: spec.cwd,
    env: { ...spec.env, [processMarker]: spec.processId },
    stdio: ["pipe", "pipe", "pipe", ...(status === null ? [] : [status.descriptor])],
    // A session of its own, so that Ctrl-C at the server's terminal isn't the CLI's.
    detached: true,
    // Read only as fast as it is consumed; otherwise Bun collects what a flood prints.
    lazy: true,
  });
}

/** What the system refused although nothing spoke against it: no more processes, files or memory. */
function spawnFailure(error: unknown): StartFailure {
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) throw error;
  return { kind: "failed", code: "spawn_error", message: `The system refused to start the CLI (${code}).` };
}

function lowerPriority(pid: number): void {
  try {
    setPriority(pid, niceness);
  } catch (error) {
    // It has ended already, or this server itself yields even more.
    const code = (error as { info?: { code?: string } }).info?.code ?? "";
    if (!["ESRCH", "EACCES", "EPERM"].includes(code)) throw error;
  }
}
