const newline = 0x0a;
const byteOrderMark = "\uFEFF";
/** A buffer that has grown beyond this is given back once its line is done. */
const keptBufferBytesMax = 65_536;
const firstBufferBytes = 1_024;

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder("utf-8", { ignoreBOM: true });

/** What one chunk completed. */
export interface Framed {
  /** Without line ends and NUL characters; blank ones are left out. */
  lines: string[];
  /** Lengths in bytes of the lines that were longer than allowed. */
  droppedBytes: number[];
  /** How many of the lines held bytes that aren't UTF-8 (now U+FFFD). */
  garbled: number;
}

export interface LineFramer {
  push(chunk: Uint8Array): Framed;
  /** The last line, if it came without a newline. */
  end(): Framed;
}

/**
 * Cuts a stream of bytes into lines at "\n", wherever the chunks' edges lie. Holds at most `lineBytesMax`
 * bytes: a longer line is counted as it streams by and thrown away.
 */
export function createLineFramer(limits: { lineBytesMax: number }): LineFramer {
  const rest = createRest(limits.lineBytesMax);
  let atStart = true;

  function decodeLine(bytes: Uint8Array, framed: Framed): void {
    const text = decodeGarbled(bytes, framed);
    takeLines(atStart ? withoutMark(text) : text, framed.lines);
  }

  /** Decodes many whole lines at once, which is what makes framing fast. */
  function decodeBlock(bytes: Uint8Array, framed: Framed): boolean {
    const text = bytes.length > limits.lineBytesMax ? null : decodeStrict(bytes);
    if (text === null) return false;
    takeLines(atStart ? withoutMark(text) : text, framed.lines);
    atStart = false;
    return true;
  }

  function endLine(piece: Uint8Array, framed: Framed): void {
    const bytes = rest.complete(piece);
    if (typeof bytes === "number") framed.droppedBytes.push(bytes);
    else decodeLine(bytes, framed);
    rest.clear();
    atStart = false;
  }

  function eachLine(block: Uint8Array, framed: Framed): void {
    let from = 0;
    for (let to = block.indexOf(newline); to !== -1; to = block.indexOf(newline, from)) {
      endLine(block.subarray(from, to), framed);
      from = to + 1;
    }
  }

  return {
    push(chunk) {
      const framed: Framed = { lines: [], droppedBytes: [], garbled: 0 };
      const end = chunk.lastIndexOf(newline) + 1;
      const firstEnd = end === 0 || rest.isEmpty() ? 0 : chunk.indexOf(newline) + 1;
      if (firstEnd > 0) endLine(chunk.subarray(0, firstEnd - 1), framed);
      const block = chunk.subarray(firstEnd, end);
      if (block.length > 0 && !decodeBlock(block, framed)) eachLine(block, framed);
      rest.add(chunk.subarray(end));
      return framed;
    },
    end() {
      const framed: Framed = { lines: [], droppedBytes: [], garbled: 0 };
      if (!rest.isEmpty()) endLine(new Uint8Array(0), framed);
      return framed;
    },
  };
}

/** The bytes of a line whose end hasn't come yet. */
function createRest(bytesMax: number) {
  let buffer = new Uint8Array(firstBufferBytes);
  let length = 0;

  function add(piece: Uint8Array): void {
    if (length + piece.length <= bytesMax) {
      makeRoom(length + piece.length);
      buffer.set(piece, length);
    } else giveBack();
    length += piece.length;
  }

  /** A buffer that is merely forgotten stays until it is collected; one that is transferred is freed at once. */
  function makeRoom(bytes: number): void {
    if (bytes > buffer.length)
      buffer = new Uint8Array(buffer.buffer.transfer(Math.max(bytes, buffer.length * 2)));
  }

  function giveBack(): void {
    if (buffer.length > keptBufferBytesMax) buffer = new Uint8Array(buffer.buffer.transfer(firstBufferBytes));
  }

  return {
    add,
    isEmpty: () => length === 0,
    /** The whole line, or its length when it is too long. The bytes are good until `clear`. */
    complete(lastPiece: Uint8Array): Uint8Array | number {
      if (length === 0 && lastPiece.length <= bytesMax) return lastPiece;
      add(lastPiece);
      return length > bytesMax ? length : buffer.subarray(0, length);
    },
    clear(): void {
      length = 0;
      giveBack();
    },
  };
}

function decodeStrict(bytes: Uint8Array): string | null {
  try {
    return strict.decode(bytes);
  } catch (error) {
    // What a fatal TextDecoder throws for bytes that aren't UTF-8.
    if (error instanceof TypeError) return null;
    throw error;
  }
}

function decodeGarbled(bytes: Uint8Array, framed: Framed): string {
  const text = decodeStrict(bytes);
  if (text !== null) return text;
  framed.garbled += 1;
  return lenient.decode(bytes);
}

function withoutMark(text: string): string {
  return text.startsWith(byteOrderMark) ? text.slice(1) : text;
}

function takeLines(text: string, lines: string[]): void {
  const clean = text.includes("\0") ? text.replaceAll("\0", "") : text;
  for (const line of clean.split("\n")) {
    const whole = line.endsWith("\r") ? line.slice(0, -1) : line;
    if (/\S/.test(whole)) lines.push(whole);
  }
}
