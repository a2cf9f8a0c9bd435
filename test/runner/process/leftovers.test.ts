import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import {
  type Bench,
  type Spawned,
  containmentOf,
  eventually,
  fixtures,
  openBench,
  pidsWithToken,
  temporaryFolder,
  uniqueToken,
} from "./harness.ts";

const folder = temporaryFolder();
const hydra = join(folder.path, "hydra");

beforeAll(async () => {
  const compiler = Bun.spawn(["gcc", "-O1", "-o", hydra, join(fixtures, "hydra.c")]);
  if ((await compiler.exited) !== 0) throw new Error("hydra.c doesn't compile");
});

afterAll(() => folder[Symbol.dispose]());

async function answers({ process, heard }: Spawned): Promise<boolean> {
  const before = heard.lines.length;
  await process.write("are you there?\n");
  await eventually("the CLI answers", () => heard.lines.length > before);
  return heard.lines.at(-1) === "alive";
}

for (const rung of ["bwrap", "unshare", "process-group"] as const) {
  const containment = await containmentOf(rung);
  const there = (title: string, body: (bench: Bench) => Promise<void>) =>
    test.skipIf(containment === null)(`${rung}: ${title}`, async () => {
      if (containment === null) return;
      await using bench = openBench(containment);
      await body(bench);
    });
  const kinds =
    rung === "process-group"
      ? ["same-group", "setsid"]
      : ["same-group", "setsid", "double-fork", "scrubbed", "undumpable"];

  there("what a turn left behind is found and killed while the CLI lives on", async (bench) => {
    const token = uniqueToken();
    const spawned = await bench.spawn([hydra, token, ...kinds]);
    await eventually("the tree stands", () => spawned.heard.lines.includes("ready"));

    const found = spawned.process.leftovers();
    const left = await spawned.process.killLeftovers();

    expect(found).toHaveLength(kinds.length);
    expect([left, spawned.process.leftovers()]).toEqual([0, []]);
    expect(await answers(spawned)).toBe(true);
  });

  there("a process that hops from pid to pid is never taken for gone", async (bench) => {
    const token = uniqueToken();
    const spawned = await bench.spawn([hydra, token, "hopping"]);
    await eventually("the tree stands", () => spawned.heard.lines.includes("ready"));

    const looks = () => Array.from({ length: 50 }, () => spawned.process.leftovers().length > 0);
    const before = looks();
    const left = await spawned.process.killLeftovers();
    const after = looks();

    // Outside of a namespace a vanished process may have been anybody's.
    if (rung === "process-group") return;
    expect(before).toEqual(before.map(() => true));
    expect(after).toEqual(after.map(() => left > 0));
  });

  there("what was there at the baseline is the CLI's own", async (bench) => {
    const token = uniqueToken();
    const spawned = await bench.spawn([hydra, token, ...kinds]);
    await eventually("the tree stands", () => spawned.heard.lines.includes("ready"));
    const before = pidsWithToken(token).length;

    spawned.process.markBaseline();
    const left = await spawned.process.killLeftovers();

    expect([spawned.process.leftovers(), left]).toEqual([[], 0]);
    expect(pidsWithToken(token)).toHaveLength(before);
  });

  there(
    "a young process is remembered as the CLI's own only if it was before, or when it has aged",
    async (bench) => {
      const token = uniqueToken();
      const spawned = await bench.spawn([hydra, token, ...kinds]);
      await eventually("the tree stands", () => spawned.heard.lines.includes("ready"));

      spawned.process.markBaseline(60_000);
      const tooYoung = spawned.process.leftovers();
      await eventually("the tree is a tenth of a second old", () => {
        spawned.process.markBaseline(100);
        return spawned.process.leftovers().length === 0;
      });
      spawned.process.markBaseline(60_000);

      expect(tooYoung).toHaveLength(kinds.length);
      expect(spawned.process.leftovers()).toEqual([]);
    },
  );

  there("a CLI that left nothing behind has no leftovers", async (bench) => {
    const spawned = await bench.spawn([hydra, uniqueToken()]);
    await eventually("it is ready", () => spawned.heard.lines.includes("ready"));

    const left = await spawned.process.killLeftovers();

    expect([spawned.process.leftovers(), left]).toEqual([[], 0]);
    expect(await answers(spawned)).toBe(true);
  });

  there("a CLI that has ended has no leftovers", async (bench) => {
    const spawned = await bench.spawn(["sh", "-c", "exit 0"]);

    await spawned.process.exited;
    await spawned.process.killTree();

    expect([spawned.process.leftovers(), await spawned.process.killLeftovers()]).toEqual([[], 0]);
  });
}
