/**
 * `npm run record -- <cli> [scenario…] [--check]`: drives an installed CLI through the scenarios against the
 * fake model API, keeps what it said beside the other recordings of its version, and tells in what it speaks
 * otherwise than the newest version that was kept. With `--check` nothing is written. The exit code is 1 when
 * something changed that Headway reads, or doesn't know.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startFakeModelApi } from "../helpers/fake-model-api.ts";
import { makeTempFolder } from "../helpers/temp.ts";
import { realClis } from "../real-clis/install.ts";
import { recordingsFolder, replay } from "../runner/adapters/recordings.ts";
import { compareDialects, type Drift, tellDrift } from "./compare.ts";
import { describeDialect, mergeShapes } from "./describe.ts";
import {
  coursesOf,
  dialectFileOf,
  dialectPathOf,
  encodeDialectFile,
  keptVersionsOf,
  readDialectFile,
  readRecordings,
} from "./dialect-file.ts";
import { perform, type Recorded } from "./perform.ts";
import { findRig, type Rig, versionOf } from "./rigs.ts";
import { type Scenario, scenarios } from "./scenarios.ts";

export interface Report {
  version: string;
  /** The version that it was compared with; null when none was ever kept. */
  keptVersion: string | null;
  recordings: ReadonlyMap<string, Recorded>;
  drift: Drift[];
}

/** Records the scenarios, one after the other, and compares them with the newest recordings kept. */
export async function record(rig: Rig, chosen: readonly Scenario[], apiUrl: string): Promise<Report> {
  using home = makeTempFolder();
  const version = await versionOf(rig, home.path);
  const recordings = new Map<string, Recorded>();
  for (const scenario of chosen) recordings.set(scenario.name, await perform(rig, scenario, apiUrl));
  const keptVersion = keptVersionsOf(rig.cli).at(-1) ?? null;
  const drift = keptVersion === null ? [] : compareWithKept(rig, keptVersion, recordings);
  return { version, keptVersion, recordings, drift };
}

/** Only scenarios that were recorded now are compared; one that is new is told as such. */
function compareWithKept(rig: Rig, keptVersion: string, found: ReadonlyMap<string, Recorded>): Drift[] {
  const folder = recordingsFolder(rig.cli, keptVersion);
  const kept = [...readRecordings(folder)]
    .filter(([name]) => found.has(name))
    .map(([, recording]) => recording);
  const heard = {
    shape: mergeShapes([...found.values()].map(describeDialect)),
    scenarios: coursesOf(rig.adapter, found),
  };
  return compareDialects(readDialectFile(folder), mergeShapes(kept.map(describeDialect)), heard);
}

export async function keep(
  rig: Rig,
  { version, recordings }: Report,
  folderOf = recordingsFolder,
): Promise<void> {
  const folder = folderOf(rig.cli, version);
  for (const [name, recording] of recordings) {
    await writeRecording(join(folder, name), recording);
    await writeJson(join(folder, name, "expected.json"), replay(rig.adapter, join(folder, name)));
  }
  const file = dialectFileOf(rig.adapter, readRecordings(folder));
  await Bun.write(dialectPathOf(folder), encodeDialectFile(file));
}

async function writeRecording(
  folder: string,
  { args, spec, env, inputs, lines, stderr, exit }: Recorded,
): Promise<void> {
  await writeJson(join(folder, "args.json"), { args, env, spec });
  await writeJson(join(folder, "exit.json"), exit);
  await Bun.write(join(folder, "stdout.jsonl"), linesText(lines));
  if (inputs.length > 0) await Bun.write(join(folder, "stdin.jsonl"), linesText(inputs));
  if (stderr !== "") await Bun.write(join(folder, "stderr.txt"), stderr);
}

function linesText(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await Bun.write(path, `${JSON.stringify(value, null, 2)}\n`);
}

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { check: { type: "boolean" } },
  });
  const [cli = "", ...names] = positionals;
  const real = realClis.find((name) => name === cli);
  if (real === undefined) return refuse(`Which CLI? Not "${cli}".`);
  const chosen = names.length === 0 ? scenarios : scenarios.filter(({ name }) => names.includes(name));
  if (chosen.length < names.length)
    return refuse(`Scenarios are: ${scenarios.map(({ name }) => name).join(" ")}`);
  await using api = startFakeModelApi();
  const rig = findRig(real, api.url);
  if (rig === null) return refuse(`${cli} isn't installed: run \`npm run clis:install\`.`);
  const report = await record(rig, chosen, api.url);
  if (!values.check) await keep(rig, report);
  for (const [name, { ends, exit }] of Object.entries(coursesOf(rig.adapter, report.recordings))) {
    console.log(`${name.padEnd(24)}${ends.join(", ")}; exit ${exit}`);
  }
  console.log(
    `${cli} ${report.version}, compared with ${report.keptVersion ?? "nothing: it was never recorded"}`,
  );
  console.log(report.drift.length === 0 ? "  Nothing changed." : tellDrift(report.drift).trimEnd());
  return report.drift.some(({ matters }) => matters) ? 1 : 0;
}

function refuse(why: string): number {
  console.error(`${why}\nnpm run record -- claude|gemini|droid|opencode [scenario…] [--check]`);
  return 2;
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
