import { mkdirSync } from "node:fs";
import { join } from "node:path";
import {
  type LogPiece,
  openRunLog,
  readLogPiece,
  readRunLog,
  removeRunLog,
  type RunLogFile,
  type RunLogOptions,
} from "./log-file.ts";
import { type ListMissingRuns, removeStrayLogs } from "./stray-logs.ts";

export interface RunLogsOptions extends Pick<RunLogOptions, "bytesMax" | "onError"> {
  folder: string;
}

/** Room for the last line, which tells what was dropped. */
const lastLineBytesMax = 1_024;

/** The raw logs of runs, a file each. */
export interface RunLogs {
  open(runId: string): RunLogFile;
  /** Of a run that has ended the whole log: what is still being written is waited for. Null when there is none. */
  read(runId: string): Promise<string | null>;
  /** A region of it, as `readLogPiece` has it; of a run that has ended, nothing comes after the end. */
  readPiece(runId: string, fromByte: number, bytesMax: number): Promise<LogPiece | null>;
  /** Wakes whenever the run's log has grown, until the function that comes back is called. */
  onGrown(runId: string, wake: () => void): () => void;
  remove(runIds: readonly string[]): Promise<void>;
  /** Removes logs of runs that are not there (any more); resolves with how many. */
  removeStray(listMissingRuns: ListMissingRuns): Promise<number>;
}

export function createRunLogs({ folder, bytesMax, onError }: RunLogsOptions): RunLogs {
  const closing = new Map<string, Promise<void>>();
  const followers = createFollowers();
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const pathOf = (runId: string) => join(folder, `${runId}.log`);

  /** Nobody waits for a log to be written, so that a turn doesn't; who reads it does. */
  async function close(runId: string, log: RunLogFile): Promise<void> {
    const closed = log.close();
    closing.set(runId, closed);
    await closed;
    closing.delete(runId);
  }
  return {
    open(runId) {
      const onGrown = () => followers.wake(runId);
      const log = openRunLog({ path: pathOf(runId), bytesMax, onError, onGrown });
      return {
        write: log.write,
        drop: log.drop,
        get isFull() {
          return log.isFull;
        },
        close: () => close(runId, log),
      };
    },
    async read(runId) {
      await closing.get(runId);
      return readRunLog(pathOf(runId), { bytesMax: bytesMax + lastLineBytesMax });
    },
    async readPiece(runId, fromByte, pieceBytesMax) {
      await closing.get(runId);
      return readLogPiece(pathOf(runId), fromByte, pieceBytesMax);
    },
    onGrown: followers.add,
    removeStray: (listMissingRuns) => removeStrayLogs(folder, listMissingRuns),
    async remove(runIds) {
      for (const runId of runIds) {
        await closing.get(runId);
        await removeRunLog(pathOf(runId));
      }
    },
  };
}

/** Who follows which log. What a CLI prints on stderr makes no event, so nothing else tells of it. */
function createFollowers() {
  const byRun = new Map<string, Set<() => void>>();
  return {
    add(runId: string, wake: () => void): () => void {
      const wakes = byRun.get(runId) ?? new Set();
      byRun.set(runId, wakes.add(wake));
      return () => {
        wakes.delete(wake);
        if (wakes.size === 0 && byRun.get(runId) === wakes) byRun.delete(runId);
      };
    },
    wake(runId: string): void {
      for (const wake of byRun.get(runId) ?? []) wake();
    },
  };
}
