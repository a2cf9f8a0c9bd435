import type { Clock } from "../domain/clock.ts";
import type { PublishFact } from "../domain/facts.ts";
import type { QuarantineStore } from "../domain/hold-ports.ts";
import type { Custody, OpenProcess } from "../domain/ports.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { Supervisor } from "./process/cli-process.ts";
import type { QuarantineReply, Wakeups } from "./runner-api.ts";
import { unlessStoreFails } from "./store-failure.ts";
import type { WarmPool } from "./warm-pool.ts";

export interface QuarantineOptions {
  store: QuarantineStore & Pick<Custody, "listOpenProcesses" | "listDisownedProcesses" | "recordProcessEnd">;
  supervisor: Pick<Supervisor, "reap">;
  pool: Pick<WarmPool, "endAgent">;
  dispatcher: Pick<Dispatcher, "hold" | "release">;
  clock: Clock;
  publish: PublishFact;
  wakeups: Wakeups;
}

/** Agents that get no run, because what a new one does would be undone or done twice by processes that live on. */
export interface Quarantine {
  /** In force at once; on record when it resolves, or, where the store fails, after the next look. */
  begin(agentId: string, survivors: number): Promise<void>;
  /** Every process of it is proven dead. Rejects with `StoreUnavailable`. */
  end(agentId: string): Promise<void>;
  /**
   * Kills once more what is left of the agent's processes, and sets it free when nothing is. Calls at the same time
   * share one look. Rejects with `StoreUnavailable`.
   */
  recheck(agentId: string): Promise<QuarantineReply>;
  /** The same for all, and for what deleted agents left; resolves with how many agents are free now. */
  recheckAll(signal: AbortSignal): Promise<number>;
  /** The agent was deleted. */
  forget(agentId: string): void;
  /** Pids of what could not be ended, of the outermost process of each tree. */
  pidsOf(agentId: string): number[];
  readonly size: number;
}

export function createQuarantine(options: QuarantineOptions): Quarantine {
  const { store, dispatcher, clock } = options;
  /** Also those that the store could not note. */
  const agents = new Set<string>();
  const looks = new Map<string, Promise<QuarantineReply>>();

  async function begin(agentId: string, survivors: number): Promise<void> {
    const isKnown = agents.has(agentId);
    agents.add(agentId);
    dispatcher.hold(agentId, "quarantine");
    await unlessStoreFails(store.quarantine(agentId, clock.wallMs()));
    if (isKnown) return;
    options.publish({ type: "agent.quarantined", agentId, survivors });
    options.wakeups.announce({ runId: "", agentId });
  }
  async function end(agentId: string): Promise<void> {
    await store.endQuarantine(agentId);
    agents.delete(agentId);
    options.publish({ type: "agent.released", agentId });
    options.wakeups.announce({ runId: "", agentId });
    dispatcher.release(agentId, "quarantine");
  }
  async function look(agentId: string): Promise<QuarantineReply> {
    const survivors = await reapOpen(options, agentId);
    if (survivors > 0) await begin(agentId, survivors);
    else await end(agentId);
    return { agentId, quarantined: survivors > 0, survivors };
  }
  function listAll(): Set<string> {
    return new Set([...agents, ...store.listQuarantined().map(({ agentId }) => agentId)]);
  }
  function recheck(agentId: string): Promise<QuarantineReply> {
    if (!listAll().has(agentId)) return Promise.resolve({ agentId, quarantined: false, survivors: 0 });
    const looking = looks.get(agentId) ?? look(agentId).finally(() => looks.delete(agentId));
    looks.set(agentId, looking);
    return looking;
  }
  return {
    begin,
    end,
    recheck,
    async recheckAll(signal) {
      let released = 0;
      await reapAll(options, store.listDisownedProcesses());
      for (const agentId of listAll()) {
        if (signal.aborted) break;
        const { quarantined } = await recheck(agentId);
        if (!quarantined) released += 1;
      }
      return released;
    },
    forget(agentId) {
      agents.delete(agentId);
      dispatcher.release(agentId, "quarantine");
    },
    pidsOf: (agentId) => openProcesses(options, agentId).map(({ identity }) => identity.pid),
    get size() {
      return listAll().size;
    },
  };
}

/** A run in progress has a process that is as it should be. */
function openProcesses({ store }: QuarantineOptions, agentId: string): OpenProcess[] {
  return store.listOpenProcesses(agentId).filter(({ runId }) => runId === null);
}

/** Resolves with how many live on. Idle warm ones are ended first, in the orderly way. */
async function reapOpen(options: QuarantineOptions, agentId: string): Promise<number> {
  await options.pool.endAgent(agentId);
  return reapAll(options, openProcesses(options, agentId));
}

async function reapAll(options: QuarantineOptions, processes: readonly OpenProcess[]): Promise<number> {
  let survivors = 0;
  for (const { processId, identity } of processes) {
    const left = await options.supervisor.reap(identity);
    survivors += left;
    const end = { reason: "reaped", exitCode: null, signal: null, atMs: options.clock.wallMs() };
    if (left === 0) await options.store.recordProcessEnd(processId, end);
  }
  return survivors;
}
