import { join } from "node:path";
import { expectJson } from "../../test/helpers/http.ts";
import { waitFor } from "../../test/helpers/wait.ts";
import type { Run } from "../../src/domain/run.ts";
import { atMost, type Figure, measured, quantile } from "../figures.ts";
import { type Arena, openArena, post, type Stage } from "../stage.ts";

const queuedAimMs = 100;
const cooperativeAimMs = 300;
/** Beyond the grace. */
const deafAimMs = 500;
const killGraceMs = 500;
const scriptedCli = join(import.meta.dir, "..", "..", "test", "fixtures", "bin", "fake-claude");

/** How long a cancel takes to be answered, which it is when the run is settled and its processes are dead. */
export async function measureCancel(stage: Stage): Promise<Figure[]> {
  const env = { HEADWAY_CLAUDE_PATH: scriptedCli, HEADWAY_KILL_GRACE_MS: String(killGraceMs) };
  const warm = await openArena(stage, { agents: 1, env });
  const oneTurn = await openArena(stage, { agents: 1, env: { ...env, HEADWAY_WARM_PROCESSES: "0" } });
  const deafAim = killGraceMs + deafAimMs;
  return [
    cancelFigure("cancel, queued", await cancelQueued(stage, warm), queuedAimMs, ""),
    cancelFigure("cancel, warm", await cancelRunning(stage, warm, "forever"), cooperativeAimMs, ""),
    cancelFigure("cancel, one turn", await cancelRunning(stage, oneTurn, "forever"), cooperativeAimMs, ""),
    cancelFigure("cancel, deaf, warm", await cancelRunning(stage, warm, "deaf"), deafAim, graceNote),
    cancelFigure("cancel, deaf, one turn", await cancelRunning(stage, oneTurn, "deaf"), deafAim, graceNote),
  ];
}

const graceNote = `; the CLI ignores interrupt, SIGINT and SIGTERM; grace ${killGraceMs} ms`;

function cancelFigure(name: string, values: number[], aimMs: number, more: string): Figure {
  const judged = atMost(quantile(values, 0.99), aimMs, "ms");
  const note = `${values.length} cancels; judged by p99; 0 survivors each${more}`;
  return { name, unit: "ms", headway: measured(values), floor: null, judged, note };
}

/** Waiting behind one that goes on for ever. */
async function cancelQueued(stage: Stage, arena: Arena): Promise<number[]> {
  const first = await begin(arena, "forever");
  await said(arena, first);
  const times: number[] = [];
  for (let cancels = 0; cancels < stage.times(50, 10); cancels++) {
    times.push(await cancel(arena, await begin(arena, "hello")));
  }
  await cancel(arena, first);
  return times;
}

async function cancelRunning(stage: Stage, arena: Arena, prompt: string): Promise<number[]> {
  const times: number[] = [];
  for (let cancels = 0; cancels < stage.times(50, 10); cancels++) {
    const runId = await begin(arena, prompt);
    await said(arena, runId);
    times.push(await cancel(arena, runId));
  }
  return times;
}

async function begin({ server, agentIds }: Arena, prompt: string): Promise<string> {
  const path = `/api/agents/${agentIds[0]}/execute`;
  const response = await post(server, path, { prompt }, { prefer: "respond-async" });
  return ((await response.json()) as Run).id;
}

/** Until the CLI has begun to answer, a cancel would meet its start. */
async function said({ server }: Arena, runId: string): Promise<void> {
  await waitFor(
    async () => (await expectJson<Run>(server.fetch, 200, "GET", `/api/runs/${runId}`)).firstOutputAt,
    { what: `the first output of ${runId}` },
  );
}

async function cancel({ server }: Arena, runId: string): Promise<number> {
  const beganMs = performance.now();
  const response = await post(server, `/api/runs/${runId}/cancel`, {});
  const tookMs = performance.now() - beganMs;
  const reply = (await response.json()) as { state: string; survivors: number };
  if (reply.state !== "cancelled" || reply.survivors !== 0)
    throw new Error(`A cancel came to nothing: ${JSON.stringify(reply)}`);
  return tookMs;
}
