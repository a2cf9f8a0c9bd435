import { homedir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { answerTo } from "./answers.ts";
import { openMemory } from "./memory.ts";
import { perform, type Performed } from "./perform.ts";
import { createVoice, demoVersion, type Voice } from "./voice.ts";

/*
 * The demo agent: an executable that speaks Claude's stream-json dialect without any model behind it. It
 * shares no code with the decoder, so that it can't share its errors.
 */

interface Input {
  type?: string;
  request_id?: string;
  request?: { subtype?: string; appendSystemPrompt?: string };
  message?: { content?: string | { text?: string }[] };
}

const { values: options } = parseArgs({
  strict: false,
  options: {
    version: { type: "boolean" },
    resume: { type: "string" },
    "session-id": { type: "string" },
    "permission-mode": { type: "string" },
  },
});
if (options.version) {
  process.stdout.write(`${demoVersion} (Headway demo)\n`);
  process.exit(0);
}

const memory = openMemory(join(homedir(), ".cache", "headway", "demo-sessions"));
const sessionId = String(options.resume ?? options["session-id"] ?? crypto.randomUUID());
const voice = createVoice({
  sessionId,
  cwd: process.cwd(),
  permissionMode: String(options["permission-mode"] ?? "default"),
  write: (line) => process.stdout.write(line),
});

const queue: string[] = [];
let running: AbortController | null = null;
let systemPrompt: string | null = null;
let inputEnded = false;

process.on("SIGINT", () => {
  inputEnded = true;
  queue.length = 0;
  if (running) running.abort();
  else process.exit(0);
});
process.on("SIGTERM", () => {
  running?.abort();
  process.exit(143);
});
if (options.resume && !memory.has(sessionId)) refuseResume();
else await readInput();

/** As Claude does it (recording resume_unknown). */
function refuseResume(): void {
  const message = `No conversation found with session ID: ${sessionId}`;
  process.stderr.write(`${message}\n`);
  voice.result({ result: message, isError: true, aborted: false, usage: usageOf("", 0) });
  exitWhenWritten(1);
}

/** Not node:readline, which takes U+2028 for the end of a line. */
async function readInput(): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of Bun.stdin.stream()) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line !== "") receive(line);
  }
  inputEnded = true;
  if (!running) exitWhenWritten(0);
}

function exitWhenWritten(exitCode: number): void {
  process.stdout.write("", () => process.exit(exitCode));
}

function receive(line: string): void {
  const input = JSON.parse(line) as Input;
  if (input.type === "control_request") return control(input);
  if (input.type !== "user") return;
  queue.push(textOf(input.message?.content ?? ""));
  if (!running) void work();
}

function control({ request_id: requestId = "", request }: Input): void {
  if (request?.subtype === "initialize") systemPrompt = request.appendSystemPrompt ?? null;
  const known = request?.subtype === "initialize" || request?.subtype === "interrupt";
  voice.controlReply(requestId, known ? null : `Unsupported control request subtype: ${request?.subtype}`);
  if (request?.subtype === "interrupt") running?.abort();
}

function textOf(content: string | { text?: string }[]): string {
  return typeof content === "string" ? content : content.map((block) => block.text ?? "").join("\n");
}

async function work(): Promise<void> {
  for (let prompt = queue.shift(); prompt !== undefined; prompt = queue.shift()) await carry(prompt);
  if (inputEnded) exitWhenWritten(0);
}

async function carry(prompt: string): Promise<void> {
  running = new AbortController();
  voice.init();
  const parts = answerTo({ prompt, earlier: memory.recall(sessionId), systemPrompt });
  memory.remember(sessionId, prompt);
  try {
    sayResult(voice, prompt, await perform(parts, voice, running.signal));
  } catch (error) {
    if (!(error instanceof Error && error.name === "AbortError")) throw error;
    voice.interrupted();
    voice.result({ result: "", isError: true, aborted: true, usage: usageOf(prompt, 0) });
  }
  running = null;
}

function sayResult(to: Voice, prompt: string, { text, words, errorMessage }: Performed): void {
  const usage = usageOf(prompt, words);
  to.result({ result: errorMessage ?? text, isError: errorMessage !== null, aborted: false, usage });
}

/** There is no model, so a word counts as a token. */
function usageOf(prompt: string, words: number) {
  return { input_tokens: prompt.split(/\s+/).filter(Boolean).length, output_tokens: words };
}
