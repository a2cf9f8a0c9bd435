import type { ContainmentRung } from "../../domain/process.ts";

/** Absolute paths of the programs that contain; null where one isn't installed. */
export interface ContainmentTools {
  bwrap: string | null;
  unshare: string | null;
  setpriv: string | null;
  mount: string | null;
}

/** The rung this machine can do, and what it takes. */
export interface Containment {
  rung: ContainmentRung;
  /** Why it isn't the best there is; null when it is. */
  degradedBecause: string | null;
  tools: ContainmentTools;
  isRoot: boolean;
}

export interface WrapSpec {
  file: string;
  args: readonly string[];
  cwd: string;
  /** Real paths of folders that exist. */
  hiddenPaths: readonly string[];
  /** Descriptor on which bwrap reports the namespace's first process and the exit code. */
  statusFd: number;
}

export interface WrappedCommand {
  file: string;
  args: string[];
}

/** The command that runs a command inside a rung. */
export function wrap(containment: Omit<Containment, "degradedBecause">, spec: WrapSpec): WrappedCommand {
  const { rung, tools, isRoot } = containment;
  if (rung === "bwrap") return wrapInBwrap(installed(tools.bwrap), isRoot, spec);
  if (rung === "unshare") return wrapInUnshare(tools, isRoot, spec);
  return { file: spec.file, args: [...spec.args] };
}

function wrapInBwrap(bwrap: string, isRoot: boolean, spec: WrapSpec): WrappedCommand {
  const args = ["--bind", "/", "/", "--dev-bind", "/dev", "/dev", "--proc", "/proc"];
  args.push(...spec.hiddenPaths.flatMap((path) => ["--tmpfs", path]));
  args.push("--unshare-pid", "--die-with-parent");
  // Root keeps its capabilities inside and could unmount what hides the data directory.
  if (isRoot) args.push("--cap-drop", "CAP_SYS_ADMIN");
  args.push("--json-status-fd", String(spec.statusFd), "--chdir", spec.cwd, "--");
  return { file: bwrap, args: [...args, spec.file, ...spec.args] };
}

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
