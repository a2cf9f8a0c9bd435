import type { ContainmentRung } from "../../domain/process.ts";

/** Absolute paths of the programs that contain, or start what contains; null where one isn't installed. */
export interface ContainmentTools {
  bwrap: string | null;
  unshare: string | null;
  setpriv: string | null;
  mount: string | null;
  nice: string | null;
}

/** The rung this machine can do, and what it takes. */
export interface Containment {
  rung: ContainmentRung;
  /** Why it isn't the best there is; null when it is. */
  degradedBecause: string | null;
  /** What to install or allow so that it is, as a sentence; null when there is nothing to do. */
  fix: string | null;
  tools: ContainmentTools;
  isRoot: boolean;
  /** Whether this bwrap can give a folder in memory a size (since 0.7). */
  sizesFolders: boolean;
}

/** What it takes to wrap a command. */
export type Wrapping = Pick<Containment, "rung" | "tools" | "isRoot"> & { sizesFolders?: boolean };

export interface WrapSpec {
  file: string;
  args: readonly string[];
  cwd: string;
  /** Real paths of folders that exist. */
  hiddenPaths: readonly string[];
  /** The file policy `workspace`; absent, the tree may write wherever its user may. */
  files?: WritablePlaces | null;
  /** Real paths of folders that the tree may read at most, whatever else is said; only bwrap can do that. */
  readOnlyPaths?: readonly string[];
  /** Descriptor on which bwrap reports the namespace's first process and the exit code. */
  statusFd: number;
}

/** Where a tree may write that may not write elsewhere; real paths of folders that exist. */
export interface WritablePlaces {
  writablePaths: readonly string[];
  /** Folders that are empty at first, the tree's own, and gone with it. */
  temporaryPaths: readonly string[];
  /** Folders in those that can be read all the same. */
  readablePaths: readonly string[];
}

export interface WrappedCommand {
  file: string;
  args: string[];
}

/** The command that runs a command inside a rung. */
export function wrap(wrapping: Wrapping, spec: WrapSpec): WrappedCommand {
  const { rung, tools, isRoot } = wrapping;
  if (rung === "bwrap") return wrapInBwrap(installed(tools.bwrap), wrapping, spec);
  if (spec.files) throw new Error("a file policy was asked of a rung that has none");
  if (rung === "unshare") return wrapInUnshare(tools, isRoot, spec);
  return { file: spec.file, args: [...spec.args] };
}

function wrapInBwrap(
  bwrap: string,
  { isRoot, sizesFolders = false }: Wrapping,
  spec: WrapSpec,
): WrappedCommand {
  const args = spec.files ? writableArguments(spec.files, sizesFolders) : [...everythingArguments];
  args.push(...(spec.readOnlyPaths ?? []).flatMap((path) => ["--ro-bind", path, path]));
  args.push(...spec.hiddenPaths.flatMap((path) => ["--tmpfs", path]));
  args.push("--unshare-pid", "--die-with-parent");
  if (isRoot) args.push(...(spec.files ? rootOverFilesArguments : rootArguments));
  args.push("--json-status-fd", String(spec.statusFd), "--chdir", spec.cwd, "--");
  return { file: bwrap, args: [...args, spec.file, ...spec.args] };
}

const everythingArguments = ["--bind", "/", "/", "--dev-bind", "/dev", "/dev", "--proc", "/proc"];

/** A folder in memory isn't memory of any process, so that no limit of a run's would see it. */
const temporaryBytesMax = 1_073_741_824;

const readableArguments = ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"].concat(
  // bwrap 0.8 covers it only where the folder itself is writable, which it isn't for root, unlike its files.
  ["--ro-bind", "/proc/sys", "/proc/sys"],
);

/** The rest can be read. Devices are bwrap's own few: the machine's disks aren't among them. */
function writableArguments(files: WritablePlaces, sizesFolders: boolean): string[] {
  const size = sizesFolders ? ["--size", String(temporaryBytesMax)] : [];
  return [
    ...readableArguments,
    ...files.temporaryPaths.flatMap((path) => [...size, "--tmpfs", path]),
    // After what covers them.
    ...files.readablePaths.flatMap((path) => ["--ro-bind", path, path]),
    ...files.writablePaths.flatMap((path) => ["--bind", path, path]),
  ];
}

/** Root keeps its capabilities inside and could unmount what hides the data directory. */
const rootArguments = ["--cap-drop", "CAP_SYS_ADMIN"];

/** What root needs over the files that it may write, and nothing by which it could reach the others. */
const rootOverFilesArguments = ["--cap-drop", "ALL"].concat(
  ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID"].flatMap((name) => [
    "--cap-add",
    `CAP_${name}`,
  ]),
);

/**
 * `setpriv` ties the wrapper's life to ours and `--kill-child` the namespace's life to the wrapper's:
 * neither does without the other. The mounts need a capability that the CLI itself must not have.
 */
function wrapInUnshare(tools: ContainmentTools, isRoot: boolean, spec: WrapSpec): WrappedCommand {
  const hides = spec.hiddenPaths.length > 0;
  const user = isRoot ? [] : ["--user", "--map-current-user", ...(hides ? ["--keep-caps"] : [])];
  const args = ["--pdeathsig", "KILL", "--", installed(tools.unshare), ...user];
  args.push("--pid", "--fork", "--kill-child", "--mount-proc", "--");
  if (hides) args.push(...hidingCommand(tools, spec.hiddenPaths));
  return { file: installed(tools.setpriv), args: [...args, spec.file, ...spec.args] };
}

const hidingScript = `mount=$1 setpriv=$2; shift 2
while [ "$1" != -- ]; do "$mount" -t tmpfs -o mode=0755 tmpfs "$1" || exit 125; shift; done
shift; exec "$setpriv" --inh-caps=-all --ambient-caps=-all --bounding-set=-sys_admin -- "$@"`;

function hidingCommand(tools: ContainmentTools, hiddenPaths: readonly string[]): string[] {
  const programs = [installed(tools.mount), installed(tools.setpriv)];
  return ["/bin/sh", "-c", hidingScript, "sh", ...programs, ...hiddenPaths, "--"];
}

function installed(path: string | null): string {
  if (path === null) throw new Error("a containment was chosen whose programs aren't installed");
  return path;
}
