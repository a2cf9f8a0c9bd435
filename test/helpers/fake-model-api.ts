/**
 * A model API on loopback that answers as Anthropic's Messages API does, so that a real CLI can be driven
 * without a network and with a made-up key. What it answers stands in fake-model-answers.ts.
 *
 * Run as a program (`bun test/helpers/fake-model-api.ts [PORT]`) it prints its URL and serves until it is ended.
 */
import {
  type Answer,
  bodySchema,
  type Body,
  historyOf,
  planAnswer,
  type Said,
  textOf,
} from "./fake-model-answers.ts";

/** One request as it came in; the newest `loggedRequestsMax` are kept. */
export interface LoggedRequest {
  path: string;
  model: string;
  systemPrompt: string;
  history: readonly Said[];
  toolNames: readonly string[];
  apiKey: string | null;
  /** The body as it came. */
  rawBody: string;
  status: number;
  /** True once the client has gone away before the answer's end. */
  aborted: boolean;
}

export interface FakeModelApi extends AsyncDisposable {
  url: string;
  /** Every request for an answer, oldest first. */
  requests: readonly LoggedRequest[];
  stop(): Promise<void>;
}

const loggedRequestsMax = 200;
/** Longer answers come in pieces of 200 characters, not of one word. */
const wordwiseCharsMax = 4_000;

const errors: Record<number, [type: string, message: string]> = {
  400: ["invalid_request_error", "Bad request (fake)"],
  401: ["authentication_error", "invalid x-api-key (fake)"],
  403: ["permission_error", "Forbidden (fake)"],
  404: ["not_found_error", "model not found (fake)"],
  429: ["rate_limit_error", "Rate limited (fake)"],
  500: ["api_error", "Internal server error (fake)"],
  529: ["overloaded_error", "Overloaded (fake)"],
};

/** Starts the API on a free port of 127.0.0.1, or on the one given. */
export function startFakeModelApi(options: { port?: number } = {}): FakeModelApi {
  const requests: LoggedRequest[] = [];
  const failuresGiven = new Map<string, number>();
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: options.port ?? 0,
    maxRequestBodySize: 64 * 1024 * 1024,
    async fetch(request, running) {
      running.timeout(request, 0);
      const path = new URL(request.url).pathname;
      if (request.method !== "POST") return Response.json({ fake: true });
      const rawBody = await request.text();
      if (path.endsWith("/count_tokens")) return Response.json({ input_tokens: tokens(rawBody) });
      if (!path.endsWith("/messages")) return errorResponse(404);
      const body = bodySchema.parse(JSON.parse(rawBody));
      const answer = planAnswer(historyOf(body), failuresGiven);
      const logged = log({ request, path, body, rawBody, status: answer.status });
      requests.push(logged);
      if (requests.length > loggedRequestsMax) requests.shift();
      return respond(answer, body, request.signal);
    },
  });
  const stop = () => server.stop(true);
  return { url: `http://127.0.0.1:${server.port}`, requests, stop, [Symbol.asyncDispose]: stop };
}

function log(from: {
  request: Request;
  path: string;
  body: Body;
  rawBody: string;
  status: number;
}): LoggedRequest {
  const logged: LoggedRequest = {
    path: from.path,
    model: from.body.model,
    systemPrompt: textOf(from.body.system),
    history: historyOf(from.body),
    toolNames: from.body.tools.map((tool) => tool.name),
    apiKey: from.request.headers.get("x-api-key"),
    rawBody: from.rawBody,
    status: from.status,
    aborted: false,
  };
  from.request.signal.addEventListener("abort", () => (logged.aborted = true));
  return logged;
}

function tokens(text: string): number {
  return Math.max(1, Math.ceil(text.length / 4));
}

async function respond(answer: Answer, body: Body, gone: AbortSignal): Promise<Response> {
  await pause(answer.firstByteDelayMs, gone);
  if (answer.status !== 200) return errorResponse(answer.status);
  if (!body.stream) return Response.json(wholeMessage(answer, body));
  return new Response(streamOf(encodeEvents(answer, body, gone)), {
    headers: { "content-type": "text/event-stream", "cache-control": "no-cache" },
  });
}

function streamOf(texts: AsyncGenerator<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    async pull(controller) {
      const next = await texts.next();
      if (next.done) controller.close();
      else controller.enqueue(encoder.encode(next.value));
    },
    async cancel() {
      await texts.return(undefined);
    },
  });
}

function errorResponse(status: number): Response {
  const [type, message] = errors[status] ?? ["api_error", `Error ${status} (fake)`];
  const headers: Record<string, string> = status === 429 ? { "retry-after": "1" } : {};
  return Response.json({ type: "error", error: { type, message } }, { status, headers });
}

function blocksOf(answer: Answer): Record<string, unknown>[] {
  const id = `toolu_${crypto.randomUUID().replaceAll("-", "").slice(0, 24)}`;
  return [
    ...(answer.thinking ? [{ type: "thinking", thinking: answer.thinking, signature: "ZmFrZQ==" }] : []),
    ...(answer.text || !answer.tool ? [{ type: "text", text: answer.text }] : []),
    ...(answer.tool ? [{ type: "tool_use", id, ...answer.tool }] : []),
  ];
}

function messageStart(body: Body): Record<string, unknown> {
  const usage = { input_tokens: tokens(JSON.stringify(body.messages)), output_tokens: 1 };
  const id = `msg_${crypto.randomUUID().replaceAll("-", "").slice(0, 24)}`;
  return { id, type: "message", role: "assistant", model: body.model, content: [], stop_reason: null, usage };
}

function wholeMessage(answer: Answer, body: Body): Record<string, unknown> {
  return { ...messageStart(body), content: blocksOf(answer), stop_reason: stopReason(answer) };
}

function stopReason(answer: Answer): string {
  return answer.tool ? "tool_use" : "end_turn";
}

async function* encodeEvents(answer: Answer, body: Body, gone: AbortSignal): AsyncGenerator<string> {
  yield encode({ type: "message_start", message: messageStart(body) });
  for (const [index, block] of blocksOf(answer).entries()) {
    yield encode({ type: "content_block_start", index, content_block: emptyBlock(block) });
    for (const delta of deltasOf(block)) {
      await pause(answer.pieceDelayMs, gone);
      yield encode({ type: "content_block_delta", index, delta });
      if (block["type"] !== "text" || answer.breakOff === "no") continue;
      if (answer.breakOff === "hang") await untilGone(gone);
      else
        yield encode({ type: "error", error: { type: "overloaded_error", message: "In mid-stream (fake)" } });
      return;
    }
    yield encode({ type: "content_block_stop", index });
  }
  const usage = { output_tokens: tokens(answer.text) };
  yield encode({
    type: "message_delta",
    delta: { stop_reason: stopReason(answer), stop_sequence: null },
    usage,
  });
  yield encode({ type: "message_stop" });
}

function encode(event: { type: string } & Record<string, unknown>): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

function emptyBlock(block: Record<string, unknown>): Record<string, unknown> {
  if (block["type"] === "text") return { type: "text", text: "" };
  if (block["type"] === "thinking") return { type: "thinking", thinking: "", signature: "" };
  return { ...block, input: {} };
}

function deltasOf(block: Record<string, unknown>): Record<string, unknown>[] {
  if (block["type"] === "thinking") {
    return [
      { type: "thinking_delta", thinking: block["thinking"] },
      { type: "signature_delta", signature: block["signature"] },
    ];
  }
  if (block["type"] === "text") {
    const whole = String(block["text"]);
    const pieces = whole.length > wordwiseCharsMax ? /[\s\S]{1,200}/g : /\s*\S+(?:\s+$)?/g;
    return (whole.match(pieces) ?? []).map((text) => ({ type: "text_delta", text }));
  }
  const json = JSON.stringify(block["input"]);
  const half = Math.floor(json.length / 2);
  return [json.slice(0, half), json.slice(half)].map((part) => ({
    type: "input_json_delta",
    partial_json: part,
  }));
}

/** Ends early when the client goes away. */
async function pause(durationMs: number, gone: AbortSignal): Promise<void> {
  if (durationMs === 0 || gone.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, durationMs);
  gone.addEventListener("abort", () => resolve());
  await promise;
  clearTimeout(timer);
}

async function untilGone(gone: AbortSignal): Promise<void> {
  if (gone.aborted) return;
  await new Promise((resolve) => gone.addEventListener("abort", resolve));
}

if (import.meta.main) {
  console.log(startFakeModelApi({ port: Number(process.argv[2] ?? 0) }).url);
}
