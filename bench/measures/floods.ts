import { join } from "node:path";
import { atMost, type Figure, measured, quantile } from "../figures.ts";
import { sampleHealth } from "../healthz-samples.ts";
import { rssMbOf } from "../machine.ts";
import { openArena, type Stage } from "../stage.ts";

const scriptedCli = join(import.meta.dir, "..", "..", "test", "fixtures", "bin", "fake-claude");
const growthAimMb = 64;
const growthOfThreeAimMb = 128;
const healthAimMs = 100;
const healthEveryMs = 20;
const memoryEveryMs = 25;
const warmUpTurns = 300;
/** After so much quiet a server holds what it needs. */
const restMs = 1_000;

interface Flood {
  name: string;
  /** What each agent is asked; all of them speak at the same time. */
  prompts: string[];
  env?: Record<string, string>;
}

function floodsOf(stage: Stage): Flood[] {
  const line = `long-line=${stage.times(50, 20)}`;
  const stderr = `stderr=${stage.times(1_024, 128)}`;
  const events = `flood=${stage.times(1_000_000, 100_000)}`;
  return [
    { name: line, prompts: [line] },
    { name: stderr, prompts: [stderr] },
    { name: events, prompts: [events] },
    { name: `${events}, one turn`, prompts: [events], env: { HEADWAY_WARM_PROCESSES: "0" } },
    { name: "these three at once", prompts: [line, stderr, events] },
    { name: `3 × ${events}`, prompts: [events, events, events] },
  ];
}

/** What a flood from a CLI costs the server in memory, and others in waiting; each meets a server of its own. */
export async function measureFloods(stage: Stage): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const flood of floodsOf(stage)) figures.push(...(await measureFlood(stage, flood)));
  return figures;
}

async function measureFlood(stage: Stage, { name, prompts, env }: Flood): Promise<Figure[]> {
  const agents = prompts.length;
  const arena = await openArena(stage, { agents, env: { HEADWAY_CLAUDE_PATH: scriptedCli, ...env } });
  const turns = env === undefined ? warmUpTurns : warmUpTurns / 10;
  await arena.warmUp(Math.ceil(turns / agents));
  const health = await sampleHealth(stage, arena, healthEveryMs);
  await Bun.sleep(restMs);
  const cpu = arena.startCpuClock();
  const memory = watchMemory(arena.server.pid);
  const begunMs = performance.now();
  let tookMs = 0;
  const answered = await health.during(async () => {
    await Promise.all(prompts.map((prompt, at) => arena.execute(arena.agentIds[at]!, prompt)));
    tookMs = performance.now() - begunMs;
  });
  const { beforeMb, peakMb } = memory.stop();
  const cost = `${(tookMs / 1_000).toFixed(1)} s, server CPU ${cpu(1)}`;
  health.stop();
  await arena.server.stop();
  return [
    {
      name: `memory: ${name}`,
      unit: "MB",
      headway: { p50: peakMb - beforeMb, p99: null },
      floor: null,
      judged: atMost(peakMb - beforeMb, agents === 1 ? growthAimMb : growthOfThreeAimMb, "MB"),
      note: `at most, beyond the ${beforeMb.toFixed(0)} MB of before; ${cost}`,
    },
    {
      name: `/healthz: ${name}`,
      unit: "ms",
      headway: measured(answered),
      floor: null,
      judged: atMost(quantile(answered, 0.99), healthAimMs, "ms"),
      note: `asked ${answered.length} times, at worst ${Math.max(...answered).toFixed(0)} ms; judged by p99`,
    },
  ];
}

function watchMemory(pid: number) {
  const beforeMb = rssMbOf(pid);
  let peakMb = beforeMb;
  const timer = setInterval(() => (peakMb = Math.max(peakMb, rssMbOf(pid))), memoryEveryMs);
  return {
    stop() {
      clearInterval(timer);
      return { beforeMb, peakMb };
    },
  };
}
