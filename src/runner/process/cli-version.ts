import { readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import type { Cli } from "../../domain/agent.ts";
import type { CliProcess, Supervisor } from "./cli-process.ts";
import type { Executable } from "./find-executable.ts";
import { pauseUpTo } from "./until.ts";

export interface VersionReaderOptions {
  supervisor: Supervisor;
  makeProcessId: () => string;
  /** The environment of a `--version` run of this CLI. */
  environmentOf: (cli: Cli, processId: string) => Readonly<Record<string, string>>;
  /** Folders that no run may see. */
  hiddenPaths: readonly string[];
}

export type ReadCliVersion = (cli: Cli, executable: Executable) => Promise<string | null>;

const packageLevelsMax = 3;
const runMsMax = 5_000;
const outputBytesMax = 4_096;
const versionPattern = /\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.-]+)?/;

/**
 * Tells which version is installed: from the package that the executable belongs to, which costs nothing,
 * or by running it with `--version`. Asked again only when the file has changed; null when it can't be told.
 */
export function createVersionReader(options: VersionReaderOptions): ReadCliVersion {
  const known = new Map<string, Promise<string | null>>();
  return async (cli, executable) => {
    const { ino, mtimeMs } = await stat(executable.realPath);
    const key = `${executable.realPath} ${ino} ${mtimeMs}`;
    const version = known.get(key) ?? readVersion(options, cli, executable);
    known.set(key, version);
    return version;
  };
}

async function readVersion(options: VersionReaderOptions, cli: Cli, executable: Executable) {
  return (await versionOfPackage(cli, executable.realPath)) ?? (await askVersion(options, cli, executable));
}

const packageSchema = z.looseObject({
  name: z.string().default(""),
  version: z.string().regex(versionPattern),
  bin: z.union([z.string(), z.record(z.string(), z.string())]).default({}),
});

async function versionOfPackage(cli: Cli, realPath: string): Promise<string | null> {
  let folder = dirname(realPath);
  for (let level = 0; level <= packageLevelsMax; level += 1) {
    const found = packageSchema.safeParse(await readJson(join(folder, "package.json")));
    if (found.success && isPackageOf(found.data, { cli, realPath, folder })) return found.data.version;
    folder = dirname(folder);
  }
  return null;
}

/** A package found above an executable may be anybody's: a project with `bin/claude` in it, say. */
function isPackageOf(
  found: z.infer<typeof packageSchema>,
  { cli, realPath, folder }: { cli: Cli; realPath: string; folder: string },
): boolean {
  const programs = typeof found.bin === "string" ? [found.bin] : Object.values(found.bin);
  const lastPart = found.name.split("/").at(-1) ?? "";
  return programs.some((program) => join(folder, program) === realPath) || lastPart.split("-").includes(cli);
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    if (error instanceof SyntaxError || ["ENOENT", "ENOTDIR", "EACCES"].includes(code)) return null;
    throw error;
  }
}

async function askVersion(options: VersionReaderOptions, cli: Cli, { path }: Executable) {
  const processId = options.makeProcessId();
  const outcome = await options.supervisor.spawn({
    processId,
    cli,
    file: path,
    args: ["--version"],
    cwd: "/",
    env: options.environmentOf(cli, processId),
    hiddenPaths: options.hiddenPaths,
    limits: {
      memoryBytesMax: 2 ** 31,
      processesMax: 64,
      lineBytesMax: outputBytesMax,
      stdoutBytesMax: outputBytesMax,
    },
  });
  return outcome.kind === "failed" ? null : firstVersionFrom(outcome.process);
}

async function firstVersionFrom(process: CliProcess): Promise<string | null> {
  let version: string | null = null;
  process.listen({
    lines: (lines) => void (version ??= versionPattern.exec(lines.join("\n"))?.[0] ?? null),
    lineDropped() {},
    garbled() {},
    stderr() {},
    limitReached() {},
    exited() {},
  });
  process.beginAccount();
  process.closeInput();
  const patience = pauseUpTo(runMsMax);
  await Promise.race([process.exited, patience.over]);
  patience.end();
  await process.killTree();
  return version;
}
