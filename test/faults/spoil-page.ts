/**
 * `spoil-page.ts FILE TEXT KEPT` overwrites half of the page of a database in which the text stands, and keeps the
 * page in KEPT; done once more, it puts the page back. A program of its own, since SQLite's locks are a process's.
 */
import { Database } from "bun:sqlite";
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";

const pageBytes = 4_096;
const [, , path = "", text = "", kept = ""] = process.argv;

if (existsSync(kept)) {
  const { pageAt, page } = JSON.parse(readFileSync(kept, "utf8")) as { pageAt: number; page: string };
  write(pageAt, Buffer.from(page, "base64"));
  rmSync(kept);
} else {
  emptyLog();
  const bytes = readFileSync(path);
  const at = bytes.lastIndexOf(text);
  if (at < 0) throw new Error(`${text} isn't in ${path}.`);
  const pageAt = at - (at % pageBytes);
  const page = bytes.subarray(pageAt, pageAt + pageBytes).toString("base64");
  writeFileSync(kept, JSON.stringify({ pageAt, page }));
  write(pageAt, Buffer.alloc(pageBytes / 2, 0xaa));
}

/** What stands in SQLite's log counts more than what stands in the file. */
function emptyLog(): void {
  using database = new Database(path);
  database.run("pragma busy_timeout = 5000");
  const { busy } = database.query("pragma wal_checkpoint(truncate)").get() as { busy: number };
  if (busy !== 0) throw new Error("The log could not be emptied.");
}

function write(at: number, bytes: Uint8Array): void {
  const file = openSync(path, "r+");
  writeSync(file, bytes, 0, bytes.length, at);
  closeSync(file);
}
