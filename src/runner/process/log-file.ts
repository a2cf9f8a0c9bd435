import type { Alarm, Clock } from "../../domain/clock.ts";
import type { Redactor } from "../policies/redaction.ts";
import { createLogBacklog, type Batch, type Printed } from "./log-backlog.ts";
import { createLogSegments } from "./log-segments.ts";

export interface RunLogFile {
  /** Takes a line of stdout at once, without its end, and writes it soon, redacted. Never throws. */
  line(text: string): void;
  /** The same for a piece of stderr, cut wherever it is. */
  stderr(text: string): void;
  /** Resolves when everything is written, or given up. What comes later is left out. */
  close(): Promise<void>;
}

export interface RunLogOptions {
  path: string;
  /** What is kept: of more than that the beginning and the end. */
  bytesMax: number;
  redactor: Pick<Redactor, "log" | "logStream">;
  clock: Pick<Clock, "after">;
  /** Told once, with the first error; what comes then is left out. */
  onError: (error: NodeJS.ErrnoException) => void;
  /** Told whenever more of it can be read, with how much the files have grown. */
  onGrown?: (bytes: number) => void;
}

export interface OpenRunLog extends RunLogFile {
  /** Calls while nothing is being written, so that what is read belongs together. */
  between<T>(read: () => Promise<T>): Promise<T>;
}

/** Text is collected this long, so that a chatty run isn't one system call for each line. */
const collectMs = 100;
/** The end of a flood is written less often: most of it would be thrown away again. */
const collectEndMs = 500;
/** What waits to be written into the beginning, and into the end. */
const beginningCharsMax = 4_194_304;
const endCharsMax = 524_288;
/** So much isn't collected any longer. */
const writeAtChars = 262_144;
/** Turns of the event loop in which the run is settled and told: people wait for that, and hardly for its log. */
const loopsToSettle = 2;
/** So much is redacted and written at a time; the event loop goes on between two of them. */
const sliceChars = 65_536;

/** The raw log of a run. Its files are made with the first text, and are open only while they are written to. */
export function openRunLog(options: RunLogOptions): OpenRunLog {
  const { path, bytesMax, clock, onError, onGrown } = options;
  const backlog = createLogBacklog(Math.min(endCharsMax, bytesMax));
  const segments = createLogSegments(path, bytesMax);
  const redaction = createLogRedaction(options.redactor);
  let failed = false;
  let isClosed = false;
  let isWriting = false;
  let alarm: Alarm | null = null;
  let writing: Promise<unknown> = Promise.resolve();
  let closing: Promise<void> | null = null;

  function add(printed: Printed): void {
    if (failed || isClosed) return;
    backlog.add(printed, Math.min(segments.headRoom, beginningCharsMax));
    writeSoon();
  }

  function writeSoon(): void {
    if (isWriting || backlog.isEmpty) return;
    const isBeginning = segments.headRoom > 0;
    if (isBeginning && backlog.chars >= writeAtChars) writeNow();
    else alarm ??= clock.after(isBeginning ? collectMs : collectEndMs, writeNow);
  }

  function writeNow(): void {
    alarm?.stop();
    alarm = null;
    isWriting = true;
    const written = writing.then(() => write(backlog.take()));
    writing = written.then(() => {
      isWriting = false;
      if (!isClosed) writeSoon();
    });
  }

  async function write({ beginning, leftOutBytes, end }: Batch): Promise<void> {
    await writeTexts(redaction.texts(beginning));
    if (leftOutBytes > 0) {
      redaction.gap();
      segments.leaveOut(leftOutBytes);
    }
    await writeTexts(redaction.texts(end));
  }

  async function writeTexts(texts: Iterable<string>): Promise<void> {
    let collected = "";
    for (const text of texts) {
      collected += text;
      if (collected.length < sliceChars) continue;
      await writeText(collected);
      collected = "";
    }
    if (collected !== "") await writeText(collected);
  }

  async function writeText(text: string): Promise<void> {
    if (failed) return;
    try {
      const grownBytes = await segments.write(Buffer.from(text));
      onGrown?.(grownBytes);
    } catch (error) {
      // Whatever the disk refuses, the run goes on without its log.
      failed = true;
      onError(error as NodeJS.ErrnoException);
    }
  }

  async function finish(): Promise<void> {
    isClosed = true;
    alarm?.stop();
    for (let loops = 0; loops < loopsToSettle; loops++) await new Promise(setImmediate);
    await writing;
    await write(backlog.take());
    await writeTexts([redaction.end()]);
  }

  return {
    line: (text) => add({ from: "stdout", text }),
    stderr: (text) => add({ from: "stderr", text }),
    close: () => (closing ??= finish()),
    between(read) {
      const reading = writing.then(read);
      writing = reading.catch(() => undefined);
      return reading;
    },
  };
}

/** What was printed as it stands in the log. */
function createLogRedaction(redactor: Pick<Redactor, "log" | "logStream">) {
  const stderr = redactor.logStream();
  const longLine = redactor.logStream();

  /** The last line was stderr's and isn't over. */
  let isLineOpen = false;

  function* lineOf({ text, isCut }: Printed): Iterable<string> {
    if (isLineOpen) yield "\n";
    isLineOpen = false;
    if (text.length <= sliceChars && !isCut) return yield `${redactor.log(text)}\n`;
    if (isCut) longLine.gap();
    for (const slice of slicesOf(text)) yield longLine.push(slice);
    yield `${longLine.end()}\n`;
  }

  function* stderrOf({ text }: Printed): Iterable<string> {
    for (const slice of slicesOf(text)) yield marked(stderr.push(slice));
  }

  function marked(text: string): string {
    if (text === "") return "";
    const mark = isLineOpen ? "" : "[stderr] ";
    isLineOpen = !text.endsWith("\n");
    return mark + text;
  }

  return {
    *texts(all: readonly Printed[]): Iterable<string> {
      for (const printed of all) yield* printed.from === "stdout" ? lineOf(printed) : stderrOf(printed);
    },
    /** Something was left out, perhaps in the midst of a value. */
    gap() {
      stderr.gap();
      isLineOpen = false;
    },
    end: () => marked(stderr.end()),
  };
}

function* slicesOf(text: string): Iterable<string> {
  for (let at = 0; at < text.length; at += sliceChars) yield text.slice(at, at + sliceChars);
}
