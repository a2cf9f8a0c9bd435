import { daysMs, type Sweeps } from "../domain/retention.ts";
import type { LogRetention } from "../runner/process/old-logs.ts";
import type { Job } from "./scheduler.ts";
import { once, sweep } from "./sweep.ts";

const mebibyte = 1_048_576;

export interface SweepsOptions {
  store: Sweeps;
  /** What else was rendered is rendered anew when it is looked at. */
  rendererVersion: number;
  wallMs(): number;
  logKeepDays: number;
  logsTotalMb: number;
  /** 0 keeps events for ever. */
  eventKeepDays: number;
  /** Raw logs whose runs are gone: of a deletion that a crash cut short. Resolves with how many went. */
  removeStrayLogs(listMissingRuns: Sweeps["listMissingRuns"]): Promise<number>;
  /** Raw logs that are too old or too much. Resolves with how many went. */
  removeOldLogs(retention: LogRetention): Promise<number>;
}

/** What is removed by the clock. */
export function sweeps(options: SweepsOptions): Job[] {
  const { store, rendererVersion, wallMs, removeStrayLogs, eventKeepDays } = options;
  const sweepEvents = () => store.sweepEvents(wallMs() - daysMs(eventKeepDays), wallMs());
  return [
    sweep("idempotency", () => store.sweepIdempotency(wallMs())),
    sweep("logins", () => store.sweepLogins(wallMs())),
    sweep("processes", () => store.sweepProcesses(wallMs())),
    sweep("sessions", () => store.sweepSessions(wallMs())),
    sweep("answer_html", () => store.sweepAnswerHtml(rendererVersion)),
    ...(eventKeepDays > 0 ? [sweep("run_events", sweepEvents)] : []),
    sweep("raw_logs", () => removeStrayLogs(store.listMissingRuns)),
    once("old_logs", (signal) => removeOldLogs(options, signal)),
  ];
}

function removeOldLogs(
  { store, wallMs, logKeepDays, logsTotalMb, removeOldLogs: remove }: SweepsOptions,
  signal: AbortSignal,
): Promise<number> {
  const atMs = wallMs();
  return remove({
    endedBeforeMs: atMs - daysMs(logKeepDays),
    bytesMax: logsTotalMb * mebibyte,
    endsOf: store.endsOf,
    noteRemoved: (runIds) => store.noteLogsRemoved(runIds, atMs),
    signal,
  });
}
