import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { openRunLog, readRunLog, removeRunLog, type RunLogFile, type RunLogOptions } from "./log-file.ts";

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
  remove(runIds: readonly string[]): Promise<void>;
}

export function createRunLogs({ folder, bytesMax, onError }: RunLogsOptions): RunLogs {
  const closing = new Map<string, Promise<void>>();
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
      const log = openRunLog({ path: pathOf(runId), bytesMax, onError });
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
    async remove(runIds) {
      for (const runId of runIds) {
        await closing.get(runId);
        await removeRunLog(pathOf(runId));
      }
    },
  };
}
