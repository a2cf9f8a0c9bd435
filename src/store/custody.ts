import type { Database } from "bun:sqlite";
import { StoreUnavailable, type Custody } from "../domain/ports.ts";
import { findNewestAgentKey } from "./agents.ts";
import type { CommitQueue } from "./commit-queue.ts";
import {
  deleteProcessOfDeletedConversation,
  endProcess,
  hasOpenProcess,
  insertProcess,
  listDisownedProcesses,
  listOpenProcesses,
  listStrayProcesses,
  type ProcessEnd,
} from "./processes.ts";

/** A power cut ends the processes too, so their records need to outlive the server only, not the machine. */
const soon = { durable: false };
/** Ends beyond these are left to the next server, which finds the processes dead. */
const untoldEndsMax = 1_000;

export function createCustody(database: Database, queue: CommitQueue, epoch: number): Custody {
  /** Ends that the store could not take: a conversation would seem to be occupied for ever. */
  const untold = new Map<string, ProcessEnd>();

  async function tell(end: ProcessEnd): Promise<void> {
    try {
      await queue.commit(() => recordEnd(database, end), soon);
    } catch (error) {
      if (error instanceof StoreUnavailable && untold.size < untoldEndsMax) untold.set(end.processId, end);
      throw error;
    }
  }

  return {
    async recordProcess({ processId, agentId, conversationId, identity, containment, atMs }) {
      const ends = [...untold.values()];
      const outcome = await queue.commit(() => {
        for (const end of ends) recordEnd(database, end);
        const agentKey = findNewestAgentKey(database, agentId);
        if (agentKey === null) throw new Error(`process ${processId} is for an agent that never was`);
        if (hasOpenProcess(database, { agentKey, conversationId })) return "occupied";
        const where = { processId, agentKey, conversationId, epoch, containment, atMs };
        insertProcess(database, { ...where, ...identity });
        return "ok";
      }, soon);
      for (const { processId: told } of ends) untold.delete(told);
      return outcome;
    },
    recordProcessEnd: (processId, end) => tell({ processId, ...end }),
    listStrayProcesses: () => listStrayProcesses(database, epoch),
    listDisownedProcesses: () => listDisownedProcesses(database),
    listOpenProcesses: (agentId) => listOpenProcesses(database, agentId),
  };
}

function recordEnd(database: Database, end: ProcessEnd): void {
  endProcess(database, end);
  deleteProcessOfDeletedConversation(database, end.processId);
}
