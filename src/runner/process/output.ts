import type { CliProcess } from "./cli-process.ts";
import type { Hearing } from "./hearing.ts";
import { type Framed, createLineFramer } from "./lines.ts";
import type { ReadingPace } from "./reading-pace.ts";
import { pauseUpTo } from "./until.ts";

/** A chunk is taken in pieces of this size: even one of very short lines holds nobody up then. */
const pieceBytesMax = 32_768;
const lastPiecesMax = 32;
/** What reading a byte of a line leaves behind: the text, what is parsed and what is made of that. */
const litterPerLineByte = 4;

/** How much of stderr is kept for the explanation of a failure, in characters. */
const tailLengthMax = 8_192;

export interface OutputSpec {
  stdout: ReadableStream<Uint8Array<ArrayBuffer>>;
  stderr: ReadableStream<Uint8Array<ArrayBuffer>>;
  lineBytesMax: number;
  hearing: Hearing;
  pace: ReadingPace;
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

/** Reads what a process prints, one chunk at a time, so that a slow listener slows the writer down. */
export function createOutput(spec: OutputSpec): Output {
  const { hearing, pace } = spec;
  /** Ends the wait for the listener that is under way. */
  let goOn = () => {};
  /** The writer has ended: what is left is little, and waits for no listener. */
  let isEnding = false;
  /** It is read without a rest, because it is waited for; more than a pipe holds comes from somebody else. */
  let lastPieces = lastPiecesMax;
  const framer = createLineFramer({ lineBytesMax: spec.lineBytesMax });
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let tail = "";
  let readers: Reader[] | null = null;

  function takeStdout(piece: Uint8Array): void | Promise<void> {
    if (!spec.admit(piece.length)) return;
    const framed = framer.push(piece);
    for (const { length } of framed.lines) pace.litter(length * litterPerLineByte);
    return tellLines(hearing, framed);
  }

  function takeStderr(piece: Uint8Array): void {
    const text = decoder.decode(piece, { stream: true });
    tail = (tail + text.slice(-tailLengthMax)).slice(-tailLengthMax);
    pace.litter(piece.length);
    void hearing.tell((listener) => listener.stderr(text));
  }

  /** Not `Promise.race`, which would leave something behind each time at a promise that stays. */
  function waitFor(listener: Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      goOn = resolve;
      void listener.finally(resolve);
    });
  }

  async function takeChunk(chunk: Uint8Array<ArrayBuffer>, take: Take): Promise<void> {
    for (let from = 0; from < chunk.length; from += pieceBytesMax) {
      const piece = chunk.subarray(from, from + pieceBytesMax);
      const heard = pace.work(() => take(piece));
      if (heard && !isEnding) await waitFor(heard);
      if (isEnding && lastPieces-- > 0) continue;
      for (let rest = pace.rest(); rest; rest = pace.rest()) await rest;
    }
    // Its memory goes back at once; the garbage collector would let a flood of chunks pile up.
    chunk.buffer.transfer(0);
  }

  function start(): Reader[] {
    return (readers ??= [
      readAll(spec.stdout, (chunk) => takeChunk(chunk, takeStdout)),
      readAll(spec.stderr, (chunk) => takeChunk(chunk, takeStderr)),
    ]);
  }

  return {
    start: () => void start(),
    async drain(waitMsMax) {
      const reading = start();
      isEnding = true;
      goOn();
      const patience = pauseUpTo(waitMsMax);
      const ends = Promise.allSettled(reading.map((reader) => reader.ended));
      const results = await Promise.race([ends, patience.over]);
      patience.end();
      // A reader fails only when a listener has thrown, which is a bug and must not pass unseen.
      for (const result of results ?? []) if (result.status === "rejected") reportError(result.reason);
      await Promise.all(reading.map((reader) => reader.cancel()));
      void tellLines(hearing, framer.end());
    },
    stderrTail: () => tail,
    forgetStderr: () => void (tail = ""),
  };
}

type Take = (piece: Uint8Array) => void | Promise<void>;

function tellLines(hearing: Hearing, { lines, droppedBytes, garbled }: Framed): void | Promise<void> {
  const heard = lines.length > 0 ? hearing.tell((listener) => listener.lines(lines)) : undefined;
  for (const bytes of droppedBytes) void hearing.tell((listener) => listener.lineDropped(bytes));
  for (let line = 0; line < garbled; line += 1) void hearing.tell((listener) => listener.garbled());
  return heard;
}

interface Reader {
  /** Resolves when the stream has ended or was cancelled. */
  ended: Promise<void>;
  cancel(): Promise<void>;
}

function readAll(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  takeChunk: (chunk: Uint8Array<ArrayBuffer>) => Promise<void>,
): Reader {
  const reader = stream.getReader();
  const read = async () => {
    for (let next = await reader.read(); !next.done; next = await reader.read()) await takeChunk(next.value);
  };
  return { ended: read(), cancel: () => reader.cancel() };
}
