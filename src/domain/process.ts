/** What guarantees that a process tree can be ended whole, best first. */
export const containmentRungs = ["bwrap", "unshare", "process-group"] as const;
export type ContainmentRung = (typeof containmentRungs)[number];

/** Enough to find a process again after a crash and never to mistake another for it. */
export interface ProcessIdentity {
  /** Host pid of the outermost process that we started (the wrapper, where there is one). */
  pid: number;
  /** Field 22 of /proc/PID/stat; "" where there is no /proc. */
  pidStart: string;
  bootId: string;
  /** The value of HEADWAY_PROCESS_ID in the process's environment. */
  marker: string;
}
