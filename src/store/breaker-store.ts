import type { Database } from "bun:sqlite";
import type { BreakerStore, QuarantineStore } from "../domain/hold-ports.ts";
import { endAgentQuarantine, findAgentRow, listQuarantinedAgents, markAgentQuarantined } from "./agents.ts";
import { findBreakerOf, listBreakerChanges, listBreakers, moveBreaker } from "./breakers.ts";
import type { CommitQueue } from "./commit-queue.ts";

const durable = { durable: true };

/** Why agents get no runs: their service fails, or their processes could not be ended. */
export function createBreakerStore(database: Database, queue: CommitQueue): BreakerStore & QuarantineStore {
  const keyOf = (agentId: string) => findAgentRow(database, agentId)?.key ?? null;
  return {
    findBreaker: (agentId) => findBreakerOf(database, agentId),
    listBreakers: (limit) => listBreakers(database, limit),
    listBreakerChanges(agentId, limit) {
      const key = keyOf(agentId);
      return key === null ? [] : listBreakerChanges(database, key, limit);
    },
    moveBreaker: (agentId, event, settings) =>
      queue.commit(() => {
        const key = keyOf(agentId);
        if (key !== null) moveBreaker(database, key, event, settings);
      }, durable),
    quarantine: (agentId, atMs) => queue.commit(() => markAgentQuarantined(database, agentId, atMs), durable),
    endQuarantine: (agentId) => queue.commit(() => endAgentQuarantine(database, agentId), durable),
    listQuarantined: () => listQuarantinedAgents(database),
  };
}
