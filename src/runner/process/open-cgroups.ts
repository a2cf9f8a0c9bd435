import { existsSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Clock } from "../../domain/clock.ts";
import { type CgroupFolder, cgroupNames } from "./cgroup-files.ts";
import {
  type CgroupSight,
  type SeenCgroup,
  cgroupMountPaths,
  findCgroupAt,
  findOwnCgroup,
  groundOf,
  objectionTo,
  serverGroup,
} from "./cgroup-folder.ts";
import { sweepGroups } from "./cgroup-removal.ts";
import { type CgroupSystem, isCgroupRefusal, kernelCgroups } from "./cgroup-system.ts";
import { type Containment, wrap } from "./containment.ts";
import { type RunCgroup, type RunCgroups, createRunCgroups } from "./run-cgroup.ts";
import { findStartTicks, readTextIfThere } from "./tree.ts";

export type CgroupsFound =
  | { kind: "found"; cgroups: RunCgroups; sweep: () => number }
  /** Processes are watched by looks alone. */
  | { kind: "none"; because: string }
  /** The setting names a folder that can't be used. */
  | { kind: "bad"; message: string };

export interface CgroupWish {
  /** What is asked for: the folder, if it is one. */
  setting: string;
  containment: Containment;
  clock: Clock;
}

const trialMsMax = 5_000;

/**
 * Finds where control groups may be made, prepares that folder, and tries one, since what looks writable may be
 * refused all the same. Takes about as long as one process.
 */
export async function openCgroups(wish: CgroupWish): Promise<CgroupsFound> {
  const { setting, containment, clock } = wish;
  if (setting === "off") return { kind: "none", because: "HEADWAY_CGROUP is off." };
  const found = setting === "auto" ? findFolder() : checkFolder(setting);
  const folder = typeof found === "string" ? found : prepareFolder(found, kernelCgroups);
  if (typeof folder === "string") return unusable(setting, folder);
  const server = { pid: process.pid, startTicks: findStartTicks(process.pid) ?? 0 };
  const cgroups = createRunCgroups({ folder, server, clock });
  const failure = await tryOne(cgroups, containment);
  if (failure !== null) return unusable(setting, failure);
  const sweep = () => sweepGroups(folder.path, cgroupNames[folder.version].tree, kernelCgroups);
  return { kind: "found", cgroups, sweep };
}

function unusable(setting: string, because: string): CgroupsFound {
  if (setting === "auto") return { kind: "none", because };
  return { kind: "bad", message: `HEADWAY_CGROUP is ${setting}, which can't be used: ${because}` };
}

function findFolder(): SeenCgroup | string {
  const own = findOwnCgroup(readProc("cgroup"), readProc("mountinfo"));
  if (own === null) return "This system shows no control groups that count memory.";
  const ground = groundOf(own);
  return objectionTo(lookAt(ground), process.getuid?.() ?? 0) ?? ground;
}

function checkFolder(path: string): SeenCgroup | string {
  const found = findCgroupAt(path, readProc("mountinfo"));
  if (found === null || ownerOf(path) === null) return "there is no control group that counts memory.";
  const { version, controllers } = lookAt(found);
  return version === "v2" && !controllers.includes("memory")
    ? "it has no memory controller to give to its children."
    : found;
}

function readProc(name: "cgroup" | "mountinfo"): string {
  return readTextIfThere(`/proc/self/${name}`) ?? "";
}

function lookAt(seen: SeenCgroup): CgroupSight {
  const { path } = seen;
  return {
    ...seen,
    ownerId: ownerOf(path),
    parentOwnerId: ownerOf(dirname(path)),
    controllers: readWords(join(path, "cgroup.controllers")),
    hasLimit: existsSync(join(path, "memory.max")),
  };
}

function ownerOf(path: string): number | null {
  try {
    return statSync(path).uid;
  } catch (error) {
    if (!isCgroupRefusal(error)) throw error;
    return null;
  }
}

function readWords(path: string): string[] {
  return (readTextIfThere(path) ?? "").split(/\s+/).filter(Boolean);
}

/** Has the children of a v2 group be given what limits them; in v1 they are without asking. A text is why not. */
export function prepareFolder(
  { version, path }: Pick<SeenCgroup, "version" | "path">,
  system: CgroupSystem,
): CgroupFolder | string {
  const mountPaths = cgroupMountPaths(readProc("mountinfo"));
  if (version === "v1") return { version, path, limitsTasks: false, mountPaths };
  const offered = readWords(join(path, "cgroup.controllers"));
  const wanted = ["memory", "pids"].filter((name) => offered.includes(name));
  try {
    enable(path, wanted, system);
  } catch (error) {
    if (!isCgroupRefusal(error)) throw error;
    return `The children of the control group ${path} could not be given a memory limit (${error.code}).`;
  }
  return { version, path, limitsTasks: wanted.includes("pids"), mountPaths };
}

function enable(path: string, wanted: readonly string[], system: CgroupSystem): void {
  const switches = join(path, "cgroup.subtree_control");
  const enabled = readWords(switches);
  const missing = wanted.filter((name) => !enabled.includes(name));
  if (missing.length === 0) return;
  moveProcesses(path, system);
  writeFileSync(switches, missing.map((name) => `+${name}`).join(" "));
}

/** What is started while the others are moved is met the next time. */
const roundsMax = 10;

/** A group whose children have controllers must have no process itself. */
function moveProcesses(path: string, system: CgroupSystem): void {
  const target = join(path, serverGroup);
  for (let round = 0; round < roundsMax; round += 1) {
    const pids = readWords(join(path, "cgroup.procs"));
    if (pids.length === 0) return;
    if (!existsSync(target)) system.makeFolder(target);
    for (const pid of pids) moveProcess(pid, join(target, "cgroup.procs"));
  }
}

function moveProcess(pid: string, file: string): void {
  try {
    writeFileSync(file, pid);
  } catch (error) {
    // It has ended meanwhile.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

const trialLimits = { memoryBytesMax: 1_073_741_824, processesMax: 64 };

/** Only a process that finds itself in the group it was started for ends with 7. */
const trialScript = `while read -r line; do case "$line" in *"$1"*) exit 7; esac; done < /proc/self/cgroup; exit 8`;

/** Null when a process could be started in a group as runs are, otherwise why not. */
async function tryOne(cgroups: RunCgroups, containment: Containment): Promise<string | null> {
  const group = cgroups.make(`trial-${Bun.randomUUIDv7()}`, trialLimits);
  if (group === null) return cgroups.trouble;
  const { mountPaths } = cgroups;
  const args = ["-c", trialScript, "sh", basename(group.path)];
  const spec = { file: "/bin/sh", args, cwd: "/", hiddenPaths: [], statusFd: 1 };
  const command = wrap(containment, { ...spec, readOnlyPaths: mountPaths });
  try {
    const exitCode = await exitCodeOf(
      [...group.commandPrefix, command.file, ...command.args],
      group.spawnOptions,
    );
    if (exitCode === 7) return null;
    return exitCode === 8
      ? "A process didn't get into the control group that was made for it."
      : `A process in a control group of its own ended with ${exitCode}.`;
  } catch (error) {
    if (!isCgroupRefusal(error)) throw error;
    return `No process could be started in a control group (${error.code}).`;
  } finally {
    group.remove();
  }
}

async function exitCodeOf(command: string[], options: RunCgroup["spawnOptions"]): Promise<number | null> {
  const trial = Bun.spawn(command, {
    env: {},
    stdio: ["ignore", "ignore", "ignore"],
    timeout: trialMsMax,
    killSignal: "SIGKILL",
    ...options,
  });
  await trial.exited;
  return trial.exitCode;
}
