/** Anthropic's Messages API, as far as Claude Code and Droid ask for it. */
import { z } from "zod";
import type { Answer, Said } from "./fake-model-answers.ts";
import { type Asked, type ModelShape, newId, paced, tokensIn } from "./fake-model-shape.ts";

const blockSchema = z.looseObject({
  type: z.string(),
  text: z.string().optional(),
  content: z.unknown().optional(),
});
const contentSchema = z.union([z.string(), z.array(blockSchema)]);
/** A request for an answer, as far as the fake looks at it. */
const bodySchema = z.looseObject({
  model: z.string().default("fake-model"),
  stream: z.boolean().default(false),
  system: contentSchema.default(""),
  messages: z.array(z.looseObject({ role: z.string(), content: contentSchema })).default([]),
  tools: z.array(z.looseObject({ name: z.string() })).default([]),
});
type Body = z.infer<typeof bodySchema>;
type Block = Record<string, unknown>;

const errors: Record<number, [type: string, message: string]> = {
  400: ["invalid_request_error", "Bad request (fake)"],
  401: ["authentication_error", "invalid x-api-key (fake)"],
  403: ["permission_error", "Forbidden (fake)"],
  404: ["not_found_error", "model not found (fake)"],
  429: ["rate_limit_error", "Rate limited (fake)"],
  500: ["api_error", "Internal server error (fake)"],
  529: ["overloaded_error", "Overloaded (fake)"],
};

export const anthropicShape: ModelShape = {
  read(request, path, rawBody) {
    if (!path.endsWith("/messages")) return null;
    const body = bodySchema.parse(JSON.parse(rawBody));
    return {
      model: body.model,
      stream: body.stream,
      systemPrompt: textOf(body.system),
      history: historyOf(body),
      toolNames: body.tools.map((tool) => tool.name),
      apiKey: request.headers.get("x-api-key"),
      inputTokens: tokensIn(JSON.stringify(body.messages)),
      jsonSchema: null,
    };
  },
  refuse(status, reason) {
    const actual = reason === "key" ? 401 : status;
    const [type, message] = errors[actual] ?? ["api_error", `Error ${actual} (fake)`];
    const headers: Record<string, string> = actual === 429 ? { "retry-after": "1" } : {};
    return Response.json({ type: "error", error: { type, message } }, { status: actual, headers });
  },
  whole: (answer, asked) => ({
    ...messageStart(asked),
    content: blocksOf(answer),
    stop_reason: stopReason(answer),
  }),
  stream: encodeEvents,
};

function textOf(content: z.infer<typeof contentSchema>): string {
  if (typeof content === "string") return content;
  return content.map((block) => block.text ?? "").join("\n");
}

/**
 * Consecutive user texts come merged into one message of several blocks: each block is a text of its own.
 * Claude Code 2.1.330 sends its environment as messages of the role "system"; they are no part of the talk.
 */
function historyOf(body: Body): Said[] {
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

function blocksOf(answer: Answer): Block[] {
  return [
    ...(answer.thinking ? [{ type: "thinking", thinking: answer.thinking, signature: "ZmFrZQ==" }] : []),
    ...(answer.text || !answer.tool ? [{ type: "text", text: answer.text }] : []),
    ...(answer.tool ? [{ type: "tool_use", id: newId("toolu"), ...answer.tool }] : []),
  ];
}

function messageStart(asked: Asked): Record<string, unknown> {
  const usage = { input_tokens: asked.inputTokens, output_tokens: 1 };
  const message = { type: "message", role: "assistant", model: asked.model, content: [], stop_reason: null };
  return { id: newId("msg"), ...message, usage };
}

function stopReason(answer: Answer): string {
  return answer.tool ? "tool_use" : "end_turn";
}

async function* encodeEvents(answer: Answer, asked: Asked, gone: AbortSignal): AsyncGenerator<string> {
  yield encode({ type: "message_start", message: messageStart(asked) });
  for (const [index, block] of blocksOf(answer).entries()) {
    yield encode({ type: "content_block_start", index, content_block: emptyBlock(block) });
    const encodeDelta = (delta: Block) => encode({ type: "content_block_delta", index, delta });
    if (block["type"] === "text") {
      const brokeOff = yield* paced(answer, gone, (text) => encodeDelta({ type: "text_delta", text }));
      if (brokeOff) return yield* sayBroken(answer);
    } else {
      for (const delta of deltasOf(block)) yield encodeDelta(delta);
    }
    yield encode({ type: "content_block_stop", index });
  }
  const delta = { stop_reason: stopReason(answer), stop_sequence: null };
  yield encode({ type: "message_delta", delta, usage: { output_tokens: tokensIn(answer.text) } });
  yield encode({ type: "message_stop" });
}

async function* sayBroken(answer: Answer): AsyncGenerator<string> {
  if (answer.breakOff === "error")
    yield encode({ type: "error", error: { type: "overloaded_error", message: "In mid-stream (fake)" } });
}

function encode(event: { type: string } & Block): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

function emptyBlock(block: Block): Block {
  if (block["type"] === "text") return { type: "text", text: "" };
  if (block["type"] === "thinking") return { type: "thinking", thinking: "", signature: "" };
  return { ...block, input: {} };
}

function deltasOf(block: Block): Block[] {
  if (block["type"] === "thinking") {
    return [
      { type: "thinking_delta", thinking: block["thinking"] },
      { type: "signature_delta", signature: block["signature"] },
    ];
  }
  const json = JSON.stringify(block["input"]);
  const half = Math.floor(json.length / 2);
  return [json.slice(0, half), json.slice(half)].map((part) => ({
    type: "input_json_delta",
    partial_json: part,
  }));
}
