import { addedAtMost, type Figure, measured } from "../figures.ts";
import { type BareCliSpec, startBareCli } from "../bare-cli.ts";
import { openArena, type Stage } from "../stage.ts";

const turn = "turn=200";
const aimMs = 8;

/** A process for one turn: what Headway adds to the same process, in the same containment, without it. */
export async function measureOneTurn(stage: Stage): Promise<Figure[]> {
  const arena = await openArena(stage, { agents: 1, env: { HEADWAY_WARM_PROCESSES: "0" } });
  const { server } = arena;
  const spec = { file: stage.fakeCli, cwd: server.workspace, hiddenPath: server.dataDir };
  await arena.warmUp(stage.times(20, 5));
  const headway: number[] = [];
  const floor: number[] = [];
  const cpuPerTurn = arena.startCpuClock();
  for (let round = 0; round < stage.times(40, 12); round++) {
    headway.push(await timed(() => arena.execute("agent-1", turn)));
    floor.push(await timed(() => bareTurn(stage, spec)));
  }
  const note = `server CPU ${cpuPerTurn(headway.length)} per turn; the floor ends with its process`;
  const [ours, bare] = [measured(headway), measured(floor)];
  const judged = addedAtMost(ours.p50, bare.p50, aimMs);
  return [{ name: "one-turn process, 200 ms", unit: "ms", headway: ours, floor: bare, judged, note }];
}

async function bareTurn(stage: Stage, spec: BareCliSpec): Promise<void> {
  await using cli = startBareCli(stage, spec);
  const answered = cli.turn(turn);
  await Promise.all([answered, cli.end()]);
}

export async function timed(work: () => Promise<unknown>): Promise<number> {
  const begunMs = performance.now();
  await work();
  return performance.now() - begunMs;
}
