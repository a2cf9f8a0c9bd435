/**
 * What the fake model answers, decided from the history that the CLI sent. Words in the last user text say how:
 *
 * - "use tool `CMD`", "background tool `CMD`": a call of the CLI's shell tool; "risk=LEVEL" is what the model says
 *   of it, to a CLI that asks. "write file `PATH`": of its tool that writes files; "call `NAME {…}`": of any
 *   tool, offered or not. Several come one after another; then "Tool said: …", of the last one
 * - "delay=MS": pause before each piece; "ttft=MS": pause before the first byte
 * - "hang": the first piece, and then nothing more; "midstream error": the first piece, and then an error
 * - "error NNN": that HTTP status; "quota": 429 for the rest of the day; "flaky N": 529 for the first N requests
 *   with this text
 * - "recall": all earlier user texts, which proves what history the CLI sent
 * - "think", "markdown", "long=CHARS", "empty"; anything else is answered "You said: …"
 */
import { z } from "zod";
import { type ToolCall, toolCallFor } from "./fake-model-tools.ts";

/** One text of the history that the CLI sent; reminders that the CLI adds on its own are left out. */
export interface Said {
  role: "user" | "assistant" | "tool";
  text: string;
}

/** "asked": the prompt wanted it; "key": the key was refused; "quota": the day's quota is used up. */
export type Refusal = "asked" | "key" | "quota";

/** A key that the fake model refuses; every other one is taken. */
export const refusedKey = "refused-key";

/** How one request is answered. */
export interface Answer {
  status: number;
  /** Why the status isn't 200. */
  refusal: Refusal;
  thinking: string;
  text: string;
  tool: ToolCall | null;
  firstByteDelayMs: number;
  pieceDelayMs: number;
  breakOff: "no" | "hang" | "error";
}

const propertySchema = z.looseObject({
  type: z.string().default(""),
  enum: z.array(z.unknown()).min(1).optional(),
  minimum: z.number().optional(),
});
const schemaSchema = z.looseObject({ properties: z.record(z.string(), propertySchema).default({}) });

const toolOutputCharsMax = 400;
const echoedCharsMax = 2_000;

const markdown = [
  "# Title",
  "Some **bold** and `inline` text.",
  "- one\n- two",
  "```ts\nconst x: number = 1;\nconsole.log(`x is ${x}`);\n```",
  "| a | b |\n|---|---|\n| 1 | 2 |",
  "Done.",
].join("\n\n");

const plainAnswer: Answer = {
  status: 200,
  refusal: "asked",
  thinking: "",
  text: "",
  tool: null,
  firstByteDelayMs: 0,
  pieceDelayMs: 0,
  breakOff: "no",
};

/** `failuresGiven` counts the failures of "flaky" by text; it is the only memory. */
export function planAnswer(
  history: readonly Said[],
  toolNames: readonly string[],
  failuresGiven: Map<string, number>,
): Answer {
  const lastAt = history.findLastIndex(({ role }) => role === "user");
  const last = newestIn(history[lastAt]?.text ?? "");
  const head = last.slice(0, echoedCharsMax);
  const answer: Answer = {
    ...plainAnswer,
    thinking: /\bthink\b/i.test(head) ? "Let me think about this." : "",
    firstByteDelayMs: numberAfter(head, "ttft"),
    pieceDelayMs: numberAfter(head, "delay"),
    breakOff: /\bhang\b/i.test(head) ? "hang" : /midstream error/i.test(head) ? "error" : "no",
  };
  const outputs = history.slice(lastAt + 1).filter(({ role }) => role === "tool");
  const tool = toolCallFor(head, toolNames, outputs.length);
  const output = outputs.at(-1)?.text.trim().slice(0, toolOutputCharsMax);
  if (output !== undefined && tool === null) return { ...answer, text: `Tool said: ${output}` };
  if (/\bquota\b/i.test(head)) return { ...answer, status: 429, refusal: "quota" };
  const status = plannedStatus(head, failuresGiven);
  if (status !== 200) return { ...answer, status };
  if (tool !== null) return { ...answer, tool, text: "I will use a tool." };
  return { ...answer, text: plannedText(last, history) };
}

/** The message to be answered: Headway tells a fresh session what was said so far, and the system prompt, before it. */
function newestIn(text: string): string {
  return text.slice(text.lastIndexOf(" message is:\n\n") + 1).replace(/^message is:\n\n/, "");
}

export const keyRefused: Answer = { ...plainAnswer, status: 401, refusal: "key" };

/** What a CLI asks its model beside the talk, about a schema of its own: the first value that each key allows. */
export function jsonAnswer(schema: unknown): Answer {
  const { properties } = schemaSchema.parse(schema);
  const values = Object.entries(properties).map(([key, property]) => [key, sampleOf(property)]);
  return { ...plainAnswer, text: JSON.stringify(Object.fromEntries(values)) };
}

function sampleOf({ type, enum: allowed, minimum }: z.infer<typeof propertySchema>): unknown {
  if (allowed) return allowed[0];
  if (/bool/i.test(type)) return false;
  return /num|int/i.test(type) ? (minimum ?? 1) : "fake";
}

function numberAfter(text: string, word: string): number {
  return Number(new RegExp(`\\b${word}=(\\d+)`, "i").exec(text)?.[1] ?? 0);
}

function plannedStatus(text: string, failuresGiven: Map<string, number>): number {
  const fixed = /\berror (\d{3})\b/i.exec(text);
  if (fixed !== null) return Number(fixed[1]);
  const flaky = /\bflaky (\d+)\b/i.exec(text);
  const given = failuresGiven.get(text) ?? 0;
  if (flaky === null || given >= Number(flaky[1])) return 200;
  failuresGiven.set(text, given + 1);
  return 529;
}

function plannedText(last: string, history: readonly Said[]): string {
  if (/\bempty\b/i.test(last)) return "";
  if (/\brecall\b/i.test(last)) return `Earlier you said: ${earlierTexts(history).join(" | ")}`;
  if (/\bmarkdown\b/i.test(last)) return markdown;
  const chars = numberAfter(last, "long");
  if (chars > 0) return "The quick brown fox jumps over the lazy dog.\n".repeat(Math.ceil(chars / 45));
  return last.length <= echoedCharsMax ? `You said: ${last}` : `You sent ${last.length} characters.`;
}

function earlierTexts(history: readonly Said[]): string[] {
  const texts = history.filter(({ role }) => role === "user").map(({ text }) => text);
  return texts.slice(0, -1);
}
