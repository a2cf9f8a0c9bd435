import { expect, test } from "bun:test";
import fc from "fast-check";
import { type Framed, createLineFramer } from "../../../src/runner/process/lines.ts";

const encode = (text: string) => new TextEncoder().encode(text);

function frame(chunks: readonly Uint8Array[], lineBytesMax = 1_000): Framed {
  const framer = createLineFramer({ lineBytesMax });
  const pieces = [...chunks.map((chunk) => framer.push(chunk)), framer.end()];
  return {
    lines: pieces.flatMap((piece) => piece.lines),
    droppedBytes: pieces.flatMap((piece) => piece.droppedBytes),
    garbled: pieces.reduce((sum, piece) => sum + piece.garbled, 0),
  };
}

test("lines end at a newline, with or without a carriage return", () => {
  const framed = frame([encode("one\ntwo\r\nthree\n")]);

  expect(framed).toEqual({ lines: ["one", "two", "three"], droppedBytes: [], garbled: 0 });
});

test("a line is held back until its newline comes", () => {
  const framer = createLineFramer({ lineBytesMax: 100 });

  const first = framer.push(encode("one\ntw"));
  const second = framer.push(encode("o\n"));

  expect([first.lines, second.lines]).toEqual([["one"], ["two"]]);
});

test("the last line needs no newline", () => {
  expect(frame([encode("one\ntwo")]).lines).toEqual(["one", "two"]);
});

test("blank lines are left out", () => {
  expect(frame([encode("\n\r\none\n  \t\n\n")]).lines).toEqual(["one"]);
});

test("a byte order mark at the very start is left out, later ones are text", () => {
  const framed = frame([encode("\uFEFF"), encode('{"a":1}\n\uFEFFtwo\n')]);

  expect(framed.lines).toEqual(['{"a":1}', "\uFEFFtwo"]);
});

test("NUL characters are left out", () => {
  expect(frame([encode("a\0b\0\n\0\nc\n")]).lines).toEqual(["ab", "c"]);
});

test("characters that are split over chunks arrive whole", () => {
  const bytes = encode("grüße 🚀\n");

  const framed = frame([...bytes].map((byte) => Uint8Array.of(byte)));

  expect(framed).toEqual({ lines: ["grüße 🚀"], droppedBytes: [], garbled: 0 });
});

test("bytes that aren't UTF-8 are replaced, and each such line is counted once", () => {
  const bytes = Uint8Array.of(0x61, 0xff, 0xfe, 0x0a, 0x62, 0x0a, 0xc3, 0x0a);

  const framed = frame([bytes]);

  expect(framed).toEqual({ lines: ["a\uFFFD\uFFFD", "b", "\uFFFD"], droppedBytes: [], garbled: 2 });
});

test("a line that is too long is dropped with its length, and the next one is whole", () => {
  const framed = frame([encode("x".repeat(60)), encode(`${"x".repeat(60)}\nnext\n`)], 100);

  expect(framed).toEqual({ lines: ["next"], droppedBytes: [120], garbled: 0 });
});

test("a line of exactly the allowed length is kept", () => {
  const framed = frame([encode(`${"x".repeat(100)}\n${"y".repeat(101)}\n`)], 100);

  expect(framed).toEqual({ lines: ["x".repeat(100)], droppedBytes: [101], garbled: 0 });
});

test("a last line that is too long is reported, too", () => {
  expect(frame([encode("x".repeat(101))], 100).droppedBytes).toEqual([101]);
});

test("whatever the bytes and wherever the chunks are cut, the lines are the same", () => {
  const bit = fc.constantFrom(
    0x0a,
    0x0d,
    0x00,
    0x20,
    0x61,
    0xc3,
    0xbc,
    0xff,
    0xef,
    0xbb,
    0xbf,
    0xf0,
    0x9f,
    0x9a,
    0x80,
  );
  const bytes = fc.array(fc.oneof(bit, fc.nat(255)), { maxLength: 200 });
  const cuts = fc.array(fc.nat(200), { maxLength: 20 });

  fc.assert(
    fc.property(bytes, cuts, fc.integer({ min: 1, max: 40 }), (all, at, lineBytesMax) => {
      const whole = frame([Uint8Array.from(all)], lineBytesMax);
      const inPieces = frame(cut(Uint8Array.from(all), at), lineBytesMax);
      expect(inPieces).toEqual(whole);
      expect(whole).toEqual(frameSlowly(all, lineBytesMax));
    }),
    { numRuns: 500 },
  );
});

function cut(bytes: Uint8Array, at: readonly number[]): Uint8Array[] {
  const edges = [0, ...at.filter((edge) => edge < bytes.length).toSorted((a, b) => a - b), bytes.length];
  return edges.slice(1).map((edge, index) => bytes.slice(edges[index], edge));
}

/** The rules again, without any concern for chunks, memory or speed. */
function frameSlowly(all: readonly number[], lineBytesMax: number): Framed {
  const framed: Framed = { lines: [], droppedBytes: [], garbled: 0 };
  const raw: number[][] = [[]];
  for (const byte of all) {
    if (byte === 0x0a) raw.push([]);
    else raw.at(-1)?.push(byte);
  }
  for (const [index, bytes] of raw.entries()) {
    if (bytes.length > lineBytesMax) framed.droppedBytes.push(bytes.length);
    if (bytes.length > lineBytesMax) continue;
    const text = Buffer.from(bytes).toString("utf8");
    if (!Buffer.from(text).equals(Buffer.from(bytes))) framed.garbled += 1;
    const unmarked = index === 0 && text.startsWith("\uFEFF") ? text.slice(1) : text;
    const line = unmarked.replaceAll("\0", "").replace(/\r$/, "");
    if (line.trim() !== "") framed.lines.push(line);
  }
  return framed;
}
