import { mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../../src/domain/clock.ts";
import type { Fact } from "../../../src/domain/facts.ts";
import type { ContainmentRung } from "../../../src/domain/process.ts";
import type { CliProcess, ExitStatus, ProcessLimits } from "../../../src/runner/process/cli-process.ts";
import type { Containment } from "../../../src/runner/process/containment.ts";
import { detectContainment } from "../../../src/runner/process/detect-containment.ts";
import type { RunCgroups } from "../../../src/runner/process/run-cgroup.ts";
import { createSupervisor } from "../../../src/runner/process/supervisor.ts";
import type { ProcessStat } from "../../../src/runner/process/tree.ts";

export const fixtures = join(import.meta.dir, "../../fixtures/process");

export const generousLimits: ProcessLimits = {
  memoryBytesMax: 2 ** 31,
  processesMax: 500,
  lineBytesMax: 8 * 2 ** 20,
  stdoutBytesMax: 2 ** 30,
};

/** A folder of its own that goes when the test goes. */
export function temporaryFolder(): { path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), "headway-process-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** The containment of a machine that has only these programs. */
export async function detectWithOnly(
  programs: readonly string[],
  hiddenPaths: readonly string[] = [],
): Promise<Containment> {
  using folder = temporaryFolder();
  for (const program of programs) {
    const path = Bun.which(program);
    if (path !== null) symlinkSync(path, join(folder.path, program));
  }
  const detected = await detectContainment({ sandbox: "auto", hiddenPaths, path: folder.path });
  return { ...detected, tools: await installedTools() };
}

async function installedTools(): Promise<Containment["tools"]> {
  return (await detectContainment({ sandbox: "off", hiddenPaths: [], path: process.env.PATH ?? "" })).tools;
}

const programsOf: Record<ContainmentRung, string[]> = {
  bwrap: ["bwrap"],
  unshare: ["unshare", "setpriv", "mount"],
  "process-group": [],
};

/** A rung, or null where this machine can't do it, which on CI is a failure. */
export async function containmentOf(rung: ContainmentRung): Promise<Containment | null> {
  const detected = await detectWithOnly(programsOf[rung]);
  if (detected.rung === rung) return detected;
  if (process.env.CI) throw new Error(`CI needs ${rung}, but ${detected.degradedBecause}`);
  return null;
}

export interface Heard {
  lines: string[];
  stderrLength: number;
  dropped: number[];
  garbled: number;
  limits: string[];
  exits: ExitStatus[];
}

/** Writes down all that a process says. */
export function hear(process: CliProcess): Heard {
  const heard: Heard = { lines: [], stderrLength: 0, dropped: [], garbled: 0, limits: [], exits: [] };
  process.listen({
    lines: (lines) => void heard.lines.push(...lines),
    lineDropped: (bytes) => void heard.dropped.push(bytes),
    garbled: () => void (heard.garbled += 1),
    stderr: (text) => void (heard.stderrLength += text.length),
    limitReached: (code) => void heard.limits.push(code),
    exited: (status) => void heard.exits.push(status),
  });
  return heard;
}

export interface Bench extends AsyncDisposable {
  folder: string;
  facts: Fact[];
  supervisor: ReturnType<typeof createSupervisor>;
  /** Spawns a command; one that can't be spawned fails the test. */
  spawn(command: readonly string[], options?: Partial<SpawnOptions>): Promise<Spawned>;
}

export interface Spawned {
  process: CliProcess;
  heard: Heard;
}

interface SpawnOptions {
  limits: Partial<ProcessLimits>;
  hiddenPaths: readonly string[];
  writablePaths: readonly string[];
  cwd: string;
  env: Record<string, string>;
  processId: string;
}

/** A supervisor in a folder of its own; when it goes, so do all its processes. */
export function openBench(containment: Containment, cgroups: RunCgroups | null = null): Bench {
  const folder = temporaryFolder();
  const facts: Fact[] = [];
  const supervisor = createSupervisor({
    containment,
    clock: systemClock,
    publish: (fact) => void facts.push(fact),
    scratchFolder: folder.path,
    cgroups,
  });
  return {
    folder: folder.path,
    facts,
    supervisor,
    async spawn([file = "", ...args], options = {}) {
      const outcome = await supervisor.spawn({
        processId: options.processId ?? uniqueToken(),
        cli: "demo",
        file: Bun.which(file) ?? file,
        args,
        cwd: options.cwd ?? folder.path,
        env: { PATH: process.env.PATH ?? "", ...options.env },
        hiddenPaths: options.hiddenPaths ?? [],
        writablePaths: options.writablePaths ?? null,
        limits: { ...generousLimits, ...options.limits },
      });
      if (outcome.kind === "failed") throw new Error(outcome.message);
      return { process: outcome.process, heard: hear(outcome.process) };
    },
    async [Symbol.asyncDispose]() {
      await supervisor.killAll();
      folder[Symbol.dispose]();
    },
  };
}

export function uniqueToken(): string {
  return `proc_${Bun.randomUUIDv7().replaceAll("-", "")}`;
}

/** Pids of living processes, zombies left out, with this text in their argv. */
export function pidsWithToken(token: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter(
      (name) => readProc(`${name}/cmdline`).includes(token) && !/\) [ZX] /.test(readProc(`${name}/stat`)),
    )
    .map(Number);
}

function readProc(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, "latin1");
  } catch (error) {
    if (["ENOENT", "ESRCH", "EACCES"].includes((error as NodeJS.ErrnoException).code ?? "")) return "";
    throw error;
  }
}

/** A process as a list shows it, but for what is given. */
export function aProcess(given: Partial<ProcessStat> = {}): ProcessStat {
  return {
    pid: 1,
    state: "S",
    ppid: 0,
    processGroup: 1,
    session: 1,
    startTicks: 100,
    rssBytes: 0,
    cpuMs: 0,
    ...given,
  };
}

/** Waits for a condition, at most 5 s. */
export async function eventually(what: string, holds: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 5_000;
  while (!holds()) {
    if (performance.now() > deadlineMs) throw new Error(`5 s went by without: ${what}`);
    await Bun.sleep(2);
  }
}
