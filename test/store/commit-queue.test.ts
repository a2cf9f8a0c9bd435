import { expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { join } from "node:path";
import { systemClock } from "../../src/domain/clock.ts";
import type { Fact } from "../../src/domain/facts.ts";
import { createCommitQueue } from "../../src/store/commit-queue.ts";
import { waitFor } from "../helpers/wait.ts";
import { errorOf, temporaryDir } from "./fixture.ts";

function openQueue() {
  const dir = temporaryDir();
  const path = join(dir.path, "queue.db");
  const database = new Database(path, { create: true, strict: true });
  database.run("pragma journal_mode = wal");
  database.run("pragma busy_timeout = 5");
  database.run("create table notes (id integer primary key, text text unique) strict");
  const facts: Fact[] = [];
  const publish = (fact: Fact) => void facts.push(fact);
  const write = (text: string) => database.query("insert into notes (text) values (?)").run(text).changes;
  const probe = () => void database.run("insert into notes (text) values ('probe')");
  const queue = createCommitQueue({ database, clock: systemClock, publish, checkFile: () => null, probe });
  return {
    path,
    database,
    queue,
    facts,
    write,
    texts: () =>
      database
        .query("select text from notes order by id")
        .all()
        .map((row) => (row as { text: string }).text),
    commits: () =>
      facts.filter((fact) => fact.type === "commit.done").map(({ jobs, durable }) => [jobs, durable]),
    async [Symbol.asyncDispose]() {
      await queue.drained();
      queue.stop();
      database.close();
      dir[Symbol.dispose]();
    },
  };
}

const durable = { durable: true };
const soon = { durable: false };

test("jobs that come together share one transaction, which is durable when one of them is", async () => {
  await using at = openQueue();

  await Promise.all([
    at.queue.commit(() => at.write("a"), soon),
    at.queue.commit(() => at.write("b"), durable),
    at.queue.commit(() => at.write("c"), soon),
  ]);
  await at.queue.commit(() => at.write("d"), soon);

  expect(at.texts()).toEqual(["a", "b", "c", "d"]);
  expect(at.commits()).toEqual([
    [3, true],
    [1, false],
  ]);
});

test("a job that throws undoes only itself and rejects only its own promise", async () => {
  await using at = openQueue();

  const results = await Promise.allSettled([
    at.queue.commit(() => at.write("a"), durable),
    at.queue.commit(() => {
      at.write("b");
      throw new Error("no");
    }, durable),
    at.queue.commit(() => at.write("a"), durable),
    at.queue.commit(() => at.write("c"), durable),
  ]);

  expect(results.map((result) => result.status)).toEqual(["fulfilled", "rejected", "rejected", "fulfilled"]);
  expect(at.texts()).toEqual(["a", "c"]);
});

test("a lone job that throws leaves nothing", async () => {
  await using at = openQueue();

  const lone = at.queue.commit(() => {
    at.write("a");
    throw new Error("no");
  }, durable);

  expect(String(await errorOf(lone))).toContain("no");
  expect(at.texts()).toEqual([]);
  expect(at.queue.failure()).toBeNull();
});

test("more jobs than a transaction takes are spread over several, in order", async () => {
  await using at = openQueue();
  const names = Array.from({ length: 150 }, (_, index) => `n${index}`);

  await Promise.all(names.map((name) => at.queue.commit(() => at.write(name), soon)));

  expect(at.texts()).toEqual(names);
  expect(at.commits()).toEqual([
    [64, false],
    [64, false],
    [22, false],
  ]);
});

test("a lazy job goes with the next one, before it", async () => {
  await using at = openQueue();

  const lazy = at.queue.commit(() => at.write("lazy"), { durable: false, lazyMs: 60_000 });
  await at.queue.commit(() => at.write("next"), durable);

  expect(await lazy).toBe(1);
  expect(at.texts()).toEqual(["lazy", "next"]);
  expect(at.commits()).toEqual([[2, true]]);
});

test("a lazy job that no other one follows is committed alone", async () => {
  await using at = openQueue();

  const written = await at.queue.commit(() => at.write("lazy"), { durable: false, lazyMs: 5 });

  expect(written).toBe(1);
  expect(at.commits()).toEqual([[1, false]]);
});

test("who waits until nothing is left doesn't wait for the laziness of a job", async () => {
  await using at = openQueue();
  void at.queue.commit(() => at.write("lazy"), { durable: false, lazyMs: 60_000 });

  await at.queue.drained();

  expect(at.texts()).toEqual(["lazy"]);
});

test("a lock that another program holds for a moment is waited for, without holding up the event loop", async () => {
  await using at = openQueue();
  const other = new Database(at.path);
  other.run("begin immediate");

  const written = at.queue.commit(() => at.write("a"), durable);
  let turns = 0;
  while (turns < 5) {
    await Bun.sleep(1);
    turns += 1;
  }
  other.run("commit");
  other.close();

  expect(await written).toBe(1);
  expect(at.queue.failure()).toBeNull();
});

test("a lock that isn't given free makes the store unavailable, and its release makes it well", async () => {
  await using at = openQueue();
  const other = new Database(at.path);
  other.run("begin immediate");

  const refused = at.queue.commit(() => at.write("a"), durable);
  expect(await errorOf(refused)).toMatchObject({ name: "StoreUnavailable", code: "SQLITE_BUSY" });
  const failure = at.queue.failure();
  other.run("commit");
  other.close();
  await at.queue.commit(() => at.write("b"), durable);

  expect(failure?.code).toBe("SQLITE_BUSY");
  expect(at.queue.failure()).toBeNull();
  expect(at.texts()).toEqual(["probe", "b"]);
}, 20_000);

test("a full disk refuses all jobs of the transaction, keeps what was there, and heals by itself", async () => {
  await using at = openQueue();
  await at.queue.commit(() => at.write("kept"), durable);
  const { page_count: pages } = at.database.query("pragma page_count").get() as { page_count: number };
  at.database.run(`pragma max_page_count = ${pages}`);

  const results = await Promise.allSettled([
    at.queue.commit(() => at.write("small"), durable),
    at.queue.commit(() => at.write("x".repeat(100_000)), durable),
  ]);
  const whileFull = at.texts();
  at.database.run("pragma max_page_count = 1000000");
  await waitFor(() => at.queue.failure() === null, { what: "the store's recovery" });

  expect(results.map((result) => result.status === "rejected" && result.reason.code)).toEqual([
    "SQLITE_FULL",
    "SQLITE_FULL",
  ]);
  expect(whileFull).toEqual(["kept"]);
  const types = at.facts.map((fact) => fact.type).filter((type) => type.startsWith("store."));
  expect(types).toEqual(["store.failed", "store.recovered"]);
});

test("a read-only database is unavailable", async () => {
  await using at = openQueue();
  at.database.run("pragma query_only = on");

  const refused = at.queue.commit(() => at.write("a"), durable);

  expect(await errorOf(refused)).toMatchObject({ name: "StoreUnavailable", code: "SQLITE_READONLY" });
});

test("a queue that is far behind refuses more", async () => {
  await using at = openQueue();
  const accepted = Array.from({ length: 10_000 }, () => at.queue.commit(() => 1, soon));

  const refused = at.queue.commit(() => 1, soon);

  expect(await errorOf(refused)).toMatchObject({ code: "backlog" });
  await Promise.all(accepted);
});

test("drained resolves when everything that was asked for is written", async () => {
  await using at = openQueue();
  const pending = Array.from({ length: 100 }, (_, index) =>
    at.queue.commit(() => at.write(`n${index}`), soon),
  );

  await at.queue.drained();

  expect(at.texts()).toHaveLength(100);
  await Promise.all(pending);
});

test("a queue that was stopped refuses every job", async () => {
  await using at = openQueue();
  at.queue.stop();

  const refused = at.queue.commit(() => at.write("late"), durable);

  expect(await errorOf(refused)).toMatchObject({ name: "StoreUnavailable", code: "closed" });
  expect(at.texts()).toEqual([]);
});
