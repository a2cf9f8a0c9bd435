const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** How long a repeat of an idempotency key is known after its run has ended. */
export const idempotencyKeptMs = dayMs;

/** How long the record of a process is kept after its end: who was it, and why did it end. */
export const processesKeptMs = 30 * dayMs;

/**
 * How long a conversation that has ended may go on in the CLI's session. Claude Code itself forgets a session
 * after 30 days, unless its user says otherwise; later the conversation goes on in a fresh one that is told what was said.
 */
export const sessionsKeptMs = 30 * dayMs;

/** How long the files and rows last that the owner sets a number of days for. */
export function daysMs(days: number): number {
  return days * dayMs;
}

/** From one look for what nobody needs to the next. */
export const sweepEveryMs = hourMs;

/**
 * Removes what nobody needs any more (the times above say when that is). Each call is one bounded transaction and
 * resolves with how many things it removed; 0 when there are no more.
 */
export interface Sweeps {
  sweepIdempotency(atMs: number): Promise<number>;
  sweepLogins(atMs: number): Promise<number>;
  /** Records of processes that ended long ago; runs that name one are left without. */
  sweepProcesses(atMs: number): Promise<number>;
  /** Lets go of CLI sessions that nobody takes up again: of conversations ended long ago, and of deleted agents. */
  sweepSessions(atMs: number): Promise<number>;
  /** HTML that another version of the renderer made. */
  sweepAnswerHtml(rendererVersion: number): Promise<number>;
  /** Events of runs that ended before; resolves with how many events went. */
  sweepEvents(endedBeforeMs: number, atMs: number): Promise<number>;
  /** When each of these runs ended, of those that have. */
  endsOf(runIds: readonly string[]): Map<string, number>;
  /** The raw logs of these runs go. */
  noteLogsRemoved(runIds: readonly string[], atMs: number): Promise<void>;
  /** Those of the runs that are not there (any more). */
  listMissingRuns(runIds: readonly string[]): string[];
}
