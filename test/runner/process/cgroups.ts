import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../../src/domain/clock.ts";
import { openCgroups } from "../../../src/runner/process/open-cgroups.ts";
import type { RunCgroup, RunCgroups } from "../../../src/runner/process/run-cgroup.ts";
import { detectWithOnly } from "./harness.ts";

/** What the kernel told of a group before it was taken away. */
export interface GroupEnd {
  path: string;
  /** The most that was in use at once; 0 where the kernel doesn't tell. */
  peakBytes: number;
  limitBytes: number;
  kills: number;
}

/** Control groups that can be read once more at their end. */
export interface SeenCgroups {
  cgroups: RunCgroups;
  sweep(): number;
  ends: GroupEnd[];
  /** Folders of all groups that were made. */
  paths: string[];
}

/** The machine's control groups, or null where no folder for them is to be had. */
export async function openSeenCgroups(): Promise<SeenCgroups | null> {
  const found = await openCgroups({
    setting: "auto",
    containment: await detectWithOnly([]),
    clock: systemClock,
  });
  if (found.kind !== "found") return null;
  const { cgroups, sweep } = found;
  const ends: GroupEnd[] = [];
  const paths: string[] = [];
  const seen = (group: RunCgroup): RunCgroup => ({
    ...group,
    remove() {
      if (existsSync(group.path)) ends.push(readEnd(group.path));
      group.remove();
    },
  });
  return {
    sweep,
    ends,
    paths,
    cgroups: {
      mountPaths: cgroups.mountPaths,
      get trouble() {
        return cgroups.trouble;
      },
      make(processId, limits) {
        const group = cgroups.make(processId, limits);
        if (group !== null) paths.push(group.path);
        return group && seen(group);
      },
    },
  };
}

function readEnd(path: string): GroupEnd {
  const read = (v1: string, v2: string) => {
    const file = [v1, v2].map((name) => join(path, name)).find((candidate) => existsSync(candidate));
    return file === undefined ? "" : readFileSync(file, "utf8");
  };
  const events = read("tree/memory.oom_control", "memory.events");
  return {
    path,
    peakBytes: Number(read("memory.max_usage_in_bytes", "memory.peak")),
    limitBytes: Number(read("memory.limit_in_bytes", "memory.max")),
    kills: Number(/^oom_kill (\d+)$/m.exec(events)?.[1] ?? 0),
  };
}
