import type { BreakerSettings } from "../domain/breaker.ts";
import { type Clock, pause } from "../domain/clock.ts";
import type { PublishFact } from "../domain/facts.ts";
import type { MakeId } from "../domain/ids.ts";
import {
  type ClaimedRun,
  type ConversationLog,
  type ConversationStore,
  type RunLog,
  type Settlement,
  StoreUnavailable,
} from "../domain/ports.ts";
import { type Run, turnBytesMax } from "../domain/run.ts";
import { serviceOutcomeOf } from "../domain/service-outcome.ts";
import type { Breakers } from "./breakers.ts";
import { createLiveRun, type LiveRun } from "./live-run.ts";
import { decideOutcome } from "./policies/outcome.ts";
import type { Redactor } from "./policies/redaction.ts";
import type { Quarantine } from "./quarantine.ts";
import type { Wakeups } from "./runner-api.ts";
import { unlessStoreFails } from "./store-failure.ts";
import type { CarriedTurn, Transport } from "./transports/transport.ts";
import type { Waiters } from "./waiters.ts";

/** How long to wait before a settlement is tried again that the store refused. */
const settleRetryMs = 500;

export interface CarrierOptions {
  transport: Transport;
  log: RunLog;
  conversations: Pick<ConversationStore, "endActiveConversation"> & ConversationLog;
  newSessionId(): string;
  clock: Clock;
  makeId: MakeId;
  publish: PublishFact;
  redactor: Redactor;
  wakeups: Wakeups;
  waiters: Waiters;
  /** Hears of each end, in the transaction that settles the run. */
  breakerSettings: BreakerSettings;
  /** Of the server, in which CLIs tell times of day. */
  timeZone: string;
  breakers: Pick<Breakers, "follow">;
  quarantine: Pick<Quarantine, "begin" | "end">;
}

/** Carries claimed runs from start to settlement. */
export interface Carrier {
  /** Resolves when the run is settled and its agent is free. */
  carry(claimed: ClaimedRun): Promise<void>;
  findLive(runId: string): LiveRun | null;
  /** True while the run's end lies ahead: those who wait will be told of it. */
  willTell(runId: string): boolean;
  /** Resolves when the run's processes are proven dead or given back; at once when it isn't live. */
  released(runId: string): Promise<void>;
  live(): LiveRun[];
}

interface Carried {
  live: LiveRun;
  isTold: boolean;
  done: Promise<void>;
}

export function createCarrier(options: CarrierOptions): Carrier {
  const carried = new Map<string, Carried>();
  return {
    async carry(claimed) {
      const run: Carried = { live: createLiveRun(claimed), isTold: false, done: Promise.resolve() };
      carried.set(claimed.runId, run);
      run.done = carryThrough(options, claimed, run);
      await run.done.finally(() => carried.delete(claimed.runId));
    },
    findLive: (runId) => carried.get(runId)?.live ?? null,
    willTell: (runId) => carried.get(runId)?.isTold === false,
    released: async (runId) => carried.get(runId)?.done,
    live: () => [...carried.values()].map(({ live }) => live),
  };
}

async function carryThrough(options: CarrierOptions, claimed: ClaimedRun, carried: Carried): Promise<void> {
  const { clock, publish } = options;
  const begunMs = clock.monotonicMs();
  const queueMs = claimed.startedAtMs - claimed.queuedAtMs;
  publish({
    type: "run.started",
    runId: claimed.runId,
    agentId: claimed.agent.id,
    cli: claimed.agent.cli,
    queueMs,
  });
  options.wakeups.announce({ runId: claimed.runId, agentId: claimed.agent.id });
  const turn = await options.transport.carry(claimed, carried.live);
  const run = await settle(options, claimed, turn, clock.monotonicMs() - begunMs);
  // What lived on has withstood a whole kill: whoever hears of the run's end finds the agent in quarantine.
  if (turn.survivors > 0) await options.quarantine.begin(claimed.agent.id, turn.survivors);
  // While the agent is still busy: none of its waiting runs slips through a breaker that has just opened.
  options.breakers.follow(claimed.agent.id);
  carried.isTold = true;
  if (run) announceSettled(options, claimed, turn, run);
  // A reset that isn't noted leaves the conversation as it was, with the session that it had.
  if (turn.recorded.sessionReset) await unlessStoreFails(followReset(options, claimed));
  const survivors = await turn.release();
  if (survivors > 0) await options.quarantine.begin(claimed.agent.id, survivors);
  else if (turn.survivors > 0) await unlessStoreFails(options.quarantine.end(claimed.agent.id));
}

/** Tries until the store takes it: what the CLI answered isn't thrown away because a disk was full. */
async function settle(
  options: CarrierOptions,
  claimed: ClaimedRun,
  turn: CarriedTurn,
  durationMs: number,
): Promise<Run | null> {
  const settlement = settlementOf(options, claimed, turn, durationMs);
  for (;;) {
    try {
      const run = await options.log.settle(settlement);
      return run === "stale" ? null : run;
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      await pause(options.clock, settleRetryMs);
    }
  }
}

function settlementOf(
  options: CarrierOptions,
  claimed: ClaimedRun,
  turn: CarriedTurn,
  durationMs: number,
): Settlement {
  const { recorded, end } = turn;
  const outcome = decideOutcome(end);
  const final = outcome.state === "succeeded";
  const content = final ? finalAnswer(turn) : recorded.allText;
  const error = outcome.error && { ...outcome.error, message: options.redactor.log(outcome.error.message) };
  const endedAtMs = Math.max(options.clock.wallMs(), claimed.startedAtMs);
  const { breakerSettings: settings, timeZone } = options;
  const { cli } = claimed.agent;
  const limitEndsAtMs = (end.verdict?.kind === "failed" && end.verdict.limitEndsAtMs) || null;
  const { state } = outcome;
  const isOurs = end.verdict === null && end.failure?.isOurs === true;
  const service = serviceOutcomeOf({
    cli,
    state,
    error,
    isOurs,
    atMs: endedAtMs,
    limitEndsAtMs,
    timeZone,
  });
  return {
    runId: claimed.runId,
    fence: claimed.fence,
    start: turn.start,
    state,
    error,
    note: recorded.note,
    lastEvents: recorded.lastEvents,
    content: options.redactor.text(bounded(content)),
    contentFinal: final,
    assistantTurnId: options.makeId("turn"),
    usage: recorded.usage,
    costUsd: recorded.costUsd,
    toolNames: recorded.toolNames,
    anomalies: recorded.anomalies,
    exitCode: turn.exit?.exitCode ?? null,
    signal: turn.exit?.signal ?? null,
    peakRssBytes: turn.peakRssBytes,
    cpuMs: turn.cpuMs,
    survivors: turn.survivors,
    durationMs: Math.round(durationMs * 1000) / 1000,
    endedAtMs,
    service: { outcome: service, settings },
  };
}

/** The log's text after the last tool; what the CLI calls its result, where it said nothing after a tool. */
function finalAnswer({ recorded, end }: CarriedTurn): string {
  const result = end.verdict?.kind === "succeeded" ? end.verdict.result : "";
  return recorded.finalText || result;
}

/** A turn keeps at most 32 MiB; a UTF-16 unit is at most three bytes of UTF-8. */
function bounded(content: string): string {
  const unitsMax = Math.floor(turnBytesMax / 3);
  return content.length <= unitsMax
    ? content
    : `${content.slice(0, unitsMax)}\n\n… cut here: longer than a turn can be`;
}

/** A reset of the CLI's session ends our conversation; where runs wait in it, they get a fresh session. */
async function followReset(
  { conversations, clock, newSessionId }: CarrierOptions,
  claimed: ClaimedRun,
): Promise<void> {
  const ended = await conversations.endActiveConversation(claimed.agent.id, clock.wallMs());
  if (ended === "run_active") await conversations.renewSession(claimed.conversationId, newSessionId());
}

function announceSettled(options: CarrierOptions, claimed: ClaimedRun, turn: CarriedTurn, run: Run): void {
  const { agent, runId, mode } = claimed;
  options.wakeups.announce({ runId, agentId: agent.id });
  options.waiters.settled(run);
  options.publish({
    type: "run.settled",
    runId,
    agentId: agent.id,
    conversationId: claimed.conversationId,
    cli: agent.cli,
    mode,
    warm: turn.warm,
    state: run.state as Settlement["state"],
    code: (run.error?.code ?? null) as NonNullable<Settlement["error"]>["code"] | null,
    durationMs: run.durationMs ?? 0,
    overheadMs: turn.preparedMs + options.clock.monotonicMs() - turn.endedAtMonotonicMs,
    survivors: turn.survivors,
    peakRssBytes: turn.peakRssBytes,
    cpuMs: turn.cpuMs,
  });
}
