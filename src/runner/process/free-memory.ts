import { join } from "node:path";
import { readTextIfThere } from "./tree.ts";

/** Where the kernel tells of memory; a test gives folders of its own. */
export interface MemoryFolders {
  proc: string;
  cgroup: string;
}

const machine: MemoryFolders = { proc: "/proc", cgroup: "/sys/fs/cgroup" };

/**
 * Bytes that processes started now may take before the machine, or the control group that this server lives in,
 * runs short: the least of what the kernel estimates and what is left below each limit. Null where it isn't told.
 */
export function readFreeBytes(folders: MemoryFolders = machine): number | null {
  const machineBytes = readMachineBytes(folders.proc);
  const free = [
    machineBytes.free,
    ...groupsOf(folders).map((group) => readLeftBytes(group, machineBytes.total)),
  ];
  const told = free.filter((bytes) => bytes !== null);
  return told.length === 0 ? null : Math.min(...told);
}

function readMachineBytes(procFolder: string): { free: number | null; total: number } {
  const text = readTextIfThere(join(procFolder, "meminfo")) ?? "";
  const bytesOf = (line: RegExp) => {
    const kilobytes = line.exec(text)?.[1];
    return kilobytes === undefined ? null : Number(kilobytes) * 1_024;
  };
  const total = bytesOf(/^MemTotal:\s+(\d+) kB$/m) ?? Number.POSITIVE_INFINITY;
  return { free: bytesOf(/^MemAvailable:\s+(\d+) kB$/m), total };
}

/** Names of a group's files, which differ between the two versions of control groups. */
interface GroupFiles {
  limit: string;
  used: string;
  /** In `memory.stat`: cache that can be given up at once counts as used, but is as good as free. */
  cache: string;
}

const files: Record<"v1" | "v2", GroupFiles> = {
  v1: { limit: "memory.limit_in_bytes", used: "memory.usage_in_bytes", cache: "total_inactive_file" },
  v2: { limit: "memory.max", used: "memory.current", cache: "inactive_file" },
};

interface Group extends GroupFiles {
  folder: string;
}

/** The groups whose limits hold for this process: its own and all above. */
function groupsOf({ proc, cgroup }: MemoryFolders): Group[] {
  const lines = (readTextIfThere(join(proc, "self/cgroup")) ?? "").split("\n");
  const v1 = lines.find((line) => line.split(":")[1]?.split(",").includes("memory"));
  const v2 = lines.find((line) => line.startsWith("0::"));
  const found = [];
  if (v1 !== undefined) found.push(...upwards(join(cgroup, "memory"), pathOf(v1), files.v1));
  if (v2 !== undefined) found.push(...upwards(cgroup, pathOf(v2), files.v2));
  return found;
}

function pathOf(line: string): string {
  return line.split(":").slice(2).join(":");
}

function upwards(root: string, path: string, names: GroupFiles): Group[] {
  const parts = path.split("/").filter(Boolean);
  return parts
    .map((_, depth) => ({ ...names, folder: join(root, ...parts.slice(0, depth + 1)) }))
    .concat({ ...names, folder: root });
}

/**
 * Null where the group sets no limit: then the files hold no number, or one beyond all memory, or aren't there. What
 * is used isn't asked for then, since the kernel adds that up anew each time.
 */
function readLeftBytes({ folder, limit, used, cache }: Group, machineBytes: number): number | null {
  const limitBytes = readNumber(join(folder, limit));
  if (limitBytes === null || limitBytes >= machineBytes) return null;
  const usedBytes = readNumber(join(folder, used));
  if (usedBytes === null) return null;
  const stat = readTextIfThere(join(folder, "memory.stat")) ?? "";
  const cacheBytes = Number(new RegExp(`^${cache} (\\d+)$`, "m").exec(stat)?.[1] ?? 0);
  return Math.max(0, limitBytes - usedBytes + cacheBytes);
}

function readNumber(path: string): number | null {
  const text = readTextIfThere(path)?.trim() ?? "";
  return /^\d+$/.test(text) ? Number(text) : null;
}
