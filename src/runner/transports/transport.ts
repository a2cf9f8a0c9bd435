import type { ClaimedRun, RunStart } from "../../domain/ports.ts";
import type { LiveRun } from "../live-run.ts";
import type { ExitStatus } from "../process/cli-process.ts";
import type { TurnEnd } from "../policies/outcome.ts";
import type { Recorded } from "./turn-recorder.ts";

/** How a turn is carried in a mode. */
export interface Transport {
  /** Carries one turn to its end, whatever that is; rejects only for bugs. */
  carry(run: ClaimedRun, live: LiveRun): Promise<CarriedTurn>;
}

/** A turn that has ended but isn't settled: what the settlement needs, and what to do after it. */
export interface CarriedTurn {
  end: TurnEnd;
  recorded: Recorded;
  /** Null when it never got a process. */
  start: RunStart | null;
  warm: boolean;
  exit: ExitStatus | null;
  peakRssBytes: number | null;
  cpuMs: number | null;
  /** Processes of the run that are alive although they were killed. */
  survivors: number;
  /** When the CLI's terminal event (or its end) was seen; monotonic. */
  endedAtMonotonicMs: number;
  /** Time before the prompt was written, in which the CLI had nothing to do. */
  preparedMs: number;
  /**
   * Gives the process back to the pool, or ends it and proves it dead; then its agent is free. Resolves
   * with survivors: more than none means that the agent can't be given another run.
   */
  release(): Promise<number>;
}
