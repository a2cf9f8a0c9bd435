import { addedAtMost, type Figure, measured } from "../figures.ts";
import { type BareCli, startBareCli } from "../bare-cli.ts";
import { type Arena, openArena, type Stage } from "../stage.ts";
import { timed } from "./one-turn.ts";

const fakeAimMs = 4;

/** A turn on a warm process, through Headway and by the bare protocol in turn. */
export async function measureWarmTurn(stage: Stage): Promise<Figure[]> {
  const arena = await openArena(stage, { agents: 1 });
  const { server } = arena;
  const bare = startBareCli(stage, {
    file: stage.fakeCli,
    cwd: server.workspace,
    hiddenPath: server.dataDir,
  });
  stage.use(bare);
  const cpuPerTurn = arena.startCpuClock();
  const { headway, floor, turns } = await compare(arena, bare, {
    warmUps: stage.times(100, 20),
    rounds: stage.times(400, 100),
  });
  const judged = addedAtMost(headway.p50, floor.p50, fakeAimMs);
  const note = `server CPU ${cpuPerTurn(turns)} per turn, the first ones included`;
  return [{ name: "warm turn, instant fake", unit: "ms", headway, floor, judged, note }];
}

async function compare(arena: Arena, bare: BareCli, times: { warmUps: number; rounds: number }) {
  for (let round = 0; round < times.warmUps; round++) {
    await arena.execute("agent-1", "hello");
    await bare.turn("hello");
  }
  const headway: number[] = [];
  const floor: number[] = [];
  for (let round = 0; round < times.rounds; round++) {
    headway.push(await timed(() => arena.execute("agent-1", "hello")));
    floor.push(await timed(() => bare.turn("hello")));
  }
  const turns = times.warmUps + times.rounds;
  return { headway: measured(headway), floor: measured(floor), turns };
}
