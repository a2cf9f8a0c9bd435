import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Containment } from "../../../src/runner/process/containment.ts";
import type { RunCgroups } from "../../../src/runner/process/run-cgroup.ts";
import { fixtures, openBench } from "./harness.ts";

const hogPath = join(fixtures, "memory-hog.ts");
const mebibyte = 1_048_576;

/** What the project promises: a tree that takes 500 MB a second is ended at most that far above its limit. */
export const overshootMax = 0.15;
const megabytesPerSecond = 500;

export interface Overshoot {
  /** Codes of the limits that were reported. */
  codes: string[];
  /** What the hogs held when they were ended, by what they themselves wrote down, as a part of the limit. */
  heldOfLimit: number;
  /** The same by the account. */
  peakOfLimit: number;
}

export interface HogTree {
  limitMb: number;
  /** The rate is that of all together. */
  hogs: number;
  /** Processes that only sleep, and share nearly all that they have. */
  sleepers?: number;
}

/** Lets a tree take memory until it is ended for it. */
export async function measureOvershoot(
  containment: Containment,
  tree: HogTree,
  cgroups: RunCgroups | null = null,
): Promise<Overshoot> {
  await using bench = openBench(containment, cgroups);
  const limitBytes = tree.limitMb * mebibyte;
  const reports = Array.from({ length: tree.hogs }, (_, at) => join(bench.folder, `hog-${at}`));
  const rate = megabytesPerSecond / tree.hogs;
  const hogs = reports.map((path) => `"${process.execPath}" ${hogPath} ${rate} ${path} &`).join(" ");
  const sleepers = `i=0; while [ $i -lt ${tree.sleepers ?? 0} ]; do sleep 60 & i=$((i+1)); done`;
  const { process: cli, heard } = await bench.spawn(["sh", "-c", `${sleepers}; ${hogs} wait`], {
    limits: { memoryBytesMax: limitBytes, processesMax: 2_000 },
  });

  cli.beginAccount();
  await cli.exited;
  await cli.killTree();

  const heldBytes = reports.reduce((sum, path) => sum + Number(readFileSync(path, "utf8")), 0);
  const { peakRssBytes } = cli.account();
  return {
    codes: heard.limits,
    heldOfLimit: heldBytes / limitBytes,
    peakOfLimit: (peakRssBytes ?? 0) / limitBytes,
  };
}
