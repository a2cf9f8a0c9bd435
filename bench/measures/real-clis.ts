import { join } from "node:path";
import { claudeAdapter } from "../../src/runner/adapters/claude.ts";
import { droidAdapter } from "../../src/runner/adapters/droid.ts";
import { geminiAdapter } from "../../src/runner/adapters/gemini.ts";
import type { Adapter } from "../../src/runner/adapters/adapter.ts";
import { setupOf } from "../../test/real-clis/cli-setup.ts";
import { type RealCli, realCliPath } from "../../test/real-clis/install.ts";
import { type BareCliSpec, startBareCli } from "../bare-cli.ts";
import { type Figure, measured, ratioAtMost } from "../figures.ts";
import { type Arena, openArena, type Stage } from "../stage.ts";
import { timed } from "./one-turn.ts";

interface Contender {
  cli: RealCli;
  title: string;
  adapter: Adapter;
  /** Stand in the lines that end a turn. */
  warmEnd: string;
  oneTurnEnd: string;
  /** Headway's warm turn may take so many times as long as the bare one, */
  warmAim: number;
  /** and a process of one turn is to take so many times as long as it. */
  timesAim: number;
}

const contenders: readonly Contender[] = [
  {
    cli: "claude",
    title: "Claude Code",
    adapter: claudeAdapter,
    warmEnd: '"type":"result"',
    oneTurnEnd: '"type":"result"',
    warmAim: 1.2,
    timesAim: 12,
  },
  {
    cli: "droid",
    title: "Droid",
    adapter: droidAdapter,
    warmEnd: '"agent_turn_completed"',
    oneTurnEnd: '"type":"completion"',
    warmAim: 1.2,
    timesAim: 5,
  },
  {
    cli: "gemini",
    title: "Gemini CLI",
    adapter: geminiAdapter,
    warmEnd: '"stopReason"',
    oneTurnEnd: '"type":"result"',
    warmAim: 2,
    timesAim: 50,
  },
];

/** The real CLIs, those that `npm run clis:install` has put there: Headway warm, the bare protocol, a process per turn. */
export async function measureRealClis(stage: Stage): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const contender of contenders) {
    const file = realCliPath(contender.cli);
    if (file !== null) figures.push(...(await measureCli(stage, contender, file)));
  }
  return figures;
}

async function measureCli(stage: Stage, contender: Contender, file: string): Promise<Figure[]> {
  const { title, warmAim, timesAim } = contender;
  const setup = setupOf(contender.cli, await startModelApi(stage), file);
  const arena = await openArena(stage, { agents: 1, ...setup });
  const spec = bareSpecOf(arena, file, setup.env);
  const model = String(setup.agent["model"] ?? "") || null;
  const rounds = stage.times(10, 4);
  const { headway, bare } = await measureWarm(stage, contender, { arena, spec, model, rounds });
  const cold = await measureCold(stage, contender, { spec, model, rounds });
  const note = "against a model API of ours that answers at once; all sides share it";
  return [
    {
      name: `warm turn, real ${title}`,
      unit: "ms",
      headway,
      floor: bare,
      judged: ratioAtMost(headway.p50, bare.p50, warmAim),
      note,
    },
    {
      name: `the same beside a process per turn, ${title}`,
      unit: "ms",
      headway,
      floor: cold,
      judged: ratioAtMost(headway.p50, cold.p50, 1 / timesAim),
      note: `a warm turn is ${(cold.p50 / headway.p50).toFixed(1)} times as fast; aim ${timesAim}`,
    },
  ];
}

interface Trial {
  spec: BareCliSpec;
  model: string | null;
  rounds: number;
}

async function measureWarm(stage: Stage, contender: Contender, trial: Trial & { arena: Arena }) {
  const { arena, spec, model, rounds } = trial;
  const speech = { dialect: contender.adapter.dialects.warm, endMark: contender.warmEnd, model };
  await using cli = startBareCli(stage, { ...spec, speech });
  const headway: number[] = [];
  const bare: number[] = [];
  for (let round = -3; round < rounds; round++) {
    const ours = await timed(() => arena.execute("agent-1", "hello"));
    const theirs = await timed(() => cli.turn("hello"));
    if (round < 0) continue;
    headway.push(ours);
    bare.push(theirs);
  }
  await cli.end();
  return { headway: measured(headway), bare: measured(bare) };
}

/** Each goes on in the session of the one before, as a conversation does. */
async function measureCold(stage: Stage, contender: Contender, { spec, model, rounds }: Trial) {
  const { oneTurn: dialect } = contender.adapter.dialects;
  const times: number[] = [];
  let sessionId: string | null = null;
  for (let round = -1; round < rounds; round++) {
    const resumed: { resumed?: string } = sessionId === null ? {} : { resumed: sessionId };
    const speech = { dialect, endMark: contender.oneTurnEnd, model, ...resumed };
    const tookMs = await timed(async () => {
      await using cli = startBareCli(stage, { ...spec, speech });
      await cli.turn("hello");
      await cli.end();
      sessionId = cli.sessionId ?? sessionId;
    });
    if (round >= 0) times.push(tookMs);
  }
  return measured(times);
}

function bareSpecOf({ server }: Arena, file: string, env: Record<string, string>): BareCliSpec {
  const own = Object.entries(env).filter(([name]) => !name.startsWith("HEADWAY_"));
  return {
    file,
    cwd: server.workspace,
    hiddenPath: server.dataDir,
    env: { ...Object.fromEntries(own), HOME: server.home },
  };
}

/** In a process of its own, so that it isn't the client that waits for it. */
async function startModelApi(stage: Stage): Promise<string> {
  const program = join(import.meta.dir, "..", "..", "test", "helpers", "fake-model-api.ts");
  const child = Bun.spawn([process.execPath, program], { stdio: ["ignore", "pipe", "inherit"] });
  stage.use({ [Symbol.asyncDispose]: async () => (child.kill("SIGKILL"), void (await child.exited)) });
  const { value } = await child.stdout.getReader().read();
  return new TextDecoder().decode(value).trim();
}
