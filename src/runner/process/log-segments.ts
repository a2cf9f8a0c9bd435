import { appendFile, open, rm, stat, writeFile } from "node:fs/promises";

/**
 * A run's raw log: a file with its beginning and, once that is full, two more with its end, of which the older one
 * is begun anew whenever the newer one is full. Each of the two says in its first line how many bytes were left
 * out between the first file and itself, so that what a crash leaves behind is read without anything else.
 */
export function logFilesOf(path: string): { head: string; tails: readonly [string, string] } {
  const stem = path.replace(/\.log$/, "");
  return { head: path, tails: [`${stem}.tail-0.log`, `${stem}.tail-1.log`] };
}

export function droppedLine(bytes: number): string {
  return `… ${bytes} bytes dropped\n`;
}

const droppedPattern = /^… (\d{1,15}) bytes dropped\n/;
/** Longer than any such line. */
const firstLineBytesMax = 64;

export interface LogSegments {
  /** False once anything has to go into the end. */
  readonly headRoom: number;
  /** Resolves with how much the files have grown. */
  write(bytes: Uint8Array): Promise<number>;
  /** So much is left out; what the end has so far goes with it, because the one gap stands before the end. */
  leaveOut(bytes: number): void;
}

/** Writes them, all together at most `bytesMax` and three short lines. Half of that is the beginning's. */
export function createLogSegments(path: string, bytesMax: number): LogSegments {
  const { head, tails } = logFilesOf(path);
  const headBytesMax = Math.floor(bytesMax / 2);
  const tailBytesMax = Math.ceil(bytesMax / 4);
  const sizes = [0, 0];
  let headBytes = 0;
  let isHeadOpen = true;
  /** Where the next byte stands in the log, as it would be without a limit. */
  let position = 0;
  let current: 0 | 1 = 1;
  let isCurrentOpen = false;
  let hasGap = false;

  async function writeHead(bytes: Uint8Array): Promise<Uint8Array> {
    const part = bytes.subarray(0, fittingBytes(bytes, headBytesMax - headBytes));
    if (part.length < bytes.length) isHeadOpen = false;
    if (part.length > 0) await appendFile(head, part, { mode: 0o600 });
    headBytes += part.length;
    position += part.length;
    return bytes.subarray(part.length);
  }

  async function writeTail(bytes: Uint8Array): Promise<Uint8Array> {
    if (!isCurrentOpen || sizes[current]! >= tailBytesMax) return beginTail(bytes);
    const part = bytes.subarray(0, fittingBytes(bytes, tailBytesMax - sizes[current]!) || bytes.length);
    await appendFile(tails[current], part);
    sizes[current]! += part.length;
    position += part.length;
    return bytes.subarray(part.length);
  }

  async function beginTail(bytes: Uint8Array): Promise<Uint8Array> {
    const next = current === 0 ? 1 : 0;
    const firstLine = Buffer.from(droppedLine(position - headBytes));
    const part = bytes.subarray(0, fittingBytes(bytes, tailBytesMax) || bytes.length);
    await writeFile(tails[next], Buffer.concat([firstLine, part]), { mode: 0o600 });
    if (hasGap) await rm(tails[current], { force: true });
    if (hasGap) sizes[current] = 0;
    hasGap = false;
    current = next;
    isCurrentOpen = true;
    sizes[next] = part.length;
    position += part.length;
    return bytes.subarray(part.length);
  }

  return {
    get headRoom() {
      return isHeadOpen ? headBytesMax - headBytes : 0;
    },
    async write(bytes) {
      const before = headBytes + sizes[0]! + sizes[1]!;
      let rest = isHeadOpen ? await writeHead(bytes) : bytes;
      while (rest.length > 0) rest = await writeTail(rest);
      return headBytes + sizes[0]! + sizes[1]! - before;
    },
    leaveOut(bytes) {
      isHeadOpen = false;
      isCurrentOpen = false;
      hasGap = true;
      position += bytes;
    },
  };
}

/** How many of the bytes fit without cutting a character, and, where a line ends among them, none of its successor. */
function fittingBytes(bytes: Uint8Array, room: number): number {
  if (bytes.length <= room) return bytes.length;
  if (room <= 0) return 0;
  const lineEnd = bytes.lastIndexOf(0x0a, room - 1) + 1;
  if (lineEnd > 0) return lineEnd;
  let end = room;
  while (end > 0 && isContinuation(bytes[end])) end -= 1;
  return end;
}

export function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0b1100_0000) === 0b1000_0000;
}

/** One of the files: which part of the log it holds. */
export interface LogPart {
  path: string;
  /** Where in the log it begins. */
  from: number;
  bytes: number;
  /** Its first line, which is none of the log's. */
  skippedBytes: number;
}

/** The files of a log in order, those that are there; empty when there is no log. */
export async function listLogParts(path: string): Promise<LogPart[]> {
  const { head, tails } = logFilesOf(path);
  const headBytes = await sizeOf(head);
  const found = await Promise.all(tails.map((tail) => readTail(tail, headBytes ?? 0)));
  const [first, second] = found.filter((part) => part !== null).toSorted((a, b) => a.from - b.from);
  const parts = headBytes === null ? [] : [{ path: head, from: 0, bytes: headBytes, skippedBytes: 0 }];
  if (first === undefined) return parts;
  if (second === undefined) return [...parts, first];
  // A crash between the two steps of a gap leaves an end that doesn't reach to the newer one.
  return first.from + first.bytes === second.from ? [...parts, first, second] : [...parts, second];
}

async function readTail(path: string, headBytes: number): Promise<LogPart | null> {
  const file = await openExisting(path);
  if (file === null) return null;
  try {
    const { size } = await file.stat();
    const { buffer, bytesRead } = await file.read(Buffer.alloc(firstLineBytesMax), 0, firstLineBytesMax, 0);
    const [line, dropped] = droppedPattern.exec(buffer.toString("utf8", 0, bytesRead)) ?? [];
    if (line === undefined) return null;
    const skippedBytes = Buffer.byteLength(line);
    return { path, from: headBytes + Number(dropped), bytes: size - skippedBytes, skippedBytes };
  } finally {
    await file.close();
  }
}

export async function removeLogFiles(path: string): Promise<void> {
  const { head, tails } = logFilesOf(path);
  for (const file of [...tails, head]) await rm(file, { force: true });
}

async function sizeOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

export async function openExisting(path: string) {
  try {
    return await open(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
