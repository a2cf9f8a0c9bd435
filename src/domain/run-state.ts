import { z } from "zod";

export const runStates = [
  "queued",
  "starting",
  "running",
  "succeeded",
  "failed",
  "cancelled",
  "timed_out",
  "interrupted",
] as const;

export const runStateSchema = z.enum(runStates);
export type RunState = z.infer<typeof runStateSchema>;

export const terminalStates = ["succeeded", "failed", "cancelled", "timed_out", "interrupted"] as const;
export type TerminalState = (typeof terminalStates)[number];

/** The only edges there are; no edge leaves a terminal state. */
const edges: Record<RunState, readonly RunState[]> = {
  queued: ["starting", "cancelled", "timed_out", "failed", "interrupted"],
  starting: ["running", "failed", "cancelled", "timed_out", "interrupted"],
  running: terminalStates,
  succeeded: [],
  failed: [],
  cancelled: [],
  timed_out: [],
  interrupted: [],
};

export function canMove(from: RunState, to: RunState): boolean {
  return edges[from].includes(to);
}

export function isTerminal(state: RunState): state is TerminalState {
  return edges[state].length === 0;
}

/** True while a run holds its agent. */
export function isActive(state: RunState): boolean {
  return state === "starting" || state === "running";
}
