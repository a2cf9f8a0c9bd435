import { expect, test } from "bun:test";
import { chmodSync, closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SpawnOutcome } from "../../../src/runner/process/cli-process.ts";
import { exitStatusOf } from "../../../src/runner/process/exit-status.ts";
import {
  type Bench,
  containmentOf,
  eventually,
  generousLimits,
  hear,
  openBench,
  uniqueToken,
} from "./harness.ts";

for (const rung of ["bwrap", "unshare", "process-group"] as const) {
  const containment = await containmentOf(rung);
  const there = (title: string, body: (bench: Bench) => Promise<void>) =>
    test.skipIf(containment === null)(`${rung}: ${title}`, async () => {
      if (containment === null) return;
      await using bench = openBench(containment);
      await body(bench);
    });

  there("what is written arrives, what is printed is heard, the exit code is the CLI's", async (bench) => {
    const { process, heard } = await bench.spawn([
      "sh",
      "-c",
      'read line; echo "got $line"; echo no >&2; exit 5',
    ]);

    const written = await process.write("hello\n");
    const status = await process.exited;

    expect(written).toBe(true);
    expect(status).toEqual({ exitCode: 5, signal: null });
    expect(process.exitStatus).toEqual(status);
    expect(heard).toMatchObject({ lines: ["got hello"], stderrLength: 3, exits: [status] });
    expect(process.stderrTail).toBe("no\n");
  });

  there("a CLI that is killed by a signal says so", async (bench) => {
    const { process, heard } = await bench.spawn(["sh", "-c", "echo up; exec sleep 60"]);
    await eventually("it runs", () => heard.lines.includes("up"));

    await process.killTree();
    const status = await process.exited;

    expect(status).toEqual({ exitCode: null, signal: "SIGKILL" });
  });

  there("a polite signal reaches the CLI itself, whose handler ends it", async (bench) => {
    const script = "trap 'echo term; exit 42' TERM; echo up; while :; do sleep 0.01; done";
    const { process, heard } = await bench.spawn(["sh", "-c", script]);
    await eventually("the trap is set", () => heard.lines.includes("up"));

    const sent = process.signal("SIGTERM");
    const status = await process.exited;

    expect(sent).toBe(true);
    expect(status).toEqual({ exitCode: 42, signal: null });
    expect(heard.lines).toEqual(["up", "term"]);
    expect(process.signal("SIGTERM")).toBe(false);
  });

  there("the environment is what was given and the marker", async (bench) => {
    const { process, heard } = await bench.spawn(["env"], { env: { ONLY: "this" }, processId: "proc_env" });

    await process.exited;

    // bwrap sets PWD by itself.
    expect(heard.lines.filter((line) => !line.startsWith("PWD=")).toSorted()).toEqual([
      "HEADWAY_PROCESS_ID=proc_env",
      "ONLY=this",
      `PATH=${Bun.env.PATH}`,
    ]);
  });

  there("writes keep their order and a large one waits for its reader", async (bench) => {
    const { process, heard } = await bench.spawn(["sh", "-c", "sleep 0.05; wc -c"]);

    const written = await Promise.all([
      process.write("x".repeat(3_000_000)),
      process.write("y"),
      process.write("z\n"),
    ]);
    process.closeInput();
    await process.exited;

    expect(written).toEqual([true, true, true]);
    expect(heard.lines.map(Number)).toEqual([3_000_003]);
  });

  there("a write to a CLI that has closed its input doesn't wait", async (bench) => {
    const { process, heard } = await bench.spawn(["sh", "-c", "exec 0<&-; echo closed; exec sleep 60"]);
    await eventually("the input is closed", () => heard.lines.includes("closed"));

    const answers = [await process.write("a\n"), await process.write("b\n")];

    // A wrapper keeps its own end of the pipe open, so that only without one the closing is seen.
    expect(answers).toEqual(rung === "process-group" ? [false, false] : [true, true]);
  });

  there("a write to a CLI that doesn't read ends with the CLI", async (bench) => {
    const { process } = await bench.spawn(["sleep", "60"]);

    const writing = process.write("x".repeat(5_000_000));
    await process.killTree();

    expect(await writing).toBe(false);
    expect(await process.write("more")).toBe(false);
  });

  there("a CLI that closes its output early is waited for", async (bench) => {
    const { process, heard } = await bench.spawn(["sh", "-c", "echo bye; exec >&- 2>&-; read line; exit 3"]);
    await eventually("it said goodbye", () => heard.lines.includes("bye"));

    const before = process.exitStatus;
    await process.write("end\n");

    expect(before).toBeNull();
    expect(await process.exited).toEqual({ exitCode: 3, signal: null });
  });

  there("a spawn is published as a fact", async (bench) => {
    const { process } = await bench.spawn(["sh", "-c", "exit 1"], { processId: "proc_fact" });

    await process.exited;

    const { pid } = process.identity;
    expect(bench.facts).toMatchObject([
      { type: "process.spawned", processId: "proc_fact", cli: "demo", pid, containment: rung },
    ]);
  });

  there(
    "what was said and happened before the first listener came is heard by it, in order",
    async (bench) => {
      const outcome = await bench.supervisor.spawn({
        processId: uniqueToken(),
        cli: "demo",
        file: "/bin/sh",
        args: ["-c", "echo early; echo late; exit 4"],
        cwd: bench.folder,
        env: {},
        hiddenPaths: [],
        limits: generousLimits,
      });
      if (outcome.kind === "failed") throw new Error(outcome.message);
      await outcome.process.exited;

      const heard = hear(outcome.process);
      const before = structuredClone(heard);
      await eventually("the end is heard", () => heard.exits.length === 1);

      expect(before.lines).toEqual([]);
      expect(heard).toMatchObject({ lines: ["early", "late"], exits: [{ exitCode: 4, signal: null }] });
    },
  );

  there("what can't be started is said with its reason, before anything runs", async (bench) => {
    const path = (name: string) => join(bench.folder, name);
    writeFileSync(path("not-executable"), "#!/bin/sh\n", { mode: 0o644 });
    writeFileSync(path("no-interpreter"), "#!/no/such/interpreter\n", { mode: 0o755 });
    mkdirSync(path("a-folder"));
    const start = (file: string, cwd = bench.folder) =>
      bench.supervisor.spawn({
        processId: uniqueToken(),
        cli: "demo",
        file,
        args: [],
        cwd,
        env: {},
        hiddenPaths: [],
        limits: generousLimits,
      });

    const outcomes = await Promise.all([
      start(path("missing")),
      start("/bin/sh", path("missing")),
      start("/bin/sh", path("not-executable")),
      start(path("not-executable")),
      start(path("no-interpreter")),
      start(path("a-folder")),
    ]);

    expect(outcomes.map((outcome) => outcome.kind === "failed" && outcome.code)).toEqual([
      "cli_not_found",
      "cwd_missing",
      "cwd_missing",
      "spawn_error",
      "spawn_error",
      "spawn_error",
    ]);
    expect(bench.facts).toEqual([]);
  });

  there("an argument list that the system refuses is a failure to start", async (bench) => {
    const outcome = await bench.supervisor.spawn({
      processId: uniqueToken(),
      cli: "demo",
      file: "/bin/sh",
      args: ["x".repeat(200_000)],
      cwd: bench.folder,
      env: {},
      hiddenPaths: [],
      limits: generousLimits,
    });

    expect(outcome).toEqual({
      kind: "failed",
      code: "spawn_error",
      message: "The system refused to start the CLI (E2BIG).",
      // The machine is short of nothing.
      isOurs: false,
    });
  });

  there(
    "a start without a descriptor, or a place for its files, is refused by the machine",
    async (bench) => {
      const spawn = () =>
        bench.supervisor.spawn({
          processId: uniqueToken(),
          cli: "demo",
          file: "/bin/sh",
          args: [],
          cwd: "/",
          env: {},
          hiddenPaths: [],
          limits: generousLimits,
        });

      const outcomes = [];
      for (const left of [0, 3]) outcomes.push(await withDescriptorsLeft(left, spawn));
      rmSync(bench.folder, { recursive: true });
      const homeless = await spawn();

      const refused = (code: string): SpawnOutcome => ({
        kind: "failed",
        code: "spawn_error",
        message: `The system refused to start the CLI (${code}).`,
        isOurs: true,
      });
      expect(outcomes).toEqual([refused("EMFILE"), refused("EMFILE")]);
      // Only bwrap needs a file of ours.
      if (rung === "bwrap") expect(homeless).toEqual(refused("ENOENT"));
      else expect(homeless.kind).toBe("spawned");
    },
  );

  there("a program that only seems executable ends without output", async (bench) => {
    const file = join(bench.folder, "rubbish");
    writeFileSync(file, Buffer.concat([Buffer.from("\x7fELF"), Buffer.alloc(200)]));
    chmodSync(file, 0o755);

    const outcome = await bench.supervisor.spawn({
      processId: uniqueToken(),
      cli: "demo",
      file,
      args: [],
      cwd: bench.folder,
      env: {},
      hiddenPaths: [],
      limits: generousLimits,
    });

    const status = outcome.kind === "spawned" ? await outcome.process.exited : outcome;
    expect(status).not.toMatchObject({ exitCode: 0 });
  });

  there("a hundred processes come and go and leave nothing", async (bench) => {
    const processIds = Array.from({ length: 100 }, uniqueToken);
    const spawned = [];
    for (const processId of processIds) spawned.push(await bench.spawn(["cat"], { processId }));

    await Promise.all(spawned.slice(0, 50).map(({ process }) => process.killTree()));
    for (const { process } of spawned.slice(50)) process.closeInput();
    const statuses = await Promise.all(spawned.map(({ process }) => process.exited));

    expect(statuses.slice(50).every((status) => status.exitCode === 0)).toBe(true);
    expect(await Promise.all(spawned.map(({ process }) => process.killTree()))).toEqual(Array(100).fill(0));
    expect(spawned.flatMap(({ process }) => process.leftovers())).toEqual([]);
  });
}

test("bwrap's exit code is read back as the CLI's signal", () => {
  const of = (exitCode: number, wasExecuted = true) =>
    exitStatusOf({ exitCode, signal: null }, "bwrap", wasExecuted);

  expect([of(0), of(143), of(137), of(128), of(255)]).toEqual([
    { exitCode: 0, signal: null },
    { exitCode: null, signal: "SIGTERM" },
    { exitCode: null, signal: "SIGKILL" },
    { exitCode: 128, signal: null },
    { exitCode: 255, signal: null },
  ]);
  expect([of(144), of(145), of(147)].map(({ exitCode, signal }) => [exitCode, signal])).toEqual([
    [144, null],
    [145, null],
    [147, null],
  ]);
  expect(of(1, false)).toEqual({ exitCode: 127, signal: null });
});

test("where nothing wraps the CLI its exit code is taken as it is", () => {
  const status = { exitCode: 143, signal: null };

  expect(exitStatusOf(status, "process-group", true)).toEqual(status);
});

/** Calls it while this process may open just so many more files. */
async function withDescriptorsLeft<T>(left: number, call: () => Promise<T>): Promise<T> {
  const held: number[] = [];
  const usual = descriptorsMax();
  limitDescriptors("400");
  try {
    while (holdOne(held));
    for (const descriptor of held.splice(held.length - left)) closeSync(descriptor);
    return await call();
  } finally {
    held.forEach((descriptor) => closeSync(descriptor));
    limitDescriptors(usual);
  }
}

function holdOne(held: number[]): boolean {
  try {
    held.push(openSync("/dev/null", "r"));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EMFILE") throw error;
    return false;
  }
}

function descriptorsMax(): string {
  const limits = readFileSync("/proc/self/limits", "utf8");
  return /^Max open files +(\d+)/m.exec(limits)?.[1] ?? "unlimited";
}

function limitDescriptors(most: string): void {
  const limited = Bun.spawnSync(["prlimit", "--pid", String(process.pid), `--nofile=${most}:`]);
  if (limited.exitCode !== 0) throw new Error(limited.stderr.toString());
}
