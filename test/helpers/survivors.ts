import { readdirSync, readFileSync } from "node:fs";

/** A live process, as /proc shows it; zombies don't live. */
export interface LiveProcess {
  pid: number;
  parentPid: number;
  argv: readonly string[];
  environment: string;
}

/** Processes whose environment or argv holds the token, which must be unique: take a UUID. */
export function survivorsWith(token: string): LiveProcess[] {
  return liveProcesses().filter(
    ({ pid, argv, environment }) =>
      pid !== process.pid && (environment.includes(token) || argv.some((word) => word.includes(token))),
  );
}

/** All children of a process, and theirs. */
export function descendantsOf(pid: number): LiveProcess[] {
  const all = liveProcesses();
  const found = all.filter((candidate) => candidate.parentPid === pid);
  for (const parent of found) found.push(...all.filter((candidate) => candidate.parentPid === parent.pid));
  return found;
}

export function isAlive(pid: number): boolean {
  return readProcess(pid) !== null;
}

function liveProcesses(): LiveProcess[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.map((pid) => readProcess(Number(pid))).filter((found) => found !== null);
}

function readProcess(pid: number): LiveProcess | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name stands in parentheses and may hold anything; the fields after it are plain.
    const [state, parentPid] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (state === "Z" || state === "X") return null;
    const argv = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1);
    const environment = readFileSync(`/proc/${pid}/environ`, "utf8");
    return { pid, parentPid: Number(parentPid), argv, environment };
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}

/** The process ended while it was being read, or belongs to another user. */
function isGone(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : "";
  return code === "ENOENT" || code === "ESRCH" || code === "EACCES" || code === "EPERM";
}
