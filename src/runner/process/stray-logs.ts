import { opendir } from "node:fs/promises";
import { join } from "node:path";
import { removeRunLog } from "./log-file.ts";

/** Of these runs, those that are not there (any more). */
export type ListMissingRuns = (runIds: readonly string[]) => readonly string[];

/** So many runs are asked for at once. */
const runsPerLookMax = 500;

/**
 * Removes the logs of runs that are gone: a server that ended between the deletion of a conversation and
 * that of its logs left them. Resolves with how many there were.
 */
export async function removeStrayLogs(folder: string, listMissingRuns: ListMissingRuns): Promise<number> {
  let removed = 0;
  let runIds: string[] = [];
  const removeMissing = async () => {
    const missing = listMissingRuns(runIds);
    runIds = [];
    for (const runId of missing) await removeRunLog(join(folder, `${runId}.log`));
    removed += missing.length;
  };
  for await (const { name } of await opendir(folder)) {
    if (/^run_\w+\.log$/.test(name)) runIds.push(name.slice(0, -".log".length));
    if (runIds.length === runsPerLookMax) await removeMissing();
  }
  await removeMissing();
  return removed;
}
