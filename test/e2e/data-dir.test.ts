import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { requestJson } from "../helpers/http.ts";
import { runRefusedServer, startServer } from "../helpers/server-process.ts";
import { makeTempFolder } from "../helpers/temp.ts";
import { users } from "../runner/process/as-user.ts";
import { canMount } from "./small-disk.ts";

/** A data directory that a server has used, and for which another user may be given the server. */
async function makeUsedDataDir() {
  const folder = makeTempFolder();
  chmodSync(folder.path, 0o755);
  const dataDir = join(folder.path, "data");
  const server = await startServer({ dataDir });
  await server[Symbol.asyncDispose]();
  return { dataDir, [Symbol.dispose]: () => folder[Symbol.dispose]() };
}

const ordinary = users.find(({ isRoot }) => !isRoot)!;
const ordinaryId = ordinary.prefix.length > 0 ? 65_534 : process.getuid!();

/** Gives the folder, and what is in it, to the ordinary user. */
function giveAway(folder: string): void {
  if (process.getuid?.() !== 0) return;
  chownSync(folder, ordinaryId, ordinaryId);
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" }))
    lchownSync(join(folder, name), ordinaryId, ordinaryId);
}

interface Case {
  what: string;
  spoil(dataDir: string): void;
  exitCode: number;
  says: string[];
}

const write = (name: string, text: string) => (dataDir: string) => writeFileSync(join(dataDir, name), text);
const chmod = (name: string, mode: number) => (dataDir: string) => chmodSync(join(dataDir, name), mode);
function replace(name: string, make: (path: string) => void) {
  return (dataDir: string) => {
    rmSync(join(dataDir, name), { recursive: true, force: true });
    make(join(dataDir, name));
  };
}

const cases: Case[] = [
  {
    what: "a database that can only be read",
    spoil: chmod("headway.db", 0o444),
    exitCode: 64,
    says: ["headway.db can't be used (EACCES)", "chown"],
  },
  {
    what: "a database without any rights",
    spoil: chmod("headway.db", 0),
    exitCode: 64,
    says: ["headway.db can't be used (EACCES)", "chown"],
  },
  {
    what: "a lock that can only be read",
    spoil: chmod("lock.db", 0o444),
    exitCode: 64,
    says: ["lock.db can't be used (EACCES)", "chown"],
  },
  {
    what: "a lock that holds something else",
    spoil: write("lock.db", "not a lock ".repeat(1_000)),
    exitCode: 78,
    says: ["lock.db holds something else", "Delete it"],
  },
  {
    what: "a folder in the lock's place",
    spoil: replace("lock.db", mkdirSync),
    exitCode: 78,
    says: ["lock.db is a folder", "Move it away"],
  },
  {
    what: "a folder in the database's place",
    spoil: replace("headway.db", mkdirSync),
    exitCode: 78,
    says: ["headway.db is a folder", "Move it away"],
  },
  {
    what: "a link to a database that isn't there",
    spoil: replace("headway.db", (path) => symlinkSync(`${path}.gone`, path)),
    exitCode: 78,
    says: ["headway.db is a link to a file that isn't there", "Mount its disk"],
  },
  {
    what: "a link to a database on a disk that isn't there",
    spoil: replace("headway.db", (path) => symlinkSync("/nonexistent/headway.db", path)),
    exitCode: 78,
    says: ["headway.db is a link to a file that isn't there"],
  },
  {
    what: "a file in the place of the logs",
    spoil: replace("logs", (path) => writeFileSync(path, "")),
    exitCode: 64,
    says: ["logs can't be used (EEXIST)", "move that away"],
  },
  {
    what: "logs that can't be written",
    spoil: chmod("logs", 0o500),
    exitCode: 64,
    says: ["logs can't be used (EACCES)", "chown"],
  },
  {
    what: "a folder in the token's place",
    spoil: replace("token", mkdirSync),
    exitCode: 64,
    says: ["token is a folder", "Move it away"],
  },
  {
    what: "a folder that can only be read",
    spoil: chmod("", 0o500),
    exitCode: 64,
    says: ["HEADWAY_DATA_DIR is", "can't be written (EACCES)", "chown"],
  },
];

test.each(cases)("S2: $what is refused with one line", async ({ spoil, exitCode, says }) => {
  using used = await makeUsedDataDir();
  spoil(used.dataDir);
  giveAway(used.dataDir);

  const refused = await runRefusedServer({ dataDir: used.dataDir, prefix: ordinary.prefix });

  expect(refused.stderr.trim().split("\n")).toHaveLength(1);
  expect(refused.exitCode).toBe(exitCode);
  for (const words of says) expect(refused.stderr).toContain(words);
  expect(refused.stdout).not.toContain("listening");
});

test("S2: a link to a missing database makes none where it leads", async () => {
  using folder = makeTempFolder();
  const dataDir = join(folder.path, "data");
  mkdirSync(dataDir, { mode: 0o700 });
  symlinkSync(join(folder.path, "elsewhere.db"), join(dataDir, "headway.db"));

  await runRefusedServer({ dataDir });

  expect(existsSync(join(folder.path, "elsewhere.db"))).toBe(false);
});

test("S3: a database that another program keeps locked is refused with 75 and one line", async () => {
  using used = await makeUsedDataDir();
  using other = new Database(join(used.dataDir, "headway.db"));
  other.run("pragma locking_mode = exclusive");
  other.run("begin exclusive");

  const refused = await runRefusedServer({ dataDir: used.dataDir });

  expect(refused.stderr.trim().split("\n")).toHaveLength(1);
  expect(refused.exitCode).toBe(75);
  expect(refused.stderr).toContain("another program holds the database's lock; end that program");
});

describe.skipIf(process.getuid?.() !== 0)("S2: for an ordinary user", () => {
  test.each(["headway.db", "headway.db-wal", "lock.db"])("%s of root's is refused with 64", async (name) => {
    using used = await makeUsedDataDir();
    giveAway(used.dataDir);
    const path = join(used.dataDir, name);
    if (!existsSync(path)) writeFileSync(path, "x".repeat(4_096), { mode: 0o600 });
    chownSync(path, 0, 0);

    const refused = await runRefusedServer({ dataDir: used.dataDir, prefix: ordinary.prefix });

    expect(refused.stderr.trim().split("\n")).toHaveLength(1);
    expect(refused.exitCode).toBe(64);
    expect(refused.stderr).toContain("must belong to the user that runs Headway");
  });
});

describe.skipIf(!canMount)("S1: a disk that is full at a start", () => {
  test.each([
    ["of a fresh data directory", false],
    ["of one that was used before", true],
  ])("%s is refused with one line, and once there is room the server starts", async (_what, isUsed) => {
    using folder = makeTempFolder();
    const disk = join(folder.path, "disk");
    const [dataDir, filler] = [join(disk, "data"), join(disk, "filler")];
    mkdirSync(disk);
    run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", disk]);
    try {
      if (isUsed) await (await startServer({ dataDir }))[Symbol.asyncDispose]();
      fill(filler);
      const refused = await runRefusedServer({ dataDir });
      rmSync(filler);
      await using server = await startServer({ dataDir });
      const ready = await requestJson(server.fetch, "GET", "/readyz");

      expect(refused.stderr.trim().split("\n")).toHaveLength(1);
      expect(refused.exitCode).toBe(64);
      expect(refused.stderr).toContain("free some room");
      expect(ready.status).toBe(200);
    } finally {
      run(["umount", "--lazy", disk]);
    }
  });
});

function run(command: string[]): void {
  const { exitCode, stderr } = Bun.spawnSync(command, { stderr: "pipe" });
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${stderr.toString()}`);
}

function fill(path: string): void {
  const filled = Bun.spawnSync(["dd", "if=/dev/zero", `of=${path}`, "bs=4096"], { stderr: "pipe" });
  if (!filled.stderr.toString().includes("No space left")) throw new Error(filled.stderr.toString());
}

describe("a data directory that others may use", () => {
  const modeOf = (path: string) => (lstatSync(path).mode & 0o777).toString(8);

  test("has our own files and folders closed to them, keeps its own mode, and says so until that is closed", async () => {
    using used = await makeUsedDataDir();
    const { dataDir } = used;
    const files = ["headway.db", "lock.db", "token"];
    mkdirSync(join(dataDir, "backups"), { recursive: true });
    for (const name of files) chmodSync(join(dataDir, name), 0o666);
    for (const name of ["", "logs", "backups"]) chmodSync(join(dataDir, name), 0o777);

    await using server = await startServer({ dataDir });
    const modes = [...files, "headway.db-wal", "headway.db-shm", "logs", "backups", ""].map((name) =>
      modeOf(join(dataDir, name)),
    );
    const readNotes = async () =>
      (await requestJson<{ notes: string[] }>(server.fetch, "GET", "/readyz")).body.notes.filter((note) =>
        note.includes("data directory"),
      );
    const open = await readNotes();
    chmodSync(dataDir, 0o700);
    const closed = await readNotes();

    expect(modes).toEqual(["600", "600", "600", "600", "600", "700", "700", "777"]);
    expect(open).toHaveLength(1);
    expect(open[0]).toContain("chmod 700");
    expect(open[0]).not.toContain(dataDir);
    expect(closed).toEqual([]);
    const told = server.logLines().filter(({ level, todo }) => level === "warn" && todo);
    expect(told).toMatchObject([{ dataDir, todo: `chmod 700 ${dataDir}` }]);
  });

  test("says nothing where it is its owner's only", async () => {
    await using server = await startServer();

    const { body } = await requestJson<{ notes: string[] }>(server.fetch, "GET", "/readyz");

    expect(body.notes.join()).not.toContain("chmod");
    expect(server.logLines().filter(({ level }) => level === "warn")).toEqual([]);
  });

  test("leaves a database of another program, and a folder elsewhere, with their modes", async () => {
    using folder = makeTempFolder();
    const [dataDir, shared] = [join(folder.path, "data"), join(folder.path, "shared")];
    mkdirSync(shared);
    chmodSync(shared, 0o755);
    mkdirSync(dataDir, { mode: 0o700 });
    symlinkSync(shared, join(dataDir, "logs"));
    writeFileSync(join(dataDir, "headway.db"), "Dear diary, ".repeat(1_000));
    chmodSync(join(dataDir, "headway.db"), 0o644);

    const refused = await runRefusedServer({ dataDir });
    const modeOfDiary = modeOf(join(dataDir, "headway.db"));
    rmSync(join(dataDir, "headway.db"));
    await using _server = await startServer({ dataDir });

    expect(refused.exitCode).toBe(78);
    expect([modeOfDiary, modeOf(shared)]).toEqual(["644", "755"]);
  });
});
