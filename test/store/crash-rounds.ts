import { expect } from "bun:test";
import { join } from "node:path";
import { openStore, type Store } from "../../src/store/store.ts";
import { id, reapStrays, storeOptions, temporaryDir, violationsOf } from "./fixture.ts";

const writer = join(import.meta.dir, "fixtures/acknowledge-runs.ts");

/** Kills a writer again and again in the middle of its work, and looks at what its store holds afterwards. */
export async function survivesCrashes(rounds: number): Promise<void> {
  using dir = temporaryDir();
  const acknowledged: string[] = [];
  for (let round = 0; round < rounds; round += 1) {
    acknowledged.push(...(await killAfter(dir.path, 3 + ((round * 37) % 101))));
    const result = openStore(storeOptions(dir.path));
    if (result.kind === "refused") throw new Error(result.message);
    expect(violationsOf(result.store, { recovered: false })).toEqual([]);
    expectAcknowledged(result.store, acknowledged);
    await recover(result.store);
    expect(violationsOf(result.store)).toEqual([]);
    await result.store.close();
  }
  expect(acknowledged.length).toBeGreaterThanOrEqual(rounds * 3);
}

/** Kills the writer after a number of acknowledgements, which is somewhere else in its work each time. */
async function killAfter(dataDir: string, acknowledgements: number): Promise<string[]> {
  const child = Bun.spawn([process.execPath, writer, dataDir], { stdout: "pipe", stderr: "inherit" });
  const lines: string[] = [];
  let rest = "";
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    const whole = (rest + chunk).split("\n");
    rest = whole.pop() ?? "";
    lines.push(...whole);
    if (lines.length >= acknowledgements) child.kill("SIGKILL");
  }
  await child.exited;
  return lines;
}

function expectAcknowledged(store: Store, acknowledged: readonly string[]): void {
  for (const line of acknowledged) {
    const [step, runId] = line.split(" ");
    const run = store.getRun(runId!);
    expect(run).not.toBeNull();
    if (step === "spoke") expect(run!.content).toBe("Hello");
    if (step === "settled") expect(run!.state).toBe("succeeded");
  }
}

async function recover(store: Store): Promise<void> {
  await reapStrays(store);
  for (const { runId } of store.listInterrupted()) {
    await store.settleInterrupted(runId, { assistantTurnId: id("turn") }, "server_restart", 1);
  }
}
