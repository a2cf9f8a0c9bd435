import type { Clock } from "../domain/clock.ts";
import type { PublishFact } from "../domain/facts.ts";
import { type RunLog, StoreUnavailable } from "../domain/ports.ts";
import type { Run } from "../domain/run.ts";
import { isTerminal } from "../domain/run-state.ts";
import { storeUnavailable } from "./admission.ts";
import type { Carrier } from "./carrier.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { CancelReply, Refusal, Wakeups } from "./runner-api.ts";
import type { Waiters } from "./waiters.ts";

/** First answers that are remembered, so that a repeated call hears the same. */
const answersMax = 1_000;

export interface CancellationOptions {
  log: RunLog;
  dispatcher: Dispatcher;
  carrier: Carrier;
  waiters: Waiters;
  wakeups: Wakeups;
  clock: Clock;
  publish: PublishFact;
}

export type Cancel = (runId: string) => Promise<CancelReply | Refusal>;

/** Cancels runs; parallel and repeated calls for one run share the first answer. */
export function createCancellation(options: CancellationOptions): Cancel {
  const answers = new Map<string, Promise<CancelReply | Refusal>>();
  return (runId) => {
    const known = answers.get(runId);
    if (known) return known;
    const answer = cancelRun(options, runId).then((reply) => {
      // A refusal isn't an answer to keep: the next call may fare better.
      if ("kind" in reply) answers.delete(runId);
      return reply;
    });
    answers.set(runId, answer);
    const oldest = answers.keys().next().value;
    if (answers.size > answersMax && oldest !== undefined) answers.delete(oldest);
    return answer;
  };
}

async function cancelRun(options: CancellationOptions, runId: string): Promise<CancelReply | Refusal> {
  const begunMs = options.clock.monotonicMs();
  const tookMs = () => Math.round((options.clock.monotonicMs() - begunMs) * 1000) / 1000;
  try {
    const answer = await options.log.requestCancel(runId, options.clock.wallMs());
    if (answer === "missing") return runNotFound(runId);
    if (typeof answer === "object") dropQueued(options, answer);
    if (answer === "flagged") await stopLive(options, runId);
    const run = typeof answer === "object" ? answer : options.log.getRun(runId);
    // Its conversation may have been deleted in the meantime.
    if (!run) return runNotFound(runId);
    const reply = replyOf(run, tookMs());
    options.publish({ type: "cancel.done", runId, tookMs: reply.tookMs, survivors: reply.survivors });
    return reply;
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    return storeUnavailable(error);
  }
}

function dropQueued(options: CancellationOptions, run: Run): void {
  options.dispatcher.forget(run.id, run.agentId);
  options.wakeups.announce({ runId: run.id, agentId: run.agentId });
  options.waiters.settled(run);
}

/** The flag is durable; now the processes have to go. */
async function stopLive({ waiters, carrier, log }: CancellationOptions, runId: string): Promise<void> {
  const leave = new AbortController();
  const settled = waiters.wait(runId, leave.signal);
  // A run that was claimed in this very moment is live one tick later.
  const live = carrier.findLive(runId) ?? (await nextTick().then(() => carrier.findLive(runId)));
  live?.stop({ kind: "cancel" });
  if (live && !isSettled(log, runId)) await settled;
  leave.abort();
  await carrier.released(runId);
}

function isSettled(log: RunLog, runId: string): boolean {
  const run = log.getRun(runId);
  return run === null || isTerminal(run.state);
}

function nextTick(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function replyOf(run: Run, tookMs: number): CancelReply {
  return {
    runId: run.id,
    state: run.state,
    alreadyFinished: isTerminal(run.state) && run.state !== "cancelled",
    survivors: run.survivors ?? 0,
    tookMs,
  };
}

export function runNotFound(runId: string): Refusal {
  return {
    kind: "refused",
    code: "run_not_found",
    detail: `There is no run ${JSON.stringify(runId.slice(0, 64))}.`,
  };
}
