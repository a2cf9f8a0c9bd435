import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Adapter } from "../../src/runner/adapters/adapter.ts";
import {
  listRecordings,
  play,
  readRecording,
  type Recording,
  recordingsFolder,
} from "../runner/adapters/recordings.ts";
import { describeDialect, type Fields, mergeShapes, type Shape } from "./describe.ts";
import { fieldKey, findReadFields } from "./read-fields.ts";

/** How one recorded scenario went. */
export interface Course {
  /** The exit code, or the signal. */
  exit: string;
  /** The verdict of each turn; what the process's end meant, where a turn had none. */
  ends: string[];
  /** Types that our adapter doesn't know. */
  unknown: string[];
}

/** What is kept of a version's dialect, as `dialect.json` beside its recordings. */
export interface DialectFile {
  /** Types of events, and of each the fields that change what we make of it. */
  read: Shape;
  /** All other fields. */
  ignored: Shape;
  scenarios: Record<string, Course>;
}

export function dialectFileOf(adapter: Adapter, recordings: ReadonlyMap<string, Recording>): DialectFile {
  const all = [...recordings.values()];
  const shape = mergeShapes(all.map(describeDialect));
  const readKeys = findReadFields(adapter, all);
  return {
    read: pick(shape, (type, path) => readKeys.has(fieldKey(type, path))),
    ignored: pick(shape, (type, path) => !readKeys.has(fieldKey(type, path))),
    scenarios: coursesOf(adapter, recordings),
  };
}

export function coursesOf(
  adapter: Adapter,
  recordings: ReadonlyMap<string, Recording>,
): Record<string, Course> {
  return Object.fromEntries([...recordings].map(([name, recording]) => [name, courseOf(adapter, recording)]));
}

function courseOf(adapter: Adapter, recording: Recording): Course {
  const { turns, unfinishedExit } = play(adapter, recording);
  const decoded = turns.flat();
  const ends = decoded.flatMap((one) => {
    if (one.kind !== "turn.ended") return [];
    return [one.verdict.kind === "failed" ? one.verdict.code : one.verdict.kind];
  });
  const unknown = decoded.flatMap((one) =>
    one.kind === "anomaly" && one.code === "unknown_event" ? [one.detail] : [],
  );
  return {
    exit: String(recording.exit.signal ?? recording.exit.exitCode),
    ends: unfinishedExit ? [...ends, `unfinished: ${unfinishedExit.code}`] : ends,
    unknown: [...new Set(unknown)].sort(),
  };
}

function pick(shape: Shape, wanted: (type: string, path: string) => boolean): Shape {
  const pickFields = (type: string, fields: Fields) =>
    Object.fromEntries(Object.entries(fields).filter(([path]) => wanted(type, path)));
  const picked = Object.entries(shape).map(([type, fields]) => [type, pickFields(type, fields)] as const);
  return Object.fromEntries(picked.filter(([, fields]) => Object.keys(fields).length > 0));
}

export function readRecordings(folder: string): Map<string, Recording> {
  return new Map(listRecordings(folder).map((name) => [name, readRecording(join(folder, name))]));
}

export function readDialectFile(folder: string): DialectFile {
  return JSON.parse(readFileSync(dialectPathOf(folder), "utf8")) as DialectFile;
}

export function dialectPathOf(folder: string): string {
  return join(folder, "dialect.json");
}

export function encodeDialectFile(file: DialectFile): string {
  return `${JSON.stringify(file, null, 2)}\n`;
}

/** The versions of a CLI whose dialect is kept, the newest last. */
export function keptVersionsOf(cli: string): string[] {
  const folder = recordingsFolder(cli, ".");
  if (!existsSync(folder)) return [];
  const kept = readdirSync(folder).filter((version) => existsSync(dialectPathOf(join(folder, version))));
  return kept.toSorted(byVersion);
}

function byVersion(one: string, other: string): number {
  return Bun.semver.order(one, other);
}
