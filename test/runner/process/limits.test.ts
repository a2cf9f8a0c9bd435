import { expect, test } from "bun:test";
import { createLimitWatch, nextLookMs, passedLimit } from "../../../src/runner/process/limits.ts";
import { systemClock } from "../../../src/domain/clock.ts";
import { type Bench, containmentOf, eventually, openBench, pidsWithToken, uniqueToken } from "./harness.ts";

const limits = { memoryBytesMax: 1_000_000_000, processesMax: 500 };
const idle = { rssBytes: 100_000_000, processes: 3, cpuMs: 0 };

test("a tree passes a limit when it is above it, not at it", () => {
  expect(passedLimit({ ...idle, rssBytes: 1_000_000_000, processes: 500 }, limits)).toBeNull();
  expect(passedLimit({ ...idle, rssBytes: 1_000_000_001 }, limits)).toBe("memory_limit");
  expect(passedLimit({ ...idle, processes: 501 }, limits)).toBe("process_limit");
});

test("a tree is looked at the more often the closer it is to a limit", () => {
  const pauses = [100, 600, 900, 980, 1_200].map((megabytes) =>
    nextLookMs({ ...idle, rssBytes: megabytes * 1_000_000 }, limits, 250),
  );

  expect(pauses[0]).toBeLessThanOrEqual(250);
  expect(pauses).toEqual(pauses.toSorted((a, b) => b - a));
  expect(pauses.slice(-2)).toEqual([15, 15]);
  expect(nextLookMs({ ...idle, processes: 490 }, limits, 250)).toBe(15);
});

test("pauses grow from the first look on, up to a quarter of a second", () => {
  const pauses = [15];
  const far = { memoryBytesMax: 2e9, processesMax: 5_000 };

  for (let look = 0; look < 6; look += 1) pauses.push(nextLookMs(idle, far, pauses.at(-1) ?? 0));

  expect(pauses).toEqual([15, 30, 60, 120, 240, 250, 250]);
});

test("the watch looks until it is told to stop, at each tree with its own pauses", async () => {
  const limitWatch = createLimitWatch(systemClock);
  const looks: string[] = [];

  limitWatch.watch(() => (looks.push("once"), null));
  const stop = limitWatch.watch(() => (looks.push("often"), 5));
  await eventually("several looks", () => looks.filter((look) => look === "often").length > 3);
  stop();
  const after = looks.length;
  const other = limitWatch.watch(() => (looks.push("other"), 5));
  await eventually("another tree's look", () => looks.includes("other"));
  other();

  expect(looks.filter((look) => look === "once")).toHaveLength(1);
  expect(looks.slice(after)).not.toContain("often");
});

const hog = "const kept = []; for (;;) { kept.push(Buffer.alloc(8e6, 1)); await Bun.sleep(1); }";

for (const rung of ["bwrap", "unshare", "process-group"] as const) {
  const containment = await containmentOf(rung);
  const there = (title: string, body: (bench: Bench) => Promise<void>) =>
    test.skipIf(containment === null)(`${rung}: ${title}`, async () => {
      if (containment === null) return;
      await using bench = openBench(containment);
      await body(bench);
    });

  there("a tree that takes too much memory is ended, grandchildren included", async (bench) => {
    const token = uniqueToken();
    const script = `"${process.execPath}" -e '${hog}' ${token} & wait`;
    const { process: cli, heard } = await bench.spawn(["sh", "-c", script, token], {
      limits: { memoryBytesMax: 300_000_000 },
    });

    cli.beginAccount();
    const status = await cli.exited;

    expect(heard).toMatchObject({ limits: ["memory_limit"], exits: [status] });
    expect(cli.account().peakRssBytes).toBeGreaterThan(300_000_000);
    expect(await cli.killTree()).toBe(0);
    expect(pidsWithToken(token)).toEqual([]);
  });

  there("a tree of too many processes is ended", async (bench) => {
    const token = uniqueToken();
    const script = "i=0; while [ $i -lt 60 ]; do sleep 60 & i=$((i+1)); done; wait";
    const { process: cli, heard } = await bench.spawn(["sh", "-c", script, token], {
      limits: { processesMax: 20 },
    });

    cli.beginAccount();
    await cli.exited;

    expect(heard.limits).toEqual(["process_limit"]);
    expect(await cli.killTree()).toBe(0);
    expect(pidsWithToken(token)).toEqual([]);
  });

  there("a CLI that prints too much in one turn is ended, and nothing more is handed on", async (bench) => {
    const { process: cli, heard } = await bench.spawn(["sh", "-c", `read go; exec yes ${"x".repeat(99)}`], {
      limits: { stdoutBytesMax: 1_000_000 },
    });

    cli.beginAccount();
    await cli.write("go\n");
    await cli.exited;

    expect(heard.limits).toEqual(["output_limit"]);
    expect(heard.lines.length).toBeLessThanOrEqual(10_000);
  });

  there("each turn's output is counted anew", async (bench) => {
    const script = 'while read line; do head -c 600 /dev/zero | tr "\\0" x; echo; done';
    const { process: cli, heard } = await bench.spawn(["sh", "-c", script], {
      limits: { stdoutBytesMax: 1_000 },
    });

    for (let turn = 1; turn <= 3; turn += 1) {
      cli.beginAccount();
      await cli.write("go\n");
      await eventually("the turn's line is there", () => heard.lines.length === turn);
      cli.account();
    }

    expect(heard.limits).toEqual([]);
    expect(cli.exitStatus).toBeNull();
  });

  there("the account tells memory and CPU time of the whole tree since its beginning", async (bench) => {
    const burn = "let sum = 0; for (let i = 0; i < 3e8; i += 1) sum += i % 7; console.log(sum);";
    const script = `"${process.execPath}" -e "${burn}"; echo burnt; exec sleep 60`;
    const { process: cli, heard } = await bench.spawn(["sh", "-c", script]);

    cli.beginAccount();
    await eventually("the child has burnt its time", () => heard.lines.includes("burnt"));
    const first = cli.account();
    cli.beginAccount();
    const second = cli.account();

    expect(first.cpuMs).toBeGreaterThanOrEqual(40);
    expect(first.peakRssBytes).toBeGreaterThan(1_000_000);
    expect(second.cpuMs).toBeLessThan(first.cpuMs ?? 0);
  });
}
