import { accessSync, closeSync, constants, openSync, readSync, realpathSync, statSync } from "node:fs";
import type { WritablePlaces } from "./containment.ts";
import { isAtOrBelow } from "./paths.ts";

export type StartFailure = {
  kind: "failed";
  code: "cli_not_found" | "cwd_missing" | "spawn_error";
  message: string;
  /** The machine or this server refused it, whatever the CLI is like. */
  isOurs?: boolean;
};

/**
 * Why a command can't be started; null when nothing speaks against it. Asked before the spawn, because a
 * wrapper starts well and then hides what its command met.
 *
 * @param hiddenPaths real paths of the folders that won't be there for the command
 * @param files where a file policy lets it write, and what it covers
 */
export function checkStart(
  spec: { file: string; cwd: string },
  hiddenPaths: readonly string[],
  files: WritablePlaces | null = null,
): StartFailure | null {
  return (
    checkCwd(spec.cwd, hiddenPaths) ?? checkFile(spec.file, (path) => isUnseen(path, hiddenPaths, files))
  );
}

function isUnseen(path: string, hiddenPaths: readonly string[], files: WritablePlaces | null): boolean {
  if (isHidden(path, hiddenPaths)) return true;
  if (files === null || !isHidden(path, files.temporaryPaths)) return false;
  return !isHidden(path, [...files.writablePaths, ...files.readablePaths]);
}

function checkCwd(cwd: string, hiddenPaths: readonly string[]): StartFailure | null {
  const real = realPathOf(cwd);
  if (real === null || !statSync(real).isDirectory())
    return failed("cwd_missing", `The folder ${cwd} doesn't exist.`);
  if (isHidden(real, hiddenPaths))
    return failed("spawn_error", `The folder ${cwd} lies in a folder that runs may not see.`);
  return null;
}

function checkFile(file: string, isUnseenPath: (path: string) => boolean): StartFailure | null {
  const real = realPathOf(file);
  if (real === null) return failed("cli_not_found", `There is no ${file}.`);
  if (isUnseenPath(real) || isUnseenPath(file))
    return failed("spawn_error", `${file} lies in a folder that runs may not see.`);
  if (!isExecutableFile(real)) return failed("spawn_error", `${file} isn't an executable file.`);
  const interpreter = interpreterOf(real);
  if (interpreter !== null && realPathOf(interpreter) === null)
    return failed("spawn_error", `${file} needs ${interpreter}, which doesn't exist.`);
  return null;
}

function failed(code: StartFailure["code"], message: string): StartFailure {
  return { kind: "failed", code, message };
}

function isHidden(realPath: string, hiddenPaths: readonly string[]): boolean {
  return hiddenPaths.some((hidden) => isAtOrBelow(realPath, hidden));
}

/** Real paths of those that are folders; a mount can't cover one that doesn't exist. */
export function existingFolders(paths: readonly string[]): string[] {
  const real = paths.map(realPathOf).filter((path) => path !== null);
  return real.filter((path) => statSync(path).isDirectory());
}

/** True for a regular file that this user may execute. */
export function isExecutableFile(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch (error) {
    if (isUnusable(error)) return false;
    throw error;
  }
}

/** Null when there is nothing at the path, or nothing that we may look at. */
export function realPathOf(path: string): string | null {
  try {
    return realpathSync(path);
  } catch (error) {
    if (isUnusable(error)) return null;
    throw error;
  }
}

const unusableCodes = new Set(["ENOENT", "ENOTDIR", "EACCES", "EPERM", "ELOOP", "ENAMETOOLONG"]);

function isUnusable(error: unknown): boolean {
  return unusableCodes.has((error as NodeJS.ErrnoException).code ?? "");
}

/** The program that a script's first line names; null for anything else. */
function interpreterOf(file: string): string | null {
  const line = /^#![ \t]*([^\s\0]+)/.exec(readHead(file, 256));
  return line?.[1] ?? null;
}

function readHead(file: string, bytesMax: number): string {
  const buffer = Buffer.alloc(bytesMax);
  let descriptor: number;
  try {
    descriptor = openSync(file, "r");
  } catch (error) {
    // A program may be executable and not readable.
    if (isUnusable(error)) return "";
    throw error;
  }
  try {
    return buffer.toString("latin1", 0, readSync(descriptor, buffer, 0, bytesMax, 0));
  } finally {
    closeSync(descriptor);
  }
}
