/**
 * `npm test`: runs `bun test` with the arguments given, and ends with one plain line of what it counted.
 * `--long` adds the files named `*.long.ts`, which `bun test` doesn't find by itself.
 *
 * The exit code isn't enough: a test that calls `process.exit(0)` ends Bun 1.4.5 with code 0, without a
 * summary and without the tests that were still to come.
 */
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

async function main(args: string[]): Promise<number> {
  const { exitCode, tail } = await runTests(await testArguments(args));
  const counts = parseSummary(tail);
  if (counts === null)
    return report({ passed: 0, failed: 1, skipped: 0 }, "The test runner ended without a summary.");
  if (counts.passed + counts.failed + counts.skipped === 0)
    return report({ ...counts, failed: 1 }, "No test ran.");
  if (exitCode !== 0 && counts.failed === 0) {
    return report({ ...counts, failed: 1 }, `The test runner ended with code ${exitCode}.`);
  }
  return report(counts);
}

async function testArguments(args: string[]): Promise<string[]> {
  const own = args.filter((arg) => arg !== "--long");
  const choosesFiles = own.some((arg) => !arg.startsWith("-"));
  if (!args.includes("--long") || choosesFiles) return own;
  const files = await Array.fromAsync(new Bun.Glob("test/**/*.{test,long}.{ts,tsx}").scan({ cwd: root }));
  return [...own, ...files.sort().map((file) => `./${file}`)];
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

function report(counts: Counts, trouble?: string): number {
  if (trouble !== undefined) console.error(trouble);
  if (counts.skipped > 0) console.log(`${counts.skipped} skipped`);
  console.log(`${counts.passed} passed, ${counts.failed} failed`);
  return counts.failed === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
