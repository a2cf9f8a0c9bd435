import { join } from "node:path";
import type { RunEvent } from "../../src/domain/event.ts";
import type { Run } from "../../src/domain/run.ts";
import { openReader } from "../../src/store/database.ts";
import { collectEvents, openEvents, type ServerSentEvent } from "../helpers/http.ts";
import { assertIntegrity } from "../helpers/integrity.ts";
import { waitFor } from "../helpers/wait.ts";
import { openStage, type Stage, type StageAgent, startedPrompts } from "./stage.ts";

const agentsInPlay = 5;
const said = "You said: ";
const words = "one two three four five six";

/** What the server is doing when it is killed. */
export interface CrashPlan {
  runsMax: number;
  runsPerAgent: number;
  /** Time between two words of the CLI's answer, by the run's place in its agent's queue. */
  wordMs(place: number): number;
  /** Resolves when the server is to be killed; it is killed a little later, by a round's own measure. */
  ripe?(stage: Stage): Promise<unknown>;
  laterMs(round: number): number;
}

/** At any moment, from before the first spawn to after most of the turns. */
export const anyMoment: CrashPlan = {
  runsMax: 4,
  runsPerAgent: 4,
  // Turns of different lengths, so that a kill meets some of them near their end.
  wordMs: (place) => (place * 7) % 11,
  // 37 has no divisor in common with 300.
  laterMs: (round) => 15 + ((round * 37) % 300),
};

/** While five runs are in progress and ten wait behind them. */
export const fullHouse: CrashPlan = {
  runsMax: agentsInPlay,
  runsPerAgent: 3,
  // The first ones have to last until all the others are there.
  wordMs: (place) => (place === 0 ? 80 : (place * 7) % 11),
  ripe: (stage) =>
    waitFor(() => isFull(stage), { what: "5 runs in progress and 10 waiting", deadlineMs: 5_000 }),
  laterMs: (round) => (round * 37) % 300,
};

function isFull(stage: Stage): boolean {
  const states = [...readStates(stage).values()];
  const waiting = states.filter((state) => state === "queued").length;
  return waiting === 10 && states.filter((state) => state === "running").length === agentsInPlay;
}

/** How far the runs had come when the server was killed, by its database and the CLI's own diary. */
export interface CrashCounts {
  rounds: number;
  acknowledged: number;
  queued: number;
  starting: number;
  running: number;
  /** The CLI had ended the turn; its settlement wasn't committed. */
  settling: number;
  finished: number;
  /** Event streams that went on over the restart. */
  resumedStreams: number;
  /** The longest that the trees took to be dead, and the next server to be ready. */
  deadMsMax: number;
  readyMsMax: number;
  /** What was promised and isn't so. */
  broken: string[];
}

interface Sent {
  run: Run;
  agent: StageAgent;
  prompt: string;
}

interface Follower {
  runId: string;
  read: ServerSentEvent[];
  /** Resolves when the server has gone, or the stream has ended. */
  dropped: Promise<void>;
}

/** Kills the server in the midst of its work, again and again, and looks at what is left each time. */
export async function crashRounds(rounds: number, plan: CrashPlan): Promise<CrashCounts> {
  const runsMax = String(plan.runsMax);
  await using stage = await openStage({ HEADWAY_WARM_PROCESSES: "3", HEADWAY_MAX_RUNS: runsMax });
  const counts: CrashCounts = {
    rounds,
    acknowledged: 0,
    queued: 0,
    starting: 0,
    running: 0,
    settling: 0,
    finished: 0,
    resumedStreams: 0,
    deadMsMax: 0,
    readyMsMax: 0,
    broken: [],
  };
  const agents = await Promise.all(Array.from({ length: agentsInPlay }, () => stage.agent()));
  for (let round = 0; round < rounds; round += 1) await crashOnce(stage, plan, agents, round, counts);
  await stage.tidy();
  return counts;
}

async function crashOnce(
  stage: Stage,
  plan: CrashPlan,
  agents: StageAgent[],
  round: number,
  counts: CrashCounts,
) {
  const sent: Sent[] = [];
  const followers: Follower[] = [];
  const sending = agents.map((agent) => sendAll(stage, plan, agent, round, sent, followers));
  await plan.ripe?.(stage);
  await Bun.sleep(plan.laterMs(round));
  await stage.server.kill();
  counts.deadMsMax = Math.max(counts.deadMsMax, await tookMs(treesDead(stage)));
  await Promise.all([...sending, ...followers.map(({ dropped }) => dropped)]);
  const before = readStates(stage);
  count(stage, sent, before, counts);
  counts.readyMsMax = Math.max(counts.readyMsMax, await tookMs(stage.server.restart()));

  await Promise.all(sent.map(({ run }) => stage.settled(run.id)));
  await allOver(stage);
  await judgeRuns(stage, sent, before, counts.broken);
  await judgeRepeats(sent, counts.broken);
  for (const follower of followers) await judgeStream(stage, follower, counts);
  for (const agent of agents) await judgeMemory(stage, agent, sent, counts.broken);
  assertIntegrity(stage.server.dataDir);
}

function treesDead(stage: Stage): Promise<true> {
  return waitFor(() => stage.server.survivors().length === 0, {
    deadlineMs: 2_000,
    what: "the trees to be dead",
  });
}

async function tookMs(deed: Promise<unknown>): Promise<number> {
  const begunMs = performance.now();
  await deed;
  return Math.round(performance.now() - begunMs);
}

/** Sends an agent's prompts one after the other, until the server is gone. */
async function sendAll(
  stage: Stage,
  plan: CrashPlan,
  agent: StageAgent,
  round: number,
  sent: Sent[],
  followers: Follower[],
) {
  for (let place = 0; place < plan.runsPerAgent; place += 1) {
    const prompt = `r${round}-${agent.id}-${place} slow=${plan.wordMs(place)} ${words}`;
    const run = await agent.begin(prompt, { key: prompt }).catch(goneWithTheServer);
    if (!run) return;
    sent.push({ run, agent, prompt });
    followers.push(follow(stage, run.id));
  }
}

function goneWithTheServer(error: unknown): null {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  if (["ECONNRESET", "ECONNREFUSED", "ConnectionRefused", "ConnectionClosed"].includes(code)) return null;
  throw error;
}

function follow(stage: Stage, runId: string): Follower {
  const read: ServerSentEvent[] = [];
  const dropped = (async () => {
    const stream = await openEvents(stage.server.fetch, `/api/runs/${runId}/events`).catch(goneWithTheServer);
    if (!stream) return;
    try {
      for await (const event of stream) read.push(event);
    } catch (error) {
      goneWithTheServer(error);
    }
  })();
  return { runId, read, dropped };
}

function readStates(stage: Stage): Map<string, string> {
  const database = openReader(join(stage.server.dataDir, "headway.db"));
  try {
    const rows = database.query<{ id: string; state: string }, []>("select id, state from runs").all();
    return new Map(rows.map(({ id, state }) => [id, state]));
  } finally {
    database.close();
  }
}

function count(stage: Stage, sent: Sent[], before: Map<string, string>, counts: CrashCounts): void {
  const ended = stage.fakeLog().flatMap(({ event, promptEnd }) => (event === "end" ? [promptEnd] : []));
  counts.acknowledged += sent.length;
  for (const { run, prompt } of sent) {
    const state = before.get(run.id);
    if (state === undefined) counts.broken.push(`${run.id} was acknowledged and is missing`);
    else if (state === "queued") counts.queued += 1;
    else if (state === "starting") counts.starting += 1;
    else if (state === "running" && ended.some((end) => end.endsWith(prompt))) counts.settling += 1;
    else if (state === "running") counts.running += 1;
    else counts.finished += 1;
  }
}

/** Also the runs that were admitted and never acknowledged. */
async function allOver(stage: Stage): Promise<void> {
  const open = ["queued", "starting", "running"];
  await waitFor(() => ![...readStates(stage).values()].some((state) => open.includes(state)), {
    deadlineMs: 20_000,
    what: "all runs to be over",
  });
}

async function judgeRuns(stage: Stage, sent: Sent[], before: Map<string, string>, broken: string[]) {
  const starts = startedPrompts(stage.fakeLog());
  for (const { run, prompt } of sent) {
    const now = await stage.getRun(run.id);
    const was = before.get(run.id) ?? "missing";
    const times = starts.filter((started) => started.endsWith(prompt)).length;
    const wrong = complaint(now, was, prompt, times);
    if (wrong) broken.push(`${wrong}: was ${was}, started ${times} times, ${JSON.stringify(now)}`);
  }
  for (const agentId of new Set(sent.map(({ agent }) => agent.id))) {
    const mine = sent.filter(({ agent }) => agent.id === agentId).map(({ prompt }) => prompt);
    const order = starts.flatMap((started) => mine.filter((prompt) => started.endsWith(prompt)));
    if (order.join() !== mine.filter((prompt) => order.includes(prompt)).join())
      broken.push(`runs of ${agentId} started out of order: ${order.join()}`);
  }
}

function complaint(now: Run, was: string, prompt: string, times: number): string | null {
  if (was === "queued" || was === "succeeded") {
    const isWhole = now.contentFinal && now.content.startsWith(said) && now.content.endsWith(prompt);
    const isRight = now.state === "succeeded" && isWhole && times === 1;
    return isRight ? null : "a run that waited or had succeeded isn't one success";
  }
  const isRight =
    now.state === "interrupted" &&
    now.error?.code === "server_restart" &&
    !now.contentFinal &&
    isBeginning(now.content, prompt) &&
    times <= 1;
  return isRight ? null : "a run that was in progress isn't interrupted as it should be";
}

/** Of the answer, which repeats the prompt; a session that was lost is told the conversation before it. */
function isBeginning(content: string, prompt: string): boolean {
  return `${said}${prompt}`.startsWith(content) || content.startsWith(`${said}This conversation continues`);
}

/** A client that never heard back sends the same again, under the same key: it gets the run that there is. */
async function judgeRepeats(sent: Sent[], broken: string[]): Promise<void> {
  for (const { run, agent, prompt } of sent) {
    const { body } = await agent.execute(prompt, { key: prompt });
    if (body.id !== run.id) broken.push(`the repeat of ${run.id} became ${body.id}`);
  }
}

async function judgeStream(stage: Stage, { runId, read }: Follower, counts: CrashCounts): Promise<void> {
  const isOver = read.at(-1)?.event === "run.finished";
  if (!isOver) {
    const resume = read.length > 0 ? { lastEventId: read.at(-1)!.id } : {};
    await using stream = await openEvents(stage.server.fetch, `/api/runs/${runId}/events`, resume);
    read.push(...(await collectEvents(stream)));
    if (read.length > 0) counts.resumedStreams += 1;
  }
  const seen = read.map(({ data }) => JSON.parse(data) as RunEvent);
  const kept = await stage.events(runId);
  if (JSON.stringify(seen) !== JSON.stringify(kept))
    counts.broken.push(`the stream of ${runId} differs from its log: ${JSON.stringify({ seen, kept })}`);
  if (kept.some(({ seq }, at) => seq !== at + 1))
    counts.broken.push(`the log of ${runId} has gaps: ${kept.map(({ seq }) => seq).join()}`);
}

/** The CLI's session is resumed: it knows every turn that it answered. The next round begins afresh. */
async function judgeMemory(stage: Stage, agent: StageAgent, sent: Sent[], broken: string[]): Promise<void> {
  const memory = await agent.ask("recall");
  for (const { prompt, run } of sent.filter((one) => one.agent.id === agent.id)) {
    const { state, content } = await stage.getRun(run.id);
    const wasHeard = state === "succeeded" || content !== "";
    if (wasHeard && !memory.includes(prompt)) broken.push(`${agent.id} has forgotten ${prompt}: ${memory}`);
  }
  await agent.endSession();
}
