import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { crc32, deflateSync, inflateSync } from "node:zlib";
import { paletted } from "../../docs/palette-png.ts";
import { fileBytesMax, folderBytesMax, screenshotNames, screenshotsPage } from "../../docs/screenshots.ts";

const folder = join(import.meta.dir, "../../docs/screenshots");

describe("the screenshots", () => {
  test("are there for each page in each state, and nothing else is", () => {
    expect(readdirSync(folder).sort()).toEqual(screenshotNames().sort());
    expect(readFileSync(join(folder, "README.md"), "utf8")).toBe(screenshotsPage());
  });

  test("are small", () => {
    const sizes = readdirSync(folder).map((name) => [name, statSync(join(folder, name)).size] as const);

    expect(sizes.filter(([, bytes]) => bytes > fileBytesMax)).toEqual([]);
    expect(sizes.reduce((sum, [, bytes]) => sum + bytes, 0)).toBeLessThan(folderBytesMax);
  });
});

const signature = [137, 80, 78, 71, 13, 10, 26, 10];
const white = [255, 255, 255];
const teal = [11, 101, 94];
const almostTeal = [12, 101, 94];

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

/** A picture of three pixels a row; each row is stored by another of PNG's filters. */
function truecolourPng(rows: number[][][]): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(3, 0);
  header.writeUInt32BE(rows.length, 4);
  header.set([8, 2], 8);
  const raw = rows.map((row) => row.flat());
  const stored = raw.flatMap((row, y) => [y % 5, ...row.map((byte, at) => byte - guess(raw, y, at))]);
  const data = deflateSync(Uint8Array.from(stored.map((byte) => byte & 255)));
  const chunks = [chunk("IHDR", header), chunk("IDAT", data), chunk("IEND", Buffer.alloc(0))];
  return Buffer.concat([Buffer.from(signature), ...chunks]);
}

/** What the row's filter takes away from a byte, in the words of PNG's specification. */
function guess(raw: number[][], y: number, x: number): number {
  const a = raw[y]![x - 3] ?? 0;
  const b = raw[y - 1]?.[x] ?? 0;
  const c = raw[y - 1]?.[x - 3] ?? 0;
  const paeth = [a, b, c].toSorted((p, q) => Math.abs(a + b - c - p) - Math.abs(a + b - c - q))[0]!;
  return [0, a, b, Math.floor((a + b) / 2), paeth][y % 5]!;
}

/** The colours of a paletted picture whose rows aren't filtered. */
function coloursOf(png: Buffer): number[][][] {
  const width = png.readUInt32BE(16);
  const chunks = new Map<string, Buffer>();
  for (let at = 8; at < png.length; at += png.readUInt32BE(at) + 12) {
    chunks.set(png.toString("latin1", at + 4, at + 8), png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  }
  const palette = [...chunks.get("PLTE")!];
  const bytes = [...inflateSync(chunks.get("IDAT")!)];
  const rows = Array.from({ length: bytes.length / (width + 1) }, (_, y) => bytes.slice(y * (width + 1) + 1));
  return rows.map((row) => row.slice(0, width).map((index) => palette.slice(index * 3, index * 3 + 3)));
}

test("a picture keeps its colours when it gets a palette, however its rows were stored", () => {
  const row = [white, teal, white];
  const rows = [row, [teal, teal, white], row, [white, white, teal], [teal, white, teal], row];

  expect(coloursOf(Buffer.from(paletted(truecolourPng(rows))))).toEqual(rows);
});

test("a colour that can hardly be told from another becomes that one", () => {
  const rows = [
    [teal, teal, white],
    [almostTeal, white, white],
  ];

  const [, second] = coloursOf(Buffer.from(paletted(truecolourPng(rows))));

  expect(second).toEqual([teal, white, white]);
});
