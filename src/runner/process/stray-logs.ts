import { opendir } from "node:fs/promises";
import { join } from "node:path";
import { removeLogFiles } from "./log-segments.ts";

/** Of these runs, those that are not there (any more). */
export type ListMissingRuns = (runIds: readonly string[]) => readonly string[];

/** So many runs are asked for at once. */
const runsPerLookMax = 500;
const logName = /^(run_\w+)(?:\.tail-[01])?\.log$/;

/** The runs that have files in the folder, some at a time; one may come more than once, since it may have several. */
export async function* listLoggedRuns(folder: string): AsyncIterable<readonly string[]> {
  let runIds = new Set<string>();
  for await (const { name } of await opendir(folder)) {
    const runId = logName.exec(name)?.[1];
    if (runId !== undefined) runIds.add(runId);
    if (runIds.size < runsPerLookMax) continue;
    yield [...runIds];
    runIds = new Set();
  }
  if (runIds.size > 0) yield [...runIds];
}

/**
 * Removes the logs of runs that are gone: a server that ended between the deletion of a conversation and
 * that of its logs left them. Resolves with how many there were.
 */
export async function removeStrayLogs(folder: string, listMissingRuns: ListMissingRuns): Promise<number> {
  const removed = new Set<string>();
  for await (const runIds of listLoggedRuns(folder)) {
    for (const runId of listMissingRuns(runIds)) {
      await removeLogFiles(join(folder, `${runId}.log`));
      removed.add(runId);
    }
  }
  return removed.size;
}
