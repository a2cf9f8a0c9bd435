import type { MemoryParts, ProcessStat } from "./tree.ts";

/** The processes that one spawn brought into the world, as far as its rung can tell. */
export interface ProcessTree {
  /** Those alive, with pids as the tree itself counts them; null when it can't be read (yet). */
  list(): ProcessStat[] | null;
  /** As `list`, those included that have ended and that nobody has waited for yet: their CPU time still counts. */
  listAll(): ProcessStat[] | null;
  /** As `listAll`, those included that only their marker tells: dearer where there is no namespace. */
  listThoroughly(): ProcessStat[] | null;
  /** What a listed process has in memory, by what it is; null when that can't be told. */
  memoryPartsOf(process: ProcessStat): MemoryParts | null;
  /** What a listed process has in memory, of what it shares only its share; null when that can't be told. */
  proportionalBytesOf(process: ProcessStat): number | null;
  /** The CLI among the listed; null before it has started. */
  cliAmong(processes: readonly ProcessStat[]): ProcessStat | null;
  /** Host pids of listed processes; what has ended meanwhile is left out. */
  hostPidsOf(processes: readonly ProcessStat[]): number[];
  /** Signals the CLI itself; false when it is gone. */
  signalCli(signal: "SIGINT" | "SIGTERM"): boolean;
  /** Kills all of it and resolves with how many still live 5 s later: 0 is the proof that none does. */
  kill(): Promise<number>;
}

/** How long a kill may take before what still lives is called a survivor. */
export const killMsMax = 5_000;
