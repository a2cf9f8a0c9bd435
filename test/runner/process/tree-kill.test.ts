import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { systemClock } from "../../../src/domain/clock.ts";
import type { ProcessIdentity } from "../../../src/domain/process.ts";
import { reap } from "../../../src/runner/process/reap.ts";
import { findAlive, readBootId } from "../../../src/runner/process/tree.ts";
import {
  containmentOf,
  eventually,
  fixtures,
  openBench,
  pidsWithToken,
  temporaryFolder,
  uniqueToken,
} from "./harness.ts";

const everyKind = ["same-group", "setsid", "double-fork", "scrubbed", "undumpable", "hopping"];
/** What can be ended without a namespace. */
const tameKinds = ["same-group", "setsid", "double-fork"];

const folder = temporaryFolder();
const hydra = join(folder.path, "hydra");

beforeAll(async () => {
  const compiler = Bun.spawn(["gcc", "-O1", "-o", hydra, join(fixtures, "hydra.c")]);
  if ((await compiler.exited) !== 0) throw new Error("hydra.c doesn't compile");
});

afterAll(() => folder[Symbol.dispose]());

/** A process that hops between two pids may be missed by one look. */
function countSurvivors(token: string): number {
  return Math.max(...[1, 2, 3].map(() => pidsWithToken(token).length));
}

for (const rung of ["bwrap", "unshare", "process-group"] as const) {
  const containment = await containmentOf(rung);
  const kinds = rung === "process-group" ? tameKinds : everyKind;

  for (const kind of kinds) {
    test.skipIf(containment === null)(`${rung}: a ${kind} process dies with its tree`, async () => {
      if (containment === null) return;
      await using bench = openBench(containment);
      const token = uniqueToken();
      const { process, heard } = await bench.spawn([hydra, token, kind]);
      await eventually("the tree stands", () => heard.lines.includes("ready"));

      const before = countSurvivors(token);
      const survivors = await process.killTree();

      expect(before).toBeGreaterThanOrEqual(2);
      expect([survivors, countSurvivors(token)]).toEqual([0, 0]);
      expect(await process.killTree()).toBe(0);
    });
  }

  test.skipIf(containment === null)(`${rung}: what the CLI leaves behind dies when it ends`, async () => {
    if (containment === null) return;
    await using bench = openBench(containment);
    const token = uniqueToken();
    const { process, heard } = await bench.spawn([hydra, token, ...kinds]);
    await eventually("the tree stands", () => heard.lines.includes("ready"));

    process.closeInput();
    const status = await process.exited;
    const survivors = await process.killTree();

    expect(status).toEqual({ exitCode: 0, signal: null });
    expect([survivors, countSurvivors(token)]).toEqual([0, 0]);
  });

  test.skipIf(containment === null)(
    `${rung}: a tree that is killed while it starts leaves nothing`,
    async () => {
      if (containment === null) return;
      await using bench = openBench(containment);
      const token = uniqueToken();

      for (let pauseMs = 0; pauseMs < 10; pauseMs += 1) {
        const { process } = await bench.spawn([hydra, token, ...kinds.filter((kind) => kind !== "hopping")]);
        await Bun.sleep(pauseMs);
        expect(await process.killTree()).toBe(0);
      }

      expect(countSurvivors(token)).toBe(0);
    },
  );

  test.skipIf(containment === null)(`${rung}: all trees die with killAll`, async () => {
    if (containment === null) return;
    await using bench = openBench(containment);
    const token = uniqueToken();
    const trees = await Promise.all([1, 2, 3].map(() => bench.spawn([hydra, token, ...tameKinds])));
    await eventually("the trees stand", () => trees.every(({ heard }) => heard.lines.includes("ready")));

    await bench.supervisor.killAll();

    expect(countSurvivors(token)).toBe(0);
    expect(await Promise.all(trees.map(({ process }) => process.exited))).toHaveLength(3);
  });

  test.skipIf(containment === null)(
    `${rung}: a tree of a server that was killed is found and ended`,
    async () => {
      if (containment === null) return;
      const token = uniqueToken();
      const { server, identity } = await startServer([hydra, token, ...kinds], containment);

      server.kill("SIGKILL");
      await server.exited;
      if (rung !== "process-group")
        await eventually("the tree has ended by itself", () => countSurvivors(token) === 0);
      const survivors = await reap(identity, systemClock);

      expect([survivors, countSurvivors(token)]).toEqual([0, 0]);
    },
  );
}

/** Starts a process that spawns a command through a supervisor of its own. */
async function startServer(command: readonly string[], containment: object) {
  const [file, ...args] = command;
  const spec = { containment, file, args, processId: uniqueToken(), cwd: "/", scratchFolder: folder.path };
  const script = join(fixtures, "spawning-server.ts");
  const server = Bun.spawn([process.execPath, script, JSON.stringify(spec)], {
    stdout: "pipe",
    stdin: "pipe",
  });
  const first = await server.stdout.getReader().read();
  return { server, identity: JSON.parse(new TextDecoder().decode(first.value)) as ProcessIdentity };
}

async function startStranger(marker: string) {
  const stranger = Bun.spawn(["sleep", "60"], { env: { ...process.env, HEADWAY_PROCESS_ID: marker } });
  await eventually("it has become sleep", () => pidsWithToken("60").includes(stranger.pid));
  const pidStart = String(findAlive(stranger.pid)?.startTicks);
  return { stranger, identity: { pid: stranger.pid, pidStart, bootId: readBootId(), marker } };
}

test("reaping kills nothing when pid, start, boot or marker is another's", async () => {
  const { stranger, identity } = await startStranger("proc_mine");
  const other = { ...identity, marker: "proc_other" };

  const survivors = await Promise.all([
    reap(other, systemClock),
    reap({ ...other, pidStart: "1" }, systemClock),
    reap({ ...identity, bootId: "another boot" }, systemClock),
    reap({ ...other, pid: process.pid }, systemClock),
  ]);

  expect(survivors).toEqual([0, 0, 0, 0]);
  expect(findAlive(stranger.pid)).not.toBeNull();
  stranger.kill("SIGKILL");
  await stranger.exited;
});

test("reaping finds what outlived its recorded process by the marker", async () => {
  const { stranger, identity } = await startStranger(uniqueToken());

  const survivors = await reap({ ...identity, pid: 999_999_999, pidStart: "7" }, systemClock);

  expect(survivors).toBe(0);
  expect(findAlive(stranger.pid)).toBeNull();
  await stranger.exited;
});
