import type { ProcessLimits } from "./cli-process.ts";

/** Which of the kernel's two file systems for control groups has the memory controller. */
export type CgroupVersion = "v1" | "v2";

/** A folder below which control groups may be made. */
export interface CgroupFolder {
  version: CgroupVersion;
  path: string;
  /** Whether the number of tasks can be limited here too. */
  limitsTasks: boolean;
  /** Where control groups can be reached, so that a run must not write there. */
  mountPaths: readonly string[];
}

/** One of a group's files, and the number by that name in it; without a name the file is the number. */
export interface Counter {
  file: string;
  name: string | null;
}

/** How a limit of a group's is set, and how it is told that the kernel made it hold. */
export interface CgroupNames {
  /** Folder of a group's in which its processes live. */
  tree: string;
  /** What a command begins with, so that it joins the tree in this folder; null where it is born into it. */
  joining: ((treeFolder: string) => readonly string[]) | null;
  /** Written in this order. */
  memoryLimits(bytesMax: number): readonly CgroupWrite[];
  /** Processes of the tree that the kernel killed for want of memory, whosever limit it was. */
  memoryKills: Counter;
  /** Whether this group's own limit was ever in the way: if it wasn't, somebody else's killed. */
  wasMemoryFull(read: (counter: Counter) => number, bytesMax: number): boolean;
  taskLimits(tasksMax: number): readonly CgroupWrite[];
  /** How often a task could not be started for the limit; null where it can't be told. */
  taskRefusals: Counter | null;
}

export interface CgroupWrite {
  file: string;
  text: string;
  /** Some kernels don't have it. */
  isOptional: boolean;
}

/**
 * A run's processes live one folder below its limits: in a user namespace, root may mount the groups anew, and sees
 * its own from there on, with files that it may write.
 */
const tree = "tree";

/**
 * A process that puts another one into a v1 group waits for all processors, 15 ms of the server's; one that puts
 * itself there, by its only thread, waits for nobody (Linux 5.5). What a shell adds to the environment goes again.
 */
const joinScript = `echo 0 > "$1"; shift; unset PWD OLDPWD SHLVL; exec "$@"`;

/** Memory is given out in batches, of which the last doesn't fit. */
const fullFrom = 0.9;

/** Memory that could go to the disk instead would be swapped, and no limit reached. */
export const cgroupNames: Record<CgroupVersion, CgroupNames> = {
  v1: {
    tree,
    joining: (treeFolder) => ["/bin/sh", "-c", joinScript, "sh", `${treeFolder}/tasks`],
    memoryLimits: (bytesMax) => [
      { file: "memory.limit_in_bytes", text: String(bytesMax), isOptional: false },
      { file: "memory.memsw.limit_in_bytes", text: String(bytesMax), isOptional: true },
    ],
    // Counted where the processes are, and not in the folders above.
    memoryKills: { file: `${tree}/memory.oom_control`, name: "oom_kill" },
    // The count of failures isn't kept any more in Linux 6.18; the most that was used is.
    wasMemoryFull: (read, bytesMax) =>
      ["memory.max_usage_in_bytes", "memory.memsw.max_usage_in_bytes"].some(
        (file) => read({ file, name: null }) >= bytesMax * fullFrom,
      ),
    taskLimits: () => [],
    taskRefusals: null,
  },
  v2: {
    tree,
    joining: null,
    memoryLimits: (bytesMax) => [
      { file: "memory.max", text: String(bytesMax), isOptional: false },
      { file: "memory.swap.max", text: "0", isOptional: true },
      { file: "memory.oom.group", text: "1", isOptional: true },
    ],
    memoryKills: { file: "memory.events", name: "oom_kill" },
    wasMemoryFull: (read) => read({ file: "memory.events", name: "oom" }) > 0,
    taskLimits: (tasksMax) => [{ file: "pids.max", text: String(tasksMax), isOptional: true }],
    taskRefusals: { file: "pids.events", name: "max" },
  },
};

/** The kernel counts threads, of which some runtimes have dozens in a process. */
const tasksPerProcess = 32;
const tasksBeside = 1_024;

/** More tasks than an honest tree of so many processes has: what is counted exactly is its processes, by looks. */
export function tasksMaxOf({ processesMax }: Pick<ProcessLimits, "processesMax">): number {
  return processesMax * tasksPerProcess + tasksBeside;
}

/** Null where the text holds no such number. */
export function readCounter(text: string | null, { name }: Counter): number | null {
  const pattern = name === null ? /^(\d+)\s*$/ : new RegExp(`^${name} (\\d+)$`, "m");
  const found = pattern.exec(text ?? "");
  return found === null ? null : Number(found[1]);
}
