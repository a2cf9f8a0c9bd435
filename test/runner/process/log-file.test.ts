import { expect, test } from "bun:test";
import { mkdirSync, readFileSync, readdirSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../../src/domain/clock.ts";
import { createRedactor } from "../../../src/runner/policies/redaction.ts";
import { openRunLog, type RunLogOptions } from "../../../src/runner/process/log-file.ts";
import { readLogPiece } from "../../../src/runner/process/log-reading.ts";
import { removeLogFiles } from "../../../src/runner/process/log-segments.ts";
import { eventually, temporaryFolder } from "./harness.ts";

function collectErrors() {
  const codes: (string | undefined)[] = [];
  return { codes, onError: (error: NodeJS.ErrnoException) => void codes.push(error.code) };
}

function openLog(path: string, over: Partial<RunLogOptions> = {}) {
  const redactor = createRedactor({ DB_PASSWORD: "hunter22" });
  return openRunLog({ path, bytesMax: 1_000, redactor, clock: systemClock, onError() {}, ...over });
}

async function wholeLog(path: string): Promise<string> {
  return (await readLogPiece(path, 0, 100_000_000))?.text ?? "";
}

test("what is written is in the file after close, for its owner only", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "run.log");
  const { codes, onError } = collectErrors();

  const log = openLog(path, { onError });
  log.line("one");
  log.line("zwei ü");
  await log.close();

  expect(readFileSync(path, "utf8")).toBe("one\nzwei ü\n");
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(codes).toEqual([]);
});

test("a run that says nothing leaves no file", async () => {
  using folder = temporaryFolder();

  await openLog(join(folder.path, "run.log")).close();

  expect(readdirSync(folder.path)).toEqual([]);
});

test("a long run's log can be read while it goes on, and isn't held open", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "run.log");
  const log = openLog(path);

  log.line("so far");
  await eventually(
    "the text is in the file",
    () => readdirSync(folder.path).length === 1 && statSync(path).size === 7,
  );
  await eventually("the file is closed", () => !openFiles().includes(path));
  log.line("and on");
  await log.close();

  expect(readFileSync(path, "utf8")).toBe("so far\nand on\n");
});

function openFiles(): string[] {
  return readdirSync("/proc/self/fd").map((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
      throw error;
    }
  });
}

test("lines of stderr are marked, and lines of stdout stay whole beside them", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "run.log");
  const log = openLog(path);

  log.stderr("a warn");
  log.stderr("ing\nthe password is hunt");
  log.stderr("er22\nwaiting ");
  log.line(`{"text":"hunter22"}`);
  log.stderr("for you");
  await log.close();

  expect(readFileSync(path, "utf8")).toBe(
    '[stderr] a warning\nthe password is [redacted:DB_PASSWORD]\nwaiting \n{"text":"[redacted:DB_PASSWORD]"}\n[stderr] for you',
  );
});

test("of a log that is too long the beginning and the end are kept, with how much is missing between them", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "run.log");
  const log = openLog(path, { bytesMax: 4_000 });

  const lines = Array.from({ length: 2_000 }, (_, at) => `line ${at}`);
  for (const line of lines) log.line(line);
  await log.close();
  const text = await wholeLog(path);
  const dropped = Number(/^… (\d+) bytes dropped$/m.exec(text)?.[1]);
  const [beginning = "", end = ""] = text.split(/^… \d+ bytes dropped\n/m);

  const whole = `${lines.join("\n")}\n`;
  expect(whole).toStartWith(beginning);
  expect(whole).toEndWith(end);
  expect(Buffer.byteLength(beginning) + dropped + Buffer.byteLength(end)).toBe(whole.length);
  expect(beginning.length).toBeWithin(1_950, 2_001);
  expect(end.length).toBeWithin(1_000, 2_001);
});

test("a log that rotates keeps its limit on the disk, for its owner only, and what a crash leaves can be read", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "run.log");
  const log = openLog(path, { bytesMax: 4_000, clock: hurriedClock });
  for (let at = 0; at < 500; at += 1) {
    log.line(`line ${at}`);
    if (at % 50 === 0) await log.between(() => Promise.resolve());
  }
  const files = readdirSync(folder.path).map((name) => statSync(join(folder.path, name)));
  await log.close();

  // Nothing but the files tells how they belong together.
  const text = await wholeLog(path);

  expect(files.reduce((bytes, { size }) => bytes + size, 0)).toBeLessThan(4_000 + 3 * 64);
  expect(files.map(({ mode }) => mode & 0o777)).toEqual([0o600, 0o600, 0o600]);
  expect(text).toStartWith("line 0\n");
  expect(text).toEndWith("line 499\n");
  expect(text.match(/bytes dropped/g)).toHaveLength(1);
});

/** Rings as soon as it is asked to. */
const hurriedClock: RunLogOptions["clock"] = {
  after(_delayMs, ring) {
    queueMicrotask(ring);
    return { refresh() {}, stop() {} };
  },
};

test("a disk that doesn't keep up costs text in the midst, not memory and not the end", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "run.log");

  const log = openLog(path, { bytesMax: 100_000_000 });
  for (let piece = 0; piece < 200; piece += 1) log.line(`${piece} `.padEnd(99_999, "x"));
  await log.close();

  const text = await wholeLog(path);
  expect(text).toStartWith("0 xxx");
  expect(text.lastIndexOf("\n199 xxx")).toBe(text.length - 100_001);
  expect(text.match(/bytes dropped/g)).toHaveLength(1);
  expect(text.length).toBeLessThan(4_194_304 + 524_288 + 100);
});

test("where something was left out in the midst of a value, no part of the value is shown", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "run.log");
  const password = "Hunter2Hunter3Hunter4";
  const redactor = createRedactor({ DB_PASSWORD: password });
  const log = openLog(path, { bytesMax: 200, redactor });

  log.stderr(`${"beginning ".repeat(10)}\n`);
  for (const piece of ["one Hunter2Hun", "ter3Hunter4 ", "x ".repeat(150), "two\n"]) log.stderr(piece);
  await log.close();

  const text = await wholeLog(path);
  expect(text).toContain("bytes dropped");
  expect(text).toEndWith("two\n");
  expect(text).not.toMatch(/Hunter|ter3/);
});

test("a line that is longer than what is kept is cut", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "run.log");
  const log = openLog(path, { bytesMax: 1_000 });

  log.line("first");
  log.line(`${"word ".repeat(1_000)}last`);
  await log.close();

  const text = await wholeLog(path);
  expect(text).toStartWith("first\n… ");
  expect(text).toEndWith("word last\n");
  expect(text.length).toBeLessThan(1_100);
});

test("the first error is told, none is thrown", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "a-folder");
  mkdirSync(path);
  const { codes, onError } = collectErrors();

  const log = openLog(path, { onError });
  log.line("one");
  await log.close();
  log.line("two");
  await log.close();

  expect(codes).toEqual(["EISDIR"]);
});

test("a log on a full disk is given up", async () => {
  const { codes, onError } = collectErrors();

  const log = openLog("/dev/full", { onError });
  log.line("one");
  await eventually("the error is told", () => codes.length > 0);
  log.line("two");
  await log.close();

  expect(codes).toEqual(["ENOSPC"]);
});

test("a log that is removed is gone with all its files, and removing it again is no error", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "run.log");
  const log = openLog(path, { bytesMax: 100 });
  for (let at = 0; at < 50; at += 1) log.line(`line ${at}`);
  await log.close();
  const before = readdirSync(folder.path).toSorted();

  await removeLogFiles(path);
  await removeLogFiles(path);

  expect(before.length).toBeGreaterThan(1);
  expect(readdirSync(folder.path)).toEqual([]);
  expect(await readLogPiece(path, 0, 100)).toBeNull();
});
