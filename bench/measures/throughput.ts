import { atLeast, type Figure } from "../figures.ts";
import { startBareCli } from "../bare-cli.ts";
import { type Arena, openArena, runProgram, type Stage } from "../stage.ts";

const clients = 20;
const aimPerSecond = 900;

/** Executes per second that wait for their answer: as many clients as agents, and a CLI that answers at once. */
export async function measureThroughput(stage: Stage): Promise<Figure[]> {
  const count = String(clients);
  const env = { HEADWAY_WARM_PROCESSES: count, HEADWAY_MAX_RUNS: count };
  const arena = await openArena(stage, { agents: clients, env });
  const { workspace: cwd, dataDir: hiddenPath } = arena.server;
  const bare = Array.from({ length: clients }, () => {
    const cli = startBareCli(stage, { file: stage.fakeCli, cwd, hiddenPath });
    return stage.use(cli);
  });
  await arena.warmUp(2);
  await load(stage, arena, stage.times(6_000, 1_000));
  const rates: Load[] = [];
  const floors: number[] = [];
  for (let round = 0; round < stage.times(3, 2); round++) {
    rates.push(await load(stage, arena, stage.times(4_000, 1_500)));
    floors.push(await bareRate(bare, stage.times(1_000, 500)));
  }
  return [figureOf(rates, Math.max(...floors))];
}

function figureOf(rates: readonly Load[], floor: number): Figure {
  const middle = rates.toSorted((a, b) => a.perSecond - b.perSecond)[Math.floor(rates.length / 2)]!;
  const all = rates.map(({ perSecond }) => perSecond.toFixed(0)).join(" ");
  const note = [
    `${clients} clients of ${clients} agents, rates ${all}`,
    `server CPU ${middle.serverCpuMs.toFixed(2)} ms per execute`,
    `load client busy ${Math.round(middle.clientBusy * 100)} %`,
    "floor: the bare warm protocol, as many processes, nothing kept",
  ].join("; ");
  return {
    name: "executes per second, instant fake",
    unit: "per s",
    headway: { p50: middle.perSecond, p99: null },
    floor: { p50: floor, p99: null },
    judged: atLeast(middle.perSecond, aimPerSecond, "per s"),
    note,
  };
}

interface Load {
  perSecond: number;
  serverCpuMs: number;
  /** CPU time of the client by wall time: near 1 it would be the client that is measured. */
  clientBusy: number;
}

async function load(stage: Stage, { server, agentIds, startCpuClock }: Arena, forMs: number): Promise<Load> {
  const cpu = startCpuClock();
  const child = runProgram(stage, "load-client", [server.url, server.token, String(forMs), ...agentIds]);
  const said = (await new Response(child.stdout).text()).trim();
  if ((await child.exited) !== 0) throw new Error(`The load client failed: ${said}`);
  const done = JSON.parse(said) as { executes: number; tookMs: number; cpuMs: number };
  return {
    perSecond: done.executes / (done.tookMs / 1_000),
    serverCpuMs: Number.parseFloat(cpu(done.executes)),
    clientBusy: done.cpuMs / done.tookMs,
  };
}

async function bareRate(
  processes: readonly { turn(prompt: string): Promise<void> }[],
  forMs: number,
): Promise<number> {
  const begunMs = performance.now();
  let turns = 0;
  await Promise.all(
    processes.map(async ({ turn }) => {
      for (; performance.now() - begunMs < forMs; turns++) await turn("hello");
    }),
  );
  return turns / ((performance.now() - begunMs) / 1_000);
}
