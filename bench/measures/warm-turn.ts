import { join } from "node:path";
import { realClaudePath } from "../../test/real-clis/install.ts";
import { addedAtMost, type Figure, measured, ratioAtMost } from "../figures.ts";
import { type BareCli, startBareCli } from "../bare-cli.ts";
import { type Arena, openArena, type Stage } from "../stage.ts";
import { timed } from "./one-turn.ts";

const fakeAimMs = 4;
const realAimRatio = 1.15;

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

/** The same with the real Claude Code, when `npm run clis:install` has put it there. */
export async function measureRealClaude(stage: Stage): Promise<Figure[]> {
  const file = realClaudePath();
  if (file === null) return [];
  const env = {
    ANTHROPIC_BASE_URL: await startModelApi(stage),
    ANTHROPIC_API_KEY: "made-up-key",
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
  };
  const passed = { ...env, HEADWAY_CLAUDE_PATH: file };
  const arena = await openArena(stage, {
    agents: 1,
    env: { ...passed, HEADWAY_PASS_ENV: "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC" },
  });
  const { workspace: cwd, dataDir: hiddenPath, home } = arena.server;
  const bare = startBareCli(stage, { file, cwd, hiddenPath, env: { ...env, HOME: home } });
  stage.use(bare);
  const { headway, floor } = await compare(arena, bare, { warmUps: 5, rounds: stage.times(50, 12) });
  const judged = ratioAtMost(headway.p50, floor.p50, realAimRatio);
  const note = "against a model API of ours that answers at once; both sides share it";
  return [{ name: "warm turn, real Claude Code", unit: "ms", headway, floor, judged, note }];
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

/** In a process of its own, so that it isn't the client that waits for it. */
async function startModelApi(stage: Stage): Promise<string> {
  const program = join(import.meta.dir, "..", "..", "test", "helpers", "fake-model-api.ts");
  const child = Bun.spawn([process.execPath, program], { stdio: ["ignore", "pipe", "inherit"] });
  stage.use({ [Symbol.asyncDispose]: async () => (child.kill("SIGKILL"), void (await child.exited)) });
  const { value } = await child.stdout.getReader().read();
  return new TextDecoder().decode(value).trim();
}
