import type { Clock } from "../../domain/clock.ts";
import { sendSignal } from "./kill.ts";
import { killMarked } from "./marked-processes.ts";
import { type ProcessTree, killMsMax } from "./process-tree.ts";
import {
  type ProcessStat,
  aliveAmong,
  childrenOf,
  descendantsOf,
  findAlive,
  findMemoryParts,
  findProportionalBytes,
  innerPidOf,
  isAlive,
  listProcesses,
} from "./tree.ts";
import { until } from "./until.ts";

export interface NamespaceTreeSpec {
  /** The process that we started; the namespace's first process is its child. */
  wrapper: { pid: number; startTicks: number };
  /** Under `unshare` the CLI itself is the first process; under `bwrap` it is a child of it. */
  cliIsFirst: boolean;
  /** The first process's host pid as the wrapper reported it; null when it hasn't. */
  reportedFirstPid: () => number | null;
  /** True once the wrapper has ended by itself, which it does after the first process has (`unshare`). */
  wrapperIsDone: () => boolean;
  marker: string;
  clock: Clock;
}

/**
 * A tree in a PID namespace of its own: nothing leaves it, its own /proc lists exactly its processes, and
 * when its first process has ended the kernel has ended all others before.
 */
export function createNamespaceTree(spec: NamespaceTreeSpec): ProcessTree {
  let first: ProcessStat | null = null;
  let cli: ProcessStat | null = null;

  function findFirst(): ProcessStat | null {
    if (first !== null) return first;
    const reported =
      spec.reportedFirstPid() ?? (isAlive(spec.wrapper) ? childrenOf(spec.wrapper.pid)[0] : null);
    const found = reported === null || reported === undefined ? null : findAlive(reported);
    // An older process than the wrapper only has the pid of the one we look for.
    if (found !== null && found.startTicks >= spec.wrapper.startTicks) first = found;
    return first;
  }

  function listAll(): ProcessStat[] | null {
    const init = findFirst();
    if (init === null) return null;
    const folder = procFolderOf(init);
    // Until the namespace's own /proc is mounted, the host's is found here. Asked before the list is made: names
    // of the host's processes, looked up in a /proc that is mounted meanwhile, would look like so many that ended.
    const isOwn = findAlive(1, folder)?.startTicks === init.startTicks;
    if (isOwn) return listProcesses(folder);
    return isAlive(init) ? null : [];
  }

  function list(): ProcessStat[] | null {
    const processes = listAll();
    return processes && aliveAmong(processes);
  }

  function cliAmong(processes: readonly ProcessStat[]): ProcessStat | null {
    cli ??= spec.cliIsFirst ? byPid(processes, 1) : oldestChildOfFirst(processes);
    return cli;
  }

  function cliHostPid(): number | null {
    const init = findFirst();
    if (init === null || spec.cliIsFirst) return init?.pid ?? null;
    const inner = cliAmong(list() ?? [])?.pid ?? null;
    return inner === null ? null : (childrenOf(init.pid).find((pid) => innerPidOf(pid) === inner) ?? null);
  }

  return {
    list,
    listAll,
    listThoroughly: listAll,
    memoryPartsOf: ({ pid }) => first && findMemoryParts(pid, procFolderOf(first)),
    proportionalBytesOf: ({ pid }) => first && findProportionalBytes(pid, procFolderOf(first)),
    cliAmong,
    hostPidsOf(processes) {
      const init = findFirst();
      if (init === null || !isAlive(init)) return [];
      const wanted = new Set(processes.map((process) => process.pid));
      return descendantsOf(init.pid).filter((pid) => wanted.has(innerPidOf(pid) ?? -1));
    },
    signalCli(signal) {
      if (!isAlive(spec.wrapper)) return false;
      // Before the CLI has been started, ending the wrapper is ending all there is.
      return sendSignal(cliHostPid() ?? spec.wrapper.pid, signal);
    },
    kill: () => killNamespace(spec, findFirst()),
  };
}

/** The namespace's own /proc, seen through its first process. */
function procFolderOf(first: { pid: number }): string {
  return `/proc/${first.pid}/root/proc`;
}

/** Time for the wrapper to wait for its child, which then isn't left as a zombie to process 1. */
const wrapperEndMsMax = 100;

async function killNamespace(spec: NamespaceTreeSpec, first: ProcessStat | null): Promise<number> {
  const isDead = () => !isAlive(spec.wrapper) && (first === null || !isAlive(first));
  // Left to itself, unshare (util-linux 2.38) calls its child's SIGKILL a failure of its own, exit code 1.
  if (spec.cliIsFirst && isAlive(spec.wrapper)) sendSignal(spec.wrapper.pid, "SIGKILL");
  if (first !== null && isAlive(first)) sendSignal(first.pid, "SIGKILL");
  if (first !== null && (await until(spec.clock, wrapperEndMsMax, isDead))) return 0;
  if (isAlive(spec.wrapper)) sendSignal(spec.wrapper.pid, "SIGKILL");
  if (first === null && !hasEnded(spec)) return killMarked(spec.marker, spec.clock, killMsMax);
  return (await until(spec.clock, killMsMax, isDead)) ? 0 : 1;
}

/**
 * Whether a namespace that was never seen alive is known to have ended. Otherwise the wrapper may have been
 * killed on the way to it and have left a process there.
 */
function hasEnded(spec: NamespaceTreeSpec): boolean {
  return spec.reportedFirstPid() !== null || (spec.cliIsFirst && spec.wrapperIsDone());
}

function byPid(processes: readonly ProcessStat[], pid: number): ProcessStat | null {
  return processes.find((process) => process.pid === pid) ?? null;
}

/** bwrap's first process starts the CLI before any orphan can become its child. */
function oldestChildOfFirst(processes: readonly ProcessStat[]): ProcessStat | null {
  const children = processes.filter((process) => process.ppid === 1);
  return children.toSorted((a, b) => a.startTicks - b.startTicks || a.pid - b.pid)[0] ?? null;
}
