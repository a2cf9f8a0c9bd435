import { atMost, type Figure, measured, median, ratioAtMost, unjudged } from "../figures.ts";
import { longTurns, shortTurns } from "../seeded.ts";
import { type Arena, openArena, type Stage } from "../stage.ts";
import { logIn, type Visit, type Visitor } from "../visitor.ts";
import { measurePageMemory } from "./page-memory.ts";
import { measureUsable } from "./page-usable.ts";

const aimMs = 10;
/** What more turns may add: nothing but noise. */
const flatAim = 1.25;

/** How long the server takes for a page, when it is usable in a browser, and the server's memory. */
export async function measurePages(stage: Stage): Promise<Figure[]> {
  const { dataDir, conversationIds } = await stage.seededDataDir();
  const arena = await openArena(stage, { agents: 0, dataDir });
  return [
    ...(await measureServerTimes(stage, arena, conversationIds["long"] ?? "")),
    ...(await measureUsable(stage, arena.server)),
    ...(await measurePageMemory(stage)),
  ];
}

async function measureServerTimes(
  stage: Stage,
  { server }: Arena,
  conversationId: string,
): Promise<Figure[]> {
  const visitor = await logIn(server);
  const newest = { long: "/agents/long", short: "/agents/short" };
  const [first, second] = [await visitor.get(newest.long), await visitor.get(newest.short)];
  const times = stage.times(30, 10);
  await visitAll(visitor, Array<string>(times).fill(newest.long));
  const warm = { long: [] as Visit[], short: [] as Visit[], floor: [] as Visit[] };
  for (let round = 0; round < times; round++) {
    warm.long.push(await visitor.get(newest.long));
    warm.short.push(await visitor.get(newest.short));
    warm.floor.push(await visitor.get("/healthz"));
  }
  const unseen = Array.from({ length: times }, (_, index) => pathAt(conversationId, 200 + index * 120));
  const rendered = await visitAll(visitor, unseen);
  const floor = measured(warm.floor.map(tookMs));
  const pageFigure = (name: string, visits: readonly Visit[], note = ""): Figure => ({
    name,
    unit: "ms",
    headway: measured(visits.map(tookMs)),
    floor,
    judged: atMost(median(visits.map(tookMs)), aimMs, "ms"),
    note: [`${kb(visits)} of HTML`, note].filter(Boolean).join("; "),
  });
  const middle = pathAt(conversationId, longTurns / 2);
  return [
    pageFigure(`newest page of ${longTurns} turns`, warm.long, "floor: /healthz on the same connection"),
    pageFigure(`newest page of ${shortTurns} turns`, warm.short),
    flatness(warm),
    unjudged(
      pageFigure(`newest page of ${longTurns} turns, first of all`, [first], "by a server just started"),
    ),
    unjudged(
      pageFigure(`newest page of ${shortTurns} turns, first`, [second], "its answers had to be rendered"),
    ),
    unjudged(
      pageFigure("40 turns nobody has seen", rendered, "reading view; its answers had to be rendered"),
    ),
    pageFigure("the same again", await visitAll(visitor, unseen)),
    pageFigure(`reading view at turn ${longTurns / 2}`, await visitMany(visitor, middle, times)),
    pageFigure("older turns for the chat", await visitMany(visitor, olderPath(conversationId), times)),
    pageFigure("search, a word of every turn", await visitMany(visitor, "/conversations?q=queue", times)),
    pageFigure("search, a rare word", await visitMany(visitor, "/conversations?q=4711", times)),
    pageFigure("conversations", await visitMany(visitor, "/conversations", times)),
    pageFigure("50 agents", await visitMany(visitor, "/", times)),
  ];
}

function flatness({ long, short }: { long: readonly Visit[]; short: readonly Visit[] }): Figure {
  const [ours, floor] = [measured(long.map(tookMs)), measured(short.map(tookMs))];
  return {
    name: `newest page, ${longTurns} turns over ${shortTurns}`,
    unit: "ms",
    headway: ours,
    floor,
    judged: ratioAtMost(ours.p50 / kbOf(long), floor.p50 / kbOf(short), flatAim),
    note: "per KB of HTML, since the turns aren't equally long; floor: the short one",
  };
}

function pathAt(conversationId: string, seq: number): string {
  return `/conversations/${conversationId}?at=${seq}`;
}

function olderPath(conversationId: string): string {
  return `/fragments/conversations/${conversationId}/turns?before=${longTurns - 200}`;
}

async function visitAll(visitor: Visitor, paths: readonly string[]): Promise<Visit[]> {
  const visits: Visit[] = [];
  for (const path of paths) visits.push(await visitor.get(path));
  return visits;
}

/** The first visit, which has answers to render, isn't counted. */
async function visitMany(visitor: Visitor, path: string, times: number): Promise<Visit[]> {
  const visits = await visitAll(visitor, Array<string>(times + 1).fill(path));
  return visits.slice(1);
}

function tookMs(visit: Visit): number {
  return visit.tookMs;
}

function kbOf(visits: readonly Visit[]): number {
  return median(visits.map(({ bytes }) => bytes)) / 1024;
}

function kb(visits: readonly Visit[]): string {
  return `${kbOf(visits).toFixed(0)} KB`;
}
