import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ContainmentTools, wrap } from "../../../src/runner/process/containment.ts";
import { detectContainment } from "../../../src/runner/process/detect-containment.ts";
import { containmentOf, detectWithOnly, openBench, temporaryFolder } from "./harness.ts";

const tools: ContainmentTools = {
  bwrap: "/usr/bin/bwrap",
  unshare: "/usr/bin/unshare",
  setpriv: "/usr/bin/setpriv",
  mount: "/usr/bin/mount",
  nice: "/usr/bin/nice",
};
const spec = { file: "/opt/claude", args: ["-p", "x"], cwd: "/work", hiddenPaths: [], statusFd: 3 };

test("bwrap gets a PID namespace, hides the folders and ends with us", () => {
  const command = wrap({ rung: "bwrap", tools, isRoot: false }, { ...spec, hiddenPaths: ["/data", "/x y"] });

  expect(command.file).toBe("/usr/bin/bwrap");
  expect(command.args.join("|")).toBe(
    "--bind|/|/|--dev-bind|/dev|/dev|--proc|/proc|--tmpfs|/data|--tmpfs|/x y|--unshare-pid|--die-with-parent|" +
      "--json-status-fd|3|--chdir|/work|--|/opt/claude|-p|x",
  );
});

test("under root bwrap also takes away the right to unmount", () => {
  const { args } = wrap({ rung: "bwrap", tools, isRoot: true }, spec);

  expect(args.join(" ")).toContain("--die-with-parent --cap-drop CAP_SYS_ADMIN --json-status-fd 3");
});

test("what may only be read is mounted after all that may be written, and before what is hidden", () => {
  const files = { writablePaths: ["/work"], temporaryPaths: [], readablePaths: [] };
  const given = { ...spec, hiddenPaths: ["/data"], readOnlyPaths: ["/sys/fs/cgroup"] };
  const open = wrap({ rung: "bwrap", tools, isRoot: false }, given).args.join(" ");
  const closed = wrap({ rung: "bwrap", tools, isRoot: false }, { ...given, files }).args.join(" ");

  expect(open).toContain("--proc /proc --ro-bind /sys/fs/cgroup /sys/fs/cgroup --tmpfs /data");
  expect(closed).toContain("--bind /work /work --ro-bind /sys/fs/cgroup /sys/fs/cgroup --tmpfs /data");
});

test("unshare is tied to our life by setpriv", () => {
  const command = wrap({ rung: "unshare", tools, isRoot: true }, spec);

  expect([command.file, ...command.args].join(" ")).toBe(
    "/usr/bin/setpriv --pdeathsig KILL -- /usr/bin/unshare --pid --fork --kill-child --mount-proc -- /opt/claude -p x",
  );
});

test("unshare makes a user namespace for those who aren't root", () => {
  const { args } = wrap({ rung: "unshare", tools, isRoot: false }, spec);

  expect(args.join(" ")).toContain("/usr/bin/unshare --user --map-current-user --pid --fork");
});

test("unshare hides folders by a mount that the command can't undo", () => {
  const { args } = wrap({ rung: "unshare", tools, isRoot: false }, { ...spec, hiddenPaths: ["/data"] });

  expect(args).toContain("--keep-caps");
  expect(args.slice(-8)).toEqual([
    "sh",
    "/usr/bin/mount",
    "/usr/bin/setpriv",
    "/data",
    "--",
    "/opt/claude",
    "-p",
    "x",
  ]);
  expect(args.join(" ")).toContain("--bounding-set=-sys_admin");
});

test("a process group needs no wrapper", () => {
  expect(wrap({ rung: "process-group", tools, isRoot: false }, spec)).toEqual({
    file: "/opt/claude",
    args: ["-p", "x"],
  });
});

test("without bwrap and unshare the process group is what's left, and it is said why", async () => {
  const detected = await detectWithOnly([]);

  expect(detected.rung).toBe("process-group");
  expect(detected.degradedBecause).toBe(
    "bwrap isn't installed; unshare isn't installed: the data directory can't be hidden and a process that leaves its group may escape",
  );
});

test("a sandbox that is switched off is a process group", async () => {
  const detected = await detectContainment({ sandbox: "off", hiddenPaths: [], path: process.env.PATH ?? "" });

  expect(detected.rung).toBe("process-group");
  expect(detected.degradedBecause).toStartWith("the sandbox is switched off");
});

test("a bwrap that is installed but refused isn't taken", async () => {
  using folder = temporaryFolder();
  writeFileSync(join(folder.path, "bwrap"), "#!/bin/sh\necho 'bwrap: No permissions' >&2\nexit 1\n");
  chmodSync(join(folder.path, "bwrap"), 0o755);

  const detected = await detectContainment({ sandbox: "auto", hiddenPaths: [], path: folder.path });

  expect(detected.rung).toBe("process-group");
  expect(detected.degradedBecause).toContain("bwrap doesn't work here (bwrap: No permissions)");
});

for (const rung of ["bwrap", "unshare"] as const) {
  const containment = await containmentOf(rung);

  test.skipIf(containment === null)(
    `${rung}: a hidden folder is empty for a run, also through a link`,
    async () => {
      if (containment === null) return;
      await using bench = openBench(containment);
      const secret = join(bench.folder, "data");
      mkdirSync(secret);
      writeFileSync(join(secret, "token"), "secret");
      symlinkSync(secret, join(bench.folder, "link"));
      const script = `ls -A ${secret}; cat ${bench.folder}/link/token; umount ${secret}; cat ${secret}/token; echo done`;

      const { process, heard } = await bench.spawn(["sh", "-c", script], {
        hiddenPaths: [join(bench.folder, "link")],
      });
      await process.exited;

      expect(heard.lines).toEqual(["done"]);
    },
  );

  test.skipIf(containment === null)(`${rung}: a run sees only its own processes`, async () => {
    if (containment === null) return;
    await using bench = openBench(containment);

    const { process, heard } = await bench.spawn(["sh", "-c", "for p in /proc/[0-9]*; do echo $p; done"]);
    await process.exited;

    expect(heard.lines.length).toBeLessThanOrEqual(2);
    expect(heard.lines).toContain("/proc/1");
  });

  test.skipIf(containment === null)(`${rung}: a run can't be started inside what is hidden`, async () => {
    if (containment === null) return;
    await using bench = openBench(containment);
    const limits = { memoryBytesMax: 1, processesMax: 1, lineBytesMax: 1, stdoutBytesMax: 1 };
    const refused = { processId: "proc_1", cli: "demo", args: [], env: {}, limits } as const;

    const cwdInside = await bench.supervisor.spawn({
      ...refused,
      file: "/bin/sh",
      cwd: bench.folder,
      hiddenPaths: [bench.folder],
    });
    const fileInside = await bench.supervisor.spawn({
      ...refused,
      file: "/bin/sh",
      cwd: bench.folder,
      hiddenPaths: ["/usr/bin", "/bin"],
    });

    expect([cwdInside, fileInside]).toMatchObject([
      { kind: "failed", code: "spawn_error" },
      { kind: "failed", code: "spawn_error" },
    ]);
  });
}
