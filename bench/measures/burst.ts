import { atMost, type Figure, type Measured, measured, median, quantile, ratioAtMost } from "../figures.ts";
import { startBareCli } from "../bare-cli.ts";
import { sampleHealth } from "../healthz-samples.ts";
import { type Arena, openArena, type Stage } from "../stage.ts";
import { timed } from "./one-turn.ts";

const agents = 10;
const runs = 50;
const turn = "turn=200";
const ratioAim = 1.15;
const healthAimMs = 20;
const idleMs = 1_500;
const healthEveryMs = 4;

/** 50 executes at once to 10 agents, and how the server answers others meanwhile. */
export async function measureBurst(stage: Stage): Promise<Figure[]> {
  const enough = await openArena(stage, { agents, env: { HEADWAY_WARM_PROCESSES: String(agents) } });
  const few = await openArena(stage, { agents, env: { HEADWAY_WARM_PROCESSES: "4" } });
  const { workspace: cwd, dataDir: hiddenPath } = enough.server;
  const bare = startBareCli(stage, { file: stage.fakeCli, cwd, hiddenPath });
  stage.use(bare);
  for (const arena of [enough, few]) await arena.warmUp(stage.times(5, 2));

  const health = await sampleHealth(stage, enough, healthEveryMs);
  const idle = await health.during(() => Bun.sleep(idleMs));
  const times = { enough: [] as number[], few: [] as number[], bare: [] as number[] };
  const healthInBurst: number[] = [];
  const cpuPerRun = enough.startCpuClock();
  for (let round = 0; round < stage.times(8, 3); round++) {
    const busy = await health.during(async () => void times.enough.push(await timed(() => burst(enough))));
    healthInBurst.push(...busy);
    for (let turns = 0; turns < 3; turns++) times.bare.push(await timed(() => bare.turn(turn)));
  }
  const cpu = cpuPerRun(times.enough.length * runs);
  health.stop();
  for (let round = 0; round < stage.times(3, 1); round++) times.few.push(await timed(() => burst(few)));

  const ideal = median(times.bare) * (runs / agents);
  const floor = { p50: ideal, p99: null };
  const burstFigure = (name: string, values: number[], note: string): Figure => ({
    name,
    unit: "ms",
    headway: { p50: median(values), p99: null },
    floor,
    judged: ratioAtMost(median(values), ideal, ratioAim),
    note: `${spread(values)}; ${note}`,
  });
  const fewFigure = burstFigure("burst of 50 → 10 agents, 4 warm", times.few, "six cold starts at least");
  return [
    burstFigure("burst of 50 → 10 agents, 10 warm", times.enough, `server CPU ${cpu} per run`),
    { ...fewFigure, judged: null },
    healthFigure("/healthz p99, idle", idle, measured(idle)),
    healthFigure("/healthz p99, in the burst", healthInBurst, measured(idle)),
  ];
}

async function burst({ agentIds, execute }: Arena): Promise<void> {
  const all = Array.from({ length: runs }, (_, index) => execute(agentIds[index % agents] ?? "", turn));
  await Promise.all(all);
}

function spread(values: readonly number[]): string {
  const shown = values.map((value) => value.toFixed(0)).join(" ");
  return `the bursts took ${shown} ms`;
}

function healthFigure(name: string, values: readonly number[], floor: Measured): Figure {
  const note = `${values.length} requests, one every ${healthEveryMs} ms whether the last is answered or not; floor: idle`;
  const judged = atMost(quantile(values, 0.99), healthAimMs, "ms");
  return { name, unit: "ms", headway: measured(values), floor, judged, note };
}
