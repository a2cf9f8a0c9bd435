import { expect, test } from "bun:test";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import type { CliProcess, ExitStatus } from "../../../src/runner/process/cli-process.ts";
import { waitFor } from "../../helpers/wait.ts";
import { openSeenCgroups, type SeenCgroups } from "./cgroups.ts";
import { type Bench, containmentOf, eventually, fixtures, openBench, uniqueToken } from "./harness.ts";
import { overshootMax } from "./overshoot.ts";

/** Not every machine lets control groups be made: there the looks do it alone, which limits.test.ts tests. */
const seen = await openSeenCgroups();
const memoryBytesMax = 256_000_000;
const limits = { memoryBytesMax };

/** As fast as it can. */
const hog = "const kept = []; for (;;) kept.push(Buffer.alloc(4e6, 1));";

/** Memory that no process has, so that only the kernel can count it. */
function hiddenHog(path: string): string {
  const take = `const fs = require("fs"); const file = fs.openSync("${path}", "w"); for (let at = 0; at < 100; at += 1) fs.writeSync(file, Buffer.alloc(4e6, 1));`;
  return `"${process.execPath}" -e '${take}'`;
}

async function ended(cli: CliProcess): Promise<ExitStatus> {
  await waitFor(() => cli.exitStatus !== null, { what: "the CLI's end", deadlineMs: 15_000 });
  return cli.exited;
}

for (const rung of ["bwrap", "unshare", "process-group"] as const) {
  const containment = await containmentOf(rung);
  const there = (title: string, body: (bench: Bench, groups: SeenCgroups, path: string) => Promise<void>) =>
    test.skipIf(containment === null || seen === null)(`${rung}: ${title}`, async () => {
      if (containment === null || seen === null) return;
      seen.ends.length = 0;
      seen.paths.length = 0;
      const sharedPath = `/dev/shm/headway-${uniqueToken()}`;
      try {
        await using bench = openBench(containment, seen.cgroups);
        await body(bench, seen, sharedPath);
      } finally {
        rmSync(sharedPath, { force: true });
      }
      await eventually("all groups are gone", () => seen.paths.every((path) => !existsSync(path)));
    });

  there("a CLI that takes memory at full speed hardly gets past its limit", async (bench, { ends }) => {
    const { process: cli, heard } = await bench.spawn([process.execPath, "-e", hog], { limits });

    cli.beginAccount();
    const status = await ended(cli);
    await cli.killTree();

    expect(heard).toMatchObject({ limits: ["memory_limit"], exits: [status] });
    expect(ends).toHaveLength(1);
    expect(ends[0]?.limitBytes).toBeGreaterThan(memoryBytesMax * 0.99);
    expect(ends[0]?.peakBytes).toBeLessThan(memoryBytesMax * (1 + overshootMax));
  });

  there(
    "memory that no process has is limited too, and a CLI that the kernel kills for it has passed its limit",
    async (bench, { ends }, path) => {
      const { process: cli, heard } = await bench.spawn(["sh", "-c", `exec ${hiddenHog(path)}`], { limits });

      cli.beginAccount();
      await ended(cli);
      await cli.killTree();

      expect(heard.limits).toEqual(["memory_limit"]);
      expect(ends[0]?.kills).toBeGreaterThan(0);
      expect(cli.account().peakRssBytes ?? 0).toBeLessThan(memoryBytesMax);
    },
  );

  there(
    "a CLI that outlives the child that the kernel killed has passed its limit",
    async (bench, _groups, path) => {
      const script = `${hiddenHog(path)}; echo outlived; read -r line`;
      const { process: cli, heard } = await bench.spawn(["sh", "-c", script], { limits });

      cli.beginAccount();
      await ended(cli);

      expect(heard).toMatchObject({ limits: ["memory_limit"] });
      expect(await cli.killTree()).toBe(0);
    },
  );

  there(
    "a warm process's second turn passes the limit, and its first one doesn't",
    async (bench, _groups, path) => {
      const script = 'while read -r line; do eval "$line"; echo done; done';
      const { process: cli, heard } = await bench.spawn(["sh", "-c", script], { limits });

      cli.beginAccount();
      await cli.write("true\n");
      await eventually("the first turn is over", () => heard.lines.length === 1);
      cli.account();
      const first = [...heard.limits];
      cli.beginAccount();
      await cli.write(`${hiddenHog(path)}\n`);
      await ended(cli);

      expect(first).toEqual([]);
      expect(heard.limits).toEqual(["memory_limit"]);
    },
  );
}

const bwrap = await containmentOf("bwrap");

/** What a tree might try against its limit: its own files, another group, mounts anew, and namespaces for that. */
function attempts(group: string, above: string): string {
  const anew = `mkdir -p anew; mount -t cgroup -o memory anew anew || mount -t cgroup2 anew anew; for name in memory.memsw.limit_in_bytes memory.limit_in_bytes memory.max; do for word in -1 max; do echo $word > anew/$name; done; done; echo $$ > anew/cgroup.procs`;
  return [
    `for name in memory.memsw.limit_in_bytes memory.limit_in_bytes memory.max; do for word in -1 max; do echo $word > ${group}/$name; done; done`,
    `echo $$ > ${above}/cgroup.procs`,
    `echo 0 > ${above}/tasks`,
    `mount -o remount,bind,rw /sys/fs/cgroup`,
    `umount -l /sys/fs/cgroup`,
    `unshare --user --map-root-user --cgroup --mount sh -c '${anew}'`,
    `unshare --cgroup --mount sh -c '${anew}'`,
    `cat /proc/self/cgroup; echo tried; read -r line`,
  ].join("; ");
}

test.skipIf(bwrap === null || seen === null).each([
  ["everything", null],
  ["its own folder", []],
] as const)(
  "bwrap: a tree that may write %p can't raise its limit, nor leave its group",
  async (_what, writablePaths) => {
    if (bwrap === null || seen === null) return;
    seen.paths.length = 0;
    await using bench = openBench(bwrap, seen.cgroups);
    const processId = uniqueToken();
    // The script must know its group before it is made.
    const script = 'read -r group; read -r above; read -r script; eval "$script"';
    const { process: cli, heard } = await bench.spawn(["sh", "-c", script], {
      limits,
      processId,
      ...(writablePaths === null ? {} : { writablePaths }),
    });
    const [group = ""] = seen.paths;
    const above = join(group, "..");
    await cli.write(`${group}\n${above}\n${attempts(group, above)}\n`);
    await waitFor(() => heard.lines.includes("tried"), { what: "all attempts", deadlineMs: 10_000 });

    expect(heard.lines.filter((line) => line.includes(`/${basename(group)}`))).toHaveLength(1);
    expect(Number(readLimit(group))).toBeLessThanOrEqual(memoryBytesMax);
    expect(Number(readLimit(group))).toBeGreaterThan(memoryBytesMax * 0.99);
  },
);

function readLimit(group: string): string {
  const names = ["memory.limit_in_bytes", "memory.max"].map((name) => join(group, name));
  return readFileSync(names.find((path) => existsSync(path)) ?? "", "utf8");
}

test.skipIf(bwrap === null || seen === null)(
  "groups of a server that was killed are taken away later, those of one alive stay",
  async () => {
    if (bwrap === null || seen === null) return;
    await using bench = openBench(bwrap, seen.cgroups);
    seen.paths.length = 0;
    await bench.spawn(["sleep", "60"], { limits });
    const processId = uniqueToken();
    const task = {
      containment: bwrap,
      file: "/bin/sh",
      args: ["-c", "echo ready; sleep 60"],
      processId,
      cwd: "/",
      scratchFolder: bench.folder,
      hasCgroups: true,
    };
    const server = Bun.spawn([process.execPath, join(fixtures, "spawning-server.ts"), JSON.stringify(task)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await server.stdout.getReader().read();
    const [own = ""] = seen.paths;
    const groups = () => [
      ...new Bun.Glob(`headway-*-${processId}`).scanSync({ cwd: join(own, ".."), onlyFiles: false }),
    ];
    const made = groups();

    const whileItLives = seen.sweep();
    server.kill("SIGKILL");
    await server.exited;
    await waitFor(() => (seen.sweep(), groups().length === 0), {
      what: "the dead server's group to be gone",
    });

    expect(made).toHaveLength(1);
    expect(whileItLives).toBe(0);
    expect(existsSync(own)).toBe(true);
  },
);
