import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { wrap } from "../../../src/runner/process/containment.ts";
import { runAs, users } from "./as-user.ts";
import { containmentOf, fixtures, openBench } from "./harness.ts";

const bwrap = await containmentOf("bwrap");
const processGroup = (await containmentOf("process-group"))!;
const tools = { bwrap: "/usr/bin/bwrap", unshare: null, setpriv: null, mount: null, nice: null };
const spec = {
  file: "/opt/claude",
  args: ["-p"],
  cwd: "/work",
  hiddenPaths: ["/data"],
  statusFd: 3,
  files: {
    writablePaths: ["/work", "/home/a/.claude"],
    temporaryPaths: ["/tmp"],
    readablePaths: ["/tmp/cli/bin"],
  },
};

/** A folder that the policy covers with nothing: those in /tmp are private to each tree. */
function openFolder(): { path: string } & Disposable {
  const path = mkdtempSync("/var/tmp/headway-file-policy-");
  chmodSync(path, 0o777);
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

test("bwrap gets everything for reading, then what covers it, then what may be written, then what is hidden", () => {
  const { args } = wrap({ rung: "bwrap", tools, isRoot: false, sizesFolders: true }, spec);

  expect(args.slice(0, args.indexOf("--unshare-pid")).join(" ")).toBe(
    "--ro-bind / / --dev /dev --proc /proc --ro-bind /proc/sys /proc/sys --size 1073741824 --tmpfs /tmp " +
      "--ro-bind /tmp/cli/bin /tmp/cli/bin --bind /work /work --bind /home/a/.claude /home/a/.claude --tmpfs /data",
  );
});

test("an older bwrap isn't asked for a size, and root loses what could undo it", () => {
  const { args } = wrap({ rung: "bwrap", tools, isRoot: true }, spec);

  expect(args).not.toContain("--size");
  expect(args.join(" ")).toContain("--cap-drop ALL --cap-add CAP_CHOWN");
  expect(args).not.toContain("CAP_SYS_ADMIN");
  expect(args).not.toContain("CAP_MKNOD");
});

test("no other rung is asked for it", () => {
  expect(() => wrap({ rung: "unshare", tools, isRoot: true }, spec)).toThrow("a rung that has none");
});

describe.each([...users])("a tree under the file policy, run by $name", (user) => {
  test("writes in its folder, the CLI's own and private temporary ones, reads the rest, and gets no further", async () => {
    using folder = openFolder();
    const prober = join(fixtures, "file-policy-prober.ts");

    const found = await runAs<{ said: string[]; written: string[] } | null>(user, prober, [folder.path]);

    // A machine without bwrap; containmentOf has let CI fail already.
    if (found === null) return;
    // The hidden folder is an empty one of the tree's own, in memory.
    expect(found.said).toEqual(["wrote workspace", "wrote own", "wrote data", "wrote temporary", "plain"]);
    expect(found.written).toEqual(["workspace", "own"]);
  });
});

test.skipIf(bwrap === null)("one's own folder that is a link is writable where it leads", async () => {
  if (bwrap === null) return;
  using folder = openFolder();
  mkdirSync(join(folder.path, "workspace"));
  mkdirSync(join(folder.path, "real"));
  symlinkSync(join(folder.path, "real"), join(folder.path, "link"));
  await using bench = openBench(bwrap);

  const { process } = await bench.spawn(["sh", "-c", `echo x > ${folder.path}/link/file`], {
    cwd: join(folder.path, "workspace"),
    writablePaths: [join(folder.path, "link")],
  });
  const status = await process.exited;

  expect([status.exitCode, existsSync(join(folder.path, "real/file"))]).toEqual([0, true]);
});

test.skipIf(bwrap === null)(
  "a program that is installed in a temporary folder can be run there, and not be changed",
  async () => {
    if (bwrap === null) return;
    await using bench = openBench(bwrap);
    const program = join(bench.folder, "program");
    writeFileSync(
      program,
      `#!/bin/sh\necho x > ${bench.folder}/beside; echo x > /tmp/elsewhere && echo ran\n`,
    );
    chmodSync(program, 0o755);

    const { process, heard } = await bench.spawn([program], { cwd: "/var", writablePaths: [] });
    await process.exited;

    expect(heard.lines).toEqual(["ran"]);
    expect([existsSync(join(bench.folder, "beside")), existsSync("/tmp/elsewhere")]).toEqual([false, false]);
  },
);

test("where bwrap is missing such a tree isn't started at all", async () => {
  await using bench = openBench(processGroup);

  const started = bench.spawn(["sh", "-c", "exit 0"], { writablePaths: [] });

  expect(await started.catch((error: Error) => error.message)).toContain("file policy needs bwrap");
});
