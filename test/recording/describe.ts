import type { Recording } from "../runner/adapters/recordings.ts";

/** JSON types of a field by its path, as `message.content[](text).text` → "string"; several as "null|string". */
export type Fields = Record<string, string>;

/** The fields of every type of event that was printed, by the type's name. */
export type Shape = Record<string, Fields>;

/** Deeper than any field that we read; what a tool or a model made up goes deeper. */
const depthMax = 8;
/** What the model says to a tool, and what a tool answers in its own form: no part of the dialect. */
const opaqueKeys = new Set(["input", "parameters", "rawInput", "rawOutput", "arguments", "tool_use_result"]);

/**
 * The shape of what a CLI printed: types of events and their fields with the JSON types, without any value.
 * Objects within an event are told apart by their own `type`, since one field can hold several kinds.
 */
export function describeDialect(recording: Pick<Recording, "inputs" | "lines">): Shape {
  const shape: Shape = {};
  const name = namesFor(recording.inputs);
  for (const line of recording.lines) {
    const value = parse(line);
    const fields = (shape[name(value)] ??= {});
    mapFields(value, (path, part) => {
      fields[path] = union(fields[path], jsonType(part));
      return part;
    });
  }
  return sorted(shape);
}

export function mergeShapes(shapes: readonly Shape[]): Shape {
  const merged: Shape = {};
  for (const shape of shapes) {
    for (const [type, fields] of Object.entries(shape)) {
      const into = (merged[type] ??= {});
      for (const [path, types] of Object.entries(fields)) into[path] = union(into[path], types);
    }
  }
  return sorted(merged);
}

/** The event with whatever `change` makes of each field, the outer ones first; undefined takes one away. */
export function mapFields(event: unknown, change: (path: string, part: unknown) => unknown): unknown {
  return isRecord(event) ? mapRecord(event, "", 0) : event;

  function map(part: unknown, path: string, depth: number): unknown {
    const changed = change(path, part);
    if (changed !== part || depth >= depthMax) return changed;
    if (Array.isArray(part)) {
      return part
        .map((item) => map(item, `${path}[]${kindOf(item)}`, depth + 1))
        .filter((item) => item !== undefined);
    }
    return isRecord(part) ? mapRecord(part, path, depth) : part;
  }
  function mapRecord(record: Record<string, unknown>, path: string, depth: number): Record<string, unknown> {
    const pairs = Object.entries(record).map(([key, part]) => {
      const field = `${path === "" ? "" : `${path}.`}${isFieldName(key) ? key : "*"}${kindOf(part)}`;
      return [key, opaqueKeys.has(key) ? change(field, part) : map(part, field, depth + 1)] as const;
    });
    return Object.fromEntries(pairs.filter(([, part]) => part !== undefined));
  }
}

/**
 * How the type of an event is told, in the protocols that we know: `type` with `subtype` or `role`; the
 * method of JSON-RPC with the kind of its update; a reply by the request that it answers.
 */
export function namesFor(inputs: readonly string[]): (value: unknown) => string {
  const methods = new Map(inputs.map(parse).flatMap(requestOf));
  return (value) => {
    if (!isRecord(value)) return "(no JSON object)";
    const { method, id, type, subtype, role } = value;
    if (typeof method === "string") return `${method}${noted(updateOf(value["params"]))}`;
    if (typeof type !== "string" || type === "response") {
      const how = "error" in value ? "error" : "result";
      return `${how} of ${methods.get(String(id)) ?? "a request of nobody"}`;
    }
    return `${type}${noted(subtype)}${noted(role)}`;
  };
}

function requestOf(value: unknown): [string, string][] {
  if (!isRecord(value) || typeof value["method"] !== "string") return [];
  return [[String(value["id"]), value["method"]]];
}

function updateOf(params: unknown): unknown {
  if (!isRecord(params)) return undefined;
  const { update, notification } = params;
  if (isRecord(update)) return update["sessionUpdate"];
  return isRecord(notification) ? notification["type"] : undefined;
}

function noted(word: unknown): string {
  return typeof word === "string" ? `/${word}` : "";
}

function kindOf(value: unknown): string {
  if (!isRecord(value)) return "";
  const kind = value["type"] ?? value["subtype"] ?? value["sessionUpdate"];
  return typeof kind === "string" && isFieldName(kind) ? `(${kind})` : "";
}

/** Names of models and ids are keys, too. */
function isFieldName(key: string): boolean {
  return /^[A-Za-z_]\w{0,60}$/.test(key);
}

function union(one: string | undefined, other: string): string {
  const types = new Set([...(one?.split("|") ?? []), ...other.split("|")]);
  return [...types].sort().join("|");
}

function jsonType(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

function sorted(shape: Shape): Shape {
  const byName = <T>(record: Record<string, T>) =>
    Object.fromEntries(Object.entries(record).sort(([one], [other]) => (one < other ? -1 : 1)));
  return byName(Object.fromEntries(Object.entries(shape).map(([type, fields]) => [type, byName(fields)])));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
