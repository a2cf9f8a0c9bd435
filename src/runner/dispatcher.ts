import type { Alarm, Clock } from "../domain/clock.ts";
import type { ClaimedRun } from "../domain/ports.ts";
import { StoreUnavailable } from "../domain/ports.ts";

/** How long to wait before a claim is tried again that the store refused. */
const claimRetryMs = 1_000;

export interface DispatcherOptions {
  /** Runs in progress at once, all agents. */
  runsMax: number;
  clock: Clock;
  claim(runId: string): Promise<ClaimedRun | null>;
  /** Carries a claimed run to its end; the agent is free when this resolves. */
  carry(claimed: ClaimedRun): Promise<void>;
}

/** Its service fails, or processes of it could not be proven dead. */
export type HoldReason = "breaker" | "quarantine";

/**
 * Hands runs over: FIFO per agent, agents in turn, no more at once than allowed. The truth is the log;
 * this is the order in which the log is asked.
 */
export interface Dispatcher {
  /** Asked at admission: true reserves the agent and a slot for this run, so that it starts at once. */
  reserve(agentId: string): boolean;
  /** The reservation came to nothing. */
  unreserve(agentId: string): void;
  /** A reserved run was claimed in its admission. */
  start(claimed: ClaimedRun): void;
  enqueue(run: { runId: string; agentId: string }): void;
  /** A queued run was cancelled. */
  forget(runId: string, agentId: string): void;
  /** Nothing is handed over any more; what runs goes on. */
  pause(): void;
  /** The agent's runs wait, and still count as queued, until it is released for each reason that it was held for. */
  hold(agentId: string, why: HoldReason): void;
  /** What waited goes on. An agent that isn't held for that reason is left as it is. */
  release(agentId: string, why: HoldReason): void;
  readonly active: number;
  readonly queued: number;
  queueLength(agentId: string): number;
  /** Resolves when nothing is in progress. */
  idle(): Promise<void>;
}

export function createDispatcher(options: DispatcherOptions): Dispatcher {
  /** Agents with waiting runs, in the order of their next turn: a Map keeps the order of insertion. */
  const waiting = new Map<string, string[]>();
  const busy = new Set<string>();
  const held: Record<HoldReason, Set<string>> = { breaker: new Set(), quarantine: new Set() };
  /** Agents whose claim the store refused a moment ago. */
  const resting = new Set<string>();
  const idleWaiters = new Set<() => void>();
  let active = 0;
  let queued = 0;
  let paused = false;
  let retry: Alarm | null = null;

  function isFree(agentId: string): boolean {
    return !busy.has(agentId) && !isHeld(agentId) && !resting.has(agentId);
  }
  function isHeld(agentId: string): boolean {
    return held.breaker.has(agentId) || held.quarantine.has(agentId);
  }
  function hasRoom(): boolean {
    return !paused && active < options.runsMax;
  }
  function acquire(agentId: string): void {
    busy.add(agentId);
    active++;
  }
  function releaseAgent(agentId: string): void {
    busy.delete(agentId);
    active--;
    if (active === 0) for (const wake of idleWaiters) wake();
    pump();
  }
  function nextAgent(): string | null {
    for (const agentId of waiting.keys()) if (isFree(agentId)) return agentId;
    return null;
  }
  /** Takes the agent's oldest run and sends the agent to the end of the line. */
  function takeOldest(agentId: string): string | null {
    const line = waiting.get(agentId);
    const runId = line?.shift() ?? null;
    waiting.delete(agentId);
    if (line && line.length > 0) waiting.set(agentId, line);
    if (runId) queued--;
    return runId;
  }
  function pump(): void {
    while (hasRoom()) {
      const agentId = nextAgent();
      const runId = agentId && takeOldest(agentId);
      if (!agentId || !runId) return;
      acquire(agentId);
      void handOver(runId, agentId);
    }
  }
  async function handOver(runId: string, agentId: string): Promise<void> {
    try {
      const claimed = await claim(runId, agentId);
      if (claimed) await options.carry(claimed);
    } finally {
      releaseAgent(agentId);
    }
  }
  async function claim(runId: string, agentId: string): Promise<ClaimedRun | null> {
    try {
      return await options.claim(runId);
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      putBack(runId, agentId);
      return null;
    }
  }
  /** First in its line again; tried after a while, since nothing announces that a store has recovered. */
  function putBack(runId: string, agentId: string): void {
    waiting.set(agentId, [runId, ...(waiting.get(agentId) ?? [])]);
    queued++;
    resting.add(agentId);
    retry ??= options.clock.after(claimRetryMs, () => {
      retry = null;
      resting.clear();
      pump();
    });
  }
  async function carryReserved(claimed: ClaimedRun): Promise<void> {
    try {
      await options.carry(claimed);
    } finally {
      releaseAgent(claimed.agent.id);
    }
  }
  return {
    reserve(agentId) {
      if (!hasRoom() || !isFree(agentId) || waiting.has(agentId)) return false;
      acquire(agentId);
      return true;
    },
    unreserve: releaseAgent,
    start: (claimed) => void carryReserved(claimed),
    enqueue({ runId, agentId }) {
      const line = waiting.get(agentId);
      if (line) line.push(runId);
      else waiting.set(agentId, [runId]);
      queued++;
      pump();
    },
    forget(runId, agentId) {
      const line = waiting.get(agentId) ?? [];
      const at = line.indexOf(runId);
      if (at < 0) return;
      line.splice(at, 1);
      queued--;
      if (line.length === 0) waiting.delete(agentId);
    },
    pause() {
      paused = true;
      retry?.stop();
    },
    hold: (agentId, why) => void held[why].add(agentId),
    release(agentId, why) {
      if (held[why].delete(agentId)) pump();
    },
    get active() {
      return active;
    },
    get queued() {
      return queued;
    },
    queueLength: (agentId) => waiting.get(agentId)?.length ?? 0,
    async idle() {
      if (active === 0) return;
      await new Promise<void>((resolve) => {
        const wake = () => {
          idleWaiters.delete(wake);
          resolve();
        };
        idleWaiters.add(wake);
      });
    },
  };
}
