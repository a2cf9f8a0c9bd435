import { readFileSync, readdirSync } from "node:fs";
import { withDescriptor } from "./spare-descriptor.ts";

/** What /proc/PID/stat says of a process. */
export interface ProcessStat {
  pid: number;
  /** One letter; Z and X are dead. */
  state: string;
  ppid: number;
  processGroup: number;
  session: number;
  /** Clock ticks since boot; with the pid it names a process for good. */
  startTicks: number;
  rssBytes: number;
  /** Its own CPU time and that of children it has waited for. */
  cpuMs: number;
}

/** Units of /proc, which the kernel tells every process (AT_PAGESZ and AT_CLKTCK in proc(5)). */
const units = readUnits();

function readUnits(): { pageBytes: number; tickMs: number } {
  const found = { pageBytes: 4096, tickMs: 10 };
  const vector = readBytes("/proc/self/auxv");
  if (vector === null) return found;
  const entries = new BigUint64Array(
    vector.buffer.slice(vector.byteOffset, vector.byteOffset + vector.length),
  );
  for (let at = 0; at + 1 < entries.length; at += 2) {
    if (entries[at] === 6n) found.pageBytes = Number(entries[at + 1]);
    if (entries[at] === 17n) found.tickMs = 1000 / Number(entries[at + 1]);
  }
  return found;
}

/** Null when the text isn't a stat line. The name may hold spaces and parentheses, so the last ")" counts. */
export function parseStat(text: string): ProcessStat | null {
  const nameEnd = text.lastIndexOf(")");
  const fields = text.slice(nameEnd + 2).split(" ");
  if (nameEnd === -1 || fields.length < 22) return null;
  const field = (number: number) => Number(fields[number - 3]);
  return {
    pid: Number.parseInt(text, 10),
    state: fields[0] ?? "",
    ppid: field(4),
    processGroup: field(5),
    session: field(6),
    startTicks: field(22),
    rssBytes: field(24) * units.pageBytes,
    cpuMs: (field(14) + field(15) + field(16) + field(17)) * units.tickMs,
  };
}

function vanished(pid: number): ProcessStat {
  return { pid, state: "X", ppid: 0, processGroup: 0, session: 0, startTicks: 0, rssBytes: 0, cpuMs: 0 };
}

/** The process, if it exists and isn't a zombie. */
export function findAlive(pid: number, procFolder = "/proc"): ProcessStat | null {
  const stat = readStat(pid, procFolder);
  return stat !== null && isAliveState(stat.state) ? stat : null;
}

/** When a process began, a zombie, too; null where there is no /proc. */
export function findStartTicks(pid: number): number | null {
  return readStat(pid, "/proc")?.startTicks ?? null;
}

/** Names a process for good, as its pid alone doesn't. */
export function processKey(process: { pid: number; startTicks: number }): string {
  return `${process.pid}@${process.startTicks}`;
}

function readStat(pid: number, procFolder: string): ProcessStat | null {
  const text = readTextIfThere(`${procFolder}/${pid}/stat`);
  return text === null ? null : parseStat(text);
}

/** The same process and no other that got its pid. */
export function isAlive(process: { pid: number; startTicks: number }): boolean {
  return findAlive(process.pid)?.startTicks === process.startTicks;
}

function isAliveState(state: string): boolean {
  return state !== "Z" && state !== "X" && state !== "x";
}

export function aliveAmong(processes: readonly ProcessStat[]): ProcessStat[] {
  return processes.filter(({ state }) => isAliveState(state));
}

/** All processes that a /proc shows, zombies left out. */
export function listAlive(procFolder = "/proc"): ProcessStat[] {
  return aliveAmong(listProcesses(procFolder));
}

/**
 * All processes that a /proc shows, those included that have ended and that nobody has waited for yet (Z), or
 * that ended between the list and the look at them (X): what hops from pid to pid is met like that.
 */
export function listProcesses(procFolder = "/proc"): ProcessStat[] {
  const found: ProcessStat[] = [];
  for (const name of readNames(procFolder)) {
    const first = name.charCodeAt(0);
    if (first < 0x30 || first > 0x39) continue;
    const stat = readStat(Number(name), procFolder);
    found.push(stat ?? vanished(Number(name)));
  }
  return found;
}

/** Resident memory by what it is. */
export interface MemoryParts {
  /** Of its own, or shared with the process that it was forked from until one of them writes. */
  anonymousBytes: number;
  /** Programs and libraries, which all who run them have in common. */
  fileBytes: number;
  sharedBytes: number;
}

/** Read without any lock of the process; null when that can't be told. */
export function findMemoryParts(pid: number, procFolder: string): MemoryParts | null {
  const status = readTextIfThere(`${procFolder}/${pid}/status`) ?? "";
  const bytesOf = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1]) * 1_024;
  const parts = {
    anonymousBytes: bytesOf("RssAnon"),
    fileBytes: bytesOf("RssFile"),
    sharedBytes: bytesOf("RssShmem"),
  };
  return Object.values(parts).some(Number.isNaN) ? null : parts;
}

/**
 * What a process has in memory, of what it shares with others only its share (Pss); null when that can't be
 * told. Takes some 50 µs for a small process and 1 ms for a Node.js one, and waits for a lock of the process.
 */
export function findProportionalBytes(pid: number, procFolder: string): number | null {
  const line = /^Pss:\s+(\d+) kB$/m.exec(readTextIfThere(`${procFolder}/${pid}/smaps_rollup`) ?? "");
  return line === null ? null : Number(line[1]) * 1_024;
}

/** Pids of the children of all threads of a process. */
export function childrenOf(pid: number): number[] {
  const lists = readNames(`/proc/${pid}/task`).map((task) =>
    readTextIfThere(`/proc/${pid}/task/${task}/children`),
  );
  return lists.flatMap((list) => (list ?? "").split(" ").filter(Boolean).map(Number));
}

/** Pids of all that descend from a process, itself not counted. */
export function descendantsOf(pid: number): number[] {
  const found = new Set<number>();
  const open = childrenOf(pid);
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (found.has(next)) continue;
    found.add(next);
    open.push(...childrenOf(next));
  }
  return [...found];
}

/** The pid that a process has in its innermost PID namespace. */
export function innerPidOf(hostPid: number): number | null {
  const line = /^NSpid:\s*(?:\d+\s+)*(\d+)$/m.exec(readTextIfThere(`/proc/${hostPid}/status`) ?? "");
  return line === null ? null : Number(line[1]);
}

/** Whether a process was started with this variable; false when its environment can't be read. */
export function hasVariable(pid: number, name: string, value: string): boolean {
  const environment = readTextIfThere(`/proc/${pid}/environ`);
  return environment !== null && environment.split("\0").includes(`${name}=${value}`);
}

/** Ticks since the machine's start, as `startTicks` counts them; null where there is no /proc. */
export function readUptimeTicks(): number | null {
  const seconds = Number.parseFloat(readTextIfThere("/proc/uptime") ?? "");
  return Number.isNaN(seconds) ? null : ticksOf(seconds * 1_000);
}

export function ticksOf(ms: number): number {
  return ms / units.tickMs;
}

/** "" where there is no /proc. */
export function readBootId(): string {
  return (readTextIfThere("/proc/sys/kernel/random/boot_id") ?? "").trim();
}

/** A file of the kernel's, byte for byte; null when it isn't there, or isn't for us. */
export function readTextIfThere(path: string): string | null {
  return readBytes(path)?.toString("latin1") ?? null;
}

function readBytes(path: string): Buffer | null {
  try {
    return withDescriptor(() => readFileSync(path));
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}

function readNames(path: string): string[] {
  try {
    return withDescriptor(() => readdirSync(path));
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

const goneCodes = new Set(["ENOENT", "ESRCH", "EACCES", "EPERM", "ENOTDIR", "EINVAL"]);

/** A process may end between two looks at it, and another user's may not be looked at. */
function isGone(error: unknown): boolean {
  return goneCodes.has((error as NodeJS.ErrnoException).code ?? "");
}
