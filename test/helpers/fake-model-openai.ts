/** OpenAI's chat completions, as far as opencode asks for them: `/v1/chat/completions`. */
import { z } from "zod";
import type { Answer, Said } from "./fake-model-answers.ts";
import { type Asked, breakOff, type ModelShape, newId, paced, tokensIn } from "./fake-model-shape.ts";

const contentSchema = z
  .union([z.string(), z.array(z.looseObject({ text: z.string().optional() }))])
  .nullish();
/** A request for an answer, as far as the fake looks at it. */
const bodySchema = z.looseObject({
  model: z.string().default("fake-model"),
  stream: z.boolean().default(false),
  messages: z.array(z.looseObject({ role: z.string(), content: contentSchema })).default([]),
  tools: z.array(z.looseObject({ function: z.looseObject({ name: z.string() }) })).default([]),
});

const errors: Record<number, [type: string, message: string]> = {
  400: ["invalid_request_error", "Bad request (fake)"],
  401: ["invalid_api_key", "Incorrect API key provided (fake)"],
  403: ["permission_error", "Forbidden (fake)"],
  404: ["model_not_found", "model not found (fake)"],
  429: ["rate_limit_exceeded", "Rate limited (fake)"],
  500: ["server_error", "Internal server error (fake)"],
  503: ["server_error", "Service unavailable (fake)"],
};

export const openAiShape: ModelShape = {
  read(request, path, rawBody) {
    if (!path.endsWith("/chat/completions")) return null;
    const { model, stream, messages, tools } = bodySchema.parse(JSON.parse(rawBody));
    const isSystem = ({ role }: { role: string }) => role === "system" || role === "developer";
    const said = messages.filter((message) => !isSystem(message));
    return {
      model,
      stream,
      systemPrompt: messages
        .filter(isSystem)
        .map(({ content }) => textOf(content))
        .join("\n"),
      history: said.flatMap(({ role, content }) => spoken(role, textOf(content))),
      toolNames: tools.map((tool) => tool.function.name),
      apiKey: request.headers.get("authorization")?.replace(/^Bearer /, "") ?? null,
      inputTokens: tokensIn(JSON.stringify(messages)),
      jsonSchema: null,
    };
  },
  refuse(status, reason) {
    // 529 is Anthropic's own number.
    const code = reason === "key" ? 401 : status === 529 ? 503 : status;
    const [type, message] =
      reason === "quota" ? usedUp : (errors[code] ?? ["api_error", `Error ${code} (fake)`]);
    const headers: Record<string, string> = code === 429 ? { "retry-after": "1" } : {};
    return Response.json({ error: { message, type, code: type, param: null } }, { status: code, headers });
  },
  whole: (answer, asked) => ({
    ...headOf(asked, "chat.completion"),
    choices: [{ index: 0, message: wholeMessage(answer), finish_reason: finishReason(answer) }],
    usage: usageOf(answer, asked),
  }),
  stream: encodeChunks,
};

const usedUp: [string, string] = ["insufficient_quota", "You exceeded your current quota (fake)"];

function textOf(content: z.infer<typeof contentSchema>): string {
  if (typeof content === "string") return content;
  return (content ?? []).map(({ text }) => text ?? "").join("\n");
}

function spoken(role: string, text: string): Said[] {
  if (role === "tool") return [{ role, text }];
  const own = text.replace(/<system-reminder>[\s\S]*?<\/system-reminder>/g, "").trim();
  return own === "" ? [] : [{ role: role === "assistant" ? role : "user", text: own }];
}

function headOf(asked: Asked, object: string): Record<string, unknown> {
  return { id: newId("chatcmpl"), object, created: 1_800_000_000, model: asked.model };
}

function wholeMessage(answer: Answer): Record<string, unknown> {
  const calls = answer.tool ? { tool_calls: [toolCall(answer.tool)] } : {};
  return { role: "assistant", content: answer.text, ...calls };
}

function toolCall({ name, input }: NonNullable<Answer["tool"]>): Record<string, unknown> {
  return { id: newId("call"), type: "function", function: { name, arguments: JSON.stringify(input) } };
}

function finishReason(answer: Answer): string {
  return answer.tool ? "tool_calls" : "stop";
}

function usageOf(answer: Answer, asked: Asked): Record<string, unknown> {
  const completionTokens = tokensIn(answer.text);
  return {
    prompt_tokens: asked.inputTokens,
    completion_tokens: completionTokens,
    total_tokens: asked.inputTokens + completionTokens,
  };
}

async function* encodeChunks(answer: Answer, asked: Asked, gone: AbortSignal): AsyncGenerator<string> {
  const head = headOf(asked, "chat.completion.chunk");
  const chunk = (delta: Record<string, unknown>, finish: string | null = null) =>
    encode({ ...head, choices: [{ index: 0, delta, finish_reason: finish }] });
  yield chunk({ role: "assistant", content: "" });
  if (answer.thinking) yield chunk({ reasoning_content: answer.thinking });
  const brokeOff = yield* paced(answer, gone, (content) => chunk({ content }));
  if (brokeOff && answer.breakOff === "error") await breakOff(gone);
  if (brokeOff) return;
  if (answer.tool) yield chunk({ tool_calls: [{ index: 0, ...toolCall(answer.tool) }] });
  yield chunk({}, finishReason(answer));
  yield encode({ ...head, choices: [], usage: usageOf(answer, asked) });
  yield "data: [DONE]\n\n";
}

function encode(value: unknown): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}
