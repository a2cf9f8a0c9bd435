import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import type { Adapter } from "../../src/runner/adapters/adapter.ts";
import { claudeAdapter } from "../../src/runner/adapters/claude.ts";
import { play, type Recording, recordingsFolder, specOf } from "../runner/adapters/recordings.ts";
import { compareDialects, type Drift, tellDrift } from "./compare.ts";
import { describeDialect, mergeShapes } from "./describe.ts";
import {
  coursesOf,
  type DialectFile,
  dialectFileOf,
  readDialectFile,
  readRecordings,
} from "./dialect-file.ts";
import { knownAdapters } from "./known-adapters.ts";

const claudeFolder = recordingsFolder("claude", "2.1.330");
const keptVersions = readdirSync(recordingsFolder(".", ".")).flatMap((cli) =>
  readdirSync(recordingsFolder(cli, ".")).map((version) => [cli, version] as const),
);

test("every CLI that has recordings has an adapter, and every adapter of a CLI recordings", () => {
  expect([...knownAdapters.keys()].toSorted()).toEqual(
    [...new Set(keptVersions.map(([cli]) => cli))].toSorted(),
  );
});

describe.each(keptVersions)("%s %s", (cli, version) => {
  const adapter = knownAdapters.get(cli)!;
  const folder = recordingsFolder(cli, version);
  const recordings = readRecordings(folder);

  test("has a dialect.json that is what its recordings say", () => {
    expect(dialectFileOf(adapter, recordings)).toEqual(readDialectFile(folder));
  });

  test("can't give a type of event that is read another name without being caught, by guard and goldens", () => {
    const missed = renameable(readDialectFile(folder)).filter((type) => {
      const before = recordingsWith(recordings, type);
      const renamed = mapRecordings(before, (recording) => ({
        ...recording,
        lines: recording.lines.map((line) => renamedIn(line, type)),
      }));
      const told = tellDrift(driftOf(adapter, folder, before, renamed));
      const isSame = replaysOf(adapter, renamed) === replaysOf(adapter, before);
      return isSame || !told.includes(`! The event type "${type}" is gone.`);
    });

    expect(missed).toEqual([]);
  });

  test("can't leave out the end of a turn, or end with another code, without being caught", () => {
    const [[name, recording] = []] = [...recordings].filter(([, { lines }]) => lines.length > 2);
    const cut = { ...recording!, lines: recording!.lines.slice(0, 1), exit: { exitCode: 77, signal: null } };

    const told = tellDrift(driftOf(adapter, folder, recordings, new Map([[name!, cut]])));

    expect(told).toContain(`! The scenario ${name} ended with exit`);
    expect(told).toContain(`! The turns of ${name} ended as`);
  });
});

/** Types that are read and have a name of their own; replies are told by what was asked. */
function renameable({ read }: DialectFile): string[] {
  return Object.keys(read).filter((type) => !/^(?:result|error) of |^\(/.test(type));
}

/** The shortest ones in which the type comes. */
function recordingsWith(recordings: ReadonlyMap<string, Recording>, type: string): Map<string, Recording> {
  const having = [...recordings].filter(([, recording]) => type in describeDialect(recording));
  return new Map(having.toSorted(([, one], [, other]) => one.lines.length - other.lines.length).slice(0, 5));
}

function renamedIn(line: string, type: string): string {
  return [type, ...type.split("/")].reduce((text, word) => text.replaceAll(`"${word}"`, `"${word}_2"`), line);
}

function mapRecordings(recordings: ReadonlyMap<string, Recording>, doctor: Doctor): Map<string, Recording> {
  return new Map([...recordings].map(([name, recording]) => [name, doctor(recording)]));
}

function replaysOf(adapter: Adapter, recordings: ReadonlyMap<string, Recording>): string {
  return JSON.stringify(
    [...recordings.values()].map((recording) => play(adapter, recording, specOf(recording))),
  );
}

/** What the guard tells when the CLI is heard as in `after`; compared are the recordings of the same names. */
function driftOf(
  adapter: Adapter,
  folder: string,
  before: ReadonlyMap<string, Recording>,
  after: ReadonlyMap<string, Recording>,
): Drift[] {
  const shapeOf = (some: Iterable<Recording>) => mergeShapes([...some].map(describeDialect));
  const same = [...before].filter(([name]) => after.has(name)).map(([, recording]) => recording);
  const heard = { shape: shapeOf(after.values()), scenarios: coursesOf(adapter, after) };
  return compareDialects(readDialectFile(folder), shapeOf(same), heard);
}

describe("the fields that Claude's adapter reads, found by trying,", () => {
  const { read, ignored } = claude().file;

  test("are those by which a turn is told, used and ended", () => {
    expect(Object.keys(read["result/success"] ?? {})).toContainValues([
      "is_error",
      "num_turns",
      "usage.output_tokens",
    ]);
    expect(Object.keys(read["stream_event"] ?? {})).toContain(
      "event(content_block_delta).delta(text_delta).text",
    );
    expect(Object.keys(read["system/init"] ?? {})).toContainValues(["session_id", "claude_code_version"]);
  });

  test("are none of those that are only printed", () => {
    expect(Object.keys(ignored["system/init"] ?? {})).toContainValues([
      "uuid",
      "slash_commands",
      "output_style",
    ]);
    expect(Object.keys(ignored["result/success"] ?? {})).toContainValues(["duration_ms", "uuid"]);
  });
});

describe("a doctored recording is told by the guard, and gives another replay:", () => {
  test("nothing, where nothing was changed", () => {
    expect(drift((recording) => recording)).toBe("");
  });

  test("an event of another name", () => {
    const renamed = doctorLines((line) => ({
      ...line,
      ...(line["type"] === "result" ? { type: "outcome" } : {}),
    }));

    expect(drift(renamed)).toContain('! The event type "result/success" is gone.\n');
    expect(drift(renamed)).toContain('! The event type "outcome/success" is new, and unknown to Headway.\n');
    expect(drift(renamed)).toContain(
      "! The turns of one-turn ended as succeeded and now end as unfinished: no_result.\n",
    );
    expectOtherReplays(renamed, ["one-turn", "warm-turns"]);
  });

  test("a field of another name", () => {
    const renamed = doctorLines((line) => withoutKey(line, "is_error", { failed: false }), "result");

    expect(drift(renamed)).toContain('! The field is_error of "result/error_during_execution" is gone.\n');
    expect(drift(renamed)).toContain('  The field failed of "result/success" is new, and ignored.\n');
    expectOtherReplays(renamed, ["one-turn-error"]);
  });

  test("a new field, which changes nothing", () => {
    const added = doctorLines((line) => ({ ...line, mood: { now: "good" } }), "result");

    expect(drift(added, ["one-turn"])).toBe(
      '  The field mood of "result/success" is new, and ignored.\n' +
        '  The field mood.now of "result/success" is new, and ignored.\n',
    );
    expect(replayOf(added(kept("one-turn")))).toEqual(replayOf(kept("one-turn")));
  });

  test("a new type that nobody knows, and one that is known to be ignored", () => {
    const withType = (type: string) => (recording: Recording) => ({
      ...recording,
      lines: [...recording.lines.slice(0, 1), JSON.stringify({ type }), ...recording.lines.slice(1)],
    });

    expect(drift(withType("weather"), ["one-turn"])).toBe(
      '! The event type "weather" is new, and unknown to Headway.\n',
    );
    expect(drift(withType("keep_alive"), ["one-turn"])).toBe(
      '  The event type "keep_alive" is new, and ignored.\n',
    );
    expectOtherReplays(withType("weather"), ["one-turn"]);
  });

  test("a result that doesn't come", () => {
    const without = (recording: Recording) => ({
      ...recording,
      lines: recording.lines.filter((line) => !line.includes('"type":"result"')),
    });

    expect(drift(without, ["one-turn"])).toBe(
      '! The event type "result/success" is gone.\n' +
        "! The turns of one-turn ended as succeeded and now end as unfinished: no_result.\n",
    );
    expectOtherReplays(without, ["one-turn", "warm-interrupt"]);
  });

  test("another exit code", () => {
    const exiting = (recording: Recording) => ({ ...recording, exit: { exitCode: 3, signal: null } });

    expect(drift(exiting, ["one-turn"])).toBe(
      "! The scenario one-turn ended with exit 0 and now ends with 3.\n",
    );
    expect(drift(exiting, ["one-turn-lost"])).toContain("ended with exit 1 and now ends with 3.");
  });

  test("another type of a field, by whether it is read", () => {
    const counted = doctorLines((line) => ({ ...line, uuid: 7, is_error: "no" }), "result");

    expect(drift(counted, ["one-turn"])).toBe(
      '! The field is_error of "result/success" was boolean and is now string.\n' +
        '  The field uuid of "result/success" was string and is now number.\n',
    );
  });
});

function claude(): { file: DialectFile; recordings: Map<string, Recording> } {
  return { file: readDialectFile(claudeFolder), recordings: readRecordings(claudeFolder) };
}

function kept(name: string): Recording {
  return claude().recordings.get(name)!;
}

type Doctor = (recording: Recording) => Recording;

/** What the guard tells when these scenarios, or all, were heard as the doctor makes them. */
function drift(doctor: Doctor, names?: readonly string[]): string {
  const { recordings } = claude();
  const before = new Map([...recordings].filter(([name]) => names?.includes(name) ?? true));
  return tellDrift(driftOf(claudeAdapter, claudeFolder, before, mapRecordings(before, doctor)));
}

/** The golden tests would fail. */
function expectOtherReplays(doctor: Doctor, names: readonly string[]): void {
  for (const name of names) expect(replayOf(doctor(kept(name)))).not.toEqual(replayOf(kept(name)));
}

function replayOf(recording: Recording): unknown {
  return play(claudeAdapter, recording);
}

function doctorLines(
  change: (line: Record<string, unknown>) => Record<string, unknown>,
  type?: string,
): Doctor {
  return (recording) => ({
    ...recording,
    lines: recording.lines.map((line) => {
      const value = JSON.parse(line) as Record<string, unknown>;
      return type === undefined || value["type"] === type ? JSON.stringify(change(value)) : line;
    }),
  });
}

function withoutKey(line: Record<string, unknown>, key: string, instead: object): Record<string, unknown> {
  const { [key]: _, ...rest } = line;
  return { ...rest, ...instead };
}
