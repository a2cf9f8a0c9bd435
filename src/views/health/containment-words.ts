import type { ContainmentReport, Ending, Escape } from "../../domain/containment-report.ts";
import type { ContainmentRung } from "../../domain/process.ts";
import { countShown } from "../wording.ts";

/** What holds a run's processes together, as a sentence. */
export const rungsShown: Record<ContainmentRung, string> = {
  bwrap:
    "Every run has a process namespace of its own, made by bubblewrap, and doesn't see Headway's data: when it ends, all in it ends.",
  unshare:
    "Every run has a process namespace of its own, made by unshare and setpriv, and doesn't see Headway's data: when it ends, all in it ends.",
  "process-group":
    "Every run is a process group, and what leaves the group is looked for by a mark in its environment. Headway's data can't be hidden from it.",
};

/** Who ends a run that takes more memory than it may. */
export const memoryGuardsShown: Record<ContainmentReport["memoryLimit"]["by"], string> = {
  cgroup: "The kernel itself holds every run to its memory limit, by a control group.",
  polling: "Headway looks at every run's memory many times a second, and ends one that is above its limit.",
};

/** How a process tries to outlive its run. */
export const escapesShown: Record<Escape, string> = {
  same_group: "A child that stays where it was started and is deaf to signals",
  new_session: "A child that begins a session of its own",
  double_fork: "A daemon, whose parent is gone",
  scrubbed_environment: "A daemon that wipes its environment, and the mark in it",
  undumpable: "A daemon whose environment can't be read",
  fork_hopper: "A daemon that goes on in a new process all the time",
};

/** How the run ends meanwhile. */
export const endingsShown: Record<Ending, string> = {
  killed: "Headway ends the run",
  server_died: "The server dies",
};

export const containmentStatusesShown: Record<ContainmentReport["status"], string> = {
  full: "full",
  degraded: "degraded",
  unknown: "not known yet",
};

type EscapeTest = ContainmentReport["tests"][number];

/** What became of it, in a few words. */
export function outcomeShown({ survivors, note }: Pick<EscapeTest, "survivors" | "note">): string {
  if (survivors === null) return note === null ? "not tried" : `not tried: ${note}`;
  if (survivors === 0) return "nothing lives on";
  return survivors === 1 ? "1 process lives on" : `${countShown(survivors)} processes live on`;
}
