import { lstatSync, statSync } from "node:fs";

/** What is wrong with what stands where a file of ours belongs; null for a file, a link to one, and nothing at all. */
export function refuseByKind(path: string): string | null {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return null;
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) {
    return "is a link to a file that isn't there. Mount its disk, put the file back, or delete the link to begin anew.";
  }
  if (found.isFile()) return null;
  const kind = found.isDirectory() ? "a folder" : "a pipe, a socket or a device";
  return `is ${kind}, not a file. Move it away, or choose another HEADWAY_DATA_DIR.`;
}
