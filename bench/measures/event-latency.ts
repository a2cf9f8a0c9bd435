import { atMost, type Figure, measured } from "../figures.ts";
import { type BareCli, startBareCli } from "../bare-cli.ts";
import { sharedNowMs } from "../machine.ts";
import { type Arena, openArena, post, type Stage } from "../stage.ts";

const aimsMs = { p50: 1, p99: 5 };
const everyMs = 20;
/** What stands before a piece of text in an event of ours, and in one of the CLI. */
const streamedText = `"type":"text",`;
const pipedText = `"type":"text_delta",`;

/** From the moment at which the CLI writes a piece of text to the one at which an SSE client has it. */
export async function measureEventLatency(stage: Stage): Promise<Figure[]> {
  const arena = await openArena(stage, { agents: 1 });
  const { workspace: cwd, dataDir: hiddenPath } = arena.server;
  const bare = startBareCli(stage, { file: stage.fakeCli, cwd, hiddenPath });
  stage.use(bare);
  await arena.warmUp(stage.times(100, 30));
  await streamedDelays(arena, 50);
  const headway: number[] = [];
  const floor: number[] = [];
  const cpuPerEvent = arena.startCpuClock();
  for (let round = 0; round < stage.times(4, 1); round++) {
    headway.push(...(await streamedDelays(arena, 150)));
    floor.push(...(await pipedDelays(bare, 100)));
  }
  const [ours, piped] = [measured(headway), measured(floor)];
  const note = `${headway.length} events, one every ${everyMs} ms, committed before they are sent; server CPU ${cpuPerEvent(headway.length)} per event; floor: the same pipe, read directly`;
  const figure = { unit: "ms" as const, headway: ours, floor: piped, note: "" };
  const far = atMost(ours.p99 ?? Number.NaN, aimsMs.p99, "ms");
  return [
    { ...figure, name: "event CLI → SSE client, p50", judged: atMost(ours.p50, aimsMs.p50, "ms"), note },
    { ...figure, name: "event CLI → SSE client, p99", judged: far },
  ];
}

/** Delays of the events of one run, in ms. */
async function streamedDelays({ server }: Arena, events: number): Promise<number[]> {
  const body = { prompt: `events=${events} every=${everyMs}` };
  const response = await post(server, "/api/agents/agent-1/execute", body, { accept: "text/event-stream" });
  const delays: number[] = [];
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? [])
    delays.push(...delaysIn(decoder.decode(chunk), streamedText));
  return complete(delays, events);
}

async function pipedDelays(bare: BareCli, events: number): Promise<number[]> {
  const delays: number[] = [];
  await bare.turn(`events=${events} every=${everyMs}`, (chunk) => delays.push(...delaysIn(chunk, pipedText)));
  return complete(delays, events);
}

/** A piece of text is the time at which it was written, in ns, and a blank; pieces that waited were joined. */
function delaysIn(chunk: string, before: string): number[] {
  const nowMs = sharedNowMs();
  const texts = chunk.matchAll(new RegExp(`${before}"text":"((?:\\d{19} )+)"`, "g"));
  const times = [...texts].flatMap(([, text = ""]) => text.trim().split(" "));
  return times.map((writtenNs) => nowMs - Number(writtenNs) / 1e6);
}

function complete(delays: number[], events: number): number[] {
  if (delays.length < events * 0.98)
    throw new Error(`Of ${events} events ${delays.length} could be measured.`);
  return delays;
}
