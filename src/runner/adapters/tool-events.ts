import type { RunEventBody } from "../../domain/event.ts";
import { utf8Bytes } from "../../domain/run.ts";
import { plainText } from "./plain-text.ts";

/** Longest input (as JSON) and output of a tool call that goes into the event log, in bytes of UTF-8. */
export const toolBytesMax = 65_536;
/** A deeper input is kept as nothing but a remark: those who walk it recursively shall not overflow. */
const inputDepthMax = 64;

const encoder = new TextEncoder();
const scratch = new Uint8Array(toolBytesMax);

/** The input as it came; where it is too long, the beginning of its JSON. */
export function toolStarted(toolId: string, name: string, input: unknown): RunEventBody {
  return { type: "tool.started", toolId, name: plainText(name), input: boundedInput(input) };
}

/** @param output a string, or blocks of which the text counts and others are named */
export function toolFinished(toolId: string, isError: boolean, output: unknown): RunEventBody {
  return { type: "tool.finished", toolId, isError, output: bounded(plainText(outputText(output))) };
}

function boundedInput(input: unknown): unknown {
  if (isDeeper(input, inputDepthMax)) return "… nested too deeply to be kept";
  const json = JSON.stringify(input) ?? "null";
  const kept = bounded(json);
  return kept === json ? (input ?? null) : kept;
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((part) => isDeeper(part, levels - 1));
}

function outputText(output: unknown): string {
  if (typeof output === "string") return output;
  return Array.isArray(output) ? output.map(blockText).join("\n") : "";
}

function blockText(block: unknown): string {
  if (typeof block !== "object" || block === null) return String(block);
  if ("text" in block && typeof block.text === "string") return block.text;
  return `[${"type" in block && typeof block.type === "string" ? block.type : "unknown"}]`;
}

/** The text, or as much as `toolBytesMax` holds without cutting a character, and how much is missing. */
function bounded(text: string): string {
  // A UTF-16 unit makes at most three bytes.
  if (text.length * 3 <= toolBytesMax) return text;
  const { read } = encoder.encodeInto(text, scratch);
  if (read === text.length) return text;
  return `${text.slice(0, read)}… ${utf8Bytes(text.slice(read))} bytes more`;
}
