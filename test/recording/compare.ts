import type { Course, DialectFile } from "./dialect-file.ts";
import { type Fields, mergeShapes, type Shape } from "./describe.ts";

/** One thing in which a CLI speaks otherwise than it did. */
export interface Drift {
  /** True for what our adapter reads, or can't understand; false for what is new and ignored, or gone unread. */
  matters: boolean;
  /** In words, for whoever has to look at it. */
  text: string;
}

export interface Heard {
  shape: Shape;
  scenarios: Record<string, Course>;
}

/**
 * What changed between the dialect that was kept and what was found now. `keptShape` is of those kept
 * scenarios that were found again: only from them something can be missing. New is what no kept scenario
 * knows, and what matters is what `kept.read` names.
 */
export function compareDialects(kept: DialectFile, keptShape: Shape, found: Heard): Drift[] {
  const known = mergeShapes([kept.read, kept.ignored]);
  return [
    ...Object.entries(keptShape).flatMap(([type, fields]) =>
      missingOf(kept, type, fields, found.shape[type]),
    ),
    ...Object.entries(found.shape).flatMap(([type, fields]) => {
      const knownFields = known[type];
      return knownFields ? changesOf(kept, type, knownFields, fields) : [newType(found, type)];
    }),
    ...Object.entries(found.scenarios).flatMap(([name, course]) =>
      compareCourse(name, kept.scenarios[name], course),
    ),
  ].toSorted((one, other) => Number(other.matters) - Number(one.matters));
}

/** One line for each, those that matter first and marked. */
export function tellDrift(drift: readonly Drift[]): string {
  return drift.map(({ matters, text }) => `${matters ? "!" : " "} ${text}\n`).join("");
}

function missingOf({ read }: DialectFile, type: string, before: Fields, now: Fields | undefined): Drift[] {
  const readFields = read[type] ?? {};
  if (now === undefined) {
    return [{ matters: Object.keys(readFields).length > 0, text: `The event type "${type}" is gone.` }];
  }
  const gone = Object.keys(before).filter((path) => !(path in now));
  return gone.map((path) => ({
    matters: path in readFields,
    text: `The field ${path} of "${type}" is gone.`,
  }));
}

function changesOf({ read }: DialectFile, type: string, known: Fields, now: Fields): Drift[] {
  return Object.entries(now).flatMap(([path, types]) => {
    const was = typesIn(known[path]);
    const other = typesIn(types).filter((jsonType) => !was.includes(jsonType));
    if (was.length === 0)
      return [{ matters: false, text: `The field ${path} of "${type}" is new, and ignored.` }];
    if (other.length === 0) return [];
    const text = `The field ${path} of "${type}" was ${was.join(" or ")} and is now ${other.join(" or ")}.`;
    return [{ matters: path in (read[type] ?? {}), text }];
  });
}

function typesIn(types: string | undefined): string[] {
  return types?.split("|") ?? [];
}

/** A new type is harmless when our adapter ignores it knowingly. */
function newType({ scenarios }: Heard, type: string): Drift {
  const isUnknown = Object.values(scenarios).some(({ unknown }) => unknown.some((one) => isNamed(type, one)));
  const text = `The event type "${type}" is new, and ${isUnknown ? "unknown to Headway" : "ignored"}.`;
  return { matters: isUnknown, text };
}

/** Adapters name types in their own way: "news" or "session/update: news", say. */
function isNamed(type: string, detail: string): boolean {
  const words = detail.split(/[^\w.]+/).filter(Boolean);
  return words.length > 0 && words.every((word) => type.includes(word));
}

function compareCourse(name: string, kept: Course | undefined, found: Course): Drift[] {
  if (kept === undefined)
    return [{ matters: false, text: `The scenario ${name} was never recorded before.` }];
  const drift: Drift[] = [];
  if (kept.exit !== found.exit) {
    drift.push({
      matters: true,
      text: `The scenario ${name} ended with exit ${kept.exit} and now ends with ${found.exit}.`,
    });
  }
  if (String(kept.ends) !== String(found.ends)) {
    const [was, is] = [kept.ends, found.ends].map((ends) => ends.join(", ") || "nothing");
    drift.push({ matters: true, text: `The turns of ${name} ended as ${was} and now end as ${is}.` });
  }
  return drift;
}
