import { type FaultCase, faultCase, inFile } from "./fault-case.ts";

const here = inFile("faults/store.test.ts");
const storeFaults = inFile("e2e/store-faults.test.ts");
const queue = inFile("store/commit-queue.test.ts");
const open = inFile("store/open.test.ts");
const dataDir = inFile("e2e/data-dir.test.ts");
const clock = here("%s ends no run, and its order and its times stay in order", "S9: ");

/** What can happen to the database and to the clock. */
export const storeCases: readonly FaultCase[] = [
  faultCase(
    "S1",
    "The disk is full",
    "Before the answer 503 `store_unavailable` and nothing is started; amid a run it is `failed` as `store_error` once the disk takes writes again; not ready meanwhile. At a start exit 64 and one line; once there is room the server starts",
    storeFaults("before the answer it is a 503 that leaves no trace, and the same request succeeds later"),
    storeFaults("in the middle of a turn it ends the turn, which is told once the disk takes writes again"),
    dataDir("%s is refused with one line, and once there is room the server starts"),
    queue("a full disk refuses all jobs of the transaction, keeps what was there, and heals by itself"),
  ),
  faultCase(
    "S2",
    "The database, or its disk, is read-only, another user's, or has something else in its place",
    "At a start one line with what to do: exit 64 for what can't be written, 78 for what isn't ours; later every write is refused as unavailable, so that nothing is started",
    queue("a read-only database is unavailable"),
    here("S2: a data directory that can't be written is exit 64 and one line, as where a file is in its way"),
    dataDir("S2: $what is refused with one line"),
    dataDir("S2: a link to a missing database makes none where it leads"),
    dataDir("%s of root's is refused with 64"),
    here("S2: a disk that takes no writes is exit 64 and one line"),
  ),
  faultCase(
    "S3",
    "Another program holds the database's lock",
    "Waited for a while beside all other work, then 503 `store_unavailable`; at a start exit 75 and one line",
    dataDir("S3: a database that another program keeps locked is refused with 75 and one line"),
    storeFaults("S3: another program's lock is waited for a while, and then told; it holds up no reader"),
    queue("a lock that another program holds for a moment is waited for, without holding up the event loop"),
  ),
  faultCase(
    "S4",
    "A page of the database is damaged",
    "A small file is refused at the start with 78; in a running server the look at all pages finds it: not ready, with what to do, and nothing is repaired",
    here(
      "S4: a damaged page that nobody reads is found by the look at all of them, and the server is not ready",
    ),
    open("a database with a spoilt page is refused"),
  ),
  faultCase(
    "S5",
    "The file isn't a database",
    "Exit 78, the file untouched",
    inFile("e2e/shutdown.test.ts")("a database that isn't ours is exit 78, and stays untouched"),
    open("a file that is not a database is refused and left alone"),
  ),
  faultCase("S6", "The file is cut short", "Exit 78", open("a truncated database is refused")),
  faultCase(
    "S7",
    "The database is deleted or moved away under us",
    "503 `store_unavailable`, not ready; nothing is acknowledged that would be lost",
    storeFaults(
      "S7: a database that was moved away is noticed, and nothing is acknowledged that would be lost",
    ),
    open("writes are refused while the database file is gone, and go on when it is back"),
  ),
  faultCase(
    "S8",
    "SQLite's log is removed while the server is stopped",
    "Starts as it was before what the log held, and is sound",
    open("a database that lost its log while the server was stopped opens as it was before, and is sound"),
  ),
  faultCase(
    "S9",
    "The clock jumps back",
    "No run ends of it; an end is never before its start; order is by seq",
    clock,
    inFile("store/run-log.test.ts")(
      "an end before the start, by a clock that was set back, is written as the start",
    ),
    inFile("store/admission.test.ts")(
      "waiting runs are listed in the order of their admission, whatever the clock says",
    ),
  ),
  faultCase("S10", "The clock jumps forward", "No run ends of it", { ...clock, row: "S10: " }),
  faultCase(
    "S11",
    "A migration is killed midway",
    "The next start completes it",
    inFile("store/migrate.test.ts")(
      "a server that is killed in the middle of migrating leaves what the next one completes",
    ),
  ),
  faultCase(
    "S12",
    "The database was written by a newer Headway",
    "Exit 78, the file untouched",
    open("a database of a newer Headway is refused"),
  ),
  faultCase(
    "S13",
    "SQLite doesn't enforce foreign keys by itself",
    "It is told to at every open, and asked whether it does",
    here("S13: a database is never open without its foreign keys being enforced"),
  ),
  faultCase(
    "S14",
    "The Nth write of an execute fails, for every N",
    "The run ends or never was, and nothing runs without a row",
    inFile("store/failing-writes.test.ts")(
      "whichever write of an execute fails, what is kept is whole, and the next execute succeeds",
    ),
    storeFaults("at whichever write it fills up, a run ends or never was, and the server goes on"),
    inFile("e2e/store-faults.long.ts")(
      "at whichever page of whichever write it fills up, the server goes on",
    ),
  ),
];
