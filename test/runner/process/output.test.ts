import { expect, test } from "bun:test";
import { join } from "node:path";
import { type Bench, containmentOf, eventually, openBench } from "./harness.ts";

const megabyte = 2 ** 20;

for (const rung of ["bwrap", "process-group"] as const) {
  const containment = await containmentOf(rung);
  const there = (title: string, body: (bench: Bench) => Promise<void>) =>
    test.skipIf(containment === null)(`${rung}: ${title}`, async () => {
      if (containment === null) return;
      await using bench = openBench(containment);
      await body(bench);
    });

  test.skipIf(containment === null)(
    `${rung}: a line of 200 MB is dropped with its length, in bounded memory, and the next line is heard`,
    async () => {
      const heard = await readFlood(
        rung,
        "echo before; head -c 209715200 /dev/zero | tr '\\0' x; echo; echo after",
      );

      expect(heard).toMatchObject({ lines: ["before", "after"], dropped: [209_715_200] });
      expect(heard.grownBytes).toBeLessThan(120 * megabyte);
    },
  );

  test.skipIf(containment === null)(
    `${rung}: a flood of stderr is read in bounded memory and its end is kept`,
    async () => {
      const flood = "head -c 104857600 /dev/zero | tr '\\0' e >&2; echo the end >&2; echo done";
      const heard = await readFlood(rung, flood);

      expect(heard).toMatchObject({ lines: ["done"], stderrLength: 104_857_600 + "the end\n".length });
      expect(heard.stderrTail).toEndWith("eeethe end\n");
      expect(heard.stderrTail.length).toBe(8_192);
      expect(heard.grownBytes).toBeLessThan(80 * megabyte);
    },
  );

  there("while a CLI floods, timers and others are served", async (bench) => {
    const { process: flood } = await bench.spawn(["yes", "x".repeat(200)]);

    const { process: quick } = await bench.spawn(["sh", "-c", "exit 0"]);
    await quick.exited;
    await flood.killTree();

    expect((await flood.exited).signal).toBe("SIGKILL");
  });

  there(
    "a listener that asks to be waited for holds up the CLI, and hears all of it in the end",
    async (bench) => {
      const { process: cli, heard } = await bench.spawn(["seq", "1", "200000"]);
      const { promise: caughtUp, resolve } = Promise.withResolvers<void>();
      const lines: string[] = [];
      cli.listen({ ...silent, lines: (more) => (lines.push(...more), caughtUp) });
      await eventually("the first lines are heard", () => lines.length + heard.lines.length > 0);

      const { process: other } = await bench.spawn(["seq", "1", "200000"]);
      await other.exited;
      const statusWhileHeld = cli.exitStatus;
      const heardWhileHeld = lines.length;
      resolve();
      await cli.exited;

      expect(statusWhileHeld).toBeNull();
      expect(heardWhileHeld).toBeLessThan(50_000);
      expect([...heard.lines, ...lines]).toHaveLength(200_000);
    },
  );

  there("a CLI that waits to be read is killed at once, and what it has printed is heard", async (bench) => {
    const { process: cli, heard } = await bench.spawn(["yes"]);
    const never = new Promise<void>(() => {});
    const lines: string[] = [];
    cli.listen({ ...silent, lines: (more) => (lines.push(...more), never) });
    await eventually("the first lines are heard", () => lines.length + heard.lines.length > 0);

    const survivors = await cli.killTree();
    const { signal } = await cli.exited;

    expect([survivors, signal]).toEqual([0, "SIGKILL"]);
    expect(lines.length).toBeGreaterThan(0);
  });

  there("what nobody listens to is dropped, and the next listener hears from then on", async (bench) => {
    const { process: cli, heard } = await bench.spawn(["sh", "-c", "while read line; do echo $line; done"]);
    const second: string[] = [];

    await cli.write("one\n");
    await eventually("the first line is heard", () => heard.lines.includes("one"));
    cli.listen({ ...silent, lines: (lines) => void second.push(...lines) });
    await cli.write("two\n");
    await eventually("the second line is heard", () => second.length > 0);

    expect([heard.lines, second]).toEqual([["one"], ["two"]]);
  });

  there("garbled lines and a last line without a newline are handed on", async (bench) => {
    const { process: cli, heard } = await bench.spawn(["printf", "a\\377\\nlast"]);

    await cli.exited;

    expect(heard).toMatchObject({ lines: ["a\uFFFD", "last"], garbled: 1 });
  });

  there("all output comes before the end, however much there is", async (bench) => {
    const { process: cli, heard } = await bench.spawn(["seq", "1", "200000"]);

    await cli.exited;

    expect(heard.lines.length).toBe(200_000);
    expect(heard.lines.at(-1)).toBe("200000");
    expect(heard.exits).toHaveLength(1);
  });

  there("a grandchild that holds the pipe doesn't hold up the end", async (bench) => {
    const { process: cli, heard } = await bench.spawn(["sh", "-c", "setsid sleep 60 & echo result"]);

    const status = await cli.exited;

    expect(status).toEqual({ exitCode: 0, signal: null });
    expect(heard.lines).toEqual(["result"]);
    expect(await cli.killTree()).toBe(0);
  });
}

test("a process that escaped and holds the pipe is not waited for", async () => {
  const containment = await containmentOf("process-group");
  if (containment === null) throw new Error("every machine has process groups");
  await using bench = openBench(containment);
  const escape = "setsid env -i sh -c 'echo $$; exec sleep 20' & sleep 0.05";
  const { process: cli, heard } = await bench.spawn([
    "sh",
    "-c",
    `sh -c '${escape.replaceAll("'", `'\\''`)}'`,
  ]);

  await cli.exited;

  const escaped = Number(heard.lines[0]);
  expect(heard.exits).toHaveLength(1);
  expect(escaped).toBeGreaterThan(1);
  process.kill(escaped, "SIGKILL");
});

const silent = { lines() {}, lineDropped() {}, garbled() {}, stderr() {}, limitReached() {}, exited() {} };

interface Flood {
  lines: string[];
  dropped: number[];
  stderrLength: number;
  stderrTail: string;
  grownBytes: number;
}

/** Reads a script's output in a process of its own, whose memory nothing else has used. */
async function readFlood(rung: string, script: string): Promise<Flood> {
  const program = join(import.meta.dir, "../../fixtures/process/flood-reader.ts");
  const child = Bun.spawn([process.execPath, program, rung, script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const text = await new Response(child.stdout).text();
  if ((await child.exited) !== 0) throw new Error(`the reader ended with ${child.exitCode}`);
  return JSON.parse(text) as Flood;
}
