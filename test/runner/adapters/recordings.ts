import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { PermissionMode } from "../../../src/domain/agent.ts";
import type {
  Adapter,
  Decoded,
  Dialect,
  DialogueSpec,
  UnfinishedExit,
} from "../../../src/runner/adapters/adapter.ts";
import { type Line, methodsIn, type Rehearsal, rehearse, scriptOf } from "../../contract/script.ts";

/*
 * Replays what a real CLI printed through its adapter. A recording's folder holds stdout.jsonl, args.json
 * and exit.json, where there was something also stdin.jsonl and stderr.txt, and expected.json: what the
 * replay has to give. After a wanted change, `bun test/runner/adapters/write-expected.ts` writes them anew;
 * then read every difference, for they are the specification.
 */

/** Longest text that stands in expected.json as it is; of a longer one its length and hash do. */
const textCharsMax = 600;

export interface Replay {
  /** What each turn's lines were decoded to; deltas of one block are joined and counted. */
  turns: unknown[][];
  /** Why the process ended, when its last turn had no end. */
  unfinishedExit: { code: string; message: string } | null;
}

export interface Recording {
  args: readonly string[];
  /** What was written to the CLI, a line each. */
  inputs: readonly string[];
  lines: readonly string[];
  stderr: string;
  exit: { exitCode: number | null; signal: string | null };
  /** What neither the arguments nor the inputs tell of how the dialogue was opened. */
  spec?: Partial<DialogueSpec>;
}

export function recordingsFolder(cli: string, version: string): string {
  return join(import.meta.dir, "../../fixtures/recordings", cli, version);
}

export function listRecordings(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}

export function readRecording(folder: string): Recording {
  const { args, spec } = readJson<Pick<Recording, "args" | "spec">>(folder, "args.json");
  return {
    args,
    ...(spec && { spec }),
    inputs: linesOf(folder, "stdin.jsonl"),
    lines: recordedLines(folder),
    stderr: textOf(folder, "stderr.txt"),
    exit: readJson(folder, "exit.json"),
  };
}

export function recordedLines(folder: string): string[] {
  return linesOf(folder, "stdout.jsonl");
}

/** What the CLI said, with its replies of JSON-RPC to whatever ids the dialogue gives to its requests. */
export function recordedScript(folder: string): Line[] {
  const { inputs, lines } = readRecording(folder);
  return scriptOf(inputs, lines);
}

export function replay(adapter: Adapter, folder: string): Replay {
  const { turns, unfinishedExit } = play(adapter, readRecording(folder));
  return { turns: turns.filter((turn) => turn.length > 0).map(summarise), unfinishedExit };
}

/**
 * What an adapter makes of a recording. A turn is begun at once when the one before has ended; requests of
 * the dialogue's that the recorder didn't make get an empty result.
 */
export function play(
  adapter: Adapter,
  recording: Recording,
  spec: DialogueSpec = specOf(recording),
): { turns: Decoded[][]; unfinishedExit: Replay["unfinishedExit"] } {
  const dialect = dialectOf(adapter, recording);
  const rehearsal = rehearse(dialect, spec);
  const prompts = recording.inputs.flatMap(promptIn);
  const recordedMethods = methodsIn(recording.inputs);
  const turns: Decoded[][] = [];
  const begin = () => {
    rehearsal.begin(prompts.shift() ?? "hello");
    turns.push([]);
  };
  begin();
  for (const line of scriptOf(recording.inputs, recording.lines)) {
    const decoded = [
      ...rehearsal.sayEmptyReplies(recordedMethods),
      ...rehearsal.say([addressable(line, rehearsal)]),
    ];
    turns.at(-1)?.push(...decoded);
    if (decoded.some(({ kind }) => kind === "turn.ended")) begin();
  }
  turns.at(-1)?.push(...rehearsal.sayError(recording.stderr));
  const isUnfinished = !turns.some((turn) => turn.some(({ kind }) => kind === "turn.ended"));
  return { turns, unfinishedExit: isUnfinished ? dialect.explainExit(exitOf(recording)) : null };
}

/** What is answered and wasn't asked is an interrupt, or something that the recorder tried and we never do. */
function addressable(line: Line, rehearsal: Rehearsal): Line {
  if (typeof line === "string" || rehearsal.awaits(line.replyTo)) return line;
  rehearsal.interrupt();
  return rehearsal.awaits(line.replyTo) ? line : line.line;
}

/** The form in which the recorder spoke to the CLI, told by an argument that only the warm one has. */
export function dialectOf(adapter: Adapter, { args }: Pick<Recording, "args">): Dialect {
  const { warm, oneTurn } = adapter.dialects;
  const plain = new Set(oneTurn.command(anySpec).args);
  const isWarm = warm.command(anySpec).args.some((arg) => !plain.has(arg) && args.includes(arg));
  return isWarm ? warm : oneTurn;
}

export function exitOf({ exit, stderr, lines }: Recording): UnfinishedExit {
  return { ...exit, stderrTail: stderr, printed: lines.length > 0 };
}

const anySpec: DialogueSpec = {
  executable: "/opt/a-cli",
  sessionId: "5b0f8f0e-7a45-4b7e-9d0c-3f1d2c4b5a69",
  resume: false,
  cwd: "/home/dev/project",
  model: null,
  permissionMode: "edit",
  mcpConfigPath: null,
  systemPrompt: null,
};

export function specOf({ args, inputs, lines, spec }: Recording): DialogueSpec {
  const asked = args.findIndex((arg) => sessionFlags.includes(arg));
  const loaded = inputs.find((input) => /"method":"[^"]*load/.test(input));
  const named = [loaded ?? "", ...lines].map((line) => /"session_?id":" ?([^"]+)"/i.exec(line)?.[1]);
  const modelAt = args.findIndex((arg) => arg === "-m" || arg === "--model");
  return {
    ...anySpec,
    sessionId: (asked === -1 ? named.find(Boolean) : args[asked + 1]) ?? "",
    resume: loaded !== undefined || (asked !== -1 && args[asked] !== "--session-id"),
    model: modelAt === -1 ? null : (args[modelAt + 1] ?? null),
    permissionMode: modeOf(args),
    ...spec,
  };
}

/** By which the CLIs are told a session; all but the first name one that they have already. */
const sessionFlags = ["--session-id", "--resume", "--fork", "-s"];

function modeOf(args: readonly string[]): PermissionMode {
  const has = (...words: string[]) => words.some((word) => args.includes(word));
  if (has("bypassPermissions", "--dangerously-skip-permissions", "yolo", "--yolo", "high")) return "full";
  return has("plan") ? "read" : "edit";
}

/** The prompt that an input hands over, in the protocols that we know: Claude's, ACP's, Droid's. */
function promptIn(input: string): string[] {
  if (!input.startsWith("{")) return [];
  const { type, message, method, params } = JSON.parse(input) as RecordedInput;
  if (type === "user") return [textIn(message?.content)];
  if (method === "session/prompt") return [textIn(params?.prompt)];
  return method === "droid.add_user_message" ? [params?.text ?? ""] : [];
}

interface RecordedInput {
  type?: string;
  message?: { content?: unknown };
  method?: string;
  params?: { prompt?: unknown; text?: string };
}

function textIn(content: unknown): string {
  if (typeof content === "string") return content;
  return Array.isArray(content) ? content.map((block: { text?: string }) => block.text ?? "").join("\n") : "";
}

function linesOf(folder: string, name: string): string[] {
  return textOf(folder, name).split("\n").filter(Boolean);
}

function textOf(folder: string, name: string): string {
  const file = join(folder, name);
  return existsSync(file) ? readFileSync(file, "utf8") : "";
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
