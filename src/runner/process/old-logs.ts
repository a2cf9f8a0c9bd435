import { stat } from "node:fs/promises";
import { join } from "node:path";
import { logFilesOf, removeLogFiles } from "./log-segments.ts";
import { listLoggedRuns } from "./stray-logs.ts";

export interface LogRetention {
  /** Logs of runs that ended before go. */
  endedBeforeMs: number;
  /** Of all logs together; beyond it those go whose runs ended first. */
  bytesMax: number;
  /** When those of the runs ended that have ended. Logs of others stay, whatever the limits are. */
  endsOf(runIds: readonly string[]): ReadonlyMap<string, number>;
  /** Notes that these runs have no log any more, before it is removed. */
  noteRemoved(runIds: readonly string[]): Promise<void>;
  signal: AbortSignal;
}

interface EndedLog {
  runId: string;
  endedAtMs: number;
  bytes: number;
}

const removedAtOnceMax = 500;

/** Looks at every log; the event loop goes on between any two files. */
export async function removeOldLogs(
  folder: string,
  retention: LogRetention,
): Promise<{ removed: number; keptBytes: number }> {
  const { endsOf, endedBeforeMs, bytesMax } = retention;
  const ended = new Map<string, EndedLog>();
  const others = new Map<string, number>();
  for await (const runIds of listLoggedRuns(folder)) {
    if (retention.signal.aborted) break;
    const ends = endsOf(runIds);
    for (const runId of runIds) {
      const bytes = await bytesOf(join(folder, `${runId}.log`));
      const endedAtMs = ends.get(runId);
      if (endedAtMs === undefined) others.set(runId, bytes);
      else ended.set(runId, { runId, endedAtMs, bytes });
    }
  }
  const otherBytes = others.values().reduce((sum, bytes) => sum + bytes, 0);
  const { gone, keptBytes } = choose([...ended.values()], { endedBeforeMs, bytesMax, otherBytes });
  const removed = await removeAll(folder, gone, retention);
  return { removed, keptBytes: otherBytes + keptBytes };
}

/** Those that are too old, and the oldest of the rest, until it fits. */
function choose(
  logs: readonly EndedLog[],
  { endedBeforeMs, bytesMax, otherBytes }: { endedBeforeMs: number; bytesMax: number; otherBytes: number },
): { gone: string[]; keptBytes: number } {
  const newestFirst = logs.toSorted((a, b) => b.endedAtMs - a.endedAtMs);
  const gone: string[] = [];
  let keptBytes = 0;
  let isFull = false;
  for (const { runId, endedAtMs, bytes } of newestFirst) {
    isFull ||= otherBytes + keptBytes + bytes > bytesMax;
    if (isFull || endedAtMs < endedBeforeMs) gone.push(runId);
    else keptBytes += bytes;
  }
  return { gone, keptBytes };
}

async function removeAll(
  folder: string,
  runIds: readonly string[],
  { noteRemoved, signal }: LogRetention,
): Promise<number> {
  let removed = 0;
  while (removed < runIds.length && !signal.aborted) {
    const some = runIds.slice(removed, removed + removedAtOnceMax);
    await noteRemoved(some);
    for (const runId of some) await removeLogFiles(join(folder, `${runId}.log`));
    removed += some.length;
  }
  return removed;
}

async function bytesOf(path: string): Promise<number> {
  const { head, tails } = logFilesOf(path);
  let bytes = 0;
  for (const file of [head, ...tails]) bytes += await sizeOf(file);
  return bytes;
}

/** Of a file that isn't there, or goes meanwhile, nothing. */
async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return 0;
    throw error;
  }
}
