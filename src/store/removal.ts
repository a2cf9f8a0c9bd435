import type { Database } from "bun:sqlite";
import { type Clock, pause } from "../domain/clock.ts";
import {
  deleteConversation,
  findConversationRow,
  listRemovedConversations,
  markConversationRemoved,
} from "./conversations.ts";
import type { CommitQueue } from "./commit-queue.ts";
import { deleteAnswerHtmlOfConversation } from "./answer-html.ts";
import { emptyLog } from "./database.ts";
import { storageFailure } from "./failures.ts";
import { deleteIdempotencyOfConversation, deleteIdempotencyOfRun } from "./idempotency.ts";
import { deleteEndedProcessesOfConversation } from "./processes.ts";
import { deleteNewestEvents } from "./run-events.ts";
import { deleteRun, deleteTransitions, hasLivingRuns, listRunIds } from "./runs.ts";
import { deleteTurnsOfConversation, deleteTurnsOfRun } from "./turns.ts";

/** A batch takes a few milliseconds, so that the event loop is never held up by a large conversation. */
const runsPerBatchMax = 5;
const eventsPerBatchMax = 1_000;
const turnsPerBatchMax = 10;
const processesPerBatchMax = 500;
const answersPerBatchMax = 20;
const runIdsMax = 1_000_000;
/** A reader is waited for that long in sum; then the log is emptied by the next removal, or when the server stops. */
const readerDelaysMs = [0, 10, 50, 200, 1_000];

export type Removal = { runIds: string[] } | "missing" | "run_active";

/** Inside a transaction: the conversation disappears for every reader; its rows go afterwards, in batches. */
export function markRemoved(database: Database, conversationId: string, atMs: number): Removal {
  const conversation = findConversationRow(database, conversationId);
  if (conversation === null) return "missing";
  if (hasLivingRuns(database, conversation.agentKey, conversationId)) return "run_active";
  const runIds = listRunIds(database, conversationId, runIdsMax);
  markConversationRemoved(database, conversationId, atMs);
  deleteIdempotencyOfConversation(database, conversationId);
  return { runIds };
}

/** Deletes the rows of a conversation that was marked, one bounded transaction after the other. */
export async function deleteInBatches(
  database: Database,
  queue: CommitQueue,
  clock: Clock,
  conversationId: string,
  isStopping: () => boolean,
): Promise<void> {
  let isDone = false;
  while (!isDone && !isStopping()) {
    isDone = await queue.commit(() => deleteBatch(database, conversationId), { durable: false });
  }
  if (isDone) await emptyLogSoon(database, clock, isStopping);
}

/** What was deleted stands in SQLite's log still. */
async function emptyLogSoon(database: Database, clock: Clock, isStopping: () => boolean): Promise<void> {
  for (const delayMs of readerDelaysMs) {
    await pause(clock, delayMs);
    if (isStopping() || isLogEmptied(database)) return;
  }
}

/** A disk that takes no writes, and a lock that somebody holds, are no reason to call the removal undone. */
function isLogEmptied(database: Database): boolean {
  try {
    return emptyLog(database);
  } catch (error) {
    if (storageFailure(error) === null) throw error;
    return false;
  }
}

/** Removals that an earlier server began and didn't finish. */
export async function finishRemovals(
  database: Database,
  queue: CommitQueue,
  clock: Clock,
  isStopping: () => boolean,
): Promise<void> {
  for (const conversationId of listRemovedConversations(database)) {
    await deleteInBatches(database, queue, clock, conversationId, isStopping);
  }
}

/** True when nothing of the conversation is left. */
function deleteBatch(database: Database, conversationId: string): boolean {
  if (deleteAnswerHtmlOfConversation(database, conversationId, answersPerBatchMax) > 0) return false;
  const runIds = listRunIds(database, conversationId, runsPerBatchMax);
  let eventsLeft = eventsPerBatchMax;
  for (const runId of runIds) {
    if (eventsLeft <= 0) return false;
    if (!deleteNewestEvents(database, runId, eventsLeft)) return false;
    eventsLeft -= eventsPerBatchMax / runsPerBatchMax;
    deleteRest(database, runId);
  }
  if (runIds.length > 0) return false;
  if (deleteTurnsOfConversation(database, conversationId, turnsPerBatchMax) > 0) return false;
  // One that is still to be proven dead goes when its end is told.
  if (deleteEndedProcessesOfConversation(database, conversationId, processesPerBatchMax) > 0) return false;
  deleteConversation(database, conversationId);
  return true;
}

function deleteRest(database: Database, runId: string): void {
  deleteIdempotencyOfRun(database, runId);
  deleteTurnsOfRun(database, runId);
  deleteTransitions(database, runId);
  deleteRun(database, runId);
}
