import { type Clock, isoTime } from "../domain/clock.ts";
import type { Fact, FactType } from "../domain/facts.ts";

export const logLevels = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof logLevels)[number];

/** What is written for each fact; null when only the metrics want it. */
const levels: Record<FactType, LogLevel | null> = {
  "server.started": "info",
  "containment.tested": "info",
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
  "breaker.changed": "warn",
  "agent.quarantined": "error",
  "agent.released": "info",
  "cancel.done": "info",
  "process.spawned": "debug",
  "process.ended": "debug",
  "process.survived": "error",
  "warm.kept": null,
  "warm.reused": null,
  "warm.evicted": "debug",
  "start.waited": "info",
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
 * Structured lines, from the same facts as the metrics. JSON escapes what could forge a line. Texts are redacted one
 * by one: in the line as a whole a secret made of digits, or of quotes, would leave no JSON behind.
 */
export function createLog(options: {
  level: LogLevel;
  clock: Clock;
  redact: (text: string) => string;
  writeLine: (line: string) => void;
}): Log {
  const { redact } = options;
  const least = logLevels.indexOf(options.level);
  function redacted(_key: string, value: unknown): unknown {
    if (typeof value === "string") return redact(value);
    if (typeof value === "number") return redact(String(value)) === String(value) ? value : null;
    return value;
  }
  function write(level: LogLevel, msg: string, fields: Record<string, unknown> = {}): void {
    if (logLevels.indexOf(level) < least) return;
    const line = { time: isoTime(options.clock.wallMs()), level, msg, ...fields };
    options.writeLine(JSON.stringify(line, redacted).replace(livelyCharacters, escaped));
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
