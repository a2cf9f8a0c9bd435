import { expect, test } from "bun:test";
import { cpus } from "node:os";
import { join } from "node:path";

const seeds = 100;
const steps = 10_000;
/** Wall limit of one seed: against hangs, not a promise of speed. */
const seedMsMax = 300_000;

test(
  `${seeds} seeds of ${steps} steps keep the promises`,
  async () => {
    const waiting = Array.from({ length: seeds }, (_none, at) => at + 1);
    const failures: string[] = [];
    const worker = async () => {
      for (let seed = waiting.shift(); seed !== undefined; seed = waiting.shift()) {
        const { exitCode, said } = await simulateApart(seed);
        if (exitCode !== 0) failures.push(said);
      }
    };

    await Promise.all(cpus().map(worker));

    expect(failures.join("\n\n")).toBe("");
  },
  seeds * seedMsMax,
);

/** In a process of its own, so that all processors are used. */
async function simulateApart(seed: number): Promise<{ exitCode: number; said: string }> {
  const main = join(import.meta.dir, "main.ts");
  const command = [process.execPath, main, "--seed", String(seed), "--steps", String(steps)];
  const child = Bun.spawn(command, { stdout: "pipe", stderr: "pipe", timeout: seedMsMax });
  const [said, complaint] = await Promise.all([textOf(child.stdout), textOf(child.stderr)]);
  return { exitCode: await child.exited, said: said + complaint };
}

const textOf = (stream: ReadableStream<Uint8Array>) => new Response(stream).text();
