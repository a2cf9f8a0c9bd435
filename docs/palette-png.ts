import { crc32, deflateSync, inflateSync } from "node:zlib";

/** Colours that a picture of a page keeps; what stands between two of them becomes the nearer one. */
const coloursMax = 48;
const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);

interface Picture {
  width: number;
  height: number;
  /** 0xRRGGBB of each pixel, row after row. */
  pixels: Uint32Array;
}

/** The same picture with few colours, and a fraction of the bytes. `png` is as Chromium makes it. */
export function paletted(png: Uint8Array): Uint8Array {
  const picture = decode(Buffer.from(png));
  const palette = choosePalette(picture.pixels);
  return encode(picture, palette, indexer(palette));
}

function decode(png: Buffer): Picture {
  const chunks = [...chunksOf(png)];
  const header = chunks.find(({ type }) => type === "IHDR")!.data;
  const width = header.readUInt32BE(0);
  const height = header.readUInt32BE(4);
  const channels = header[9] === 6 ? 4 : 3;
  const bytes = inflateSync(
    Buffer.concat(chunks.filter(({ type }) => type === "IDAT").map(({ data }) => data)),
  );
  const stride = width * channels;
  const pixels = new Uint32Array(width * height);
  let above = new Uint8Array(stride);
  for (let y = 0; y < height; y++) {
    const at = y * (stride + 1);
    const row = unfiltered(bytes[at]!, bytes.subarray(at + 1, at + 1 + stride), above, channels);
    for (let x = 0; x < width; x++) {
      const from = x * channels;
      pixels[y * width + x] = (row[from]! << 16) | (row[from + 1]! << 8) | row[from + 2]!;
    }
    above = row;
  }
  return { width, height, pixels };
}

function* chunksOf(png: Buffer): Generator<{ type: string; data: Buffer }> {
  for (let at = signature.length; at < png.length;) {
    const length = png.readUInt32BE(at);
    yield { type: png.toString("latin1", at + 4, at + 8), data: png.subarray(at + 8, at + 8 + length) };
    at += length + 12;
  }
}

/** The five filters of PNG's specification, section 9. */
function unfiltered(
  filter: number,
  bytes: Uint8Array,
  above: Uint8Array,
  channels: number,
): Uint8Array<ArrayBuffer> {
  const row = new Uint8Array(bytes.length);
  for (let at = 0; at < bytes.length; at++) {
    const left = at < channels ? 0 : row[at - channels]!;
    const up = above[at]!;
    const upLeft = at < channels ? 0 : above[at - channels]!;
    const guess = [0, left, up, (left + up) >> 1, nearest(left, up, upLeft)][filter]!;
    row[at] = bytes[at]! + guess;
  }
  return row;
}

function nearest(left: number, up: number, upLeft: number): number {
  const sum = left + up - upLeft;
  const [toLeft, toUp, toUpLeft] = [Math.abs(sum - left), Math.abs(sum - up), Math.abs(sum - upLeft)];
  if (toLeft <= toUp && toLeft <= toUpLeft) return left;
  return toUp <= toUpLeft ? up : upLeft;
}

/** The most frequent colours, none too like one before it. */
function choosePalette(pixels: Uint32Array): number[] {
  const counts = new Map<number, number>();
  for (const colour of pixels) counts.set(colour, (counts.get(colour) ?? 0) + 1);
  const palette: number[] = [];
  for (const [colour] of [...counts].sort((a, b) => b[1] - a[1])) {
    if (palette.length === coloursMax) break;
    const least = palette.length < 12 ? 30 : 500;
    if (palette.every((chosen) => distance(chosen, colour) > least)) palette.push(colour);
  }
  return palette;
}

function distance(a: number, b: number): number {
  const [red, green, blue] = [16, 8, 0].map((shift) => ((a >> shift) & 255) - ((b >> shift) & 255));
  return red! * red! + green! * green! + blue! * blue!;
}

function indexer(palette: readonly number[]): (colour: number) => number {
  const known = new Map<number, number>();
  return (colour) => {
    let index = known.get(colour);
    if (index === undefined) {
      const distances = palette.map((chosen) => distance(chosen, colour));
      known.set(colour, (index = distances.indexOf(Math.min(...distances))));
    }
    return index;
  };
}

function encode(
  { width, height, pixels }: Picture,
  palette: readonly number[],
  indexOf: (colour: number) => number,
) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3, 0, 0, 0], 8);
  const rows = Buffer.alloc((width + 1) * height);
  for (let at = 0; at < pixels.length; at++) rows[at + Math.floor(at / width) + 1] = indexOf(pixels[at]!);
  const colours = Buffer.from(palette.flatMap((colour) => [colour >> 16, (colour >> 8) & 255, colour & 255]));
  return Buffer.concat([
    signature,
    chunk("IHDR", header),
    chunk("PLTE", colours),
    chunk("IDAT", deflateSync(rows, { level: 9, memLevel: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}
