import type { Context } from "hono";
import { getCookie } from "hono/cookie";
import type { Clock } from "../domain/clock.ts";
import type { Fact, PublishFact } from "../domain/facts.ts";
import { loginCookie } from "./access.ts";
import type { RouteEnvironment } from "./environment.ts";
import { problem } from "./problem.ts";

/** Makes the frames of a stream, one or more whole ones at a time; asked only when the client took the last. */
export type FrameSource = (signal: AbortSignal) => AsyncGenerator<string>;

export interface EventStreamOptions {
  /** Streams open at once. */
  streamsMax: number;
  /** A comment goes out after this much silence, so that proxies and clients know that we live. */
  pingMs: number;
  /** A client that takes nothing for this long while something waits for it is cut; it can resume. */
  slowMs: number;
  /** A stream ends at this age; clients resume by Last-Event-ID. */
  ageMsMax: number;
  clock: Clock;
  publish: PublishFact;
  /** The peers, as "address:port", that have closed their side; null where the platform can't tell. */
  findHalfClosed: (() => Promise<ReadonlySet<string>>) | null;
}

type CloseReason = Extract<Fact, { type: "stream.closed" }>["reason"];

/** Server-sent events with a bound on everything. */
export interface EventStreams {
  open(c: Context<RouteEnvironment>, source: FrameSource): Response;
  readonly count: number;
  /** Ends the streams of a login that is no more. */
  closeOfLogin(secret: string): void;
  /** Ends all streams and takes no more. */
  stop(): void;
}

interface OpenStream {
  peer: string | null;
  /** The cookie that let it in; null when a token did. */
  login: string | null;
  tick(): void;
  close(reason: CloseReason): void;
}

const encoder = new TextEncoder();
const pingFrame = encoder.encode(": ping\n\n");

export function createEventStreams(options: EventStreamOptions): EventStreams {
  const streams = new Set<OpenStream>();
  let ticker: Timer | null = null;
  let stopped = false;
  let isLooking = false;

  function add(stream: OpenStream): void {
    streams.add(stream);
    options.publish({ type: "stream.opened" });
    ticker ??= setInterval(tickAll, Math.max(10, options.pingMs / 3));
  }
  function remove(stream: OpenStream, reason: CloseReason): void {
    if (!streams.delete(stream)) return;
    options.publish({ type: "stream.closed", reason });
    if (streams.size > 0 || !ticker) return;
    clearInterval(ticker);
    ticker = null;
  }
  function tickAll(): void {
    for (const stream of streams) stream.tick();
    void endHalfClosed();
  }
  /** One look at a time: among very many connections it may take longer than a tick. */
  async function endHalfClosed(): Promise<void> {
    if (isLooking || !options.findHalfClosed) return;
    isLooking = true;
    const halfClosed = await options.findHalfClosed().finally(() => (isLooking = false));
    for (const stream of streams) if (stream.peer && halfClosed.has(stream.peer)) stream.close("half_closed");
  }
  return {
    open(c, source) {
      if (stopped)
        return problem(c, "draining", { detail: "The server is shutting down.", retryAfterSeconds: 5 });
      if (streams.size >= options.streamsMax) {
        const detail = `The server serves ${options.streamsMax} event streams at once and no more.`;
        return problem(c, "too_many_streams", { detail, retryAfterSeconds: 10 });
      }
      const headers = { "Content-Type": "text/event-stream", "X-Accel-Buffering": "no" };
      // Nobody would ever take what such a stream says, nor tell that it may end.
      if (c.req.method === "HEAD") return c.body(null, 200, headers);
      // Pings count as activity, so a connection that can't even take those is ended by the platform.
      c.env?.quietSeconds?.(Math.ceil((options.pingMs + options.slowMs) / 1000));
      const from = { peer: c.env?.peer ?? null, login: getCookie(c, loginCookie) ?? null };
      const body = openStream(options, source, from, c.req.raw.signal, { add, remove });
      return c.body(body, 200, headers);
    },
    get count() {
      return streams.size;
    },
    closeOfLogin(secret) {
      for (const stream of streams) if (stream.login === secret) stream.close("logged_out");
    },
    stop() {
      stopped = true;
      for (const stream of streams) stream.close("shutdown");
    },
  };
}

function openStream(
  options: EventStreamOptions,
  source: FrameSource,
  from: Pick<OpenStream, "peer" | "login">,
  gone: AbortSignal,
  register: { add(stream: OpenStream): void; remove(stream: OpenStream, reason: CloseReason): void },
): ReadableStream<Uint8Array> {
  const ending = new AbortController();
  const frames = source(ending.signal);
  const openedMs = options.clock.monotonicMs();
  let sentMs = openedMs;
  /** Since when something waits that the client doesn't take; null while it keeps up. */
  let waitingSinceMs: number | null = null;
  let controller: ReadableStreamDefaultController<Uint8Array> | null = null;

  const stream: OpenStream = {
    ...from,
    tick() {
      const nowMs = options.clock.monotonicMs();
      if (nowMs - openedMs > options.ageMsMax) return stream.close("aged");
      if (waitingSinceMs !== null && nowMs - waitingSinceMs > options.slowMs) return stream.close("slow");
      if (waitingSinceMs === null && nowMs - sentMs >= options.pingMs) send(pingFrame);
    },
    close(reason) {
      register.remove(stream, reason);
      ending.abort();
      // Wakes the source where it waits for its next turn, so that it can hang up.
      void frames.return(undefined);
      try {
        controller?.close();
      } catch (error) {
        // The other end has cancelled the stream in the same moment.
        if (!(error instanceof TypeError)) throw error;
      }
    },
  };
  function send(bytes: Uint8Array): void {
    controller?.enqueue(bytes);
    sentMs = options.clock.monotonicMs();
    if (controller && (controller.desiredSize ?? 0) <= 0) waitingSinceMs ??= sentMs;
  }
  gone.addEventListener("abort", () => stream.close("gone"), { once: true });
  return new ReadableStream<Uint8Array>(
    {
      start(started) {
        controller = started;
        register.add(stream);
      },
      async pull() {
        waitingSinceMs = null;
        const { done, value } = await frames.next();
        if (ending.signal.aborted) return;
        if (done) stream.close("ended");
        else send(encoder.encode(value));
      },
      cancel: () => stream.close("gone"),
    },
    { highWaterMark: 1 },
  );
}

/** A doorbell: rung any number of times, answered once. */
export interface Bell {
  ring(): void;
  /** Resolves at the next ring, at once if it rang since the last answer, or when the signal has fired. */
  wait(): Promise<void>;
}

export function createBell(signal: AbortSignal): Bell {
  let rung = false;
  let answer: (() => void) | null = null;
  const ring = () => {
    rung = true;
    answer?.();
  };
  signal.addEventListener("abort", ring, { once: true });
  return {
    ring,
    async wait() {
      if (!rung && !signal.aborted) await new Promise<void>((resolve) => (answer = resolve));
      answer = null;
      rung = false;
    },
  };
}
