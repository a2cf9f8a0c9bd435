/**
 * What the fake model answers, decided from the history that the CLI sent. Words in the last user text say how:
 *
 * - "use tool `CMD`", "background tool `CMD`": one call of the Bash tool, then "Tool said: …"
 * - "write file `PATH`": one call of the Write tool, then "Tool said: …"; "call `NAME {…}`": of any tool
 * - "delay=MS": pause before each piece; "ttft=MS": pause before the first byte
 * - "hang": the first piece, and then nothing more; "midstream error": the first piece, and then an error
 * - "error NNN": that HTTP status; "flaky N": 529 for the first N requests with this text
 * - "recall": all earlier user texts, which proves what history the CLI sent
 * - "think", "markdown", "long=CHARS", "empty"; anything else is answered "You said: …"
 */
import { z } from "zod";

const blockSchema = z.looseObject({
  type: z.string(),
  text: z.string().optional(),
  content: z.unknown().optional(),
});
export const contentSchema = z.union([z.string(), z.array(blockSchema)]);
/** A request for an answer, as far as the fake looks at it. */
export const bodySchema = z.looseObject({
  model: z.string().default("fake-model"),
  stream: z.boolean().default(false),
  system: contentSchema.default(""),
  messages: z.array(z.looseObject({ role: z.string(), content: contentSchema })).default([]),
  tools: z.array(z.looseObject({ name: z.string() })).default([]),
});
export type Body = z.infer<typeof bodySchema>;

/** One text of the history that the CLI sent; reminders that the CLI adds on its own are left out. */
export interface Said {
  role: "user" | "assistant" | "tool";
  text: string;
}

interface ToolCall {
  name: string;
  input: Record<string, unknown>;
}

/** How one request is answered. */
export interface Answer {
  status: number;
  thinking: string;
  text: string;
  tool: ToolCall | null;
  firstByteDelayMs: number;
  pieceDelayMs: number;
  breakOff: "no" | "hang" | "error";
}

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

export function textOf(content: z.infer<typeof contentSchema>): string {
  if (typeof content === "string") return content;
  return content.map((block) => block.text ?? "").join("\n");
}

/**
 * Consecutive user texts come merged into one message of several blocks: each block is a text of its own.
 * Claude Code 2.1.330 sends its environment as messages of the role "system"; they are no part of the talk.
 */
export function historyOf(body: Body): Said[] {
  return body.messages.flatMap(({ role, content }) => {
    if (role !== "user" && role !== "assistant") return [];
    if (typeof content === "string") return spoken(role, content);
    return content.flatMap((block) => {
      if (block.type !== "tool_result") return spoken(role, block.text ?? "");
      return [{ role: "tool" as const, text: toolOutput(block.content) }];
    });
  });
}

function spoken(role: "user" | "assistant", text: string): Said[] {
  const own = withoutReminders(text);
  return own === "" ? [] : [{ role, text: own }];
}

function toolOutput(content: unknown): string {
  const parsed = contentSchema.safeParse(content);
  return parsed.success ? textOf(parsed.data) : JSON.stringify(content);
}

function withoutReminders(text: string): string {
  return text.replace(/<system-reminder>[\s\S]*?<\/system-reminder>/g, "").trim();
}

/** `failuresGiven` counts the failures of "flaky" by text; it is the only memory. */
export function planAnswer(history: readonly Said[], failuresGiven: Map<string, number>): Answer {
  const last = history.findLast(({ role }) => role === "user")?.text ?? "";
  const head = last.slice(0, echoedCharsMax);
  const answer: Answer = {
    status: 200,
    thinking: /\bthink\b/i.test(head) ? "Let me think about this." : "",
    text: "",
    tool: null,
    firstByteDelayMs: numberAfter(head, "ttft"),
    pieceDelayMs: numberAfter(head, "delay"),
    breakOff: /\bhang\b/i.test(head) ? "hang" : /midstream error/i.test(head) ? "error" : "no",
  };
  const tail = history.at(-1);
  if (tail?.role === "tool") {
    return { ...answer, text: `Tool said: ${tail.text.trim().slice(0, toolOutputCharsMax)}` };
  }
  const status = plannedStatus(head, failuresGiven);
  if (status !== 200) return { ...answer, status };
  const tool = plannedTool(head);
  if (tool !== null) return { ...answer, tool, text: "I will use a tool." };
  return { ...answer, text: plannedText(last, history) };
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

function plannedTool(text: string): ToolCall | null {
  const [, name, input] = /\bcall `(\w+) (\{[^`]*\})`/.exec(text) ?? [];
  if (name !== undefined && input !== undefined) return { name, input: JSON.parse(input) };
  const [, kind, argument] = /\b(use tool|background tool|write file) `([^`]+)`/i.exec(text) ?? [];
  if (kind === undefined || argument === undefined) return null;
  if (/write/i.test(kind)) {
    return { name: "Write", input: { file_path: argument, content: "written by the fake model\n" } };
  }
  const background = /background/i.test(kind) ? { run_in_background: true } : {};
  return { name: "Bash", input: { command: argument, description: "Run a command", ...background } };
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
