/**
 * `npm test`: runs `bun test`, and ends with one plain line of what it counted. Tests that start neither servers
 * nor browsers nor CLIs run several files at a time, the others one after the other. With file names or other
 * arguments it is one `bun test` with these; `--long` adds the files named `*.long.ts`, which that doesn't find by
 * itself.
 *
 * The exit code isn't enough: a test that calls `process.exit(0)` ends Bun 1.4.5 with code 0, without a
 * summary and without the tests that were still to come.
 */
import { availableParallelism } from "node:os";
import { join } from "node:path";

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** Wall limit of one test: against hangs, not a promise of speed. A file may set its own. */
const testTimeoutMs = 30_000;
const root = join(import.meta.dir, "..");
/** The summary is short; of all else that a run prints only this much is kept for it. */
const tailCharsMax = 16_384;

/** Tests of no more than our own code. The others have deadlines, and races that want the machine to themselves. */
const besideOthers = /^test\/(domain|integrity|jobs|routes|runner\/policies|store|telemetry|views)\//;

async function main(args: string[]): Promise<number> {
  const total: Counts = { passed: 0, failed: 0, skipped: 0 };
  for (const part of await partsOf(args)) {
    const counts = await countTests(part);
    for (const outcome of ["passed", "failed", "skipped"] as const) total[outcome] += counts[outcome];
  }
  if (total.skipped > 0) console.log(`${total.skipped} skipped`);
  console.log(`${total.passed} passed, ${total.failed} failed`);
  return total.failed === 0 ? 0 : 1;
}

/** The arguments of each `bun test`, one after the other. */
async function partsOf(args: string[]): Promise<string[][]> {
  const own = args.filter((arg) => arg !== "--long");
  const choosesFiles = own.some((arg) => !arg.startsWith("-"));
  if (choosesFiles) return [own];
  if (args.includes("--long")) return [[...own, ...(await listFiles("{test,long}"))]];
  if (own.length > 0) return [own];
  const files = await listFiles("test");
  const parallel = [`--parallel=${availableParallelism()}`, "--no-isolate"];
  return [
    [...parallel, ...files.filter((file) => besideOthers.test(file.slice(2)))],
    files.filter((file) => !besideOthers.test(file.slice(2))),
  ];
}

async function listFiles(kinds: string): Promise<string[]> {
  const found = new Bun.Glob(`test/**/*.${kinds}.{ts,tsx}`).scan({ cwd: root });
  return (await Array.fromAsync(found)).sort().map((file) => `./${file}`);
}

async function countTests(args: string[]): Promise<Counts> {
  const { exitCode, tail } = await runTests(args);
  const counts = parseSummary(tail);
  if (counts === null)
    return trouble({ passed: 0, failed: 0, skipped: 0 }, "The test runner ended without a summary.");
  if (counts.passed + counts.failed + counts.skipped === 0) return trouble(counts, "No test ran.");
  if (exitCode !== 0 && counts.failed === 0)
    return trouble(counts, `The test runner ended with code ${exitCode}.`);
  return counts;
}

/** What isn't a test's failure is one of the run. */
function trouble(counts: Counts, what: string): Counts {
  console.error(what);
  return { ...counts, failed: counts.failed + 1 };
}

async function runTests(args: string[]): Promise<{ exitCode: number; tail: string }> {
  const color: Record<string, string> = process.stderr.isTTY ? { FORCE_COLOR: "1" } : {};
  const child = Bun.spawn([process.execPath, "test", `--timeout=${testTimeoutMs}`, ...args], {
    cwd: root,
    env: { ...process.env, ...color },
    stdio: ["inherit", "inherit", "pipe"],
  });
  const decoder = new TextDecoder();
  let tail = "";
  for await (const chunk of child.stderr) {
    process.stderr.write(chunk);
    tail = (tail + decoder.decode(chunk, { stream: true })).slice(-tailCharsMax);
  }
  return { exitCode: await child.exited, tail: Bun.stripANSI(tail) };
}

/** The block of counts above "Ran N tests across M files."; null when it isn't there. */
function parseSummary(text: string): Counts | null {
  const block = /((?:^ +\d+ [^\n]*\n)+)Ran \d+ tests? across[^\n]*\s*$/m.exec(text)?.[1];
  if (block === undefined) return null;
  const count = (word: string) => Number(new RegExp(`^ +(\\d+) ${word}$`, "m").exec(block)?.[1] ?? 0);
  return { passed: count("pass"), failed: count("fail"), skipped: count("skip") + count("todo") };
}

process.exitCode = await main(process.argv.slice(2));
