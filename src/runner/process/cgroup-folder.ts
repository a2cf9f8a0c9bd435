import type { CgroupVersion } from "./cgroup-files.ts";

/** A control group that processes can be told by a folder. */
export interface SeenCgroup {
  version: CgroupVersion;
  path: string;
  /** Folder of the first group of all that can be seen. */
  topPath: string;
}

/** What is known of a group's folder. */
export interface CgroupSight extends SeenCgroup {
  /** Users that own it and the folder above; null where that can't be told. */
  ownerId: number | null;
  parentOwnerId: number | null;
  /** What its children could be given; empty in v1, where it is the hierarchy that says so. */
  controllers: readonly string[];
  /** Whether it has a limit of its own, which the machine's first group has not. */
  hasLimit: boolean;
}

interface Mount {
  version: CgroupVersion;
  /** The group that is to be seen at its mount point. */
  root: string;
  path: string;
  hasMemory: boolean;
}

/** Mounts of control groups, from the text of /proc/self/mountinfo. */
function mountsOf(mountinfo: string): Mount[] {
  return mountinfo.split("\n").flatMap((line): Mount[] => {
    const [before = "", after = ""] = line.split(" - ");
    const [, , , root = "", path = ""] = before.split(" ").map(unescaped);
    const [type, , options = ""] = after.split(" ");
    if (type === "cgroup2") return [{ version: "v2", root, path, hasMemory: true }];
    const hasMemory = options.split(",").includes("memory");
    return type === "cgroup" ? [{ version: "v1", root, path, hasMemory }] : [];
  });
}

/** Blanks in a path are written as octal numbers. */
function unescaped(field: string): string {
  return field.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}

/** Where control groups can be reached: the usual folder stands for all that is mounted below it. */
export function cgroupMountPaths(mountinfo: string): string[] {
  const paths = mountsOf(mountinfo).map(({ path }) => path);
  const isUsual = (path: string) => path === usualFolder || path.startsWith(`${usualFolder}/`);
  return [...new Set(paths.map((path) => (isUsual(path) ? usualFolder : path)))];
}

const usualFolder = "/sys/fs/cgroup";

/**
 * The group by which this process's memory is counted, from the texts of /proc/self/cgroup and mountinfo; null where
 * there is none, or where it can't be seen.
 */
export function findOwnCgroup(membership: string, mountinfo: string): SeenCgroup | null {
  const lines = membership.split("\n").map((line) => line.split(":"));
  const v1 = lines.find(([, controllers]) => controllers?.split(",").includes("memory"));
  const own = v1 ?? lines.find(([hierarchy, controllers]) => hierarchy === "0" && controllers === "");
  if (own === undefined) return null;
  const version = v1 === undefined ? "v2" : "v1";
  const group = own.slice(2).join(":");
  for (const mount of mountsOf(mountinfo)) {
    if (mount.version !== version || !mount.hasMemory) continue;
    const below = belowRoot(group, mount.root);
    if (below !== null) return { version, path: mount.path + below, topPath: mount.path };
  }
  return null;
}

/** The group that lies at a path which somebody names; null where no control groups with memory are mounted. */
export function findCgroupAt(path: string, mountinfo: string): SeenCgroup | null {
  const mounts = mountsOf(mountinfo).filter((mount) => belowRoot(path, mount.path) !== null);
  const [mount] = mounts.toSorted((a, b) => b.path.length - a.path.length);
  if (mount === undefined || !mount.hasMemory) return null;
  return { version: mount.version, path: trimmed(path), topPath: mount.path };
}

/** "" for the root itself, "/…" for what lies below, null for what doesn't. */
function belowRoot(path: string, root: string): string | null {
  if (root === "/") return path === "/" ? "" : path;
  if (trimmed(path) === root) return "";
  return path.startsWith(`${root}/`) ? path.slice(root.length) : null;
}

function trimmed(path: string): string {
  return path.replace(/(?<=.)\/+$/, "");
}

/** Where a server of v2 puts itself, so that its group can have children with limits. */
export const serverGroup = "headway-server";

/** A server that was started by one which has moved finds itself there, and belongs one folder up. */
export function groundOf(own: SeenCgroup): SeenCgroup {
  const suffix = `/${serverGroup}`;
  if (own.version !== "v2" || !own.path.endsWith(suffix)) return own;
  return { ...own, path: own.path.slice(0, -suffix.length) };
}

/**
 * Why groups may not be made there unasked, as a sentence; null when they may. In v1 whoever can make one may. In v2
 * a group's processes have to move for it, so that it must be this server's for sure.
 */
export function objectionTo(sight: CgroupSight, userId: number): string | null {
  if (sight.version === "v1") return null;
  if (!sight.controllers.includes("memory"))
    return `The control group ${sight.path} has no memory controller to give to its children.`;
  if (userId === 0) {
    return sight.path === sight.topPath && sight.hasLimit
      ? null
      : `Nothing tells that the control group ${sight.path} is Headway's own: root may write anywhere.`;
  }
  if (sight.ownerId !== userId)
    return `The control group ${sight.path} is not delegated to the user that runs Headway.`;
  // Below a user's own systemd everything is that user's, a terminal with all that runs in it, too.
  return sight.parentOwnerId === userId && !sight.path.endsWith(".service")
    ? `The control group ${sight.path} may have other processes than Headway's in it.`
    : null;
}
