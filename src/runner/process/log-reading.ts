import { droppedLine, isContinuation, listLogParts, type LogPart, openExisting } from "./log-segments.ts";

/** A region of a log, as text of whole characters. */
export interface LogPiece {
  /** Where something was left out, a line says how much. */
  text: string;
  /** Where the text begins and where the next piece does, in bytes of the log as it would be without a limit. */
  fromByte: number;
  nextByte: number;
  /** The log's size when it was read, what was left out included. */
  totalBytes: number;
}

/**
 * At most `bytesMax` bytes (4 or more, or a character may never fit) from `fromByte` on, what was left out not
 * counted; a negative `fromByte` counts from the end. Characters that are cut at either side are left out. Null
 * without a log.
 */
export async function readLogPiece(
  path: string,
  fromByte: number,
  bytesMax: number,
): Promise<LogPiece | null> {
  const parts = await listLogParts(path);
  const last = parts.at(-1);
  if (last === undefined) return null;
  const totalBytes = last.from + last.bytes;
  const start = fromByte < 0 ? Math.max(0, totalBytes + fromByte) : Math.min(fromByte, totalBytes);
  const piece = { text: "", fromByte: start, nextByte: start, totalBytes };
  let room = bytesMax;
  for (const part of parts) {
    if (part.from + part.bytes <= piece.nextByte || room <= 0) continue;
    if (part.from > piece.nextByte) {
      piece.text += await gapLine(piece, parts, part);
      piece.nextByte = part.from;
    }
    const read = await readPart(part, piece.nextByte - part.from, room);
    if (piece.text === "") piece.fromByte = piece.nextByte + read.skippedBytes;
    piece.text += read.text;
    piece.nextByte += read.skippedBytes + read.bytes;
    room -= read.skippedBytes + read.bytes;
    if (piece.nextByte < part.from + part.bytes) break;
  }
  return piece;
}

/** On a line of its own. */
async function gapLine(piece: LogPiece, parts: readonly LogPart[], { from }: LogPart): Promise<string> {
  const line = droppedLine(from - piece.nextByte);
  const [head] = parts;
  if (piece.text !== "") return piece.text.endsWith("\n") ? line : `\n${line}`;
  if (head === undefined || head.bytes === 0 || head.bytes !== piece.nextByte) return line;
  const { text } = await readPart(head, head.bytes - 1, 1);
  return text === "\n" ? line : `\n${line}`;
}

async function readPart(
  part: LogPart,
  offset: number,
  bytesMax: number,
): Promise<{ text: string; skippedBytes: number; bytes: number }> {
  const file = await openExisting(part.path);
  if (file === null) return { text: "", skippedBytes: 0, bytes: 0 };
  try {
    const wanted = Buffer.alloc(Math.min(bytesMax, part.bytes - offset));
    const { buffer, bytesRead } = await file.read(wanted, 0, wanted.length, part.skippedBytes + offset);
    const { from, to } = wholeCharacters(buffer.subarray(0, bytesRead));
    const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(buffer.subarray(from, to));
    return { text, skippedBytes: from, bytes: to - from };
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

/** How long a character is by its first byte. */
function characterBytes(first: number): number {
  if (first >= 0b1111_0000) return 4;
  if (first >= 0b1110_0000) return 3;
  return first >= 0b1100_0000 ? 2 : 1;
}
