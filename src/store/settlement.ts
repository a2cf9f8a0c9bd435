import type { Database } from "bun:sqlite";
import { runErrors, type RunErrorCode } from "../domain/error-codes.ts";
import { allText } from "../domain/event.ts";
import type { RunNote, RunStart, Settlement } from "../domain/ports.ts";
import type { Anomaly, Run } from "../domain/run.ts";
import { moveBreaker } from "./breakers.ts";
import { dropSession, markSessionBegun } from "./conversations.ts";
import { foldText, insertEvents, lastEventSeq, listToolNames } from "./run-events.ts";
import { errorWith, findRun } from "./run-views.ts";
import {
  adoptRun,
  cancelQueuedRun,
  findHold,
  findRunState,
  finishRun,
  flagCancel,
  markRunning,
  noteRun,
  withdrawPrompt,
} from "./runs.ts";
import { isActive, isTerminal } from "../domain/run-state.ts";
import { deletePendingTurn, insertAssistantTurn } from "./turns.ts";

/** The log of one run is folded whole when its server died: it is bounded by `HEADWAY_EVENT_LIMIT`. */
const foldedEventsMax = 10_000_000;

/** Inside a transaction: `starting → running` and its event. */
export function begin(database: Database, epoch: number, start: RunStart): "ok" | "stale" {
  const { runId, fence, atMs } = start;
  const hold = findHold(database, { runId, fence, epoch });
  if (hold === null) return "stale";
  const isMoved = markRunning(database, { ...start, atMs: Math.max(atMs, hold.startedAt) });
  if (!isMoved) return "stale";
  insertEvents(database, { runId, fence, atMs, afterSeq: hold.lastSeq }, [{ type: "run.started" }]);
  return "ok";
}

/** Inside a transaction. A session is held by one conversation: two of them would lose each other's turns. */
export function note(
  database: Database,
  epoch: number,
  runId: string,
  fence: number,
  { firstOutputAtMs, cliVersion, model, warm, sessionBegun }: RunNote,
): "ok" | "stale" | "session_taken" {
  const conversationId = noteRun(database, {
    runId,
    fence,
    epoch,
    firstOutputAtMs: firstOutputAtMs ?? null,
    cliVersion: cliVersion ?? null,
    model: model ?? null,
    warm: warm ?? null,
    cliSessionId: sessionBegun?.cliSessionId ?? null,
  });
  if (conversationId === null) return "stale";
  if (sessionBegun === undefined) return "ok";
  if (markSessionBegun(database, { conversationId, ...sessionBegun })) return "ok";
  // What it held doesn't know of this turn, which went into another's session.
  dropSession(database, conversationId);
  return "session_taken";
}

/** Inside a transaction: last events, the answer, and the state last of all, once. */
export function settle(database: Database, epoch: number, settlement: Settlement): Run | "stale" {
  const { runId, fence, state, error, endedAtMs } = settlement;
  const hold = holdOf(database, epoch, settlement);
  if (hold === null) return "stale";
  const isSessionTaken =
    settlement.note !== null && note(database, epoch, runId, fence, settlement.note) === "session_taken";
  const atMs = Math.max(endedAtMs, hold.startedAt);
  const finished = {
    type: "run.finished",
    state,
    error: error && errorWith(error.code, error.message),
  } as const;
  const log = { runId, fence, atMs, afterSeq: hold.lastSeq };
  const notices = isSessionTaken ? [sessionTaken] : [];
  insertEvents(database, log, [...settlement.lastEvents, ...notices, finished]);
  writeAnswer(database, hold.conversationId, settlement, atMs);
  const anomalies = isSessionTaken
    ? withAnomaly(settlement.anomalies, sessionTaken.code)
    : settlement.anomalies;
  if (!finishRun(database, endOf(epoch, { ...settlement, anomalies })))
    throw new Error(`run ${runId} moved inside a transaction`);
  if (settlement.service) tellBreaker(database, hold.agentKey, settlement.service, { runId, atMs });
  return findRun(database, runId)!;
}

/** In the transaction of the run's end, so that no crash counts a failure twice or not at all. */
function tellBreaker(
  database: Database,
  agentKey: number,
  { outcome, settings }: NonNullable<Settlement["service"]>,
  end: { runId: string; atMs: number },
): void {
  moveBreaker(database, agentKey, { kind: "run_ended", outcome, ...end }, settings);
}

const sessionTaken = {
  type: "notice",
  code: "session_mismatch",
  message: "The CLI named a session that another conversation holds; it was not adopted.",
} as const;

function withAnomaly(anomalies: readonly Anomaly[], code: string): Anomaly[] {
  const count = 1 + (anomalies.find((anomaly) => anomaly.code === code)?.count ?? 0);
  return [...anomalies.filter((anomaly) => anomaly.code !== code), { code, count }];
}

/** A run whose start the store refused at the time is started now: none ends well that never ran. */
function holdOf(database: Database, epoch: number, { runId, fence, start }: Settlement) {
  const hold = findHold(database, { runId, fence, epoch });
  if (hold?.state !== "starting" || !start) return hold;
  begin(database, epoch, start);
  return findHold(database, { runId, fence, epoch });
}

/** A run that succeeded has an answer even when it is empty; one that ended otherwise keeps what text it has. */
function writeAnswer(database: Database, conversationId: string, settlement: Settlement, atMs: number): void {
  const { runId, state, content, contentFinal, assistantTurnId } = settlement;
  if (state !== "succeeded" && content === "") return;
  const turn = { id: assistantTurnId, conversationId, runId, content, final: contentFinal, atMs };
  insertAssistantTurn(database, turn);
}

function endOf(epoch: number, settlement: Settlement) {
  return {
    runId: settlement.runId,
    fence: settlement.fence,
    epoch,
    state: settlement.state,
    errorCode: settlement.error?.code ?? null,
    errorMessage: settlement.error?.message ?? null,
    usage: settlement.usage === null ? null : JSON.stringify(settlement.usage),
    costUsd: settlement.costUsd,
    toolNames: JSON.stringify(settlement.toolNames),
    anomalies: JSON.stringify(settlement.anomalies),
    exitCode: settlement.exitCode,
    signal: settlement.signal,
    peakRssBytes: settlement.peakRssBytes,
    cpuMs: settlement.cpuMs,
    survivors: settlement.survivors,
    durationMs: settlement.durationMs,
    endedAtMs: settlement.endedAtMs,
  };
}

/** Inside a transaction: a waiting run ends at once and is the answer, one in progress is flagged. */
export function requestCancel(
  database: Database,
  runId: string,
  atMs: number,
): Run | "flagged" | "finished" | "missing" {
  const found = findRunState(database, runId);
  if (found === null) return "missing";
  if (isTerminal(found.state)) return "finished";
  if (isActive(found.state)) {
    flagCancel(database, runId, atMs);
    return "flagged";
  }
  const afterSeq = lastEventSeq(database, runId);
  const finished = { type: "run.finished", state: "cancelled", error: null } as const;
  insertEvents(database, { runId, fence: 0, atMs, afterSeq }, [finished]);
  withdrawPrompt(database, runId);
  deletePendingTurn(database, runId);
  cancelQueuedRun(database, runId, atMs);
  return findRun(database, runId)!;
}

/**
 * Inside a transaction: ends a run whose server is gone. It is adopted under a fresh fence first, so that
 * whatever still believes to hold it can't write; its text is what its log holds.
 */
export function settleInterrupted(
  database: Database,
  epoch: number,
  runId: string,
  end: { assistantTurnId: string; code: RunErrorCode; atMs: number },
): void {
  const adopted = adoptRun(database, runId, epoch);
  if (adopted === null) return;
  const isCancelled = adopted.cancelRequestedAt !== null;
  settle(database, epoch, {
    runId,
    fence: adopted.fence,
    state: isCancelled ? "cancelled" : "interrupted",
    error: isCancelled ? null : { code: end.code, message: runErrors[end.code].message },
    note: null,
    lastEvents: [],
    content: allText(foldText(database, runId, foldedEventsMax)),
    contentFinal: false,
    assistantTurnId: end.assistantTurnId,
    usage: null,
    costUsd: null,
    toolNames: listToolNames(database, runId),
    anomalies: [],
    exitCode: null,
    signal: null,
    peakRssBytes: null,
    cpuMs: null,
    survivors: 0,
    durationMs: Math.max(0, end.atMs - adopted.startedAt),
    endedAtMs: end.atMs,
  });
}
