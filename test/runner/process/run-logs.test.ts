import { describe, expect, test } from "bun:test";
import { appendFileSync, truncateSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { systemClock } from "../../../src/domain/clock.ts";
import { createRedactor } from "../../../src/runner/policies/redaction.ts";
import { readLogPiece } from "../../../src/runner/process/log-reading.ts";
import { createLogSegments } from "../../../src/runner/process/log-segments.ts";
import { createRunLogs } from "../../../src/runner/process/run-logs.ts";
import { eventually, temporaryFolder } from "./harness.ts";

const anyText = fc.string({ unit: "grapheme", maxLength: 60 });

function openLogs(folder: string, bytesMax = 1_000_000) {
  return createRunLogs({ folder, bytesMax, redactor: createRedactor({}), clock: systemClock, onError() {} });
}

describe("a piece of a log", () => {
  test("has whole characters only, and the pieces one after the other are the log", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "run.log");
    await fc.assert(
      fc.asyncProperty(anyText, fc.integer({ min: 4, max: 20 }), async (text, pieceBytes) => {
        await Bun.write(path, text);

        let read = "";
        let piece = await readLogPiece(path, 0, pieceBytes);
        while (piece !== null && piece.text !== "") {
          expect(piece.nextByte - piece.fromByte).toBeLessThanOrEqual(pieceBytes);
          read += piece.text;
          piece = await readLogPiece(path, piece.nextByte, pieceBytes);
        }

        expect(read).toBe(text);
      }),
    );
  });

  test("from the end is an end of the log, wherever it is cut", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "run.log");
    await fc.assert(
      fc.asyncProperty(anyText, fc.integer({ min: 1, max: 80 }), async (text, tailBytes) => {
        await Bun.write(path, text);

        const piece = (await readLogPiece(path, -tailBytes, tailBytes))!;

        expect(text.endsWith(piece.text)).toBe(true);
        expect(Buffer.byteLength(text) - piece.fromByte).toBe(Buffer.byteLength(piece.text));
        expect(Math.min(tailBytes, piece.totalBytes) - Buffer.byteLength(piece.text)).toBeLessThan(4);
      }),
    );
  });

  test("leaves half a character that is still being written for the next one", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "run.log");
    const bytes = new TextEncoder().encode("so far €");
    await Bun.write(path, bytes.subarray(0, bytes.length - 1));

    const before = await readLogPiece(path, 0, 100);
    await Bun.write(path, bytes);
    const after = await readLogPiece(path, before!.nextByte, 100);

    expect(before).toEqual({ text: "so far ", fromByte: 0, nextByte: 7, totalBytes: 9 });
    expect(after).toEqual({ text: "€", fromByte: 7, nextByte: 10, totalBytes: 10 });
  });

  test("of bytes that are no text is read to its end all the same", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "run.log");
    await Bun.write(path, new Uint8Array([0x80, 0x80, 0x80, 0x80, 0xff, 0xc3, 0x28, 0x0a]));

    const piece = await readLogPiece(path, 0, 100);

    expect(piece?.nextByte).toBe(8);
    expect(piece?.text).toEndWith("(\n");
  });

  test("beyond the end is empty, and of no log is null", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "run.log");
    await Bun.write(path, "abc");

    const beyond = await readLogPiece(path, 10, 100);
    const missing = await readLogPiece(join(folder.path, "none.log"), 0, 100);

    expect(beyond).toEqual({ text: "", fromByte: 3, nextByte: 3, totalBytes: 3 });
    expect(missing).toBeNull();
  });

  test("costs the region that is asked for, however large the log is", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "run.log");
    await Bun.write(path, "");
    truncateSync(path, 100_000_000_000);
    appendFileSync(path, "the end");

    const piece = await readLogPiece(path, -7, 100);

    expect(piece?.text).toBe("the end");
    expect(piece?.totalBytes).toBe(100_000_000_007);
  });
});

describe("of a log whose midst was left out", () => {
  const text = (letter: string, bytes: number) => Buffer.from(`${letter.repeat(bytes - 1)}\n`);

  /** 50 bytes of a, 100 of b that are gone, 25 of c, and 20 of d. */
  async function writeLog(folder: string): Promise<string> {
    const path = join(folder, "run.log");
    const segments = createLogSegments(path, 100);
    for (const bytes of [text("a", 50), text("b", 25), text("b", 25)]) await segments.write(bytes);
    segments.leaveOut(50);
    for (const bytes of [text("c", 25), text("d", 20)]) await segments.write(bytes);
    return path;
  }

  test("offsets stay what they were, and who asks for what is gone is told so", async () => {
    using folder = temporaryFolder();
    const path = await writeLog(folder.path);

    const whole = await readLogPiece(path, 0, 1_000);
    const inGap = await readLogPiece(path, 120, 10);
    const atGap = await readLogPiece(path, 50, 30);
    const end = await readLogPiece(path, -60, 1_000);

    const marked = (dropped: number) => `… ${dropped} bytes dropped\n`;
    const [a, c, d] = [text("a", 50), text("c", 25), text("d", 20)].map(String);
    expect(whole).toEqual({
      text: `${a}${marked(100)}${c}${d}`,
      fromByte: 0,
      nextByte: 195,
      totalBytes: 195,
    });
    expect(inGap).toEqual({ text: `${marked(30)}cccccccccc`, fromByte: 120, nextByte: 160, totalBytes: 195 });
    expect(atGap).toMatchObject({ text: `${marked(100)}${c}ddddd`, nextByte: 180 });
    expect(end).toMatchObject({ text: `${marked(15)}${c}${d}`, fromByte: 135, nextByte: 195 });
  });

  test("the line stands by itself where the beginning was cut in the midst of one", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "run.log");
    const segments = createLogSegments(path, 100);
    await segments.write(Buffer.from("no line end"));
    segments.leaveOut(7);
    await segments.write(Buffer.from("end"));

    const whole = await readLogPiece(path, 0, 1_000);
    const goneOn = await readLogPiece(path, 11, 1_000);

    expect(whole?.text).toBe("no line end\n… 7 bytes dropped\nend");
    expect(goneOn?.text).toBe("\n… 7 bytes dropped\nend");
  });

  test("pieces one after the other are the whole, however it was written and whatever was left out", async () => {
    const anyWrites = fc.array(fc.tuple(anyText, fc.nat({ max: 3 })), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(anyWrites, fc.integer({ min: 40, max: 400 }), async (writes, bytesMax) => {
        using folder = temporaryFolder();
        const path = join(folder.path, "run.log");
        const segments = createLogSegments(path, bytesMax);
        let written = "";
        for (const [words, leftOut] of writes) {
          await segments.write(Buffer.from(words));
          written += words;
          if (leftOut === 1) segments.leaveOut(10);
          if (leftOut === 1) written += "?".repeat(10);
        }

        let read = "";
        let nextByte = 0;
        let piece = await readLogPiece(path, 0, 16);
        while (piece !== null && piece.text !== "") {
          read += piece.text;
          nextByte = piece.nextByte;
          piece = await readLogPiece(path, nextByte, 16);
        }

        const [beginning = "", end] = read.split(/\n?… \d+ bytes dropped\n/);
        expect(written).toStartWith(beginning);
        if (end !== undefined) expect(written.replace(/\?+$/, "")).toEndWith(end);
        else expect(Buffer.byteLength(read)).toBe(nextByte);
      }),
      { numRuns: 50 },
    );
  });
});

describe("the logs of runs", () => {
  test("tell who follows one whenever it has grown, until they leave", async () => {
    using folder = temporaryFolder();
    const logs = openLogs(folder.path);
    const seen: string[] = [];
    const leave = logs.onGrown("run_1", () => void seen.push("one"));
    logs.onGrown("run_1", () => void seen.push("other"));
    logs.onGrown("run_2", () => void seen.push("of another run"));
    const log = logs.open("run_1");

    log.line("a");
    await eventually("both are told", () => seen.length === 2);
    leave();
    log.line("b");
    await log.close();

    expect(seen).toEqual(["one", "other", "other"]);
  });

  test("give a piece of one that is being closed when it is whole", async () => {
    using folder = temporaryFolder();
    const logs = openLogs(folder.path);
    const log = logs.open("run_1");
    log.line("the last words");

    void log.close();
    const piece = await logs.readPiece("run_1", -5, 100);

    expect(piece).toEqual({ text: "ords\n", fromByte: 10, nextByte: 15, totalBytes: 15 });
  });

  test("can be read as a whole while they grow, in pieces", async () => {
    using folder = temporaryFolder();
    const logs = openLogs(folder.path, 8_000_000);
    const log = logs.open("run_1");
    const lines = Array.from({ length: 60_000 }, (_, at) => `line ${at}`);
    for (const line of lines) log.line(line);

    const soon = await logs.read("run_1");
    const begun = await new Response(soon).text();
    await log.close();
    const whole = await new Response(await logs.read("run_1")).text();

    expect(whole).toBe(`${lines.join("\n")}\n`);
    expect(whole).toStartWith(begun);
    expect(await logs.read("run_2")).toBeNull();
  });

  test("are counted, and counted anew by the sweep", async () => {
    using folder = temporaryFolder();
    const logs = openLogs(folder.path);
    const log = logs.open("run_1");
    log.line("12345");
    await log.close();
    const written = logs.bytes;

    await logs.remove(["run_1"]);
    await logs.removeOld({
      endedBeforeMs: 0,
      bytesMax: 1_000,
      endsOf: () => new Map(),
      noteRemoved: () => Promise.resolve(),
      signal: new AbortController().signal,
    });

    expect([written, logs.bytes]).toEqual([6, 0]);
  });
});
