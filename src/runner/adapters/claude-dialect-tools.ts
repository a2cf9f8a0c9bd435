import { utf8Bytes } from "../../domain/run.ts";
import type { ContentBlock } from "./claude-dialect-lines.ts";
import { plainText } from "./plain-text.ts";

/** Longest input (as JSON) and output of a tool call that goes into the event log, in bytes of UTF-8. */
export const toolBytesMax = 65_536;
/** A deeper input is kept as nothing but a remark: those who walk it recursively shall not overflow. */
export const toolInputDepthMax = 64;

const encoder = new TextEncoder();
const scratch = new Uint8Array(toolBytesMax);

/** The text, or as much as `toolBytesMax` holds without cutting a character, and how much is missing. */
export function bounded(text: string): string {
  // A UTF-16 unit makes at most three bytes.
  if (text.length * 3 <= toolBytesMax) return text;
  const { read } = encoder.encodeInto(text, scratch);
  if (read === text.length) return text;
  return `${text.slice(0, read)}… ${utf8Bytes(text.slice(read))} bytes more`;
}

/** The input as it came; where it is too long, the beginning of its JSON. */
export function boundedInput(input: unknown): unknown {
  if (isDeeper(input, toolInputDepthMax)) return "… nested too deeply to be kept";
  const json = JSON.stringify(input) ?? "null";
  const kept = bounded(json);
  return kept === json ? (input ?? null) : kept;
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((part) => isDeeper(part, levels - 1));
}

/** A tool's result as text: a string, or blocks of which the text counts and others are named. */
export function toolOutput(content: unknown): string {
  if (typeof content === "string") return bounded(plainText(content));
  if (!Array.isArray(content)) return "";
  return bounded(plainText(content.map(blockText).join("\n")));
}

function blockText(block: unknown): string {
  if (typeof block !== "object" || block === null) return String(block);
  if ("text" in block && typeof block.text === "string") return block.text;
  return `[${"type" in block && typeof block.type === "string" ? block.type : "unknown"}]`;
}

/** tool_use, and what the API or an MCP connector runs by itself: server_tool_use, mcp_tool_use. */
export function isToolUse(block: ContentBlock): boolean {
  return block.type.endsWith("tool_use") && block.id !== undefined;
}

export function isToolResult(block: ContentBlock): boolean {
  return block.type.endsWith("tool_result") && block.tool_use_id !== undefined;
}
