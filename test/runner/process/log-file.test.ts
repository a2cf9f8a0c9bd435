import { expect, test } from "bun:test";
import { mkdirSync, readFileSync, readdirSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import { openRunLog, readRunLog, removeRunLog } from "../../../src/runner/process/log-file.ts";
import { eventually, temporaryFolder } from "./harness.ts";

function collectErrors() {
  const codes: (string | undefined)[] = [];
  return { codes, onError: (error: NodeJS.ErrnoException) => void codes.push(error.code) };
}

test("what is written is in the file after close, for its owner only", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "run.log");
  const { codes, onError } = collectErrors();

  const log = openRunLog({ path, bytesMax: 1_000, onError });
  log.write("one\n");
  log.write("zwei ü\n");
  await log.close();

  expect(readFileSync(path, "utf8")).toBe("one\nzwei ü\n");
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(codes).toEqual([]);
});

test("a run that says nothing leaves no file", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "run.log");

  await openRunLog({ path, bytesMax: 1_000, onError() {} }).close();

  expect(readdirSync(folder.path)).toEqual([]);
});

test("a long run's log can be read while it goes on, and isn't held open", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "run.log");
  const log = openRunLog({ path, bytesMax: 1_000, onError() {} });

  log.write("so far\n");
  await eventually(
    "the text is in the file",
    () => readdirSync(folder.path).length === 1 && statSync(path).size === 7,
  );
  await eventually("the file is closed", () => !openFiles().includes(path));
  log.write("and on\n");
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

test("a log stops at its limit and says how much is missing", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "run.log");

  const log = openRunLog({ path, bytesMax: 20, onError() {} });
  log.write("0123456789\n");
  log.write("too long for it\n");
  log.write("short\n");
  await log.close();

  expect(readFileSync(path, "utf8")).toBe("0123456789\n… 22 bytes dropped\n");
});

test("a disk that doesn't keep up costs text, not memory", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "run.log");

  const log = openRunLog({ path, bytesMax: 100_000_000, onError() {} });
  for (let piece = 0; piece < 30; piece += 1) log.write("x".repeat(100_000));
  await log.close();

  const text = readFileSync(path, "utf8");
  expect(text).toEndWith("… 2000000 bytes dropped\n");
  expect(text.length).toBeLessThan(1_048_576 + 100);
});

test("the first error is told, none is thrown", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "a-folder");
  mkdirSync(path);
  const { codes, onError } = collectErrors();

  const log = openRunLog({ path, bytesMax: 1_000, onError });
  log.write("one\n");
  await log.close();
  log.write("two\n");
  await log.close();

  expect(codes).toEqual(["EISDIR"]);
});

test("a log on a full disk is given up", async () => {
  const { codes, onError } = collectErrors();

  const log = openRunLog({ path: "/dev/full", bytesMax: 1_000, onError });
  log.write("one\n");
  await eventually("the error is told", () => codes.length > 0);
  log.write("two\n");
  await log.close();

  expect(codes).toEqual(["ENOSPC"]);
});

test("a log is read from its beginning, within a limit, without half characters", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "run.log");
  await Bun.write(path, "aüb");

  const texts = await Promise.all([2, 3, 100].map((bytesMax) => readRunLog(path, { bytesMax })));

  expect(texts).toEqual(["a", "aü", "aüb"]);
});

test("a log that is removed is gone, and removing it again is no error", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "run.log");
  await Bun.write(path, "text");

  await removeRunLog(path);
  await removeRunLog(path);

  expect(await readRunLog(path, { bytesMax: 100 })).toBeNull();
});
