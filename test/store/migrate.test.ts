import { expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { cpSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { migrate, readMigrations } from "../../src/store/migrate.ts";
import { openStore } from "../../src/store/store.ts";
import { waitFor } from "../helpers/wait.ts";
import { migrationsDir, settings, storeOptions, temporaryDir } from "./fixture.ts";

const migrator = join(import.meta.dir, "fixtures/migrate-once.ts");

/** A folder with the migrations as they are and some more. */
function folderWith(more: Record<string, string>): { path: string } & Disposable {
  const dir = temporaryDir();
  cpSync(migrationsDir, dir.path, { recursive: true });
  for (const [name, sql] of Object.entries(more)) writeFileSync(join(dir.path, name), sql);
  return dir;
}

function openWith(dataDir: string, migrations: string) {
  return openStore({ ...storeOptions(dataDir), migrationsDir: migrations });
}

const next = String(readdirSync(migrationsDir).length + 1).padStart(4, "0");
const later = { [`${next}_later.sql`]: "-- Why: a test.\ncreate table later (x integer) strict;\n" };

test("migrations are numbered without a gap or a double number, and say why in their first line", () => {
  using gap = folderWith({ "0099_gap.sql": "-- Why.\n" });
  using double = folderWith({ "0001_again.sql": "-- Why.\n" });
  using silent = folderWith({ [`${next}_silent.sql`]: "select 1;\n" });

  expect(() => readMigrations(gap.path)).toThrow(`number ${next} is expected`);
  expect(() => readMigrations(double.path)).toThrow("is expected");
  expect(() => readMigrations(silent.path)).toThrow("line 1 says why");
});

test("a later migration is applied to an existing database after a backup of it", async () => {
  using dir = temporaryDir();
  using more = folderWith(later);
  const first = openWith(dir.path, migrationsDir);
  if (first.kind === "opened") await first.store.createAgent(settings());
  if (first.kind === "opened") await first.store.close();

  const second = openWith(dir.path, more.path);

  expect(second.kind).toBe("opened");
  if (second.kind === "opened") await second.store.close();
  const [backup] = readdirSync(join(dir.path, "backups"));
  const path = join(dir.path, "backups", backup!);
  expect(backup).toStartWith(`before-${next}-`);
  expect((statSync(path).mode & 0o777).toString(8)).toBe("600");
  const copy = new Database(path, { readonly: true });
  expect(copy.query("select id from agents").all()).toEqual([{ id: "ada" }]);
  expect(copy.query("select 1 from sqlite_schema where name = 'later'").all()).toEqual([]);
  copy.close();
});

test("a new database needs no backup", async () => {
  using dir = temporaryDir();

  const result = openWith(dir.path, migrationsDir);

  if (result.kind === "opened") await result.store.close();
  expect(readdirSync(dir.path)).not.toContain("backups");
});

test("a released migration whose text was changed is refused", async () => {
  using dir = temporaryDir();
  using changed = folderWith({});
  const [name] = readdirSync(changed.path).toSorted();
  writeFileSync(
    join(changed.path, name!),
    `${readFileSync(join(changed.path, name!), "utf8")}\n-- changed\n`,
  );
  const first = openWith(dir.path, migrationsDir);
  if (first.kind === "opened") await first.store.close();

  const second = openWith(dir.path, changed.path);

  expect(second).toMatchObject({
    kind: "refused",
    exitCode: 78,
    message: expect.stringContaining("another text of migration"),
  });
});

test("a migration that leaves dangling references is undone whole", () => {
  using dir = temporaryDir();
  using bad = folderWith({
    [`${next}_bad.sql`]:
      "-- Why: a test.\ninsert into conversations (id, agent_key, status, title, cli_session_id, created_at, updated_at) values ('c', 77, 'ended', '', '', 1, 1);\n",
  });

  expect(() => openWith(dir.path, bad.path)).toThrow("refer to nothing");

  const database = new Database(join(dir.path, "headway.db"));
  expect(database.query("select count(*) as n from conversations").get()).toEqual({ n: 0 });
  expect(database.query("select max(number) as n from schema_migrations").get()).toEqual({
    n: Number(next) - 1,
  });
  database.close();
});

test("two servers that migrate at once apply each migration once", async () => {
  using dir = temporaryDir();
  const path = join(dir.path, "headway.db");

  const racers = [1, 2, 3].map(() =>
    Bun.spawn([process.execPath, migrator, path, migrationsDir], { stdout: "pipe", stderr: "pipe" }),
  );
  const exits = await Promise.all(racers.map((racer) => racer.exited));
  const applied = await Promise.all(racers.map((racer) => new Response(racer.stdout).json()));

  expect(exits).toEqual([0, 0, 0]);
  expect(applied.flat()).toEqual(readdirSync(migrationsDir).toSorted());
});

test("a server that is killed in the middle of migrating leaves what the next one completes", async () => {
  using dir = temporaryDir();
  using slow = folderWith({
    [`${next}_slow.sql`]: `-- Why: a test.
create table later (x integer) strict;
insert into later with recursive n(x) as (select 1 union all select x + 1 from n where x < 30000000) select x from n;
`,
  });
  const path = join(dir.path, "headway.db");
  const killed = Bun.spawn([process.execPath, migrator, path, slow.path], { stdout: "pipe", stderr: "pipe" });
  // The log grows past what the first migrations write only when the slow one is under way.
  const logBytes = () => statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  await waitFor(() => logBytes() > 2_000_000, { what: "the slow migration's writes" });

  killed.kill("SIGKILL");
  await killed.exited;
  const database = new Database(path, { strict: true });
  const half = database.query("select 1 from sqlite_schema where name = 'later'").all();
  const result = migrate(database, readMigrations(migrationsDir), { backupsDir: dir.path, atMs: 1 });
  database.close();

  expect(half).toEqual([]);
  expect(result).toEqual({ kind: "migrated", applied: [] });
});
