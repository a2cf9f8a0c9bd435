import { type Clock, isoTime } from "../domain/clock.ts";
import type { Fact, FactType } from "../domain/facts.ts";

export const logLevels = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof logLevels)[number];

/** What is written for each fact; null when only the metrics want it. */
const levels: Record<FactType, LogLevel | null> = {
  "server.started": "info",
  "server.draining": "info",
  "server.stopped": "info",
  "recovery.done": "info",
  "agent.created": "info",
  "agent.changed": "info",
  "agent.deleted": "info",
  "run.admitted": "debug",
  "run.refused": "warn",
  "run.started": "debug",
  "run.first_output": null,
  "run.settled": "info",
  "cancel.done": "info",
  "process.spawned": "debug",
  "process.ended": "debug",
  "process.survived": "error",
  "warm.kept": null,
  "warm.reused": null,
  "warm.evicted": "debug",
  "anomaly.seen": "debug",
  "commit.done": null,
  "store.failed": "error",
  "store.recovered": "info",
  "job.done": "debug",
  "job.failed": "error",
  "stream.opened": null,
  "stream.closed": null,
  "login.made": "info",
  "login.refused": "warn",
  "request.done": "debug",
  "request.failed": "error",
};

/** What JSON leaves as it is and a terminal or a reader of lines may obey: C1 controls, DEL, line separators. */
const livelyCharacters = /[\u007f-\u009f\u2028\u2029]/g;

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

export interface Log {
  /** One JSON line: time, level, msg and the fields. */
  write(level: LogLevel, msg: string, fields?: Record<string, unknown>): void;
  fact(fact: Fact): void;
}

/**
 * Structured lines, from the same facts as the metrics. JSON escapes what could forge a line; `redact`
 * is the last thing that happens to a line before it leaves.
 */
export function createLog(options: {
  level: LogLevel;
  clock: Clock;
  redact: (text: string) => string;
  writeLine: (line: string) => void;
}): Log {
  const least = logLevels.indexOf(options.level);
  function write(level: LogLevel, msg: string, fields: Record<string, unknown> = {}): void {
    if (logLevels.indexOf(level) < least) return;
    const line = JSON.stringify({ time: isoTime(options.clock.wallMs()), level, msg, ...fields });
    options.writeLine(options.redact(line.replace(livelyCharacters, escaped)));
  }
  return {
    write,
    fact(fact) {
      const level = levels[fact.type];
      // Most facts are for the metrics only.
      if (!level || logLevels.indexOf(level) < least) return;
      const { type, ...fields } = fact;
      write(level, type, fields);
    },
  };
}
