import type { Adapter } from "../../src/runner/adapters/adapter.ts";
import { play, type Recording, specOf } from "../runner/adapters/recordings.ts";
import { mapFields, namesFor, parse } from "./describe.ts";

/** What is put in a field's place, wherever it comes or only the first time; undefined takes it away. */
interface Change {
  to(value: unknown): unknown;
  firstOnly?: true;
}

const changes: readonly Change[] = [
  { to: () => undefined },
  { to: anotherValue },
  { to: anotherType },
  // Ids say nothing by themselves: they tell what belongs together.
  { to: anotherValue, firstOnly: true },
];

function anotherValue(value: unknown): unknown {
  if (typeof value === "string") return `${value} `;
  return typeof value === "number" ? value + 1 : flipped(value);
}

function anotherType(value: unknown): unknown {
  if (typeof value === "string" || value === null) return 7;
  return typeof value === "object" ? value : "seven";
}

function flipped(value: unknown): unknown {
  if (value === null) return "something";
  return typeof value === "boolean" ? !value : value;
}

/**
 * The fields that our adapter reads, found by trying: a field matters when the replay gives something else
 * without it, or with another value in it. So nobody has to keep a list. Of fields that say the same twice,
 * so that one of them can be missed, each one matters. Answers with `type path`.
 */
export function findReadFields(adapter: Adapter, recordings: readonly Recording[]): Set<string> {
  const read = new Set<string>();
  const shortestFirst = recordings.toSorted((one, other) => one.lines.length - other.lines.length);
  for (const recording of shortestFirst) {
    const stage = stageFor(adapter, recording);
    for (const change of changes) {
      const differs = (keys: readonly string[]) => stage.differs(new Set(keys), change);
      for (const key of culpritsAmong(
        stage.keys.filter((one) => !read.has(one)),
        differs,
      ))
        read.add(key);
    }
  }
  return read;
}

export function fieldKey(type: string, path: string): string {
  return `${type} ${path}`;
}

/** Those that make a difference; what they hide comes to light when they are left as they are. */
function culpritsAmong(keys: readonly string[], differs: (keys: readonly string[]) => boolean): string[] {
  const found: string[] = [];
  for (let rest = keys; rest.length > 0 && differs(rest);) {
    const some = new Set(search(rest, differs));
    found.push(...some);
    rest = rest.filter((key) => !some.has(key));
  }
  return found;
}

/** By halves, of keys that make a difference together. */
function search(keys: readonly string[], differs: (keys: readonly string[]) => boolean): string[] {
  if (keys.length === 1) return [...keys];
  const middle = keys.length >> 1;
  const halves = [keys.slice(0, middle), keys.slice(middle)].filter(differs);
  return halves.length > 0 ? halves.flatMap((half) => search(half, differs)) : fewest(keys, differs);
}

/** No half does it alone: whatever can be left out is. */
function fewest(keys: readonly string[], differs: (keys: readonly string[]) => boolean): string[] {
  return keys.reduce(
    (kept, key) => {
      const without = kept.filter((one) => one !== key);
      return differs(without) ? without : kept;
    },
    [...keys],
  );
}

interface Stage {
  keys: string[];
  /** Whether the replay is another one when these fields are changed. */
  differs(keys: ReadonlySet<string>, change: Change): boolean;
}

function stageFor(adapter: Adapter, recording: Recording): Stage {
  const name = namesFor(recording.inputs);
  const events = recording.lines.map((line) => ({ line, value: parse(line) }));
  const keys = new Set<string>();
  for (const { value } of events) {
    mapFields(value, (path, part) => (keys.add(fieldKey(name(value), path)), part));
  }
  const outcome = (lines: readonly string[]) =>
    JSON.stringify(play(adapter, { ...recording, lines }, specOf(recording)));
  const before = outcome(recording.lines);
  return {
    keys: [...keys],
    differs(chosen, { to, firstOnly = false }) {
      const changed = new Set<string>();
      const change = (key: string, part: unknown) => {
        if (!chosen.has(key) || (firstOnly && changed.has(key))) return part;
        changed.add(key);
        return to(part);
      };
      const lines = events.map(({ line, value }) => {
        if (value === undefined) return line;
        const type = name(value);
        return JSON.stringify(mapFields(value, (path, part) => change(fieldKey(type, path), part)));
      });
      return outcome(lines) !== before;
    },
  };
}
