import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Alarm, type Clock, systemClock } from "../../src/domain/clock.ts";
import { openDatabase } from "../../src/store/database.ts";
import { canMount } from "../e2e/small-disk.ts";
import { requestJson } from "../helpers/http.ts";
import { runRefusedServer } from "../helpers/server-process.ts";
import { startApp, type TestApp } from "../helpers/test-app.ts";
import { makeTempFolder } from "../helpers/temp.ts";
import { waitFor } from "../helpers/wait.ts";

/** S cases of the fault list: what can happen to the database and to the clock. */

const hourMs = 3_600_000;

/** The system's clock, whose wall can be set and whose late alarms can be rung early. */
function handClock(): Clock & { setWall(byMs: number): void; ringLate(): void } {
  const late = new Set<() => void>();
  let aheadMs = 0;
  return {
    wallMs: () => systemClock.wallMs() + aheadMs,
    monotonicMs: systemClock.monotonicMs,
    after(delayMs, ring): Alarm {
      if (delayMs < 60_000) return systemClock.after(delayMs, ring);
      late.add(ring);
      return { refresh: () => undefined, stop: () => void late.delete(ring) };
    },
    setWall: (byMs) => void (aheadMs += byMs),
    ringLate() {
      const ringing = Array.from(late);
      late.clear();
      for (const ring of ringing) ring();
    },
  };
}

async function readyReasons(app: TestApp): Promise<string[]> {
  const { body } = await requestJson<{ reasons: string[] }>(app.fetch, "GET", "/readyz");
  return body.reasons;
}

/** Spoils the page in which the text stands, or mends it when it is spoilt; in a program of its own. */
function spoilOrMend(path: string, text: string): void {
  const script = join(import.meta.dir, "spoil-page.ts");
  const command = [process.execPath, script, path, text, `${path}.kept`];
  const { exitCode, stderr } = Bun.spawnSync(command, { stderr: "pipe" });
  if (exitCode !== 0) throw new Error(stderr.toString());
}

test("S4: a damaged page that nobody reads is found by the look at all of them, and the server is not ready", async () => {
  const clock = handClock();
  await using app = await startApp({ clock });
  const path = join(app.dataDir, "headway.db");
  await app.makeAgent();
  await app.run("anna", `remember the${"needle".repeat(10)}`);
  const before = await readyReasons(app);

  spoilOrMend(path, "needleneedle");
  clock.ringLate();
  const damaged = await waitFor(async () => (await readyReasons(app))[0], { what: "the damage to be found" });
  const alive = await requestJson(app.fetch, "GET", "/healthz");
  spoilOrMend(path, "needleneedle");
  clock.ringLate();
  await waitFor(async () => (await readyReasons(app)).length === 0, { what: "the file to be sound again" });

  expect(before).toEqual([]);
  expect(damaged).toStartWith("store_unavailable: ");
  expect(damaged).toContain("headway.db is damaged");
  expect(damaged).toContain("Restore a backup");
  expect(alive.status).toBe(200);
  const told = app.lines.filter((line) => line.includes('"store.failed"'));
  expect(told).toHaveLength(1);
  expect(told[0]).toContain("SQLITE_CORRUPT");
  expect(await app.run("anna", "are you well?")).toMatchObject({ state: "succeeded" });
});

test("S2: a data directory that can't be written is exit 64 and one line, as where a file is in its way", async () => {
  using folder = makeTempFolder();
  const file = join(folder.path, "file");
  writeFileSync(file, "");

  const refused = await runRefusedServer({ dataDir: join(file, "data") });

  expect(refused.exitCode).toBe(64);
  expect(refused.stderr.trim().split("\n")).toHaveLength(1);
  expect(refused.stderr).toContain(
    `HEADWAY_DATA_DIR is ${join(file, "data")}, which can't be written (ENOTDIR)`,
  );
});

test.skipIf(!canMount)("S2: a disk that takes no writes is exit 64 and one line", async () => {
  using folder = makeTempFolder();
  const dataDir = join(folder.path, "data");
  mkdirSync(dataDir);
  mount("-t", "tmpfs", "-o", "ro,size=1m", "tmpfs", dataDir);

  const refused = await runRefusedServer({ dataDir }).finally(() => Bun.spawnSync(["umount", dataDir]));

  expect(refused.exitCode).toBe(64);
  expect(refused.stderr.trim().split("\n")).toHaveLength(1);
  expect(refused.stderr).toContain("can't be written (EROFS)");
});

function mount(...args: string[]): void {
  const { exitCode, stderr } = Bun.spawnSync(["mount", ...args], { stderr: "pipe" });
  if (exitCode !== 0) throw new Error(stderr.toString());
}

test("S13: a database is never open without its foreign keys being enforced", () => {
  using folder = makeTempFolder();
  const opened = openDatabase(folder.path);
  if (opened.kind === "refused") throw new Error(opened.message);
  using database = opened.opened.database;

  database.run("create table parents (id integer primary key)");
  database.run("create table children (parent integer references parents (id))");

  expect(database.query("pragma foreign_keys").get()).toEqual({ foreign_keys: 1 });
  expect(() => database.run("insert into children values (7)")).toThrow("FOREIGN KEY");
});

test.each([
  ["S9: a clock that is set back by an hour", -hourMs],
  ["S10: a clock that is set forward by a day", 24 * hourMs],
])("%s ends no run, and its order and its times stay in order", async (_what, byMs) => {
  const clock = handClock();
  await using app = await startApp({ clock, env: { HEADWAY_STALL_TIMEOUT_MS: "20000" } });
  await app.makeAgent();
  await app.run("anna", "hello");

  const running = await app.submit("anna", "slow=40 one two three four five six", { timeoutMs: 20_000 });
  await app.waitForState(running.id, "running");
  clock.setWall(byMs);
  const waiting = await app.submit("anna", "the next one");
  const runs = [
    await app.waitForState(running.id, "succeeded"),
    await app.waitForState(waiting.id, "succeeded"),
  ];

  for (const run of runs) {
    expect(run.error).toBeNull();
    expect(run.endedAt! >= run.startedAt!).toBe(true);
    expect(run.durationMs!).toBeLessThan(20_000);
    expect(run.queueMs!).toBeGreaterThanOrEqual(0);
  }
  const conversation = await requestJson<{ turns: { seq: number; content: string }[] }>(
    app.fetch,
    "GET",
    "/api/agents/anna/conversation",
  );
  expect(conversation.body.turns.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(conversation.body.turns.at(-1)?.content).toBe("You said: the next one");
});
