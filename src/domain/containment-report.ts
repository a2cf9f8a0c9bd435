import { z } from "zod";
import { containmentRungs } from "./process.ts";

/** Ways in which a process tries to outlive its run. */
export const escapes = [
  "same_group",
  "new_session",
  "double_fork",
  "scrubbed_environment",
  "undumpable",
  "fork_hopper",
] as const;
export type Escape = (typeof escapes)[number];

/** How the tree is ended while it tries to live on: by us, or because the server died. */
export const endings = ["killed", "server_died"] as const;
export type Ending = (typeof endings)[number];

export const containmentTestSchema = z.object({
  escape: z.enum(escapes),
  ending: z.enum(endings),
  /** How many live on, of the one that tried; null where it could not be tried here, with the reason. */
  survivors: z.int().nullable(),
  note: z.string().nullable(),
});
export type ContainmentTest = z.infer<typeof containmentTestSchema>;

/** What a self-test saw. */
export interface ContainmentFinding {
  tests: readonly ContainmentTest[];
  testedAtMs: number;
}

/** Keeps what the newest self-test saw. */
export interface ContainmentTestStore {
  /** Null when the newest one was made under another fingerprint. */
  findContainmentTests(fingerprint: string): ContainmentFinding | null;
  keepContainmentTests(fingerprint: string, finding: ContainmentFinding): Promise<void>;
}

/** As `GET /api/containment` shows it. */
export const containmentReportSchema = z.object({
  /** `full` when no hostile tree outlives its run or its server; `unknown` until the self-test has ended. */
  status: z.enum(["full", "degraded", "unknown"]),
  rung: z.enum(containmentRungs),
  /** Why it isn't the best rung, or what the self-test saw live on; null when all is well. */
  because: z.string().nullable(),
  /** What to install or allow, as a sentence with the command; null when there is nothing to do. */
  fix: z.string().nullable(),
  /** True where HEADWAY_SANDBOX=off. */
  sandboxOff: z.boolean(),
  /** Whether agents may be given the file policy `workspace` here. */
  filePolicy: z.boolean(),
  /** Who ends a run that takes too much memory: the kernel by control groups, or Headway when it next looks. */
  memoryLimit: z.object({
    by: z.enum(["cgroup", "polling"]),
    /** Why not the kernel, or how a run could undo it; null when all is well. */
    because: z.string().nullable(),
  }),
  testedAt: z.string().nullable(),
  /** True when the result is that of an earlier start on the same boot, with the same tools. */
  cached: z.boolean(),
  tests: z.array(containmentTestSchema),
});
export type ContainmentReport = z.infer<typeof containmentReportSchema>;
