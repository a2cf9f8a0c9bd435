import type { BreakerSettings } from "../domain/breaker.ts";
import { type Clock, within } from "../domain/clock.ts";
import type { PublishFact } from "../domain/facts.ts";
import type { BreakerStore, QuarantineStore } from "../domain/hold-ports.ts";
import type { MakeId } from "../domain/ids.ts";
import {
  type AgentStore,
  type ConversationLog,
  type ConversationStore,
  type Custody,
  type Recovery,
  type RunLog,
  type RunReads,
  StoreUnavailable,
} from "../domain/ports.ts";
import { isTerminal } from "../domain/run-state.ts";
import { admit, agentNotFound, storeUnavailable } from "./admission.ts";
import type { AgentDesk } from "./agent-desk.ts";
import { type Breakers, createBreakers } from "./breakers.ts";
import { createCancellation, type Cancel, runNotFound } from "./cancellation.ts";
import { createCarrier, type Carrier } from "./carrier.ts";
import { createDispatcher, type Dispatcher } from "./dispatcher.ts";
import type { Redactor } from "./policies/redaction.ts";
import type { Supervisor } from "./process/cli-process.ts";
import { createQuarantine, type Quarantine } from "./quarantine.ts";
import { recover } from "./recovery.ts";
import type { Refusal, Runner, Wakeups } from "./runner-api.ts";
import type { Transport } from "./transports/transport.ts";
import type { StartGate } from "./start-gate.ts";
import { createWaiters } from "./waiters.ts";
import type { WarmPool } from "./warm-pool.ts";

/** How long stopped runs may take to settle when the server stops. */
const settleMsMax = 10_000;

/** Everything of a store that the runner writes to or reads from. */
export type RunnerStore = RunLog &
  RunReads &
  Custody &
  Recovery &
  BreakerStore &
  QuarantineStore &
  AgentStore &
  ConversationStore &
  ConversationLog;

export interface RunnerOptions {
  store: RunnerStore;
  transport: Transport;
  supervisor: Supervisor;
  gate: Pick<StartGate, "close">;
  pool: WarmPool;
  agentDesk: AgentDesk;
  wakeups: Wakeups;
  redactor: Redactor;
  clock: Clock;
  makeId: MakeId;
  newSessionId(): string;
  hash(text: string): string;
  publish: PublishFact;
  removeRawLogs(runIds: readonly string[]): Promise<void>;
  queueLimit: number;
  runsMax: number;
  breakerSettings: BreakerSettings;
  /** Of the server, in which CLIs tell times of day. */
  timeZone: string;
}

export interface RunnerService extends Runner {
  /** Ends what an earlier server left behind, then takes up the queue. */
  start(): Promise<void>;
  /** Nothing new is let in from now on. */
  drain(): void;
  /** Lets running turns finish for this long, ends the rest as `interrupted`, then every process. */
  stop(drainMs: number): Promise<void>;
  /** The second signal: every tree dead, now. */
  stopAtOnce(): Promise<void>;
  /** Processes of the agent outlived their end, out of sight of any run. */
  quarantine(agentId: string, survivors: number): Promise<void>;
  /** Tries again to end what keeps agents in quarantine; resolves with how many are free now. */
  recheckAll(signal: AbortSignal): Promise<number>;
  counts(): RunnerCounts;
}

export interface RunnerCounts {
  active: number;
  queued: number;
  warm: number;
  quarantined: number;
  breakersOpen: number;
  breakersHalfOpen: number;
}

export function createRunner(options: RunnerOptions): RunnerService {
  const { store } = options;
  const waiters = createWaiters();
  let isDraining = false;
  const dispatcher: Dispatcher = createDispatcher({
    runsMax: options.runsMax,
    clock: options.clock,
    claim: (runId) => store.claim(runId, options.clock.wallMs()),
    carry: (claimed) => carrier.carry(claimed),
  });
  const breakers = createBreakers({ ...options, dispatcher, settings: options.breakerSettings });
  const quarantine = createQuarantine({ ...options, dispatcher });
  const carrier: Carrier = createCarrier({
    ...options,
    log: store,
    conversations: store,
    waiters,
    breakers,
    quarantine,
  });
  const cancel = createCancellation({ ...options, log: store, dispatcher, carrier, waiters });
  const admission = {
    ...options,
    log: store,
    agents: store,
    dispatcher,
    breakers,
    quarantine,
    isDraining: () => isDraining,
  };
  const force = { options, cancel, breakers, quarantine };

  function drain(): void {
    // Asked again when the store may be closed already: by a second signal, or a bug amid the stop.
    if (isDraining) return;
    isDraining = true;
    dispatcher.pause();
    options.gate.close();
    breakers.stop();
    waiters.drain(store.listQueued().map(({ runId }) => runId));
  }
  function stopLive(atOnce: boolean): void {
    for (const live of carrier.live()) live.stop({ kind: "shutdown" }, { atOnce });
  }
  return {
    execute: (request) => admit(admission, request),
    async whenSettled(runId, signal) {
      // Of a run in our hands no end can have been missed, so that its row needn't be read for it.
      if (!carrier.willTell(runId)) {
        const run = store.getRun(runId);
        if (!run) return "gone";
        if (isTerminal(run.state)) return run;
        if (isDraining && run.state === "queued") return "draining";
      }
      const news = await waiters.wait(runId, signal);
      return news === "left" ? (store.getRun(runId) ?? "gone") : news;
    },
    getRun: (runId) => store.getRun(runId),
    cancelRun: cancel,
    retryRun: (runId) => retryRun(admission, runId),
    cancelAgent: (agentId, { queued }) => cancelAgent(force, agentId, queued),
    endSession: (agentId, { force: forced }) => endSession(force, agentId, forced),
    removeConversation: (conversationId) => removeConversation(options, conversationId),
    createAgent: (input) => options.agentDesk.create(input),
    getAgent: (agentId) => options.agentDesk.find(agentId),
    patchAgent: (agentId, patch) => options.agentDesk.patch(agentId, patch),
    removeAgent: (agentId, { force: forced }) => removeAgent(force, agentId, forced),
    listAgents: (page) => options.agentDesk.list(page),
    listBreakers: breakers.list,
    breakerOf: breakers.reportOf,
    resetBreaker: (agentId) => resetBreaker(force, agentId),
    listQuarantined: () => store.listQuarantined(),
    recheckQuarantine: (agentId) => recheckQuarantine(force, agentId),
    quarantine: quarantine.begin,
    recheckAll: quarantine.recheckAll,
    async start() {
      await breakers.restore();
      const stores = { recovery: store, custody: store, log: store, quarantined: store };
      await recover({ ...options, ...stores, dispatcher, quarantine });
    },
    drain,
    async stop(drainMs) {
      drain();
      if (!(await within(options.clock, dispatcher.idle(), drainMs))) stopLive(false);
      // Only a store that takes no writes keeps a run from settling; the next server settles it then.
      await within(options.clock, dispatcher.idle(), settleMsMax);
      await options.pool.stop();
      await options.supervisor.killAll();
    },
    async stopAtOnce() {
      drain();
      stopLive(true);
      await options.supervisor.killAll();
      await within(options.clock, dispatcher.idle(), settleMsMax);
    },
    counts: () => ({
      active: dispatcher.active,
      queued: dispatcher.queued,
      warm: options.pool.size,
      quarantined: quarantine.size,
      breakersOpen: breakers.counts().open,
      breakersHalfOpen: breakers.counts().halfOpen,
    }),
  };
}

/** What the operations that may cancel runs first have in common. */
interface Force {
  options: RunnerOptions;
  cancel: Cancel;
  breakers: Breakers;
  quarantine: Quarantine;
}

async function retryRun(admission: Parameters<typeof admit>[0], runId: string) {
  const run = admission.log.getRun(runId);
  if (!run) return runNotFound(runId);
  if (!isTerminal(run.state)) return runActive("The run is still queued or in progress.");
  const { agentId, conversationId, metadata } = run;
  const stored = admission.log.findPrompt(runId);
  const prompt = stored ? admission.redactor.restore(stored.prompt, stored.promptHoles) : run.prompt;
  const timeoutMs = stored?.timeoutMs ?? undefined;
  return admit(
    admission,
    { agentId, conversationId, prompt, timeoutMs, metadata, idempotencyKey: null },
    runId,
  );
}

/** Runs of the agent that aren't over, those that wait first, so that none of them starts meanwhile. */
function openRuns(
  store: RunnerStore,
  agentId: string,
  which: { queued: boolean; active: boolean },
): string[] {
  const queued = which.queued ? store.listQueued().filter((run) => run.agentId === agentId) : [];
  const { activeRunId } = store.activityOf(agentId);
  return [...queued.map(({ runId }) => runId), ...(which.active && activeRunId ? [activeRunId] : [])];
}

async function cancelAgent({ options, cancel }: Force, agentId: string, queued: boolean) {
  if (!options.store.findAgent(agentId)) return agentNotFound(agentId);
  const cancelled: string[] = [];
  for (const runId of openRuns(options.store, agentId, { queued, active: true })) {
    const reply = await cancel(runId);
    if ("kind" in reply) return reply;
    if (!reply.alreadyFinished) cancelled.push(runId);
  }
  return { kind: "ok" as const, cancelled };
}

async function endSession(force: Force, agentId: string, forced: boolean) {
  const { store, pool, clock, wakeups } = force.options;
  if (!store.findAgent(agentId)) return agentNotFound(agentId);
  const active = store.findActiveConversation(agentId);
  if (active && forced) await cancelConversation(force, agentId, active.id);
  return guarded(async () => {
    const ended = await store.endActiveConversation(agentId, clock.wallMs());
    if (ended === "run_active") return runActive("Runs of this conversation are queued or in progress.");
    if (ended.conversationId) await pool.endConversation(ended.conversationId);
    wakeups.announce({ runId: "", agentId });
    return { kind: "ok" as const, ...ended };
  });
}

async function cancelConversation(
  { options, cancel }: Force,
  agentId: string,
  conversationId: string,
): Promise<void> {
  for (const runId of openRuns(options.store, agentId, { queued: true, active: true })) {
    if (options.store.getRun(runId)?.conversationId === conversationId) await cancel(runId);
  }
}

async function removeConversation({ store, pool, removeRawLogs }: RunnerOptions, conversationId: string) {
  return guarded(async () => {
    const removed = await store.removeConversation(conversationId);
    if (removed === "missing") return conversationNotFound(conversationId);
    if (removed === "run_active") return runActive("Runs of this conversation are queued or in progress.");
    await pool.endConversation(conversationId);
    await removeRawLogs(removed.runIds);
    return { kind: "ok" as const };
  });
}

async function removeAgent(force: Force, agentId: string, forced: boolean) {
  const { store, pool, clock, publish, wakeups } = force.options;
  if (!store.findAgent(agentId)) return agentNotFound(agentId);
  if (forced) await cancelAgent(force, agentId, true);
  return guarded(async () => {
    const removed = await store.removeAgent(agentId, clock.wallMs());
    if (removed === "missing") return agentNotFound(agentId);
    if (removed === "run_active") return runActive("Runs of this agent are queued or in progress.");
    await pool.endAgent(agentId);
    force.breakers.forget(agentId);
    force.quarantine.forget(agentId);
    publish({ type: "agent.deleted", agentId });
    wakeups.announce({ runId: "", agentId });
    return { kind: "ok" as const };
  });
}

async function resetBreaker({ options, breakers }: Force, agentId: string) {
  if (!options.store.findAgent(agentId)) return agentNotFound(agentId);
  return guarded(async () => ({ kind: "ok" as const, breaker: await breakers.reset(agentId) }));
}

async function recheckQuarantine({ options, quarantine }: Force, agentId: string) {
  if (!options.store.findAgent(agentId)) return agentNotFound(agentId);
  return guarded(async () => ({ kind: "ok" as const, ...(await quarantine.recheck(agentId)) }));
}

async function guarded<T>(write: () => Promise<T | Refusal>): Promise<T | Refusal> {
  try {
    return await write();
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    return storeUnavailable(error);
  }
}

function runActive(detail: string): Refusal {
  return { kind: "refused", code: "run_active", detail };
}

function conversationNotFound(conversationId: string): Refusal {
  const name = JSON.stringify(conversationId.slice(0, 64));
  return { kind: "refused", code: "conversation_not_found", detail: `There is no conversation ${name}.` };
}
