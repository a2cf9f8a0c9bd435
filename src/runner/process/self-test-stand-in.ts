import { join } from "node:path";
import { systemClock } from "../../domain/clock.ts";
import type { ProcessIdentity } from "../../domain/process.ts";
import type { ProcessSpec } from "./cli-process.ts";
import type { Containment } from "./containment.ts";
import { createSupervisor } from "./supervisor.ts";

/** What the stand-in is told on its standard input, as one line of JSON. */
export interface StandInTask {
  containment: Containment;
  scratchFolder: string;
  specs: readonly ProcessSpec[];
}

export interface StandIn {
  /** Kills it as nobody can ignore; resolves, when it is dead, with the identities of what it had spawned. */
  kill(): Promise<ProcessIdentity[]>;
}

/** Starts a process that spawns what a server would, and stays. */
export function startStandIn(task: StandInTask): StandIn {
  const script = join(import.meta.dir, "self-test-main.ts");
  const child = Bun.spawn([process.execPath, "--no-env-file", script, "stand-in"], {
    env: { BUN_BE_BUN: "1" },
    stdio: ["pipe", "pipe", "ignore"],
    // Whoever stops the self-test by a signal to its group doesn't stop its server for it.
    detached: true,
  });
  void child.stdin.write(`${JSON.stringify(task)}\n`);
  void child.stdin.flush();
  const said = new Response(child.stdout).text();
  return {
    async kill() {
      child.kill("SIGKILL");
      await child.exited;
      const lines = (await said).split("\n").filter((line) => line.endsWith("}"));
      return lines.map((line) => JSON.parse(line) as ProcessIdentity);
    },
  };
}

/** The stand-in itself: tells the identity of each tree as a line, and ends when nobody holds its input any more. */
export async function beStandIn(input: AsyncIterable<string>): Promise<void> {
  for await (const line of input) {
    const { specs, ...task } = JSON.parse(line) as StandInTask;
    const supervisor = createSupervisor({ ...task, clock: systemClock, publish() {} });
    for (const spec of specs) {
      const outcome = await supervisor.spawn(spec);
      if (outcome.kind === "spawned")
        await Bun.write(Bun.stdout, `${JSON.stringify(outcome.process.identity)}\n`);
    }
  }
}
