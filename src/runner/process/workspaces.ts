import { chmod, mkdir, opendir, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Workspaces } from "../runner-api.ts";
import { isAtOrBelow } from "./paths.ts";
import { existingFolders, realPathOf } from "./start-check.ts";

export interface WorkspacesOptions {
  /** Absolute; one that doesn't exist is left out. */
  roots: readonly string[];
  homeFolder: string;
  dataFolder: string;
  installationFolder: string;
}

type Checked = Awaited<ReturnType<Workspaces["check"]>>;

const listedMax = 200;
/** A folder may hold millions of files; this many entries are looked at. */
const entriesMax = 10_000;
const nameLengthMax = 100;

/** Folders are judged by their real paths, so that no link leads out of the roots. */
export function createWorkspaces(options: WorkspacesOptions): Workspaces {
  const roots = existingFolders(options.roots);
  const home = realPathOf(options.homeFolder) ?? options.homeFolder;
  const ours = [options.dataFolder, options.installationFolder].map((folder) => realPathOf(folder) ?? folder);

  /** Whether agents may work somewhere at or below it; the home folder is such a place, though none itself. */
  function refusalOfPlace(realPath: string): string | null {
    if (ours.some((folder) => isAtOrBelow(realPath, folder))) return "This folder belongs to Headway itself.";
    if (!roots.some((root) => isAtOrBelow(realPath, root)))
      return `This folder isn't below ${roots.join(" or ") || "any folder that exists"}.`;
    return null;
  }

  function refusalOfFolder(realPath: string): string | null {
    if (realPath === "/") return "The root of the file system can't be an agent's folder.";
    if (realPath === home) return "The home folder itself can't be an agent's folder; take one below it.";
    return refusalOfPlace(realPath);
  }

  async function check(path: string): Promise<Checked> {
    const found = await resolveFolder(path);
    const message = found.kind === "ok" ? refusalOfFolder(found.realPath) : null;
    return message === null ? found : { kind: "refused", message };
  }

  return {
    roots,
    check,
    async listFolders(path) {
      const found = await resolveFolder(path);
      if (found.kind === "refused" || refusalOfPlace(found.realPath) !== null) return null;
      const names = await readFolderNames(found.realPath);
      return names?.filter((name) => refusalOfPlace(join(found.realPath, name)) === null) ?? null;
    },
    async makeFolder(parent, name) {
      if (!isFolderName(name)) return { kind: "refused", message: "This can't be the name of a folder." };
      const found = await resolveFolder(parent);
      const message = found.kind === "ok" ? refusalOfPlace(found.realPath) : found.message;
      if (found.kind === "refused" || message !== null) return { kind: "refused", message: message ?? "" };
      const path = join(found.realPath, name);
      const failure = await make(path);
      return failure === null ? check(path) : { kind: "refused", message: failure };
    },
  };
}

function isFolderName(name: string): boolean {
  return name.length <= nameLengthMax && /^[^/\0.\s][^/\0\p{Cc}]*$/u.test(name);
}

async function resolveFolder(path: string): Promise<Checked> {
  if (!path.startsWith("/") || path.includes("\0"))
    return { kind: "refused", message: "A folder is named by an absolute path." };
  try {
    const realPath = await realpath(path);
    if ((await stat(realPath)).isDirectory()) return { kind: "ok", realPath };
    return { kind: "refused", message: "This isn't a folder." };
  } catch (error) {
    return { kind: "refused", message: explain(error, "This folder can't be used") };
  }
}

async function make(path: string): Promise<string | null> {
  try {
    await mkdir(path);
    // Whatever the server's umask is, agents under other tools must be able to look into the folder.
    await chmod(path, 0o755);
    return null;
  } catch (error) {
    return explain(error, "The folder can't be made");
  }
}

async function readFolderNames(path: string): Promise<string[] | null> {
  const names: string[] = [];
  let seen = 0;
  try {
    for await (const entry of await opendir(path)) {
      if (entry.isDirectory() && !entry.name.startsWith(".")) names.push(entry.name);
      seen += 1;
      if (seen === entriesMax) break;
    }
  } catch (error) {
    explain(error, "");
    return null;
  }
  return names.toSorted().slice(0, listedMax);
}

const reasons: Record<string, string> = {
  ENOENT: "it doesn't exist",
  ENOTDIR: "a part of its path isn't a folder",
  EACCES: "the server's user has no access",
  EPERM: "the server's user has no access",
  EROFS: "the file system is read-only",
  ENOSPC: "the disk is full",
  EEXIST: "it exists already",
  ELOOP: "its links go in a circle",
  ENAMETOOLONG: "its name is too long",
};

/** What a person is told; an error that none of these names is a bug. */
function explain(error: unknown, what: string): string {
  const reason = reasons[(error as NodeJS.ErrnoException).code ?? ""];
  if (reason === undefined) throw error;
  return `${what}: ${reason}.`;
}
