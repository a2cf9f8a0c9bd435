import { join } from "node:path";
import { isExecutableFile, realPathOf } from "./start-check.ts";

export interface Executable {
  /** As it was found, which is what a person recognises. */
  path: string;
  /** Where it really lies. */
  realPath: string;
}

export interface ExecutableWish {
  name: string;
  /** Set by the owner; then nothing else counts. */
  configuredPath: string | null;
  /** Folders separated by colons, as in `PATH`. */
  path: string;
}

/** Looks a program up as a shell would, without one; null when there is none. */
export function findExecutable({ name, configuredPath, path }: ExecutableWish): Executable | null {
  // A relative folder of PATH means another program in each agent's folder.
  const folders = path.split(":").filter((folder) => folder.startsWith("/"));
  const candidates = configuredPath === null ? folders.map((folder) => join(folder, name)) : [configuredPath];
  const found = candidates.find(isExecutableFile);
  const realPath = found === undefined ? null : realPathOf(found);
  return found === undefined || realPath === null ? null : { path: found, realPath };
}
