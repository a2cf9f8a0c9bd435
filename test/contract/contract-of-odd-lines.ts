import { expect } from "bun:test";
import fc from "fast-check";
import { runEventBodySchema } from "../../src/domain/event.ts";
import type { Decoded } from "../../src/runner/adapters/adapter.ts";
import { createLineFramer } from "../../src/runner/process/lines.ts";
import type { Said } from "./dialect-case.ts";
import { keeps, type KeyOfSaid, open, openFor, playSaid, type Subject } from "./keeping.ts";

export function promisesAboutOddLines(subject: Subject): void {
  chunksDoNotMatter(subject);
  nothingThrows(subject);
  textIsPlain(subject);
}

function chunksDoNotMatter(subject: Subject): void {
  keeps(subject, "split", () => {
    const bytes = new TextEncoder().encode(`${saidIn(subject, "turn").join("\n")}\n`);
    const whole = framed(subject, bytes, () => bytes.length);

    expect(framed(subject, bytes, () => 1)).toEqual(whole);
    const sizes = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(sizes, (some) => {
        expect(framed(subject, bytes, (at) => some[at % some.length] ?? 1)).toEqual(whole);
      }),
      { numRuns: 50 },
    );
  });
}

function framed(subject: Subject, bytes: Uint8Array, sizeAt: (at: number) => number): Decoded[] {
  const framer = createLineFramer({ lineBytesMax: 1_048_576 });
  const rehearsal = open(subject);
  const decoded = rehearsal.begin("hello");
  for (let at = 0; at < bytes.length;) {
    const size = sizeAt(at);
    decoded.push(...rehearsal.say(framer.push(bytes.slice(at, at + size)).lines));
    at += size;
  }
  return [...decoded, ...rehearsal.say(framer.end().lines)];
}

function nothingThrows(subject: Subject): void {
  keeps(subject, "hostile", () => {
    const corpus = ownLines(subject);
    const own = fc.constantFrom(...corpus);
    const damaged = fc
      .tuple(own, fc.nat(), fc.nat({ max: 40 }), fc.string({ maxLength: 20 }))
      .map(([line, at, length, put]) => splice(line, at % line.length, length, put));
    const odd = fc
      .tuple(own, fc.nat(), fc.jsonValue())
      .map(([line, at, value]) => replaceValue(line, at, value));
    const lines = fc.array(fc.oneof(fc.string(), fc.json(), own, damaged, odd), { maxLength: 20 });
    fc.assert(
      fc.property(lines, fc.boolean(), (some, isReady) => {
        const rehearsal = open(subject);
        const decoded = isReady ? playSaid(subject, rehearsal, { lines: [] }) : rehearsal.begin("hello");
        decoded.push(...rehearsal.say(some), ...rehearsal.sayError(some.join("\n")));
        expect(decoded.filter(isNoEventOfOurs)).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });

  keeps(
    subject,
    "hostile",
    () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
          const decoded = framed(subject, Uint8Array.from([...bytes, 10, ...bytes]), () => 64);
          expect(decoded.filter(isNoEventOfOurs)).toEqual([]);
        }),
      );
    },
    " (any bytes)",
  );

  keeps(
    subject,
    "hostile",
    () => {
      const rehearsal = open(subject);
      const decoded = playSaid(subject, rehearsal, { lines: [] });
      const lines = ownLines(subject);

      for (const levels of [2_000, 200_000]) {
        const deep = '{"a":'.repeat(levels) + "1" + "}".repeat(levels);
        decoded.push(...rehearsal.say([deep, "[".repeat(levels), ...nested(lines, deep, levels)]));
      }
      decoded.push(...rehearsal.say(lines.filter(isObject).map(withPrototypeKeys)));

      expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
      expect(decoded.filter(isNoEventOfOurs)).toEqual([]);
    },
    " (prototype keys, brackets without end)",
  );
}

/** An event that the log couldn't hold. */
function isNoEventOfOurs(one: Decoded): boolean {
  return one.kind === "event" && !runEventBodySchema.safeParse(one.event).success;
}

const deepLinesMax = 8;

/** The lines, each with something deep in place of its last value; of the deepest only a few. */
function nested(lines: readonly string[], deep: string, levels: number): string[] {
  const some = lines.filter(isObject).slice(0, levels > 10_000 ? deepLinesMax : undefined);
  return some.flatMap((line) => {
    const value = JSON.parse(line) as Record<string, unknown>;
    const keys = Object.keys(value).filter((key) => typeof value[key] === "object" && value[key] !== null);
    return keys.map((key) => JSON.stringify({ ...value, [key]: "@" }).replace('"@"', deep));
  });
}

function withPrototypeKeys(line: string): string {
  return `{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},${line.slice(1)}`;
}

function isObject(line: string): boolean {
  return line.startsWith("{") && line.endsWith("}");
}

function textIsPlain(subject: Subject): void {
  keeps(subject, "plain", () => {
    const found: string[] = [];
    for (const key of situations.filter((situation) => subject.has(situation))) {
      const lines = saidIn(subject, key);
      const coloured = lines.flatMap((line, at) =>
        colouredStrings(line).map((other) => lines.with(at, other)),
      );
      for (const some of coloured) found.push(...textsOf(replayLines(subject, some)).filter(hasControl));
    }

    expect([...new Set(found)]).toEqual([]);
  });
}

function replayLines(subject: Subject, lines: readonly string[]): Decoded[] {
  const rehearsal = open(subject);
  return [...rehearsal.begin("hello"), ...rehearsal.say(lines)];
}

const red = "\u001b[31mred\u0000\u009b";

/** The line as often as it has strings, each time with another one coloured. */
function colouredStrings(line: string): string[] {
  if (!isObject(line)) return [`${line}${red}`];
  let count = 0;
  const value: unknown = JSON.parse(
    line,
    (_key, part: unknown) => (typeof part === "string" && count++, part),
  );
  return Array.from({ length: Math.min(count, stringsOfALineMax) }, (_, chosen) => {
    let at = 0;
    return JSON.stringify(value, (_key, part: unknown) =>
      typeof part === "string" && at++ === chosen ? part + red : part,
    );
  });
}

const stringsOfALineMax = 40;

/** What is kept and shown of what a CLI said: ids are only compared, and a tool's input is kept as JSON. */
function textsOf(decoded: readonly Decoded[]): string[] {
  return decoded.flatMap((one) => {
    if (one.kind === "turn.ended") return "message" in one.verdict ? [one.verdict.message] : [];
    if (one.kind === "version") return [one.cliVersion];
    if (one.kind !== "event") return [];
    return Object.entries(one.event).flatMap(([key, part]) =>
      typeof part === "string" && !["cliSessionId", "toolId", "input"].includes(key) ? [part] : [],
    );
  });
}

function hasControl(text: string): boolean {
  return /[^\P{Cc}\t\n\r]/u.test(text);
}

const situations: readonly KeyOfSaid[] = [
  "turn",
  "thinking",
  "tool",
  "failedTool",
  "auth_required",
  "rate_limited",
  "cli_error",
];

/** Everything that the CLI was heard to say, in all situations. */
function ownLines(subject: Subject): string[] {
  const said = situations.filter((key) => subject.has(key)).flatMap((key) => saidIn(subject, key));
  return [...new Set(said)];
}

/** A situation's lines with the ids that fit; a dialogue of the same spec gives the same ones. */
function saidIn(subject: Subject, key: KeyOfSaid): string[] {
  const said: Said = subject.specimen(key);
  const rehearsal = openFor(subject, said);
  playSaid(subject, rehearsal, said);
  return [...rehearsal.lines];
}

function splice(line: string, at: number, length: number, put: string): string {
  return line.slice(0, at) + put + line.slice(at + length);
}

/** Puts another JSON value in the place of one that the line holds. */
function replaceValue(line: string, at: number, value: unknown): string {
  if (!isObject(line)) return JSON.stringify(value);
  let left = at % 40;
  return JSON.stringify(JSON.parse(line), (_key, was: unknown) => (left-- === 0 ? value : was)) ?? "null";
}
