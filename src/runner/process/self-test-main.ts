/**
 * The self-test's processes: `tester`, which the server starts, and `stand-in`, which plays the server that
 * dies. Each is told what to do by the first line of its input, and ends with its input.
 */
import { rmSync } from "node:fs";
import { systemClock } from "../../domain/clock.ts";
import { runSelfTest } from "./self-test.ts";
import type { TesterTask } from "./self-test-process.ts";
import { beStandIn } from "./self-test-stand-in.ts";

async function beTester(input: AsyncIterable<string>): Promise<void> {
  for await (const line of input) {
    const task = JSON.parse(line) as TesterTask;
    void runSelfTest({ ...task, clock: systemClock }).then(
      (tests) => say({ tests }),
      (error: unknown) => say({ failure: String(error) }),
    );
    // The server is gone, or has heard enough; the hostile trees end with their leash, which is ours.
    process.once("exit", () => rmSync(task.folder, { recursive: true, force: true }));
  }
}

function say(answer: object): Promise<number> {
  return Bun.write(Bun.stdout, `${JSON.stringify(answer)}\n`);
}

if (import.meta.main) {
  await (process.argv[2] === "stand-in" ? beStandIn(console) : beTester(console));
  process.exit(0);
}
