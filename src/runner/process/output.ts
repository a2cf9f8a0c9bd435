import type { CliProcess } from "./cli-process.ts";
import type { Hearing } from "./hearing.ts";
import { type Framed, createLineFramer } from "./lines.ts";
import { pauseUpTo } from "./until.ts";

/** How much of stderr is kept for the explanation of a failure, in characters. */
const tailLengthMax = 8_192;

export interface OutputSpec {
  stdout: ReadableStream<Uint8Array>;
  stderr: ReadableStream<Uint8Array>;
  lineBytesMax: number;
  hearing: Hearing;
  /** Counts bytes of stdout; false when they and all later ones aren't wanted. */
  admit: (bytes: number) => boolean;
}

export interface Output {
  /** Begins to read both pipes; until then their writers wait. */
  start(): void;
  /** Reads to the end, but no longer than this: somebody else may hold a pipe open. */
  drain(waitMsMax: number): Promise<void>;
  /** The end of what came from stderr, since it was forgotten last. */
  stderrTail(): CliProcess["stderrTail"];
  forgetStderr(): void;
}

/** Reads what a process prints, one chunk at a time, so that a slow consumer slows the writer down. */
export function createOutput(spec: OutputSpec): Output {
  const { hearing } = spec;
  const framer = createLineFramer({ lineBytesMax: spec.lineBytesMax });
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let tail = "";
  let readers: Reader[] | null = null;

  function takeStdout(chunk: Uint8Array): void {
    if (spec.admit(chunk.length)) tellLines(hearing, framer.push(chunk));
  }

  function takeStderr(chunk: Uint8Array): void {
    const text = decoder.decode(chunk, { stream: true });
    tail = (tail + text.slice(-tailLengthMax)).slice(-tailLengthMax);
    hearing.tell((listener) => listener.stderr(text));
  }

  function start(): Reader[] {
    return (readers ??= [readAll(spec.stdout, takeStdout), readAll(spec.stderr, takeStderr)]);
  }

  return {
    start: () => void start(),
    async drain(waitMsMax) {
      const reading = start();
      const patience = pauseUpTo(waitMsMax);
      const ends = Promise.allSettled(reading.map((reader) => reader.ended));
      const results = await Promise.race([ends, patience.over]);
      patience.end();
      // A reader fails only when a listener has thrown, which is a bug and must not pass unseen.
      for (const result of results ?? []) if (result.status === "rejected") reportError(result.reason);
      await Promise.all(reading.map((reader) => reader.cancel()));
      tellLines(hearing, framer.end());
    },
    stderrTail: () => tail,
    forgetStderr: () => void (tail = ""),
  };
}

function tellLines(hearing: Hearing, { lines, droppedBytes, garbled }: Framed): void {
  if (lines.length > 0) hearing.tell((listener) => listener.lines(lines));
  for (const bytes of droppedBytes) hearing.tell((listener) => listener.lineDropped(bytes));
  for (let line = 0; line < garbled; line += 1) hearing.tell((listener) => listener.garbled());
}

interface Reader {
  /** Resolves when the stream has ended or was cancelled. */
  ended: Promise<void>;
  cancel(): Promise<void>;
}

function readAll(stream: ReadableStream<Uint8Array>, take: (chunk: Uint8Array) => void): Reader {
  const reader = stream.getReader();
  const read = async () => {
    for (let next = await reader.read(); !next.done; next = await reader.read()) take(next.value);
  };
  return { ended: read(), cancel: () => reader.cancel() };
}
