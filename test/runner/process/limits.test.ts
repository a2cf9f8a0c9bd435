import { expect, test } from "bun:test";
import { createLimitWatch, nextLookMs, passedLimit, usageOf } from "../../../src/runner/process/limits.ts";
import { systemClock } from "../../../src/domain/clock.ts";
import {
  aProcess,
  type Bench,
  containmentOf,
  eventually,
  openBench,
  pidsWithToken,
  uniqueToken,
} from "./harness.ts";

const limits = { memoryBytesMax: 1_000_000_000, processesMax: 500 };
const idle = { memoryBytes: 100_000_000, processes: 3, cpuMs: 0 };

test("a tree passes a limit when it is above it, not at it", () => {
  expect(passedLimit({ ...idle, memoryBytes: 1_000_000_000, processes: 500 }, limits)).toBeNull();
  expect(passedLimit({ ...idle, memoryBytes: 1_000_000_001 }, limits)).toBe("memory_limit");
  expect(passedLimit({ ...idle, processes: 501 }, limits)).toBe("process_limit");
});

test("a tree is looked at the more often the closer it is to a limit", () => {
  const pauses = [100, 600, 900, 980, 995, 1_200].map((megabytes) =>
    nextLookMs({ ...idle, memoryBytes: megabytes * 1_000_000 }, limits, 250),
  );

  expect(pauses[0]).toBeLessThanOrEqual(250);
  expect(pauses).toEqual(pauses.toSorted((a, b) => b - a));
  expect(pauses.slice(-3)).toEqual([10, 5, 5]);
  expect(nextLookMs({ ...idle, processes: 490 }, limits, 250)).toBe(5);
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

test("what processes share counts once, and is looked into only where their sum is above the limit", () => {
  const processes = [1, 2, 3].map((pid) => aProcess({ pid, rssBytes: 100, cpuMs: 7 }));
  const asked: string[] = [];
  const reader = {
    memoryPartsOf: () => (asked.push("parts"), { anonymousBytes: 70, fileBytes: 25, sharedBytes: 5 }),
    proportionalBytesOf: ({ pid }: { pid: number }) => (asked.push("share"), pid === 3 ? null : 40),
  };
  const lookAt = (memoryBytesMax: number) => {
    asked.length = 0;
    const usage = usageOf(processes, { memoryBytesMax }, reader);
    return { usage, asked: [...new Set(asked)] };
  };

  const [below, filesOnce, shares] = [lookAt(300), lookAt(299), lookAt(249)];

  expect(below).toEqual({ usage: { memoryBytes: 300, processes: 3, cpuMs: 21 }, asked: [] });
  expect(filesOnce).toMatchObject({ usage: { memoryBytes: 3 * 75 + 25 }, asked: ["parts"] });
  expect(shares).toMatchObject({ usage: { memoryBytes: 40 + 40 + 100 }, asked: ["parts", "share"] });
});

test("a look that takes long is paid for by a longer pause, a shorter one close to the limit", () => {
  const clock = aManualClock();
  const limitWatch = createLimitWatch(clock);
  const looksAtMs: number[] = [];
  const takeLong = (pauseMs: number) => () => {
    looksAtMs.push(clock.monotonicMs());
    clock.pass(10);
    return pauseMs;
  };

  const stopFar = limitWatch.watch(takeLong(50));
  for (let ring = 0; ring < 3; ring += 1) clock.ring();
  stopFar();
  const far = looksAtMs.splice(0);
  limitWatch.watch(takeLong(5));
  for (let ring = 0; ring < 3; ring += 1) clock.ring();

  expect(pausesOf(far)).toEqual([110, 110]);
  expect(pausesOf(looksAtMs)).toEqual([30, 30]);
});

function pausesOf(atMs: readonly number[]): number[] {
  return atMs.slice(1).map((ms, index) => ms - (atMs[index] ?? 0));
}

/** Rings the alarm that was set last, at its time. */
function aManualClock() {
  let nowMs = 0;
  let next: { atMs: number; ring: () => void } | null = null;
  return {
    wallMs: () => nowMs,
    monotonicMs: () => nowMs,
    pass: (ms: number) => void (nowMs += ms),
    after(delayMs: number, ring: () => void) {
      next = { atMs: nowMs + delayMs, ring };
      return { refresh() {}, stop: () => void (next = null) };
    },
    ring() {
      if (next === null) throw new Error("no alarm is set");
      nowMs = next.atMs;
      next.ring();
    },
  };
}

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

  there("processes that share their memory may be more than it would hold of them apart", async (bench) => {
    const script =
      "i=0; while [ $i -lt 100 ]; do sleep 60 & i=$((i+1)); done; echo all; sleep 0.3; echo later; wait";
    const { process: cli, heard } = await bench.spawn(["sh", "-c", script], {
      limits: { memoryBytesMax: 60_000_000 },
    });
    await eventually("all have begun", () => heard.lines.includes("all"));

    cli.beginAccount();
    await eventually("there was time for some looks", () => heard.lines.includes("later"));

    expect(heard.limits).toEqual([]);
    expect(cli.account().peakRssBytes).toBeLessThan(60_000_000);
  });
}
