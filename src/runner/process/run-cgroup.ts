import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../domain/clock.ts";
import {
  type CgroupFolder,
  type CgroupNames,
  type CgroupWrite,
  type Counter,
  cgroupNames,
  readCounter,
  tasksMaxOf,
} from "./cgroup-files.ts";
import { groupName, removeGroup } from "./cgroup-removal.ts";
import { type CgroupSystem, isCgroupRefusal, kernelCgroups } from "./cgroup-system.ts";
import type { LimitCode, ProcessLimits } from "./cli-process.ts";
import { readTextIfThere } from "./tree.ts";

/** The control group of one process and all that descends from it. */
export interface RunCgroup {
  readonly path: string;
  /** What its command begins with. */
  readonly commandPrefix: readonly string[];
  /** What it is spawned with. */
  readonly spawnOptions: { cgroup?: string };
  /** From now on `passedLimit` tells of this turn; the first one is told of what came before it too. */
  beginTurn(): void;
  /** The limit that the kernel made hold since the turn began; null when it had no reason to. */
  passedLimit(): LimitCode | null;
  /** Takes the group away, at the latest some moments after its last process is gone. Never waits. */
  remove(): void;
}

/** Gives each spawned process a control group of its own. */
export interface RunCgroups {
  /** A group with these limits; null where it can't be made, and then `trouble` says why. */
  make(processId: string, limits: RunCgroupLimits): RunCgroup | null;
  /** Why the newest group could not be made, as a sentence; null when it could. */
  readonly trouble: string | null;
  /** What a run must not write to, lest it raises its limit. */
  readonly mountPaths: readonly string[];
}

type RunCgroupLimits = Pick<ProcessLimits, "memoryBytesMax" | "processesMax">;

export interface RunCgroupsOptions {
  folder: CgroupFolder;
  /** This server: whoever finds its groups later knows by it whether they are still somebody's. */
  server: { pid: number; startTicks: number };
  clock: Clock;
  system?: CgroupSystem;
}

/** Its last process may be on its way out for some milliseconds after it has ended. */
const removalPausesMs = [5, 20, 100, 500] as const;

export function createRunCgroups(options: RunCgroupsOptions): RunCgroups {
  const { folder, server, system = kernelCgroups } = options;
  const names = cgroupNames[folder.version];
  let trouble: string | null = null;

  return {
    mountPaths: folder.mountPaths,
    get trouble() {
      return trouble;
    },
    make(processId, limits) {
      const path = join(folder.path, groupName(server, processId));
      try {
        system.makeFolder(path);
        for (const write of writesOf(names, folder, limits)) writeLimit(path, write);
        system.makeFolder(join(path, names.tree));
        trouble = null;
        return openRunCgroup({ path, names, bytesMax: limits.memoryBytesMax, clock: options.clock, system });
      } catch (error) {
        if (!isCgroupRefusal(error)) throw error;
        trouble = `No control group could be made in ${folder.path} (${error.code}).`;
        removeGroup(path, names.tree, system);
        return null;
      }
    },
  };
}

function writesOf(names: CgroupNames, { limitsTasks }: CgroupFolder, limits: RunCgroupLimits): CgroupWrite[] {
  const tasks = limitsTasks ? names.taskLimits(tasksMaxOf(limits)) : [];
  return [...names.memoryLimits(limits.memoryBytesMax), ...tasks];
}

function writeLimit(folder: string, { file, text, isOptional }: CgroupWrite): void {
  const path = join(folder, file);
  if (!isOptional || existsSync(path)) writeFileSync(path, text);
}

interface MadeGroup {
  path: string;
  names: CgroupNames;
  bytesMax: number;
  clock: Clock;
  system: CgroupSystem;
}

function openRunCgroup({ path, names, bytesMax, clock, system }: MadeGroup): RunCgroup {
  let before: Counts | null = null;
  const read = (counter: Counter) => readCounter(readTextIfThere(join(path, counter.file)), counter) ?? 0;

  function count(): Counts {
    const { taskRefusals } = names;
    return { kills: read(names.memoryKills), refusals: taskRefusals === null ? 0 : read(taskRefusals) };
  }

  function remove(attempt: number): void {
    if (removeGroup(path, names.tree, system)) return;
    const pauseMs = removalPausesMs[attempt];
    // What stays even then is taken away by the next server's start.
    if (pauseMs !== undefined) clock.after(pauseMs, () => remove(attempt + 1));
  }

  const treeFolder = join(path, names.tree);
  return {
    path,
    commandPrefix: names.joining?.(treeFolder) ?? [],
    spawnOptions: names.joining === null ? { cgroup: treeFolder } : {},
    beginTurn() {
      before = before === null ? { kills: 0, refusals: 0 } : count();
    },
    passedLimit() {
      if (before === null) return null;
      const now = count();
      // A machine that is short of memory kills too, and that is no limit of this run's.
      if (now.kills > before.kills && names.wasMemoryFull(read, bytesMax)) return "memory_limit";
      return now.refusals > before.refusals ? "process_limit" : null;
    },
    remove: () => remove(0),
  };
}

interface Counts {
  kills: number;
  refusals: number;
}
