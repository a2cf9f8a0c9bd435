import type { Clock } from "../domain/clock.ts";
import type { PublishFact } from "../domain/facts.ts";
import type { QuarantineStore } from "../domain/hold-ports.ts";
import type { MakeId } from "../domain/ids.ts";
import type { Custody, Recovery, RunLog } from "../domain/ports.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { Supervisor } from "./process/cli-process.ts";
import type { Quarantine } from "./quarantine.ts";

export interface RecoveryOptions {
  recovery: Recovery;
  custody: Custody;
  log: RunLog;
  supervisor: Supervisor;
  dispatcher: Dispatcher;
  quarantine: Pick<Quarantine, "begin" | "end">;
  quarantined: QuarantineStore;
  clock: Clock;
  makeId: MakeId;
  publish: PublishFact;
}

/**
 * What boot does before anything is served: processes of earlier servers are proven dead, then the runs
 * that held them become `interrupted` with their partial text, and queued runs wait in their lines
 * again. An interrupted run is never begun again by itself: tools have side effects.
 */
export async function recover(options: RecoveryOptions): Promise<void> {
  const begunMs = options.clock.monotonicMs();
  const { reaped, haunted } = await reapStrays(options);
  const interrupted = await settleInterrupted(options);
  await renewQuarantine(options, haunted);
  const queued = options.log.listQueued();
  for (const run of queued) options.dispatcher.enqueue(run);
  const tookMs = options.clock.monotonicMs() - begunMs;
  options.publish({
    type: "recovery.done",
    interrupted,
    reaped,
    quarantined: haunted.size,
    queued: queued.length,
    tookMs,
  });
}

/** Agents, and how many processes of each live on. */
type Haunted = Map<string, number>;

async function reapStrays({
  custody,
  supervisor,
  clock,
}: RecoveryOptions): Promise<{ reaped: number; haunted: Haunted }> {
  const haunted: Haunted = new Map();
  const strays = custody.listStrayProcesses();
  for (const { processId, agentId, identity } of strays) {
    const survivors = await supervisor.reap(identity);
    if (survivors > 0) haunted.set(agentId, (haunted.get(agentId) ?? 0) + survivors);
    else
      await custody.recordProcessEnd(processId, {
        reason: "reaped",
        exitCode: null,
        signal: null,
        atMs: clock.wallMs(),
      });
  }
  return { reaped: strays.length, haunted };
}

async function settleInterrupted({ recovery, makeId, clock }: RecoveryOptions): Promise<number> {
  const runs = recovery.listInterrupted();
  for (const { runId } of runs) {
    await recovery.settleInterrupted(
      runId,
      { assistantTurnId: makeId("turn") },
      "server_restart",
      clock.wallMs(),
    );
  }
  return runs.length;
}

/** An earlier server's quarantine ends here when all that it was for is proven dead. */
async function renewQuarantine(
  { quarantine, quarantined }: RecoveryOptions,
  haunted: Haunted,
): Promise<void> {
  for (const { agentId } of quarantined.listQuarantined()) {
    if (!haunted.has(agentId)) await quarantine.end(agentId);
  }
  for (const [agentId, survivors] of haunted) await quarantine.begin(agentId, survivors);
}
