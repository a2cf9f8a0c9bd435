/** Google's Gemini API, as far as Gemini CLI asks for it: `/v1beta/models/MODEL:streamGenerateContent?alt=sse`. */
import { z } from "zod";
import type { Answer, Said } from "./fake-model-answers.ts";
import { type Asked, breakOff, type ModelShape, newId, paced, tokensIn } from "./fake-model-shape.ts";

const partSchema = z.looseObject({
  text: z.string().optional(),
  thought: z.boolean().optional(),
  functionResponse: z.looseObject({ response: z.unknown().optional() }).optional(),
});
const contentSchema = z.looseObject({
  role: z.string().default("user"),
  parts: z.array(partSchema).default([]),
});
const toolSchema = z.looseObject({
  functionDeclarations: z.array(z.looseObject({ name: z.string() })).default([]),
});
/** A request for an answer, as far as the fake looks at it. */
const bodySchema = z.looseObject({
  contents: z.array(contentSchema).default([]),
  systemInstruction: contentSchema.optional(),
  tools: z.array(toolSchema).default([]),
  generationConfig: z
    .looseObject({ responseJsonSchema: z.unknown(), responseSchema: z.unknown() })
    .partial()
    .default({}),
});
type Content = z.infer<typeof contentSchema>;

const errors: Record<number, [status: string, message: string]> = {
  400: ["INVALID_ARGUMENT", "Bad request (fake)"],
  401: ["UNAUTHENTICATED", "Request had invalid authentication credentials (fake)"],
  403: ["PERMISSION_DENIED", "Forbidden (fake)"],
  404: ["NOT_FOUND", "model not found (fake)"],
  429: ["RESOURCE_EXHAUSTED", "Rate limited (fake)"],
  500: ["INTERNAL", "Internal server error (fake)"],
  503: ["UNAVAILABLE", "The model is overloaded. Please try again later. (fake)"],
};

export const geminiShape: ModelShape = {
  read(request, path, rawBody) {
    const [, model, method] = /\/models\/([^/:]+):(generateContent|streamGenerateContent)$/.exec(path) ?? [];
    if (model === undefined) return null;
    const { contents, systemInstruction, tools, generationConfig } = bodySchema.parse(JSON.parse(rawBody));
    return {
      model,
      stream: method === "streamGenerateContent",
      systemPrompt: systemInstruction ? textOf(systemInstruction) : "",
      history: contents.flatMap(saidIn),
      toolNames: tools.flatMap((tool) => tool.functionDeclarations.map(({ name }) => name)),
      apiKey: request.headers.get("x-goog-api-key") ?? new URL(request.url).searchParams.get("key"),
      inputTokens: tokensIn(JSON.stringify(contents)),
      jsonSchema: generationConfig.responseJsonSchema ?? generationConfig.responseSchema ?? null,
    };
  },
  refuse(status, reason) {
    if (reason === "key") return errorResponse(400, badKey, [keyInvalid]);
    // 529 is Anthropic's own number.
    const code = status === 529 ? 503 : status;
    const detail = reason === "quota" ? dailyQuota : retryInfo;
    return errorResponse(
      code,
      errors[code] ?? ["UNKNOWN", `Error ${code} (fake)`],
      code === 429 ? [detail] : [],
    );
  },
  whole: (answer, asked) =>
    chunk(asked, [...partsBefore(answer), ...partsAfter(answer)], usageOf(answer, asked)),
  stream: encodeChunks,
};

/** As the real API refuses a key: with 400. */
const badKey: [string, string] = ["INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."];
const keyInvalid = rpcDetail("ErrorInfo", { reason: "API_KEY_INVALID", domain: "googleapis.com" });
const retryInfo = rpcDetail("RetryInfo", { retryDelay: "1s" });
const dailyQuota = rpcDetail("QuotaFailure", {
  violations: [{ quotaId: "GenerateRequestsPerDayPerProjectPerModel-FreeTier" }],
});

function rpcDetail(type: string, fields: Record<string, unknown>): Record<string, unknown> {
  return { "@type": `type.googleapis.com/google.rpc.${type}`, ...fields };
}

function errorResponse(code: number, [status, message]: [string, string], details: unknown[]): Response {
  return Response.json({ error: { code, message, status, details } }, { status: code });
}

/** The texts of one message are one text: what a file mentioned by "@" holds comes as parts of its own. */
function saidIn(content: Content): Said[] {
  const tools = content.parts.flatMap(({ functionResponse }) =>
    functionResponse ? [{ role: "tool" as const, text: toolOutput(functionResponse.response) }] : [],
  );
  const text = withoutContext(textOf(content));
  const role = content.role === "model" ? "assistant" : "user";
  return [...tools, ...(text === "" ? [] : [{ role, text } as const])];
}

function textOf({ parts }: Content): string {
  return parts.flatMap(({ text, thought }) => (text && !thought ? [text] : [])).join("\n");
}

/** What the CLI tells of its surroundings, before the first message. */
function withoutContext(text: string): string {
  return text.replace(/<session_context>[\s\S]*?<\/session_context>/g, "").trim();
}

const toolResponseSchema = z.looseObject({ output: z.string() }).or(z.looseObject({ error: z.string() }));

function toolOutput(response: unknown): string {
  const parsed = toolResponseSchema.safeParse(response);
  return parsed.success ? String(parsed.data["output"] ?? parsed.data["error"]) : JSON.stringify(response);
}

async function* encodeChunks(answer: Answer, asked: Asked, gone: AbortSignal): AsyncGenerator<string> {
  if (answer.thinking) yield encode(chunk(asked, thoughtsOf(answer)));
  const brokeOff = yield* paced(answer, gone, (text) => encode(chunk(asked, [{ text }])));
  if (!brokeOff) return yield encode(chunk(asked, partsAfter(answer), usageOf(answer, asked)));
  if (answer.breakOff === "error") await breakOff(gone);
}

function encode(value: unknown): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}

function partsBefore(answer: Answer): Record<string, unknown>[] {
  return [...thoughtsOf(answer), ...(answer.text ? [{ text: answer.text }] : [])];
}

function thoughtsOf({ thinking }: Answer): Record<string, unknown>[] {
  return thinking ? [{ text: `**Thinking** ${thinking}`, thought: true }] : [];
}

/** What ends an answer: the call of a tool, or an empty text. */
function partsAfter({ tool }: Answer): Record<string, unknown>[] {
  if (tool === null) return [{ text: "" }];
  return [{ functionCall: { id: newId("call"), name: tool.name, args: tool.input } }];
}

function usageOf(answer: Answer, asked: Asked): Record<string, unknown> {
  const promptTokenCount = asked.inputTokens;
  const candidatesTokenCount = tokensIn(answer.text);
  const totalTokenCount = promptTokenCount + candidatesTokenCount;
  return { usageMetadata: { promptTokenCount, candidatesTokenCount, totalTokenCount } };
}

/** With `ending` it is the last one. */
function chunk(asked: Asked, parts: unknown[], ending: Record<string, unknown> | null = null): unknown {
  const finish = ending ? { finishReason: "STOP" } : {};
  const candidate = { content: { role: "model", parts }, index: 0, ...finish };
  return { candidates: [candidate], modelVersion: asked.model, ...ending };
}
