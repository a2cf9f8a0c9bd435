import { expect } from "bun:test";

export interface JsonAnswer<T> {
  status: number;
  headers: Headers;
  body: T;
}

export type Fetch = (path: string, init?: RequestInit) => Promise<Response>;

/** Sends a JSON body (or none) and parses the JSON answer. */
export async function requestJson<T>(
  fetch: Fetch,
  method: string,
  path: string,
  options: { body?: unknown; headers?: Record<string, string> } = {},
): Promise<JsonAnswer<T>> {
  const hasBody = options.body !== undefined;
  const response = await fetch(path, {
    method,
    headers: { ...(hasBody ? { "content-type": "application/json" } : {}), ...options.headers },
    ...(hasBody ? { body: JSON.stringify(options.body) } : {}),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: (text === "" ? null : parse(text)) as T,
  };
}

/** As `requestJson`, for when only one status is right; the failure shows the whole answer. */
export async function expectJson<T>(
  fetch: Fetch,
  status: number,
  method: string,
  path: string,
  options: { body?: unknown; headers?: Record<string, string> } = {},
): Promise<T> {
  const answer = await requestJson<T>(fetch, method, path, options);
  if (answer.status !== status) expect(answer).toMatchObject({ status });
  return answer.body;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) throw new Error(`Not JSON: ${text.slice(0, 500)}`);
    throw error;
  }
}

export interface ServerSentEvent {
  id: string;
  event: string;
  data: string;
}

export interface EventStream extends AsyncIterable<ServerSentEvent>, AsyncDisposable {
  status: number;
  headers: Headers;
  /** The id of the newest event that was read; "" before the first. */
  readonly lastEventId: string;
  /** Comment lines seen so far, pings say. */
  readonly comments: number;
  close(): Promise<void>;
}

/** Opens a stream of server-sent events. Iterating ends when the server ends it or after `close`. */
export async function openEvents(
  fetch: Fetch,
  path: string,
  options: { lastEventId?: string; method?: string; body?: unknown; headers?: Record<string, string> } = {},
): Promise<EventStream> {
  const abort = new AbortController();
  const headers: Record<string, string> = { accept: "text/event-stream", ...options.headers };
  if (options.lastEventId !== undefined) headers["last-event-id"] = options.lastEventId;
  if (options.body !== undefined) headers["content-type"] = "application/json";
  const response = await fetch(path, {
    method: options.method ?? (options.body === undefined ? "GET" : "POST"),
    headers,
    signal: abort.signal,
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
  });
  const seen = { lastEventId: options.lastEventId ?? "", comments: 0 };
  const events = readEvents(response, abort.signal, seen);
  const close = async () => abort.abort();
  return {
    status: response.status,
    headers: response.headers,
    get lastEventId() {
      return seen.lastEventId;
    },
    get comments() {
      return seen.comments;
    },
    close,
    [Symbol.asyncIterator]: () => events,
    [Symbol.asyncDispose]: close,
  };
}

async function* readEvents(
  response: Response,
  closed: AbortSignal,
  seen: { lastEventId: string; comments: number },
): AsyncGenerator<ServerSentEvent, void> {
  let pending = "";
  const decoder = new TextDecoder();
  try {
    for await (const chunk of response.body ?? []) {
      const frames = (pending + decoder.decode(chunk, { stream: true }))
        .replaceAll("\r\n", "\n")
        .split("\n\n");
      pending = frames.pop() ?? "";
      for (const frame of frames) {
        const event = parseFrame(frame, seen);
        if (event !== null) yield event;
      }
    }
  } catch (error) {
    if (!closed.aborted) throw error;
  }
}

function parseFrame(frame: string, seen: { lastEventId: string; comments: number }): ServerSentEvent | null {
  const data: string[] = [];
  let event = "message";
  for (const line of frame.split("\n")) {
    const [, name = "", value = ""] = /^([^:]*): ?(.*)$/.exec(line) ?? [];
    if (line.startsWith(":")) seen.comments += 1;
    else if (name === "id") seen.lastEventId = value;
    else if (name === "event") event = value;
    else if (name === "data") data.push(value);
  }
  return data.length === 0 ? null : { id: seen.lastEventId, event, data: data.join("\n") };
}

/** Events of a stream until it ends, or until `until` says that this one is the last wanted. */
export async function collectEvents(
  stream: AsyncIterable<ServerSentEvent>,
  until: (event: ServerSentEvent) => boolean = () => false,
): Promise<ServerSentEvent[]> {
  const events: ServerSentEvent[] = [];
  for await (const event of stream) {
    events.push(event);
    if (until(event)) break;
  }
  return events;
}

/**
 * Sends bytes as they are and gives back all that comes until the server closes: for requests that
 * `fetch` won't make, with a Host of our choosing say. Add "Connection: close".
 */
export async function requestRaw(port: number, text: string, deadlineMs = 5_000): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const decoder = new TextDecoder();
  let answer = "";
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      data: (_, bytes) => void (answer += decoder.decode(bytes, { stream: true })),
      close: () => resolve(answer),
      error: (_, error) => reject(error),
    },
  });
  const timer = setTimeout(() => reject(new Error(`No end after ${deadlineMs} ms: ${answer}`)), deadlineMs);
  socket.write(text);
  return promise.finally(() => {
    clearTimeout(timer);
    socket.terminate();
  });
}
