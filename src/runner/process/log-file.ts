import { appendFile, open, rm } from "node:fs/promises";

export interface RunLogFile {
  /** Takes the text at once and writes it soon. Never throws. */
  write(text: string): void;
  /** True when nothing more is taken: what comes then needn't be prepared, only counted. */
  readonly isFull: boolean;
  /** Counts what was left out. */
  drop(bytes: number): void;
  /** Resolves when everything is written, or given up. Later writes are dropped. */
  close(): Promise<void>;
}

export interface RunLogOptions {
  path: string;
  /** Size at which the log stops; what comes then is only counted. */
  bytesMax: number;
  /** Told once, with the first error; what comes then is dropped. */
  onError: (error: NodeJS.ErrnoException) => void;
  /** Told whenever more of it can be read. */
  onGrown?: () => void;
}

/** Text is collected this long, so that a chatty run isn't one system call for each line. */
const collectMs = 100;
/** A disk that doesn't keep up isn't waited for. */
const pendingBytesMax = 1_048_576;

/** The raw log of a run. The file is made with the first text, and is open only while it is written to. */
export function openRunLog({ path, bytesMax, onError, onGrown }: RunLogOptions): RunLogFile {
  let pending: string[] = [];
  let pendingBytes = 0;
  let keptBytes = 0;
  let droppedBytes = 0;
  let isFull = false;
  let failed = false;
  let timer: Timer | null = null;
  let writing: Promise<void> = Promise.resolve();
  let closing: Promise<void> | null = null;

  function write(text: string): void {
    const bytes = Buffer.byteLength(text);
    isFull ||= keptBytes + bytes > bytesMax || closing !== null;
    if (isFull || failed || pendingBytes + bytes > pendingBytesMax) {
      droppedBytes += bytes;
      return;
    }
    keptBytes += bytes;
    pendingBytes += bytes;
    pending.push(text);
    timer ??= setTimeout(flush, collectMs);
  }

  function flush(): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    const text = pending.join("");
    const bytes = pendingBytes;
    pending = [];
    if (text !== "") writing = writing.then(() => append(text)).then(() => void (pendingBytes -= bytes));
  }

  async function append(text: string): Promise<void> {
    if (failed) return;
    try {
      await appendFile(path, text, { mode: 0o600 });
    } catch (error) {
      // Whatever the disk refuses, the run goes on without its log.
      failed = true;
      return onError(error as NodeJS.ErrnoException);
    }
    onGrown?.();
  }

  async function finish(): Promise<void> {
    flush();
    await writing;
    if (droppedBytes > 0) await append(`… ${droppedBytes} bytes dropped\n`);
  }

  return {
    write,
    get isFull() {
      return isFull || failed;
    },
    drop: (bytes) => void (droppedBytes += bytes),
    close: () => (closing ??= finish()),
  };
}

/** The log from its beginning, at most `bytesMax` of it; null when there is none. */
export async function readRunLog(path: string, { bytesMax }: { bytesMax: number }): Promise<string | null> {
  const file = await openExisting(path);
  if (file === null) return null;
  try {
    const { size } = await file.stat();
    const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.min(size, bytesMax)), 0, undefined, 0);
    return new TextDecoder().decode(buffer.subarray(0, bytesRead), { stream: true });
  } finally {
    await file.close();
  }
}

/** A region of a log, as text of whole characters. */
export interface LogPiece {
  text: string;
  /** Where the text begins and where the next piece does, in bytes. */
  fromByte: number;
  nextByte: number;
  /** The log's size when it was read. */
  totalBytes: number;
}

/**
 * At most `bytesMax` bytes (4 or more, or a character may never fit) from `fromByte` on; a negative
 * `fromByte` counts from the end. Characters that are cut at either side are left out. Null without a log.
 */
export async function readLogPiece(
  path: string,
  fromByte: number,
  bytesMax: number,
): Promise<LogPiece | null> {
  const file = await openExisting(path);
  if (file === null) return null;
  try {
    const { size } = await file.stat();
    const start = fromByte < 0 ? Math.max(0, size + fromByte) : Math.min(fromByte, size);
    const wanted = Buffer.alloc(Math.min(bytesMax, size - start));
    const { buffer, bytesRead } = await file.read(wanted, 0, undefined, start);
    const { from, to } = wholeCharacters(buffer.subarray(0, bytesRead));
    const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(buffer.subarray(from, to));
    return { text, fromByte: start + from, nextByte: start + to, totalBytes: size };
  } finally {
    await file.close();
  }
}

/** The part without the end of a character that began before it, and the beginning of one that ends after it. */
function wholeCharacters(bytes: Uint8Array): { from: number; to: number } {
  let from = 0;
  while (from < 3 && isContinuation(bytes[from])) from++;
  let last = bytes.length - 1;
  while (last > bytes.length - 4 && isContinuation(bytes[last])) last--;
  const isCut = last >= from && last + characterBytes(bytes[last] ?? 0) > bytes.length;
  return { from, to: isCut ? last : bytes.length };
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0b1100_0000) === 0b1000_0000;
}

/** How long a character is by its first byte. */
function characterBytes(first: number): number {
  if (first >= 0b1111_0000) return 4;
  if (first >= 0b1110_0000) return 3;
  return first >= 0b1100_0000 ? 2 : 1;
}

export async function removeRunLog(path: string): Promise<void> {
  await rm(path, { force: true });
}

async function openExisting(path: string) {
  try {
    return await open(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
