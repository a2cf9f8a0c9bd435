import { mkdirSync, readdirSync, rmdirSync } from "node:fs";

/** Folders as the kernel makes and removes them: with files in them that nobody wrote. */
export interface CgroupSystem {
  makeFolder(path: string): void;
  removeFolder(path: string): void;
}

export const kernelCgroups: CgroupSystem = {
  makeFolder: (path) => mkdirSync(path),
  removeFolder: (path) => rmdirSync(path),
};

const goneCodes = new Set(["ENOENT", "ENODEV"]);
/** What rights, other processes and the kernel's own limits may say to any use of control groups. */
const refusals =
  "EACCES EPERM EROFS EEXIST ENOTDIR EBUSY ENOTEMPTY EAGAIN ENOMEM ENOSPC EINVAL EOPNOTSUPP EMFILE ENFILE ESRCH";
const refusalCodes = new Set([...goneCodes, ...refusals.split(" ")]);

export type CgroupRefusal = NodeJS.ErrnoException & { code: string };

export function isCgroupRefusal(error: unknown): error is CgroupRefusal {
  return refusalCodes.has((error as NodeJS.ErrnoException).code ?? "");
}

export function isGone({ code }: CgroupRefusal): boolean {
  return goneCodes.has(code);
}

/** None where there is no such folder. */
export function foldersIn(path: string): string[] {
  try {
    const entries = readdirSync(path, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch (error) {
    if (!isCgroupRefusal(error)) throw error;
    return [];
  }
}
