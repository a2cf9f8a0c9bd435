import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import type { Run } from "../../src/domain/run.ts";
import { type Stage, type StageAgent, openStage } from "./stage.ts";

/**
 * Floods of full size (Q5, Q7, Q17), and what they cost: at most 64 MB beyond what a server holds that has
 * carried some hundreds of turns, and others are answered meanwhile. What an idle server takes to answer just
 * before belongs to the machine, which may have other things to do.
 */
const growthMaxBytes = 64 * 1_048_576;
const healthP99MaxMs = 100;
const healthEveryMs = 20;
const idleMs = 3_000;
const warmUpTurns = 300;
const floodTimeoutMs = 120_000;

describe.each([
  ["warm", { HEADWAY_WARM_PROCESSES: "8" }, warmUpTurns],
  ["one-turn", { HEADWAY_WARM_PROCESSES: "0" }, 50],
])("a CLI that floods the server (%s)", (_mode, modeEnv, turns) => {
  let stage: Stage;
  let agent: StageAgent;

  beforeAll(async () => {
    stage = await openStage(modeEnv);
    agent = await stage.agent();
    for (let turn = 0; turn < turns; turn += 1) await agent.ask("hello");
  }, floodTimeoutMs);
  afterAll(() => stage[Symbol.asyncDispose]());

  test.each<[flood: string, prompt: string, expected: Partial<Run>]>([
    [
      "a line of 50 MB",
      "long-line=50",
      { content: "You said: long-line=50", anomalies: [{ code: "line_too_long", count: 1 }] },
    ],
    ["1 GB of stderr", "stderr=1024", { content: "You said: stderr=1024", anomalies: [] }],
    ["1,000,000 events", "flood=1000000", { content: "0 1 2 3 4 5 6 7 8 9 ".repeat(100_000), anomalies: [] }],
  ])(
    "%s: the turn succeeds whole, memory stays bounded, and others are answered",
    async (_flood, prompt, expected) => {
      const idle = watchServer(stage);
      await Bun.sleep(idleMs);
      const idleP99Ms = quantile((await idle.stop()).healthMs, 0.99);
      const watch = watchServer(stage);

      const { body } = await agent.execute(prompt);
      const { grownBytes, healthMs } = await watch.stop();

      expect(body.state).toBe("succeeded");
      expect(body.content === expected.content).toBe(true);
      expect(body.anomalies).toEqual(expected.anomalies ?? []);
      expect(grownBytes).toBeLessThan(growthMaxBytes);
      expect(quantile(healthMs, 0.99)).toBeLessThan(healthP99MaxMs + idleP99Ms);
    },
    floodTimeoutMs,
  );
});

/** Looks at the server's memory and asks for its health all the time, whether the last answer has come or not. */
function watchServer({ server }: Stage) {
  const before = residentBytes(server.pid);
  const healthMs: number[] = [];
  const asked: Promise<void>[] = [];
  let peak = before;

  async function ask(): Promise<void> {
    const beganMs = performance.now();
    const response = await fetch(`${server.url}/healthz`);
    await response.arrayBuffer();
    healthMs.push(performance.now() - beganMs);
  }
  const timer = setInterval(() => {
    peak = Math.max(peak, residentBytes(server.pid));
    asked.push(ask());
  }, healthEveryMs);
  return {
    async stop() {
      clearInterval(timer);
      await Promise.all(asked);
      return { grownBytes: peak - before, healthMs };
    },
  };
}

function residentBytes(pid: number): number {
  const [, pages = "0"] = readFileSync(`/proc/${pid}/statm`, "utf8").split(" ");
  return Number(pages) * 4096;
}

function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil(part * sorted.length) - 1] ?? 0;
}
