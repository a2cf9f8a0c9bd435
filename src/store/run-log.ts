import type { Database } from "bun:sqlite";
import type { Hole, Recovery, RunLog, RunReads } from "../domain/ports.ts";
import { admit, claim } from "./admission.ts";
import { findNewestAgentKey } from "./agents.ts";
import type { CommitQueue } from "./commit-queue.ts";
import { decodeCursor, encodeCursor, pageOf } from "./cursors.ts";
import { insertEvents, lastEventSeq, listEncodedEvents, listEvents } from "./run-events.ts";
import { findRun, listRuns } from "./run-views.ts";
import { findHold, findPrompt, listInterruptedRuns, listQueuedRuns } from "./runs.ts";
import { begin, note, requestCancel, settle, settleInterrupted } from "./settlement.ts";
import { findToolCall } from "./tool-calls.ts";

const durable = { durable: true };
const soon = { durable: false };
/** For what is known from elsewhere until the CLI's first output, which brings a commit of its own. */
const withTheNext = { durable: false, lazyMs: 10 };

/** Runs, their logs, and what recovery does with those of older epochs. */
export function createRunLog(
  database: Database,
  queue: CommitQueue,
  epoch: number,
): RunLog & RunReads & Recovery {
  return {
    admit: (admission) => queue.commit(() => admit(database, epoch, admission), durable),
    claim: (runId, atMs) => queue.commit(() => claim(database, epoch, runId, atMs), durable),
    begin: (start) => queue.commit(() => begin(database, epoch, start), start.warm ? withTheNext : soon),
    append: (runId, fence, events, atMs) =>
      queue.commit(() => append(database, { runId, fence, epoch, atMs }, events), soon),
    note: (runId, fence, runNote) => queue.commit(() => note(database, epoch, runId, fence, runNote), soon),
    settle: (settlement) => queue.commit(() => settle(database, epoch, settlement), durable),
    requestCancel: (runId, atMs) => queue.commit(() => requestCancel(database, runId, atMs), durable),
    getRun: (runId) => findRun(database, runId),
    findPrompt: (runId) => readPrompt(database, runId),
    listQueued: () => listQueuedRuns(database),
    listRuns: (page) => pageOfRuns(database, page),
    listEvents: (runId, afterSeq, limit) => listEvents(database, runId, afterSeq, limit),
    listEncodedEvents: (runId, afterSeq, limit) => listEncodedEvents(database, runId, afterSeq, limit),
    lastEventSeq: (runId) => lastEventSeq(database, runId),
    findToolCall: (runId, toolId) => findToolCall(database, runId, toolId),
    listInterrupted: () => listInterruptedRuns(database, epoch),
    settleInterrupted: (runId, { assistantTurnId }, code, atMs) =>
      queue.commit(() => {
        settleInterrupted(database, epoch, runId, { assistantTurnId, code, atMs });
      }, durable),
  };
}

function append(
  database: Database,
  held: { runId: string; fence: number; epoch: number; atMs: number },
  events: Parameters<RunLog["append"]>[2],
): "ok" | "stale" {
  const { runId, fence, epoch, atMs } = held;
  const hold = findHold(database, { runId, fence, epoch });
  if (hold === null) return "stale";
  insertEvents(database, { runId, fence, atMs, afterSeq: hold.lastSeq }, events);
  return "ok";
}

function readPrompt(database: Database, runId: string) {
  const found = findPrompt(database, runId);
  return found && { ...found, promptHoles: JSON.parse(found.promptHoles) as Hole[] };
}

function pageOfRuns(database: Database, page: Parameters<RunReads["listRuns"]>[0]) {
  const agentKey = page.agentId === null ? null : findNewestAgentKey(database, page.agentId);
  if (page.agentId !== null && agentKey === null) return { items: [], nextCursor: null };
  const [beforeKey] = decodeCursor("runs", page.cursor, 1) ?? [Number.MAX_SAFE_INTEGER];
  const rows = listRuns(database, {
    agentKey,
    state: page.state,
    beforeKey: beforeKey!,
    limit: page.limit + 1,
  });
  return pageOf(
    rows,
    page.limit,
    (row) => row.item,
    (row) => encodeCursor("runs", [row.key]),
  );
}
