import type { Database } from "bun:sqlite";
import { idempotencyKeptMs, processesKeptMs, sessionsKeptMs, type Sweeps } from "../domain/retention.ts";
import { deleteOtherAnswerHtml } from "./answer-html.ts";
import { endsOf, noteLogsRemoved, removeOldEvents } from "./old-runs.ts";
import type { CommitQueue } from "./commit-queue.ts";
import { dropOldSessions } from "./conversations.ts";
import { deleteOldIdempotency } from "./idempotency.ts";
import { deleteIdleLogins } from "./logins.ts";
import { deleteOldProcesses } from "./processes.ts";
import { listMissingRuns } from "./runs.ts";

/** A batch takes a few milliseconds; whoever else writes gets in between two of them. */
const rowsPerBatchMax = 500;
/** An answer may be megabytes. */
const answersPerBatchMax = 20;

const eventsPerBatchMax = 1_000;

/** Nothing waits for these to be on the disk. */
const soon = { durable: false };

export function createSweeps(database: Database, queue: CommitQueue): Sweeps {
  return {
    sweepIdempotency: (atMs) =>
      queue.commit(() => deleteOldIdempotency(database, atMs - idempotencyKeptMs, rowsPerBatchMax), soon),
    sweepLogins: (atMs) => queue.commit(() => deleteIdleLogins(database, atMs, rowsPerBatchMax), soon),
    sweepProcesses: (atMs) =>
      queue.commit(() => deleteOldProcesses(database, atMs - processesKeptMs, rowsPerBatchMax), soon),
    sweepSessions: (atMs) =>
      queue.commit(() => dropOldSessions(database, atMs - sessionsKeptMs, rowsPerBatchMax), soon),
    sweepAnswerHtml: (rendererVersion) =>
      queue.commit(() => deleteOtherAnswerHtml(database, rendererVersion, answersPerBatchMax), soon),
    listMissingRuns: (runIds) => listMissingRuns(database, runIds),
    sweepEvents: (endedBeforeMs, atMs) =>
      queue.commit(
        () => removeOldEvents(database, { endedBeforeMs, atMs, eventsMax: eventsPerBatchMax }),
        soon,
      ),
    endsOf: (runIds) => endsOf(database, runIds),
    noteLogsRemoved: (runIds, atMs) => queue.commit(() => noteLogsRemoved(database, runIds, atMs), soon),
  };
}
