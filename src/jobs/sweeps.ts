import type { Sweeps } from "../domain/retention.ts";
import type { Job } from "./scheduler.ts";
import { sweep } from "./sweep.ts";

export interface SweepsOptions {
  store: Sweeps;
  /** What else was rendered is rendered anew when it is looked at. */
  rendererVersion: number;
  wallMs(): number;
  /** Raw logs whose runs are gone: of a deletion that a crash cut short. Resolves with how many went. */
  removeStrayLogs(listMissingRuns: Sweeps["listMissingRuns"]): Promise<number>;
}

/** What is removed by the clock. */
export function sweeps({ store, rendererVersion, wallMs, removeStrayLogs }: SweepsOptions): Job[] {
  return [
    sweep("idempotency", () => store.sweepIdempotency(wallMs())),
    sweep("logins", () => store.sweepLogins(wallMs())),
    sweep("processes", () => store.sweepProcesses(wallMs())),
    sweep("sessions", () => store.sweepSessions(wallMs())),
    sweep("answer_html", () => store.sweepAnswerHtml(rendererVersion)),
    sweep("raw_logs", () => removeStrayLogs(store.listMissingRuns)),
  ];
}
