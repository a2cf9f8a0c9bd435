import { accessSync, constants, mkdirSync } from "node:fs";
import { join } from "node:path";
import { openRunLog, type OpenRunLog, type RunLogFile, type RunLogOptions } from "./log-file.ts";
import { type LogPiece, readLogPiece } from "./log-reading.ts";
import { removeLogFiles } from "./log-segments.ts";
import { type LogRetention, removeOldLogs } from "./old-logs.ts";
import { type ListMissingRuns, removeStrayLogs } from "./stray-logs.ts";

export interface RunLogsOptions extends Pick<RunLogOptions, "bytesMax" | "onError" | "redactor" | "clock"> {
  folder: string;
}

/** Of a log that is read as a whole so much is held at a time. */
const pieceBytes = 262_144;

/** The raw logs of runs. */
export interface RunLogs {
  open(runId: string): RunLogFile;
  /** As much as there is now, from its beginning, piece by piece; of a run that has ended all. Null when there is none. */
  read(runId: string): Promise<ReadableStream<Uint8Array> | null>;
  /** A region of it, as `readLogPiece` has it; of a run that has ended, nothing comes after the end. */
  readPiece(runId: string, fromByte: number, bytesMax: number): Promise<LogPiece | null>;
  /** Wakes whenever the run's log has grown, until the function that comes back is called. */
  onGrown(runId: string, wake: () => void): () => void;
  remove(runIds: readonly string[]): Promise<void>;
  /** Removes logs of runs that are not there (any more); resolves with how many. */
  removeStray(listMissingRuns: ListMissingRuns): Promise<number>;
  /** Removes logs that were kept long enough, or are too much; resolves with how many. */
  removeOld(retention: LogRetention): Promise<number>;
  /** Bytes of all logs: as `removeOld` has counted them last, and what was written since. */
  readonly bytes: number;
}

export function createRunLogs(options: RunLogsOptions): RunLogs {
  const { folder } = options;
  const opened = new Map<string, OpenRunLog>();
  const closing = new Map<string, Promise<void>>();
  const followers = createFollowers();
  let bytes = 0;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  const pathOf = (runId: string) => join(folder, `${runId}.log`);

  function open(runId: string): RunLogFile {
    const log = openRunLog({
      ...options,
      path: pathOf(runId),
      onGrown(grownBytes) {
        bytes += grownBytes;
        followers.wake(runId);
      },
    });
    opened.set(runId, log);
    return { ...log, close: () => close(runId, log) };
  }

  /** Nobody waits for a log to be written, so that a turn doesn't; who reads it does. */
  async function close(runId: string, log: OpenRunLog): Promise<void> {
    const closed = log.close();
    closing.set(runId, closed);
    await closed;
    closing.delete(runId);
    if (opened.get(runId) === log) opened.delete(runId);
  }

  async function readPiece(runId: string, fromByte: number, bytesMax: number): Promise<LogPiece | null> {
    await closing.get(runId);
    const read = () => readLogPiece(pathOf(runId), fromByte, bytesMax);
    return opened.get(runId)?.between(read) ?? read();
  }

  return {
    open,
    async read(runId) {
      const first = await readPiece(runId, 0, pieceBytes);
      return first && streamOf(first, (fromByte) => readPiece(runId, fromByte, pieceBytes));
    },
    readPiece,
    onGrown: followers.add,
    removeStray: (listMissingRuns) => removeStrayLogs(folder, listMissingRuns),
    async removeOld(retention) {
      const { removed, keptBytes } = await removeOldLogs(folder, retention);
      bytes = keptBytes;
      return removed;
    },
    get bytes() {
      return bytes;
    },
    async remove(runIds) {
      for (const runId of runIds) {
        await closing.get(runId);
        await removeLogFiles(pathOf(runId));
      }
    },
  };
}

/** Ends where the log ended when it was begun, or with the log. */
function streamOf(
  first: LogPiece,
  readFrom: (fromByte: number) => Promise<LogPiece | null>,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let piece: LogPiece | null = first;
  return new ReadableStream({
    async pull(controller) {
      if (piece === null || piece.text === "") return controller.close();
      const { text, nextByte } = piece;
      controller.enqueue(encoder.encode(text));
      piece = nextByte < first.totalBytes ? await readFrom(nextByte) : null;
    },
  });
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
