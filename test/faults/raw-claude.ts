import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { StageAgent } from "../e2e/stage.ts";

/** The CLI that does whatever a test writes down; see the file itself. */
export const rawClaudePath = join(import.meta.dir, "..", "fixtures", "bin", "fake-claude-raw");

export interface RawStep {
  read?: true;
  /** In base64; see `say` and `sayBytes`. */
  bytes?: string;
  single?: true;
  stderr?: string;
  waitMs?: number;
  close?: 0 | 1 | 2;
  exit?: number;
  kill?: "SIGKILL" | "SIGSEGV";
}

/** The agent's next process does these steps; the ones after it are fake-claude again. */
export function scriptNext({ cwd }: StageAgent, steps: RawStep[]): void {
  writeFileSync(join(cwd, ".raw.json"), JSON.stringify(steps));
}

export function say(...lines: string[]): RawStep {
  return sayBytes(lines.map((line) => `${line}\n`).join(""));
}

export function sayBytes(bytes: string | Uint8Array): RawStep {
  return { bytes: Buffer.from(bytes).toString("base64") };
}

/** Lines as Claude Code prints them, with the session that it was given. */
export const initLine =
  '{"type":"system","subtype":"init","session_id":"SESSION","model":"claude-raw","claude_code_version":"2.1.330"}';

export function textLine(text: string): string {
  const message = { id: "msg_raw", content: [{ type: "text", text }] };
  return JSON.stringify({ type: "assistant", message, session_id: "SESSION", parent_tool_use_id: null });
}

export function resultLine(result: string): string {
  const usage = {
    input_tokens: 1,
    output_tokens: 1,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
  };
  return JSON.stringify({
    type: "result",
    subtype: "success",
    is_error: false,
    num_turns: 1,
    result,
    session_id: "SESSION",
    usage,
    total_cost_usd: 0,
    model_usage_since_last_result: {},
    result_index: 0,
  });
}
