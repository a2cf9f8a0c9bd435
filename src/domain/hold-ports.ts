import type { Breaker, BreakerEvent, BreakerSettings, StoredBreakerChange } from "./breaker.ts";

/** What the runner asks of a store about breakers; runs move them when they are settled and admitted. */
export interface BreakerStore {
  /** Pristine for an agent that has none, or isn't there. */
  findBreaker(agentId: string): Breaker;
  /** Those that aren't pristine or have a history, of agents that are there; the ones that aren't closed first. */
  listBreakers(limit: number): Breaker[];
  /** The newest first. */
  listBreakerChanges(agentId: string, limit: number): StoredBreakerChange[];
  /** Durable. The history gets the change, if there was one. */
  moveBreaker(agentId: string, event: BreakerEvent, settings: BreakerSettings): Promise<void>;
}

/** Agents that get no run because processes of theirs could not be proven dead. */
export interface QuarantineStore {
  /** Durable. The first moment is kept. */
  quarantine(agentId: string, atMs: number): Promise<void>;
  /** Durable. */
  endQuarantine(agentId: string): Promise<void>;
  listQuarantined(): { agentId: string; sinceMs: number }[];
}
