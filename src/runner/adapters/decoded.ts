import type { RunEventBody } from "../../domain/event.ts";
import type { Usage } from "../../domain/run.ts";
import type { Decoded } from "./adapter.ts";
import { plainText } from "./plain-text.ts";

/** Longest piece of a line that an anomaly quotes. */
const detailChars = 200;

export function events(bodies: readonly RunEventBody[]): Decoded[] {
  return bodies.map((event) => ({ kind: "event", event }));
}

export function anomaly(code: string, detail: string): Decoded {
  return { kind: "anomaly", code, detail: plainText(detail.slice(0, detailChars)) };
}

/** Output that belongs to no turn of ours. */
export function stray(what: string): Decoded {
  return anomaly("output_after_result", what);
}

/** The next one of its kind might come when our next turn is running, and end that. */
export function strayResult(): Decoded[] {
  return [
    anomaly("duplicate_result", "a result that belongs to no turn of ours"),
    { kind: "retire", reason: "the CLI gave a result between turns" },
  ];
}

export function thought(said: string): RunEventBody[] {
  const text = plainText(said);
  return text === "" ? [] : [{ type: "thinking", text }];
}

/** `costUsd` is null for a CLI that doesn't tell its costs. */
export function used(usage: Usage | null, costUsd: number | null = null): Decoded[] {
  return usage ? [{ kind: "usage", usage, costUsd }] : [];
}
