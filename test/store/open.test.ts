import { expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { copyFileSync, readFileSync, renameSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openStore } from "../../src/store/store.ts";
import {
  errorOf,
  answered,
  openTestStore,
  settings,
  storeOptions,
  temporaryDir,
  violationsOf,
} from "./fixture.ts";

const serverFile = join(import.meta.dir, "fixtures/open-and-wait.ts");

test("files of the data directory are for their owner only", async () => {
  await using at = openTestStore();

  const modes = ["headway.db", "headway.db-wal", "headway.db-shm", "lock.db"].map((name) => {
    return (statSync(join(at.dataDir, name)).mode & 0o777).toString(8);
  });

  expect(modes).toEqual(["600", "600", "600", "600"]);
  expect((statSync(at.dataDir).mode & 0o777).toString(8)).toBe("700");
});

test("each start is a new epoch, and a clean stop is noted", async () => {
  await using at = openTestStore();
  const first = at.store.epoch;

  await at.reopen();

  expect([first, at.store.epoch]).toEqual([1, 2]);
  const reader = at.store.openReader();
  const rows = reader.query(`select epoch, clean_stop_at is null as open from server_epochs`).all();
  reader.close();
  expect(rows).toEqual([
    { epoch: 1, open: 0 },
    { epoch: 2, open: 1 },
  ]);
});

test("closing twice is closing once", async () => {
  await using at = openTestStore();

  await Promise.all([at.store.close(), at.store.close()]);

  const again = openStore(storeOptions(at.dataDir));
  expect(again.kind).toBe("opened");
  if (again.kind === "opened") await again.store.close();
});

test("a second server on the same data directory is refused with 75", async () => {
  await using at = openTestStore();

  const second = openStore(storeOptions(at.dataDir));

  expect(second).toMatchObject({ kind: "refused", exitCode: 75 });
});

test("a second server is refused while the first is stopped, and let in when the first was killed", async () => {
  using dir = temporaryDir();
  const first = Bun.spawn([process.execPath, serverFile, dir.path], { stdout: "pipe" });
  await first.stdout.getReader().read();

  first.kill("SIGSTOP");
  const whileStopped = openStore(storeOptions(dir.path));
  first.kill("SIGKILL");
  await first.exited;
  const afterwards = openStore(storeOptions(dir.path));

  expect(whileStopped).toMatchObject({ kind: "refused", exitCode: 75 });
  expect(afterwards.kind).toBe("opened");
  if (afterwards.kind === "opened") await afterwards.store.close();
});

/** Opens a data directory that must be refused, and proves that its database stayed as it was. */
function expectRefusal(dataDir: string, message: RegExp): void {
  const path = join(dataDir, "headway.db");
  const before = readFileSync(path);

  const result = openStore(storeOptions(dataDir));

  if (result.kind === "opened") throw new Error("it was opened");
  expect(result.exitCode).toBe(78);
  expect(result.message).toMatch(message);
  expect(result.message).not.toContain("\n");
  expect(readFileSync(path).equals(before)).toBe(true);
}

test("a file that is not a database is refused and left alone", () => {
  using dir = temporaryDir();
  writeFileSync(join(dir.path, "headway.db"), "Dear diary, ".repeat(1_000));

  expectRefusal(dir.path, /is not a database/);
});

test("another program's database is refused and left alone", () => {
  using dir = temporaryDir();
  const foreign = new Database(join(dir.path, "headway.db"), { create: true });
  foreign.run("create table cats (name text)");
  foreign.close();

  expectRefusal(dir.path, /belongs to another program/);
});

test("a truncated database is refused", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  await at.store.close();
  const path = join(at.dataDir, "headway.db");
  truncateSync(path, statSync(path).size - 4_096);

  expectRefusal(at.dataDir, /is shorter than it should be/);
});

test("a database with a spoilt page is refused", async () => {
  await using at = openTestStore();
  for (let index = 0; index < 5; index += 1) await at.store.createAgent(settings({ id: `agent-${index}` }));
  await at.store.close();
  const path = join(at.dataDir, "headway.db");
  const bytes = readFileSync(path);
  const row = bytes.indexOf("agent-3");
  bytes.fill(0xaa, row - (row % 4_096), row - (row % 4_096) + 512);
  writeFileSync(path, bytes);

  expectRefusal(at.dataDir, /damaged|malformed/);
});

test("a database of a newer Headway is refused", async () => {
  await using at = openTestStore();
  await at.store.close();
  const database = new Database(join(at.dataDir, "headway.db"));
  database.run("insert into schema_migrations values (9999, '9999_later.sql', 'x', 1)");
  database.close();

  expectRefusal(at.dataDir, /was written by a newer Headway/);
});

test("an empty file is a new database", async () => {
  using dir = temporaryDir();
  writeFileSync(join(dir.path, "headway.db"), "");

  const result = openStore(storeOptions(dir.path));

  expect(result.kind).toBe("opened");
  if (result.kind === "opened") await result.store.close();
});

test("a database that lost its log while the server was stopped opens as it was before, and is sound", async () => {
  await using at = openTestStore();
  using dir = temporaryDir();
  await at.store.createAgent(settings());
  await at.reopen();
  await answered(at.store);
  copyFileSync(join(at.dataDir, "headway.db"), join(dir.path, "headway.db"));

  const result = openStore(storeOptions(dir.path));

  if (result.kind === "refused") throw new Error(result.message);
  expect(violationsOf(result.store)).toEqual([]);
  expect(result.store.findAgent("ada")).not.toBeNull();
  await result.store.close();
});

test("writes are refused while the database file is gone, and go on when it is back", async () => {
  await using at = openTestStore();
  const path = join(at.dataDir, "headway.db");
  renameSync(path, `${path}.away`);

  const lost = at.store.createAgent(settings());
  expect(await errorOf(lost)).toMatchObject({ name: "StoreUnavailable", code: "replaced" });
  const health = at.store.health();
  renameSync(`${path}.away`, path);
  const written = await at.store.createAgent(settings());

  expect(health).toMatchObject({ kind: "failed", code: "replaced" });
  expect(written).toBe("created");
  expect(at.store.health()).toEqual({ kind: "ok" });
  expect(at.facts.filter((fact) => fact.type.startsWith("store.")).map((fact) => fact.type)).toEqual([
    "store.failed",
    "store.recovered",
  ]);
});
