/**
 * A model API on loopback that answers as Anthropic's Messages API, Google's Gemini API and OpenAI's chat
 * completions do, so that a real CLI can be driven without a network and with a made-up key. What it answers
 * stands in fake-model-answers.ts.
 *
 * Run as a program (`bun test/helpers/fake-model-api.ts [PORT]`) it prints its URL and serves until it is ended.
 */
import { anthropicShape } from "./fake-model-anthropic.ts";
import {
  type Answer,
  jsonAnswer,
  keyRefused,
  planAnswer,
  refusedKey,
  type Said,
} from "./fake-model-answers.ts";
import { geminiShape } from "./fake-model-gemini.ts";
import { openAiShape } from "./fake-model-openai.ts";
import { type Asked, type ModelShape, pause, tokensIn } from "./fake-model-shape.ts";

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

const shapes: readonly ModelShape[] = [anthropicShape, geminiShape, openAiShape];

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
      if (path.endsWith("/count_tokens")) return Response.json({ input_tokens: tokensIn(rawBody) });
      if (path.endsWith(":countTokens")) return Response.json({ totalTokens: tokensIn(rawBody) });
      const [shape, asked] = recognise(request, path, rawBody);
      if (asked === null) return shape.refuse(404, "asked");
      const answer = answerTo(asked, failuresGiven);
      requests.push(log({ request, path, asked, rawBody, status: answer.status }));
      if (requests.length > loggedRequestsMax) requests.shift();
      return respond(shape, answer, asked, request.signal);
    },
  });
  const stop = () => server.stop(true);
  return { url: `http://127.0.0.1:${server.port}`, requests, stop, [Symbol.asyncDispose]: stop };
}

function recognise(request: Request, path: string, rawBody: string): [ModelShape, Asked | null] {
  for (const shape of shapes) {
    const asked = shape.read(request, path, rawBody);
    if (asked !== null) return [shape, asked];
  }
  return [anthropicShape, null];
}

function answerTo(asked: Asked, failuresGiven: Map<string, number>): Answer {
  if (asked.apiKey === refusedKey) return keyRefused;
  if (asked.jsonSchema !== null) return jsonAnswer(asked.jsonSchema);
  return planAnswer(asked.history, asked.toolNames, failuresGiven);
}

function log(from: {
  request: Request;
  path: string;
  asked: Asked;
  rawBody: string;
  status: number;
}): LoggedRequest {
  const { model, systemPrompt, history, toolNames, apiKey } = from.asked;
  const logged: LoggedRequest = {
    path: from.path,
    model,
    systemPrompt,
    history,
    toolNames,
    apiKey,
    rawBody: from.rawBody,
    status: from.status,
    aborted: false,
  };
  from.request.signal.addEventListener("abort", () => (logged.aborted = true));
  return logged;
}

async function respond(
  shape: ModelShape,
  answer: Answer,
  asked: Asked,
  gone: AbortSignal,
): Promise<Response> {
  await pause(answer.firstByteDelayMs, gone);
  if (answer.status !== 200) return shape.refuse(answer.status, answer.refusal);
  if (!asked.stream) return Response.json(shape.whole(answer, asked));
  return new Response(streamOf(shape.stream(answer, asked, gone)), {
    headers: { "content-type": "text/event-stream", "cache-control": "no-cache" },
  });
}

/** Where the generator throws, the connection breaks off, and Bun prints the error, whatever is done about it. */
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

if (import.meta.main) {
  console.log(startFakeModelApi({ port: Number(process.argv[2] ?? 0) }).url);
}
