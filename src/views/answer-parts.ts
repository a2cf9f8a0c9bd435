import type { RunEventBody } from "../domain/event.ts";

/** More parts than this aren't shown in a conversation; the run's own page has them all. */
export const partsMax = 300;

/** Text of one block that is kept; a longer one isn't formatted anyway. */
const blockCharsMax = 200_000;

export type AnswerPart = { part: number } & (
  | { kind: "text"; block: number; text: string; discarded: boolean }
  | { kind: "tool"; toolId: string; name: string; input: unknown; result: ToolResult | null }
  | { kind: "notice"; code: string; message: string }
);

export interface ToolResult {
  isError: boolean;
  output: string;
}

/** What a run has said so far, in the order in which it began to say it. */
export interface AnswerParts {
  parts: AnswerPart[];
  /** Parts that came after the limit and were left out. */
  leftOut: number;
  /** The first block that began after the last tool call: where the final answer starts. */
  finalFromBlock: number;
  blockMax: number;
  thinking: boolean;
}

export function emptyParts(): AnswerParts {
  return { parts: [], leftOut: 0, finalFromBlock: 0, blockMax: -1, thinking: false };
}

/** Folds one event in and tells which part it made or changed, if any. */
export function foldPart(answer: AnswerParts, event: RunEventBody): AnswerPart | null {
  answer.thinking = event.type === "thinking";
  if (event.type === "text") return foldText(answer, event.block, event.text);
  if (event.type === "text.discarded") return discardText(answer, event.block);
  if (event.type === "tool.started") {
    answer.finalFromBlock = answer.blockMax + 1;
    return add(answer, (part) => ({ ...event, part, kind: "tool", result: null }));
  }
  if (event.type === "tool.finished") {
    return finishTool(answer, event.toolId, { isError: event.isError, output: event.output });
  }
  if (event.type !== "notice") return null;
  return add(answer, (part) => ({ part, kind: "notice", code: event.code, message: event.message }));
}

function add(answer: AnswerParts, make: (part: number) => AnswerPart): AnswerPart | null {
  if (answer.parts.length >= partsMax) {
    answer.leftOut++;
    return null;
  }
  const part = make(answer.parts.length);
  answer.parts.push(part);
  return part;
}

function foldText(answer: AnswerParts, block: number, text: string): AnswerPart | null {
  answer.blockMax = Math.max(answer.blockMax, block);
  const known = findBlock(answer, block);
  if (known === undefined) {
    return add(answer, (part) => ({ part, kind: "text", block, text, discarded: false }));
  }
  known.text = (known.text + text).slice(0, blockCharsMax);
  return known;
}

function discardText(answer: AnswerParts, block: number): AnswerPart | null {
  const known = findBlock(answer, block);
  if (known === undefined) return null;
  known.discarded = true;
  return known;
}

function findBlock(answer: AnswerParts, block: number) {
  return answer.parts.findLast(
    (part): part is Extract<AnswerPart, { kind: "text" }> =>
      part.kind === "text" && part.block === block && !part.discarded,
  );
}

function finishTool(answer: AnswerParts, toolId: string, result: ToolResult): AnswerPart | null {
  const tool = answer.parts.findLast((part) => part.kind === "tool" && part.toolId === toolId);
  if (tool?.kind !== "tool") return null;
  tool.result = result;
  return tool;
}

const tellingKeys = ["command", "file_path", "path", "pattern", "query", "url", "description", "prompt"];

/** What a tool was asked to do, on one line. */
export function inputSummary(input: unknown, charsMax: number): string {
  const text = tellingText(input) ?? JSON.stringify(input) ?? "";
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= charsMax ? line : `${line.slice(0, charsMax - 1)}…`;
}

function tellingText(input: unknown): string | undefined {
  if (typeof input === "string") return input;
  if (typeof input !== "object" || input === null) return undefined;
  const values = input as Record<string, unknown>;
  const value = tellingKeys
    .map((key) => values[key])
    .find((candidate): candidate is string => typeof candidate === "string");
  return value;
}
