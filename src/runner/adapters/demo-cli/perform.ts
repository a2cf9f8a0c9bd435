import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import type { Part } from "./answers.ts";
import type { Voice } from "./voice.ts";

/** Longest output of the demo's tool that is shown. */
const outputCharsMax = 16_384;

/** How a turn went: what the result has to say. */
export interface Performed {
  text: string;
  words: number;
  errorMessage: string | null;
}

/** Does the parts one after the other; rejects with an AbortError as soon as `signal` fires. */
export async function perform(parts: readonly Part[], voice: Voice, signal: AbortSignal): Promise<Performed> {
  const performed: Performed = { text: "", words: 0, errorMessage: null };
  let tools = 0;
  for (const part of parts) {
    signal.throwIfAborted();
    if (part.kind === "error") performed.errorMessage = part.message;
    else if (part.kind === "edit") tellEdit(`demo_tool_${++tools}`, part, voice);
    else if (part.kind === "tool") await runTool(`demo_tool_${++tools}`, part.command, voice, signal);
    else performed.words += await stream(part, voice, signal);
    if (part.kind === "text") performed.text = part.text;
  }
  return performed;
}

async function stream(
  part: Extract<Part, { text: string }>,
  voice: Voice,
  signal: AbortSignal,
): Promise<number> {
  const pieces = part.text.match(/\s*\S+/g) ?? [];
  voice.beginMessage();
  for (const piece of pieces) {
    await sleep(part.kind === "text" ? part.pieceMs : 15, undefined, { signal });
    voice.delta(part.kind, piece);
  }
  voice.endBlock(part.kind, part.text);
  return pieces.length;
}

function tellEdit(toolId: string, edit: Extract<Part, { kind: "edit" }>, voice: Voice): void {
  const { path, before, after } = edit;
  voice.toolUse(toolId, "Edit", { file_path: path, old_string: before, new_string: after });
  voice.toolResult(toolId, `The file ${path} would have been updated.`, false);
}

/** In a session of its own, as Claude's Bash tool does it, and ended with the turn. */
async function runTool(toolId: string, command: string, voice: Voice, signal: AbortSignal): Promise<void> {
  voice.toolUse(toolId, "Bash", { command, description: "Demo" });
  const child = spawn("/bin/sh", ["-c", command], { detached: true, stdio: ["ignore", "pipe", "pipe"] });
  const kill = () => killGroup(child.pid);
  signal.addEventListener("abort", kill);
  let output = "";
  const add = (chunk: Buffer) => (output = (output + chunk.toString()).slice(0, outputCharsMax));
  child.stdout.on("data", add);
  child.stderr.on("data", add);
  const exitCode = await new Promise<number | null>((resolve) => {
    child.on("close", resolve);
    child.on("error", (error) => {
      output = error.message;
      resolve(1);
    });
  });
  signal.removeEventListener("abort", kill);
  voice.toolResult(toolId, signal.aborted ? "The command was stopped." : output.trimEnd(), exitCode !== 0);
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    // It ended by itself in the same moment.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
