import { describe, expect, test } from "bun:test";
import { appendFileSync, truncateSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { readLogPiece } from "../../../src/runner/process/log-file.ts";
import { createRunLogs } from "../../../src/runner/process/run-logs.ts";
import { eventually, temporaryFolder } from "./harness.ts";

const anyText = fc.string({ unit: "grapheme", maxLength: 60 });
const bytesMax = 1_000_000;

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

describe("the logs of runs", () => {
  test("tell who follows one whenever it has grown, until they leave", async () => {
    using folder = temporaryFolder();
    const logs = createRunLogs({ folder: folder.path, bytesMax, onError() {} });
    const seen: string[] = [];
    const leave = logs.onGrown("run_1", () => void seen.push("one"));
    logs.onGrown("run_1", () => void seen.push("other"));
    logs.onGrown("run_2", () => void seen.push("of another run"));
    const log = logs.open("run_1");

    log.write("a\n");
    await eventually("both are told", () => seen.length === 2);
    leave();
    log.write("b\n");
    await log.close();

    expect(seen).toEqual(["one", "other", "other"]);
  });

  test("give a piece of one that is being closed when it is whole", async () => {
    using folder = temporaryFolder();
    const logs = createRunLogs({ folder: folder.path, bytesMax, onError() {} });
    const log = logs.open("run_1");
    log.write("the last words\n");

    void log.close();
    const piece = await logs.readPiece("run_1", -5, 100);

    expect(piece).toEqual({ text: "ords\n", fromByte: 10, nextByte: 15, totalBytes: 15 });
  });
});
