import type { Stage, StageAgent } from "./stage.ts";

export interface RaceCounts {
  cancelled: number;
  succeeded: number;
  /** Whatever was told of a run that wasn't so. */
  untrue: string[];
}

const stepMsMin = 4;
const stepMsMax = 64;

/**
 * Cancels runs at about the moment at which they complete. The CLI waits for `wait` ms in its turn; the
 * cancel goes out at a moment that moves towards the outcome that was seen less so far, so both happen
 * on a fast machine and on a loaded one.
 */
export async function raceCancelWithCompletion(stage: Stage, races: number): Promise<RaceCounts> {
  const agent = await stage.agent();
  await agent.ask("hello");
  const counts: RaceCounts = { cancelled: 0, succeeded: 0, untrue: [] };
  let delayMs = 40;
  let stepMs = stepMsMin;
  let before: string | null = null;
  for (let race = 0; race < races; race += 1) {
    const state = await raceOnce(stage, agent, delayMs, counts.untrue);
    if (state === "cancelled") counts.cancelled += 1;
    else counts.succeeded += 1;
    // On a loaded machine the CLI alone may take long to come up.
    stepMs = state === before ? Math.min(stepMs * 2, stepMsMax) : stepMsMin;
    before = state;
    delayMs = Math.max(0, delayMs + (state === "cancelled" ? stepMs : -stepMs));
  }
  return counts;
}

async function raceOnce(stage: Stage, agent: StageAgent, delayMs: number, untrue: string[]): Promise<string> {
  const { id } = await agent.begin("race wait=40");
  await Bun.sleep(delayMs);
  const reply = await stage.cancel(id);
  const run = await stage.getRun(id);
  const finished = (await stage.events(id)).filter(({ type }) => type === "run.finished");
  const isTrue =
    reply.state === run.state &&
    reply.alreadyFinished === (run.state === "succeeded") &&
    reply.survivors === 0 &&
    finished.length === 1 &&
    finished[0]?.type === "run.finished" &&
    finished[0].state === run.state &&
    run.contentFinal === (run.state === "succeeded") &&
    (run.state === "cancelled" || run.content === "You said: race wait=40");
  if (!isTrue) untrue.push(JSON.stringify({ reply, run, finished }));
  return run.state;
}

/** Runs whose time limit comes at about the moment at which they complete; resolves with what isn't so. */
export async function raceDeadlineWithCompletion(stage: Stage, races: number): Promise<string[]> {
  const waits = Array.from({ length: races }, (_, at) => 900 + Math.round((at * 200) / races));
  const agents = await Promise.all(waits.map(() => stage.agent()));
  await Promise.all(agents.map((agent) => agent.ask("hello")));
  const untrue: string[] = [];
  const race = async (agent: StageAgent, waitMs: number) => {
    const { body: run } = await agent.execute(`race wait=${waitMs}`, { timeoutMs: 1_000 });
    const ends = (await stage.events(run.id)).filter(({ type }) => type === "run.finished");
    const succeeded = run.state === "succeeded" && run.contentFinal && run.error === null;
    const late = run.state === "timed_out" && !run.contentFinal && run.error?.code === "deadline";
    if (ends.length !== 1 || !(succeeded || late)) untrue.push(JSON.stringify({ run, ends }));
  };
  await Promise.all(waits.map((waitMs, at) => race(agents[at]!, waitMs)));
  return untrue;
}
