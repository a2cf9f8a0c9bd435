import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { PermissionMode } from "../../../src/domain/agent.ts";
import type { Adapter, Decoded } from "../../../src/runner/adapters/adapter.ts";

/*
 * Replays what a real CLI printed through its adapter. A recording's folder holds stdout.jsonl, args.json
 * and exit.json, where there was something also stdin.jsonl and stderr.txt, and expected.json: what the
 * replay has to give. After a wanted change, `bun test/runner/adapters/write-expected.ts` writes them anew;
 * then read every difference, for they are the specification.
 */

/** Longest text that stands in expected.json as it is; of a longer one its length and hash do. */
const textCharsMax = 600;

export interface Replay {
  /** What each turn was decoded to; deltas of one block are joined and counted. */
  turns: unknown[][];
  /** Why the process ended, when its last turn had no end. */
  unfinishedExit: { code: string; message: string } | null;
}

export function recordingsFolder(cli: string, version: string): string {
  return join(import.meta.dir, "../../fixtures/recordings", cli, version);
}

export function listRecordings(folder: string): string[] {
  return readdirSync(folder).sort();
}

export function recordedLines(folder: string): string[] {
  return readFileSync(join(folder, "stdout.jsonl"), "utf8").split("\n").filter(Boolean);
}

/** A turn is begun at once when the one before has ended, as the recorder of these sessions did. */
export function replay(adapter: Adapter, folder: string): Replay {
  const lines = recordedLines(folder);
  const { args } = readJson<{ args: string[] }>(folder, "args.json");
  const decoder = adapter.decoder({ sessionId: sessionOf(args, lines), permissionMode: modeOf(args) });
  const turns: Decoded[][] = [[]];
  decoder.beginTurn();
  for (const line of lines) {
    const decoded = decoder.decode(line);
    turns.at(-1)?.push(...decoded);
    if (!decoded.some(({ kind }) => kind === "turn.ended")) continue;
    turns.push([]);
    decoder.beginTurn();
  }
  const isUnfinished = !turns.some((turn) => turn.some(({ kind }) => kind === "turn.ended"));
  return {
    turns: turns.filter((turn) => turn.length > 0).map(summarise),
    unfinishedExit: isUnfinished ? explain(adapter, folder, lines.length > 0) : null,
  };
}

function explain(adapter: Adapter, folder: string, printed: boolean): Replay["unfinishedExit"] {
  const exit = readJson<{ exitCode: number | null; signal: string | null }>(folder, "exit.json");
  const stderr = join(folder, "stderr.txt");
  const stderrTail = existsSync(stderr) ? readFileSync(stderr, "utf8") : "";
  return adapter.explainExit({ ...exit, stderrTail, printed });
}

/** The session that the recorder asked for; where it asked for none, the one that the CLI chose. */
function sessionOf(args: string[], lines: string[]): string {
  const asked = args.findIndex((arg) => arg === "--session-id" || arg === "--resume");
  const named = lines.map((line) => /"session_id":"([^"]+)"/.exec(line)?.[1]).find(Boolean);
  return (asked === -1 ? named : args[asked + 1]) ?? "";
}

function modeOf(args: string[]): PermissionMode {
  if (args.includes("bypassPermissions") || args.includes("--dangerously-skip-permissions")) return "full";
  return args.includes("plan") ? "read" : "edit";
}

function readJson<T>(folder: string, name: string): T {
  return JSON.parse(readFileSync(join(folder, name), "utf8")) as T;
}

function summarise(decoded: Decoded[]): unknown[] {
  const items: (Decoded | TextSummary)[] = [];
  for (const item of decoded) {
    const last = items.at(-1);
    if (item.kind !== "event" || item.event.type !== "text") items.push(item);
    else if (last && "deltas" in last && last.block === item.event.block) add(last, item.event.text);
    else items.push({ deltas: 1, block: item.event.block, text: item.event.text });
  }
  return JSON.parse(JSON.stringify(items, shorten)) as unknown[];
}

function add(summary: TextSummary, text: string): void {
  summary.text += text;
  summary.deltas += 1;
}

interface TextSummary {
  deltas: number;
  block: number;
  text: string;
}

function shorten(_key: string, value: unknown): unknown {
  if (typeof value !== "string" || value.length <= textCharsMax) return value;
  const hash = new Bun.CryptoHasher("sha256").update(value).digest("hex").slice(0, 16);
  return `${value.slice(0, 60)}… (${value.length} characters, sha256 ${hash})`;
}
