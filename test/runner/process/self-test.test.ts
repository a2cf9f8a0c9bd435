import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../../src/domain/clock.ts";
import { type ContainmentTest, type Ending, escapes } from "../../../src/domain/containment-report.ts";
import type { ContainmentRung } from "../../../src/domain/process.ts";
import { type HostileGround, layHostileGround } from "../../../src/runner/process/self-test-evidence.ts";
import { startSelfTest } from "../../../src/runner/process/self-test-process.ts";
import { hostileTree } from "../../../src/runner/process/self-test-trees.ts";
import { survivorsWith } from "../../helpers/survivors.ts";
import { runAs, users } from "./as-user.ts";
import { containmentOf, detectWithOnly, eventually, fixtures, temporaryFolder } from "./harness.ts";

const rungs: ContainmentRung[] = ["bwrap", "unshare", "process-group"];
const path = process.env["PATH"] ?? "";
type Found = Record<ContainmentRung, ContainmentTest[] | null>;

function survivorsOf(tests: readonly ContainmentTest[], ending: Ending): Record<string, number | null> {
  const ofEnding = tests.filter((each) => each.ending === ending);
  return Object.fromEntries(ofEnding.map(({ escape, survivors }) => [escape, survivors]));
}

const none = Object.fromEntries(escapes.map((escape) => [escape, 0]));
const all = Object.fromEntries(escapes.map((escape) => [escape, 1]));

describe.each([...users])("the self-test, run by $name", (user) => {
  const found = runAs<Found>(user, join(fixtures, "self-tester.ts"), rungs);

  for (const rung of ["bwrap", "unshare"] as const) {
    test(`finds that nothing outlives the kill or its server under ${rung}`, async () => {
      const tests = (await found)[rung];

      // A machine without it; containmentOf has let CI fail already.
      if (tests === null) return;
      expect(survivorsOf(tests, "killed")).toEqual(none);
      expect(survivorsOf(tests, "server_died")).toEqual(none);
      expect(tests.map(({ note }) => note)).toEqual(tests.map(() => null));
    });
  }

  test("sees on the process group what hides from a search", async () => {
    const tests = (await found)["process-group"] ?? [];

    expect(survivorsOf(tests, "killed")).toEqual({
      same_group: 0,
      new_session: 0,
      double_fork: 0,
      scrubbed_environment: 1,
      // Root may look into it nevertheless.
      undumpable: user.isRoot ? 0 : 1,
      // It isn't tried there.
      fork_hopper: null,
    });
  });

  test("sees that nothing of a process group ends with its server, and what the next start finds", async () => {
    const tests = (await found)["process-group"] ?? [];
    const later = tests.filter(({ ending }) => ending === "server_died").map(({ note }) => note);

    expect(survivorsOf(tests, "server_died")).toEqual({ ...all, fork_hopper: null });
    expect(later.slice(0, 4)).toEqual([
      "The next start ends it.",
      "The next start ends it.",
      "The next start ends it.",
      "The next start doesn't find it.",
    ]);
  });
});

describe("a hostile tree that nobody contains", () => {
  test.each([...escapes])(
    "is seen as long as it lives, and ends when it is let go of: %s",
    async (escape) => {
      using folder = temporaryFolder();
      const ground = await layHostileGround(folder.path, path);
      const evidence = ground.evidence.killed.find((each) => each.escape === escape)!;
      const root = spawnTree(escape, ground, evidence.path);

      await eventually("it is in place", () => evidence.look() === "alive");
      root.kill("SIGKILL");
      await root.exited;
      const afterKill = evidence.look();
      ground.release();
      await eventually("it has ended", () => evidence.look() === "ended");
      ground.close();

      expect(afterKill).toBe("alive");
    },
  );

  test("ends with a self-test that is killed", async () => {
    using folder = temporaryFolder();
    const token = crypto.randomUUID();
    const containment = await detectWithOnly([]);
    const options = { containment, hiddenPaths: [], clock: systemClock, scratchFolder: folder.path };

    const selfTest = startSelfTest({ ...options, path: `${path}:/nonexistent/${token}` });
    await eventually("trees stand", () => survivorsWith(token).length > 4);
    await selfTest.stop();
    await eventually("they have ended", () => survivorsWith(token).length === 0);

    expect(await selfTest.outcome).toMatchObject({ kind: "failed" });
    expect(readdirSync(folder.path)).toEqual([]);
  });
});

function spawnTree(escape: (typeof escapes)[number], ground: HostileGround, evidence: string) {
  const { file, args, env } = hostileTree(escape, { leash: ground.leash, evidence });
  return Bun.spawn([file, ...args], { env: { PATH: path, ...env }, stdio: ["ignore", "ignore", "inherit"] });
}

test("a self-test that can't be made says why, and takes nothing for proven", async () => {
  using folder = temporaryFolder();
  const containment = (await containmentOf("process-group"))!;
  const options = { containment, hiddenPaths: [], clock: systemClock, scratchFolder: folder.path };

  const outcome = await startSelfTest({ ...options, path: "/nonexistent" }).outcome;

  expect(outcome).toEqual({
    kind: "failed",
    message: "Error: mkfifo isn't installed, which the self-test needs",
  });
  expect(existsSync(join(folder.path, "leash"))).toBe(false);
});
