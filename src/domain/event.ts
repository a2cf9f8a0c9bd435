import { z } from "zod";
import { type GrowingText, growingText } from "./growing-text.ts";
import { runErrorSchema, usageSchema } from "./run.ts";
import { terminalStates } from "./run-state.ts";

export const noticeCodes = [
  "unknown_event",
  "line_too_long",
  "parse_error",
  "invalid_utf8",
  "duplicate_result",
  "output_after_result",
  "events_truncated",
  "rate_limit",
  "api_retry",
  "permission_denied",
  "session_restarted",
  "session_lost",
  "session_mismatch",
  "cold_start",
  "cli_command",
  "cli_warning",
  "compacted",
  "empty_answer",
  "leftover_processes",
  "waiting_for_memory",
] as const;
export type NoticeCode = (typeof noticeCodes)[number];

/** What a run can say, without its place in the log. */
export const runEventBodySchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("run.queued") }),
  z.object({ type: z.literal("run.started") }),
  z.object({ type: z.literal("session"), cliSessionId: z.string(), model: z.string().nullable() }),
  z.object({ type: z.literal("text"), text: z.string(), block: z.int() }),
  z.object({ type: z.literal("text.discarded"), block: z.int() }),
  z.object({ type: z.literal("thinking"), text: z.string() }),
  z.object({ type: z.literal("tool.started"), toolId: z.string(), name: z.string(), input: z.unknown() }),
  z.object({
    type: z.literal("tool.finished"),
    toolId: z.string(),
    isError: z.boolean(),
    output: z.string(),
  }),
  usageSchema.extend({ type: z.literal("usage"), costUsd: z.number().nullable() }),
  z.object({ type: z.literal("notice"), code: z.enum(noticeCodes), message: z.string() }),
  z.object({
    type: z.literal("run.finished"),
    state: z.enum(terminalStates),
    error: runErrorSchema.nullable(),
  }),
]);
export type RunEventBody = z.infer<typeof runEventBodySchema>;

/** One line of a run's event log. `seq` is dense from 1. */
export type RunEvent = { seq: number; runId: string; at: string } & RunEventBody;

export const runEventSchema = z
  .object({ seq: z.int(), runId: z.string(), at: z.string() })
  .and(runEventBodySchema)
  .meta({ description: "One event of a run; seq is dense from 1 and run.finished comes last and once." });

/** Text blocks by number, in the order in which they began; `afterTool` tells where the final answer starts. */
export interface AnswerText {
  blocks: Map<number, GrowingText>;
  /** The first block that began after the last tool call. */
  finalFromBlock: number;
}

export function emptyAnswer(): AnswerText {
  return { blocks: new Map(), finalFromBlock: 0 };
}

/** Folds one event into the text so far; the log alone is enough to rebuild an answer. */
export function foldAnswer(answer: AnswerText, event: RunEventBody): void {
  if (event.type === "text") {
    blockOf(answer, event.block).add(event.text);
  } else if (event.type === "text.discarded") {
    answer.blocks.delete(event.block);
  } else if (event.type === "tool.started") {
    answer.finalFromBlock = Math.max(-1, ...answer.blocks.keys()) + 1;
  }
}

function blockOf({ blocks }: AnswerText, number: number): GrowingText {
  const known = blocks.get(number);
  if (known) return known;
  const begun = growingText();
  blocks.set(number, begun);
  return begun;
}

/** All text so far, blocks apart by an empty line: what a run that ended early keeps. */
export function allText(answer: AnswerText): string {
  return joined([...answer.blocks.values()]);
}

/** The text after the last tool call: what the CLIs themselves call the result. */
export function finalText(answer: AnswerText): string {
  const blocks = [...answer.blocks].filter(([block]) => block >= answer.finalFromBlock);
  return joined(blocks.map(([, text]) => text));
}

function joined(blocks: readonly GrowingText[]): string {
  const [first, ...more] = blocks.filter(({ length }) => length > 0).map((block) => block.whole());
  // Megabytes that nothing is added to needn't be copied.
  return more.length === 0 ? (first ?? "") : [first, ...more].join("\n\n");
}
