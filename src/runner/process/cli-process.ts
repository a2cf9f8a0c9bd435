import type { Cli } from "../../domain/agent.ts";
import type { ContainmentRung, ProcessIdentity } from "../../domain/process.ts";

export interface ProcessSpec {
  /** `proc_…`, also the marker. */
  processId: string;
  cli: Cli;
  file: string;
  args: readonly string[];
  cwd: string;
  /** The whole environment; nothing is inherited. */
  env: Readonly<Record<string, string>>;
  /** Folders that the tree must not see: the data directory. */
  hiddenPaths: readonly string[];
  /** The only folders that the tree may write in, missing ones are made; without it, wherever its user may. */
  writablePaths?: readonly string[] | null;
  limits: ProcessLimits;
}

export interface ProcessLimits {
  memoryBytesMax: number;
  processesMax: number;
  /** Longest line handed on; a longer one is dropped and reported with its length. */
  lineBytesMax: number;
  /** Bytes of stdout for one turn; `beginAccount` starts the count anew. */
  stdoutBytesMax: number;
}

export type LimitCode = "memory_limit" | "process_limit" | "output_limit";

export interface ExitStatus {
  exitCode: number | null;
  signal: string | null;
}

/** Who hears what a process says. Called in order, never re-entrantly, never after `exited`. */
export interface ProcessListener {
  /**
   * Lines of one chunk, without newlines, as text (invalid UTF-8 is U+FFFD and reported by `garbled`). Nothing
   * more is read of stdout until a promise that comes back is settled: then the CLI waits.
   */
  lines(lines: readonly string[]): void | Promise<void>;
  /** A line longer than `lineBytesMax` was dropped. */
  lineDropped(bytes: number): void;
  /** A line held bytes that aren't UTF-8. */
  garbled(): void;
  stderr(text: string): void;
  /** The tree passed a limit; it is being killed. */
  limitReached(code: LimitCode): void;
  /** The CLI itself ended. Its last lines came before. */
  exited(status: ExitStatus): void;
}

export type SpawnOutcome =
  | { kind: "spawned"; process: CliProcess }
  | {
      kind: "failed";
      code: "cli_not_found" | "cwd_missing" | "spawn_error";
      message: string;
      /** The machine refused it, whatever the CLI is like. */
      isOurs?: boolean;
    };

/** One CLI process in its containment. */
export interface CliProcess {
  readonly id: string;
  readonly cli: Cli;
  readonly identity: ProcessIdentity;
  readonly containment: ContainmentRung;
  /** Null while it lives. */
  readonly exitStatus: ExitStatus | null;
  /** Resolves when the CLI itself has ended and its output is drained (at most 500 ms after the exit). */
  readonly exited: Promise<ExitStatus>;
  /** The last 8 KiB of stderr, of this turn; of the first one, also what came before it. */
  readonly stderrTail: string;
  /** Who hears it from now on; replaces the one before. The first one also hears all that came before it. */
  listen(listener: ProcessListener): void;
  /** Resolves false when the pipe is closed; never rejects. Honours back-pressure. */
  write(text: string): Promise<boolean>;
  closeInput(): void;
  /** A signal to the CLI itself, not to its wrapper; false when it is gone. */
  signal(signal: "SIGINT" | "SIGTERM"): boolean;
  /** Starts a turn's account: peak memory, CPU time and stdout bytes from now on. */
  beginAccount(): void;
  /** What the tree used since `beginAccount`, null where it can't be told; ends the watch of memory and processes. `leftovers` as below, from the same look. */
  account(): { peakRssBytes: number | null; cpuMs: number | null; leftovers: number[] };
  /**
   * Remembers the processes that are alive now as the CLI's own (itself and what it keeps, MCP servers
   * say): `leftovers` are the others.
   *
   * @param ageMsMin younger ones are left out, unless they were remembered before
   */
  markBaseline(ageMsMin?: number): void;
  /** Processes of the tree, by the pids that the tree itself counts, alive and not zombies, that aren't the baseline's nor their children (the CLI's excepted). */
  leftovers(): number[];
  /** Kills the leftovers until there are none or half a second has passed; resolves with how many are left. */
  killLeftovers(): Promise<number>;
  /** Kills the whole tree and resolves, when it is proven dead, with 0; otherwise with how many still live. */
  killTree(): Promise<number>;
}

export interface Supervisor {
  readonly containment: ContainmentRung;
  /** Why containment isn't the best there is; null when it is. */
  readonly degradedBecause: string | null;
  /** Never rejects: what can be expected to go wrong is an outcome. */
  spawn(spec: ProcessSpec): Promise<SpawnOutcome>;
  /**
   * Finds a process that has no end on record, of this server or an earlier one, by its identity, kills its tree and
   * proves it dead. Resolves with survivors.
   */
  reap(identity: ProcessIdentity): Promise<number>;
  /** Kills every tree of this server; for shutdown. */
  killAll(): Promise<void>;
}
