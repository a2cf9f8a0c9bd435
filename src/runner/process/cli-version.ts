import { readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
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

/** Which versions are installed. Asked anew only when a file has changed; null when it can't be told. */
export interface CliVersions {
  /** Waits until it is known, if need be for a run with `--version`. */
  read: ReadCliVersion;
  /** Waits for files at the most: undefined while a run with `--version` is still finding out. */
  peek(cli: Cli, executable: Executable): Promise<string | null | undefined>;
}

/** One state of one file, and what is known of it. */
interface Learning {
  fromFiles: Promise<string | null>;
  version: Promise<string | null>;
  /** What `version` has come to; undefined until it has. */
  told: string | null | undefined;
}

const packageLevelsMax = 3;
const runMsMax = 5_000;
const outputBytesMax = 4_096;
const versionPattern = /\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.-]+)?/;

/** Learns versions from what lies around an executable, which costs nothing, or by running it. */
export function createCliVersions(options: VersionReaderOptions): CliVersions {
  const known = new Map<string, Learning>();
  async function learningOf(cli: Cli, executable: Executable): Promise<Learning | null> {
    const key = await stateOf(executable.realPath);
    if (key === null) return null;
    const learning = known.get(key) ?? learn(options, cli, executable);
    known.set(key, learning);
    return learning;
  }
  return {
    async read(cli, executable) {
      return (await learningOf(cli, executable))?.version ?? null;
    },
    async peek(cli, executable) {
      const learning = await learningOf(cli, executable);
      return learning === null ? null : ((await learning.fromFiles) ?? learning.told);
    },
  };
}

/** Changes when the file does; null when it has just been taken away. */
async function stateOf(realPath: string): Promise<string | null> {
  try {
    const { ino, mtimeMs } = await stat(realPath);
    return `${realPath} ${ino} ${mtimeMs}`;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

function learn(options: VersionReaderOptions, cli: Cli, executable: Executable): Learning {
  const fromFiles = versionOfFiles(cli, executable.realPath);
  const version = fromFiles.then((found) => found ?? askVersion(options, cli, executable));
  const learning: Learning = { fromFiles, version, told: undefined };
  // An error is thrown to whoever waits for the version; nobody may be doing that.
  void version.then(
    (told) => (learning.told = told),
    () => (learning.told = null),
  );
  return learning;
}

/** Claude Code's own installer names the file after the version: `…/claude/versions/2.1.330`. */
async function versionOfFiles(cli: Cli, realPath: string): Promise<string | null> {
  const fileName = basename(realPath);
  const isVersion = versionPattern.exec(fileName)?.[0] === fileName;
  return isVersion ? fileName : versionOfPackage(cli, realPath);
}

const packageSchema = z.looseObject({
  name: z.string().default(""),
  version: z.string().regex(versionPattern),
  bin: z.union([z.string(), z.record(z.string(), z.string())]).default({}),
  main: z.string().default(""),
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

/**
 * A package found above an executable may be anybody's: a project with `bin/claude` in it, say. Packages that
 * hold a program for one platform may name it as `main` (@factory/cli-linux-x64) or not at all.
 */
function isPackageOf(
  found: z.infer<typeof packageSchema>,
  { cli, realPath, folder }: { cli: Cli; realPath: string; folder: string },
): boolean {
  const programs = [found.main, ...(typeof found.bin === "string" ? [found.bin] : Object.values(found.bin))];
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
