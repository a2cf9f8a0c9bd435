import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { createCliVersions } from "../../../src/runner/process/cli-version.ts";
import { type Executable, findExecutable } from "../../../src/runner/process/find-executable.ts";
import { waitFor } from "../../helpers/wait.ts";
import { type Bench, containmentOf, openBench, temporaryFolder, uniqueToken } from "./harness.ts";

function writeProgram(path: string, script: string): Executable {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return { path, realPath: realpathSync(path) };
}

async function openReader() {
  const containment = (await containmentOf("bwrap")) ?? (await containmentOf("process-group"));
  if (containment === null) throw new Error("every machine has process groups");
  const bench: Bench = openBench(containment);
  const versions = createCliVersions({
    supervisor: bench.supervisor,
    makeProcessId: uniqueToken,
    environmentOf: () => ({ PATH: process.env.PATH ?? "" }),
    hiddenPaths: [],
  });
  return {
    bench,
    versions,
    readVersion: versions.read,
    [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose](),
  };
}

test("a program is found in the first folder of PATH that has it", () => {
  using folder = temporaryFolder();
  const second = writeProgram(join(folder.path, "b/claude"), "");
  writeProgram(join(folder.path, "c/claude"), "");
  mkdirSync(join(folder.path, "a/claude"), { recursive: true });
  const path = ["a", "b", "c"].map((name) => join(folder.path, name)).join(":");

  const found = findExecutable({ name: "claude", configuredPath: null, path });

  expect(found).toEqual(second);
});

test("a file that can't be executed, a relative folder and an empty PATH find nothing", () => {
  using folder = temporaryFolder();
  writeFileSync(join(folder.path, "claude"), "", { mode: 0o644 });
  const find = (path: string) => findExecutable({ name: "claude", configuredPath: null, path });

  expect([find(folder.path), find("."), find("")]).toEqual([null, null, null]);
});

test("a configured path wins, and when it is wrong nothing else is taken", () => {
  using folder = temporaryFolder();
  const onPath = writeProgram(join(folder.path, "bin/claude"), "");
  const configured = writeProgram(join(folder.path, "opt/my-claude"), "");
  const find = (configuredPath: string) =>
    findExecutable({ name: "claude", configuredPath, path: dirname(onPath.path) });

  expect(find(configured.path)).toEqual(configured);
  expect(find(join(folder.path, "missing"))).toBeNull();
});

test("a link is found with the file that it leads to", () => {
  using folder = temporaryFolder();
  const real = writeProgram(join(folder.path, "lib/cli.js"), "");
  symlinkSync(real.path, join(folder.path, "claude"));

  const found = findExecutable({ name: "claude", configuredPath: null, path: folder.path });

  expect(found).toEqual({ path: join(folder.path, "claude"), realPath: real.realPath });
});

test("the version is read from the package whose program it is, without running it", async () => {
  await using reader = await openReader();
  const root = join(reader.bench.folder, "node_modules/anything");
  const program = writeProgram(join(root, "dist/bin/cli.js"), `touch ${reader.bench.folder}/ran; echo 9.9.9`);
  writeFileSync(
    join(root, "package.json"),
    '{"name":"anything","version":"2.1.3","bin":{"claude":"dist/bin/cli.js"}}',
  );

  const version = await reader.readVersion("claude", program);

  expect(version).toBe("2.1.3");
  expect(reader.bench.facts).toEqual([]);
});

test.each<[string, string, string, string]>([
  [
    "Gemini CLI, linked into its bundle",
    "@google/gemini-cli",
    "bundle/gemini.js",
    '"bin":{"gemini":"bundle/gemini.js"}',
  ],
  [
    "Droid, of which the package for a platform names no program",
    "@factory/cli-linux-x64",
    "bin/droid",
    '"main":"bin/droid"',
  ],
  ["Droid by its wrapper", "@factory/cli", "bin/droid", '"bin":{"droid":"bin/droid"}'],
])("%s is found by its package", async (_, name, path, fields) => {
  await using reader = await openReader();
  const root = join(reader.bench.folder, "node_modules", name);
  const program = writeProgram(join(root, path), "echo 9.9.9");
  writeFileSync(join(root, "package.json"), `{"name":"${name}","version":"0.61.0",${fields}}`);

  expect(await reader.readVersion(name.includes("gemini") ? "gemini" : "droid", program)).toBe("0.61.0");
});

test("Claude Code's own installer puts the version into the file's name", async () => {
  await using reader = await openReader();
  const program = writeProgram(join(reader.bench.folder, "claude/versions/2.1.330"), "echo 9.9.9");

  expect(await reader.versions.peek("claude", program)).toBe("2.1.330");
  expect(reader.bench.facts).toEqual([]);
});

describe("a peek at a version", () => {
  test("doesn't wait for a run, which it begins, and tells when that has told", async () => {
    await using reader = await openReader();
    const gate = join(reader.bench.folder, "go");
    const script = `until [ -e ${gate} ]; do sleep 0.01; done; echo 0.225.2`;
    const program = writeProgram(join(reader.bench.folder, "droid"), script);

    const early = await reader.versions.peek("droid", program);
    writeFileSync(gate, "");
    const told = await waitFor(async () => reader.versions.peek("droid", program), { what: "the version" });

    expect([early, told]).toEqual([undefined, "0.225.2"]);
  });

  test("is null when the program tells none, or has been taken away", async () => {
    await using reader = await openReader();
    const program = writeProgram(join(reader.bench.folder, "droid"), "exit 1");
    await reader.readVersion("droid", program);
    const gone = { path: "/nowhere/droid", realPath: "/nowhere/droid" };

    expect(await reader.versions.peek("droid", program)).toBeNull();
    expect([await reader.versions.peek("droid", gone), await reader.readVersion("droid", gone)]).toEqual([
      null,
      null,
    ]);
  });
});

test("a package that only happens to lie above the program isn't believed", async () => {
  await using reader = await openReader();
  const program = writeProgram(join(reader.bench.folder, "bin/claude"), 'echo "2.1.163 (Claude Code)"');
  writeFileSync(join(reader.bench.folder, "package.json"), '{"name":"my-shop","version":"7.0.0"}');

  expect(await reader.readVersion("claude", program)).toBe("2.1.163");
});

test("a version is learnt once for each state of the file", async () => {
  await using reader = await openReader();
  const counter = join(reader.bench.folder, "runs");
  const program = writeProgram(join(reader.bench.folder, "droid"), `echo x >> ${counter}; echo 0.225.2`);

  await Promise.all([reader.readVersion("droid", program), reader.readVersion("droid", program)]);
  const before = readFileSync(counter, "utf8");
  utimesSync(program.path, 1, 1);
  await reader.readVersion("droid", program);

  expect([before, readFileSync(counter, "utf8")]).toEqual(["x\n", "x\nx\n"]);
});

test("a program that reads its input, prints no version or too much has none", async () => {
  await using reader = await openReader();
  const of = (name: string, script: string) =>
    reader.readVersion("gemini", writeProgram(join(reader.bench.folder, name), script));

  const versions = await Promise.all([
    of("reads", "cat; exit 0"),
    of("fails", "echo no >&2; exit 1"),
    of("floods", "yes no version here"),
  ]);

  expect(versions).toEqual([null, null, null]);
});

test("a package file that isn't JSON is passed over", async () => {
  await using reader = await openReader();
  const program = writeProgram(join(reader.bench.folder, "gemini"), "echo 0.50.0-preview.1");
  writeFileSync(join(reader.bench.folder, "package.json"), "{");

  expect(await reader.readVersion("gemini", program)).toBe("0.50.0-preview.1");
});
