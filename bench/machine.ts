import { readFileSync } from "node:fs";

/** From here on other work on the machine decides the figures as much as we do. */
export const busyLoad = 1.5;

/** The load average of the last minute. */
export function loadAverage(): number {
  return Number(readFileSync("/proc/loadavg", "utf8").split(" ")[0]);
}

const tickMs = 10;

/** CPU time of a process so far, without its children. */
export function cpuMsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * tickMs;
}

/** Memory that a process holds, in MB of 2^20 bytes. */
export function rssMbOf(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kib) / 1024;
}

/** The wall clock in ms, with fractions: the one clock that all processes of the bench share. */
export function sharedNowMs(): number {
  return performance.timeOrigin + performance.now();
}
