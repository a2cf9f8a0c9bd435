import { expect, test } from "bun:test";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type LogRetention, removeOldLogs } from "../../../src/runner/process/old-logs.ts";
import { temporaryFolder } from "./harness.ts";

interface Log {
  /** Bytes of each of its files. */
  files: number[];
  endedAtMs?: number;
}

/** Writes the logs, removes what is old, and answers with the runs that have files left. */
async function sweep(folder: string, logs: Record<string, Log>, over: Partial<LogRetention> = {}) {
  const names = ["", ".tail-0", ".tail-1"];
  for (const [runId, { files }] of Object.entries(logs)) {
    files.forEach((bytes, at) => writeFileSync(join(folder, `${runId}${names[at]}.log`), "x".repeat(bytes)));
  }
  const noted: string[] = [];
  const outcome = await removeOldLogs(folder, {
    endedBeforeMs: 0,
    bytesMax: 1_000_000,
    endsOf: (runIds) =>
      new Map(runIds.flatMap((id) => (logs[id]?.endedAtMs ? [[id, logs[id].endedAtMs]] : []))),
    async noteRemoved(runIds) {
      // By then none of them is gone.
      for (const runId of runIds) if (readdirSync(folder).includes(`${runId}.log`)) noted.push(runId);
    },
    signal: new AbortController().signal,
    ...over,
  });
  return { ...outcome, noted: noted.toSorted(), left: readdirSync(folder).toSorted() };
}

test("logs whose runs ended long ago go, with all their files", async () => {
  using folder = temporaryFolder();
  const logs = {
    run_a: { files: [10, 10, 10], endedAtMs: 1_000 },
    run_b: { files: [10], endedAtMs: 2_000 },
    run_c: { files: [10] },
  };

  const { removed, keptBytes, noted, left } = await sweep(folder.path, logs, { endedBeforeMs: 2_000 });

  expect({ removed, keptBytes, noted }).toEqual({ removed: 1, keptBytes: 20, noted: ["run_a"] });
  expect(left).toEqual(["run_b.log", "run_c.log"]);
});

test("when there is too much, those go whose runs ended first; those of runs in progress stay and count", async () => {
  using folder = temporaryFolder();
  const logs = {
    run_a: { files: [100], endedAtMs: 3_000 },
    run_b: { files: [100, 50], endedAtMs: 1_000 },
    run_c: { files: [100], endedAtMs: 2_000 },
    run_d: { files: [100], endedAtMs: 4_000 },
    run_e: { files: [400] },
  };

  const { removed, keptBytes, noted, left } = await sweep(folder.path, logs, { bytesMax: 600 });

  expect({ removed, keptBytes, noted }).toEqual({ removed: 2, keptBytes: 600, noted: ["run_b", "run_c"] });
  expect(left).toEqual(["run_a.log", "run_d.log", "run_e.log"]);
});

test("no more than the limit is no reason to remove any, and other files are none of them", async () => {
  using folder = temporaryFolder();
  writeFileSync(join(folder.path, "notes.txt"), "x".repeat(1_000));

  const { removed, left } = await sweep(
    folder.path,
    { run_a: { files: [600], endedAtMs: 1 } },
    { bytesMax: 600 },
  );

  expect(removed).toBe(0);
  expect(left).toEqual(["notes.txt", "run_a.log"]);
});

test("of thousands every one is looked at, while the event loop goes on", async () => {
  using folder = temporaryFolder();
  const logs = Object.fromEntries(
    Array.from({ length: 2_000 }, (_, at) => [`run_${at}`, { files: [1, 1, 1], endedAtMs: at + 1 }]),
  );
  let turns = 0;
  const turning = setInterval(() => (turns += 1), 0);

  const { removed, keptBytes } = await sweep(folder.path, logs, { endedBeforeMs: 1_501, bytesMax: 300 });

  clearInterval(turning);
  expect({ removed, keptBytes }).toEqual({ removed: 1_900, keptBytes: 300 });
  expect(turns).toBeGreaterThan(10);
});

test("a sweep that is told to stop removes nothing more", async () => {
  using folder = temporaryFolder();

  const { removed } = await sweep(
    folder.path,
    { run_a: { files: [1], endedAtMs: 1 } },
    { endedBeforeMs: 5, signal: AbortSignal.abort() },
  );

  expect(removed).toBe(0);
});
