/**
 * `bun run bench [--quick] [--only NAME…]`: measures Headway beside what can't be beaten on this machine,
 * in the same minutes. Prints a table and writes bench/results/<date>.json.
 */
import { mkdirSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Figure, tableOf } from "./figures.ts";
import { busyLoad, loadAverage } from "./machine.ts";
import { measureBurst } from "./measures/burst.ts";
import { measureCancel } from "./measures/cancel.ts";
import { measureEventLatency } from "./measures/event-latency.ts";
import { measureFloods } from "./measures/floods.ts";
import { measureFirstLoad } from "./measures/first-load.ts";
import { measureOneTurn } from "./measures/one-turn.ts";
import { measureRealClis } from "./measures/real-clis.ts";
import { measurePageScroll } from "./measures/page-scroll.ts";
import { measurePageStream } from "./measures/page-stream.ts";
import { measurePages } from "./measures/pages.ts";
import { measureStart } from "./measures/start.ts";
import { measureThroughput } from "./measures/throughput.ts";
import { measureWarmTurn } from "./measures/warm-turn.ts";
import { makeTempFolder } from "../test/helpers/temp.ts";
import { layGround, setStage, type Stage } from "./stage.ts";

const measures: Record<string, (stage: Stage) => Promise<Figure[]>> = {
  start: measureStart,
  "first-load": measureFirstLoad,
  "one-turn": measureOneTurn,
  warm: measureWarmTurn,
  "real-clis": measureRealClis,
  events: measureEventLatency,
  burst: measureBurst,
  cancel: measureCancel,
  throughput: measureThroughput,
  floods: measureFloods,
  pages: measurePages,
  "page-scroll": measurePageScroll,
  "page-stream": measurePageStream,
};

interface Wish {
  names: string[];
  isQuick: boolean;
}

function parseWish(): Wish {
  const { values, positionals } = parseArgs({
    options: { quick: { type: "boolean", default: false }, only: { type: "string", multiple: true } },
    allowPositionals: true,
  });
  const names = [...(values.only ?? []), ...positionals];
  const unknown = names.filter((name) => !(name in measures));
  if (unknown.length > 0) {
    console.error(`bench: ${unknown.join(", ")}: not one of ${Object.keys(measures).join(", ")}`);
    process.exit(2);
  }
  return { names: names.length > 0 ? names : Object.keys(measures), isQuick: values.quick };
}

/** Whatever the measure under way has started; ended with it, or when the bench is interrupted. */
let underWay = new AsyncDisposableStack();

const folder = makeTempFolder();
process.on("exit", () => folder[Symbol.dispose]());

async function run({ names, isQuick }: Wish): Promise<Figure[]> {
  const figures: Figure[] = [];
  const ground = await layGround(folder.path);
  for (const name of names) {
    process.stderr.write(`${name} …\n`);
    await using ends = new AsyncDisposableStack();
    underWay = ends;
    figures.push(...((await measures[name]?.(setStage(ground, isQuick, ends))) ?? []));
  }
  return figures;
}

async function leave(): Promise<never> {
  await underWay.disposeAsync();
  process.exit(130);
}

async function main(): Promise<void> {
  const wish = parseWish();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => void leave());
  const begunAt = new Date();
  const loadBefore = loadAverage();
  const figures = await run(wish);
  const load = { before: loadBefore, after: loadAverage() };
  const tookS = (Date.now() - begunAt.getTime()) / 1_000;
  const missed = figures.filter(({ judged }) => judged?.isMet === false).length;
  console.log(`\n${tableOf(figures)}\n`);
  console.log(
    `${cpus().length} × ${cpus()[0]?.model ?? "?"}; load average ${load.before} before and ${load.after} after; ${tookS.toFixed(0)} s.`,
  );
  console.log(missed === 0 ? "All aims are met." : `${missed} aims are missed.`);
  if (load.before > busyLoad)
    console.log("The machine was busy with other things at the start: these figures mean little.");
  await writeResults(begunAt, { ...wish, load, cpus: cpus().length, bun: Bun.version, tookS, figures });
}

async function writeResults(begunAt: Date, results: object): Promise<void> {
  const resultsDir = join(import.meta.dir, "results");
  mkdirSync(resultsDir, { recursive: true });
  const path = join(resultsDir, `${begunAt.toISOString().replaceAll(":", "-")}.json`);
  await Bun.write(path, `${JSON.stringify(results, null, 2)}\n`);
  console.log(`Written to ${path}`);
}

await main();
process.exit(0);
