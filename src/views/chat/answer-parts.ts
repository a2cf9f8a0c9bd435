import type { RunEvent } from "../../domain/event.ts";

/** More parts than this aren't shown in a conversation; the run's own page has them all. */
export const partsMax = 300;

/** Characters of one text block, and of one thought, that are kept to be shown. */
const blockCharsMax = 1_048_576;
const thoughtCharsMax = 32_768;
/** Of a tool's output a card shows no more; of its input, as JSON, only what is shorter. */
export const toolOutputCharsMax = 4_096;
const toolInputCharsMax = 131_072;

export type ToolPart = {
  part: number;
  kind: "tool";
  toolId: string;
  name: string;
  /** Undefined when it is too long for a card. */
  input: unknown;
  startedAt: string;
  denied: boolean;
  result: ToolResult | null;
};

export type AnswerPart =
  | { part: number; kind: "text"; block: number; text: string; discarded: boolean }
  | { part: number; kind: "thinking"; text: string }
  | { part: number; kind: "notice"; code: string; message: string }
  | ToolPart;

export interface ToolResult {
  isError: boolean;
  /** Its beginning. */
  output: string;
  outputChars: number;
  finishedAt: string;
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
export function foldPart(answer: AnswerParts, event: RunEvent): AnswerPart | null {
  answer.thinking = event.type === "thinking";
  switch (event.type) {
    case "text":
      return foldText(answer, event.block, event.text);
    case "text.discarded":
      return discardText(answer, event.block);
    case "thinking":
      return foldThought(answer, event.text);
    case "tool.started":
      return startTool(answer, event);
    case "tool.finished":
      return finishTool(answer, event);
    case "notice":
      return foldNotice(answer, event);
    default:
      return null;
  }
}

function add<P extends AnswerPart>(answer: AnswerParts, part: P): P | null {
  if (answer.parts.length >= partsMax) {
    answer.leftOut++;
    return null;
  }
  answer.parts.push(part);
  return part;
}

function nextPart({ parts }: AnswerParts): number {
  return parts.length;
}

function foldText(answer: AnswerParts, block: number, text: string): AnswerPart | null {
  answer.blockMax = Math.max(answer.blockMax, block);
  const known = answer.parts.findLast(
    (part) => part.kind === "text" && part.block === block && !part.discarded,
  );
  if (known?.kind !== "text") {
    return add(answer, { part: nextPart(answer), kind: "text", block, text, discarded: false });
  }
  known.text = (known.text + text).slice(0, blockCharsMax);
  return known;
}

function discardText(answer: AnswerParts, block: number): AnswerPart | null {
  const known = answer.parts.findLast((part) => part.kind === "text" && part.block === block);
  if (known?.kind !== "text") return null;
  known.discarded = true;
  return known;
}

function foldThought(answer: AnswerParts, text: string): AnswerPart | null {
  const last = answer.parts.at(-1);
  if (last?.kind !== "thinking") return add(answer, { part: nextPart(answer), kind: "thinking", text });
  last.text = (last.text + text).slice(0, thoughtCharsMax);
  return last;
}

function startTool(
  answer: AnswerParts,
  { toolId, name, input, at }: Extract<RunEvent, { type: "tool.started" }>,
): AnswerPart | null {
  answer.finalFromBlock = answer.blockMax + 1;
  return add(answer, {
    part: nextPart(answer),
    kind: "tool",
    toolId,
    name,
    input: (JSON.stringify(input)?.length ?? 0) > toolInputCharsMax ? undefined : input,
    startedAt: at,
    denied: false,
    result: null,
  });
}

function finishTool(
  answer: AnswerParts,
  { toolId, isError, output, at }: Extract<RunEvent, { type: "tool.finished" }>,
): AnswerPart | null {
  const tool = answer.parts.findLast((part) => part.kind === "tool" && part.toolId === toolId);
  if (tool?.kind !== "tool") return null;
  tool.result = {
    isError,
    output: output.slice(0, toolOutputCharsMax),
    outputChars: output.length,
    finishedAt: at,
  };
  return tool;
}

/** A denial names its tool; the call it is about is the newest of that name. */
function foldNotice(
  answer: AnswerParts,
  { code, message }: Extract<RunEvent, { type: "notice" }>,
): AnswerPart | null {
  if (code === "permission_denied") {
    const tool = answer.parts.findLast((part) => part.kind === "tool" && message.startsWith(`${part.name} `));
    if (tool?.kind === "tool") tool.denied = true;
  }
  return add(answer, { part: nextPart(answer), kind: "notice", code, message });
}

/** The first that is there tells most: what a search looks for says more than where. */
const tellingKeys = [
  "command",
  "file_path",
  "pattern",
  "query",
  "url",
  "path",
  "notebook_path",
  "description",
  "prompt",
];

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
  return tellingKeys
    .map((key) => values[key])
    .find((candidate): candidate is string => typeof candidate === "string");
}
