import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { waitFor } from "../helpers/wait.ts";
import { openStreamsOf, readMetric, streamsOpen } from "./raw-streams.ts";
import { openStage, type Stage, type StageAgent } from "./stage.ts";

const clients = 500;
/** 200 pieces of 30 kB each, for the time that `slow` says. */
const loudPrompt = (slowMs: number) => `slow=${slowMs} tool=yes x | head -c 6000000 | tr '\\n' ' '`;

test("500 readers, half of which stop reading or half-close for 2 minutes, leave the memory as it was", async () => {
  await using stage = await openStage();
  const agent = await stage.agent();
  await watchRun(stage, agent, 10, { misbehave: false });
  const before = residentMb(stage);

  const peak = await watchRun(stage, agent, 600, { misbehave: true });
  const after = await lowestOf(stage, before * 1.1);

  console.info(`RSS before ${before} MB, at most ${peak} MB, after ${after} MB; ${await closings(stage)}`);
  expect(after).toBeLessThanOrEqual(before * 1.1);
  expect(await streamsOpen(stage)).toBe(0);
  await stage.tidy();
}, 400_000);

/** Lets 500 clients watch a run; resolves with the most memory that the server took meanwhile. */
async function watchRun(
  stage: Stage,
  agent: StageAgent,
  slowMs: number,
  { misbehave }: { misbehave: boolean },
): Promise<number> {
  const run = await agent.begin(loudPrompt(slowMs));
  await stage.eventSeen(run.id, ({ type }) => type === "session");
  const good = await openStreamsOf(stage, run.id, clients / 2, { reads: true });
  const bad = await openStreamsOf(stage, run.id, clients / 2, { reads: !misbehave });
  if (misbehave) bad.halfClose(0, clients / 4);
  let peak = 0;
  await waitFor(
    async () => {
      peak = Math.max(peak, residentMb(stage));
      await Bun.sleep(100);
      return (await stage.getRun(run.id)).endedAt !== null;
    },
    { what: "the run's end", deadlineMs: 300_000 },
  );
  for (const streams of [good, bad]) streams.end();
  await waitFor(async () => (await streamsOpen(stage)) === 0, { what: "all streams to be over" });
  return peak;
}

/** Memory is given back with some delay. */
async function lowestOf(stage: Stage, wantedMb: number): Promise<number> {
  const isBack = () => residentMb(stage) <= wantedMb;
  await waitFor(isBack, { what: "the memory to be given back", deadlineMs: 60_000 }).catch(() => null);
  return residentMb(stage);
}

function residentMb({ server }: Stage): number {
  const [, pages = "0"] = readFileSync(`/proc/${server.pid}/statm`, "utf8").split(" ");
  return Math.round((Number(pages) * 4096) / 1_048_576);
}

async function closings({ server }: Stage): Promise<string> {
  const text = await (await server.fetch("/metrics")).text();
  const reasons = [...text.matchAll(/^(headway_streams_closed_total\{reason="(\w+)"\}) /gm)];
  return reasons.map(([, name = "", reason]) => `${reason} ${readMetric(text, name)}`).join(", ");
}
