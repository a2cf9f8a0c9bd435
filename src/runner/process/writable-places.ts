import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { ProcessSpec } from "./cli-process.ts";
import type { WritablePlaces } from "./containment.ts";
import { isAtOrBelow } from "./paths.ts";
import { existingFolders, realPathOf } from "./start-check.ts";

/**
 * Where the tree may write, if its file policy says so: the agent's folder, the CLI's own folders, of which
 * missing ones are made since only what exists can be given, and temporary folders of its own. Null without
 * such a policy.
 */
export function writablePlaces(
  spec: Pick<ProcessSpec, "file" | "args" | "cwd" | "env" | "writablePaths">,
): WritablePlaces | null {
  if (!spec.writablePaths) return null;
  spec.writablePaths.forEach(makeFolder);
  const temporary = existingFolders(["/tmp", spec.env["TMPDIR"] ?? "/tmp"]);
  const temporaryPaths = [...new Set(temporary)].filter((path) => path !== "/");
  return {
    writablePaths: [...new Set(existingFolders([spec.cwd, ...spec.writablePaths]))],
    temporaryPaths,
    readablePaths: programFolders(spec).filter((folder) => isBelowAny(folder, temporaryPaths)),
  };
}

/** Where the program lies and what it is told to open: what is installed in a temporary folder would be covered. */
function programFolders({ file, args }: Pick<ProcessSpec, "file" | "args">): string[] {
  const named = [file, ...args].filter((word) => word.startsWith("/"));
  const folders = named.flatMap((path) => [dirname(path), dirname(realPathOf(path) ?? path)]);
  return [...new Set(existingFolders(folders))];
}

function isBelowAny(folder: string, parents: readonly string[]): boolean {
  return parents.some((parent) => folder !== parent && isAtOrBelow(folder, parent));
}

const obstacleCodes = new Set(["EACCES", "EPERM", "EROFS", "EEXIST", "ENOTDIR", "ENOSPC", "EDQUOT", "ELOOP"]);

/** Where it can't be made the CLI couldn't have made it either, and tells what it misses in its own words. */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    if (!obstacleCodes.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}
