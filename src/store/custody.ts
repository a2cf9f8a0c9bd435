import type { Database } from "bun:sqlite";
import type { Custody } from "../domain/ports.ts";
import { findNewestAgentKey } from "./agents.ts";
import type { CommitQueue } from "./commit-queue.ts";
import { endProcess, insertProcess, listStrayProcesses } from "./processes.ts";

/** A power cut ends the processes too, so their records need to outlive the server only, not the machine. */
const soon = { durable: false };

export function createCustody(database: Database, queue: CommitQueue, epoch: number): Custody {
  return {
    recordProcess: ({ processId, agentId, conversationId, identity, containment, atMs }) =>
      queue.commit(() => {
        const agentKey = findNewestAgentKey(database, agentId);
        if (agentKey === null) throw new Error(`process ${processId} is for an agent that never was`);
        const where = { processId, agentKey, conversationId, epoch, containment, atMs };
        insertProcess(database, { ...where, ...identity });
      }, soon),
    recordProcessEnd: (processId, end) =>
      queue.commit(() => endProcess(database, { processId, ...end }), soon),
    listStrayProcesses: () => listStrayProcesses(database, epoch),
  };
}
