import { beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type RunErrorCode, runErrorCodes } from "../../src/domain/error-codes.ts";
import { emptyAnswer, finalText, foldAnswer, type RunEventBody } from "../../src/domain/event.ts";
import type { Adapter, Decoded, Decoder, SessionSpec, Verdict } from "../../src/runner/adapters/adapter.ts";
import { createLineFramer } from "../../src/runner/process/lines.ts";

/** What one CLI printed in the situations that every adapter must understand. */
export interface AdapterSpecimens {
  adapter: Adapter;
  sessionId: string;
  /** Two turns of one process. */
  first: SpecimenTurn;
  second: SpecimenTurn;
  /** A turn with one tool call; `answer` is the text after it. */
  tool: SpecimenTurn;
  /** A turn that the CLI reported as failed, and one that it ended at our request. */
  failed: readonly string[];
  interrupted: readonly string[];
}

export interface SpecimenTurn {
  lines: readonly string[];
  answer: string;
}

/** What every adapter has to do; a new one gets all these tests by one call. */
export function adapterContract(
  name: string,
  make: () => AdapterSpecimens | Promise<AdapterSpecimens>,
): void {
  describe(`the ${name} adapter keeps the contract:`, () => {
    let given: AdapterSpecimens;
    beforeAll(async () => {
      given = await make();
    });

    turnsAreRead(() => given);
    staleOutputIsKeptOut(() => given);
    anyBytesAreSurvived(() => given);
    inputsAreSafe(() => given);
  });
}

function turnsAreRead(given: () => AdapterSpecimens): void {
  test("a turn's answer is said once and in order, and the turn succeeds", () => {
    const { first } = given();

    const decoded = turn(newDecoder(given()), first.lines);

    expect(answerOf(decoded)).toBe(first.answer);
    expect(verdicts(decoded)).toMatchObject([{ kind: "succeeded" }]);
  });

  test("a turn names its session and the CLI's version", () => {
    const { first, sessionId } = given();

    const decoded = turn(newDecoder(given()), first.lines);

    expect(eventsOf(decoded, "session")).toMatchObject([{ cliSessionId: sessionId }]);
    expect(decoded.filter(({ kind }) => kind === "version")).toHaveLength(1);
  });

  test("a turn's usage is told once, in whole tokens", () => {
    const [usage, ...more] = turn(newDecoder(given()), given().first.lines).filter(
      (one) => one.kind === "usage",
    );

    expect(more).toEqual([]);
    expect(Object.values(usage?.usage ?? { none: 0.5 }).every(Number.isSafeInteger)).toBe(true);
    expect(usage?.usage.outputTokens).toBeGreaterThan(0);
  });

  test("a tool call begins, finishes, and the answer is what comes after it", () => {
    const { tool } = given();

    const decoded = turn(newDecoder(given()), tool.lines);

    const [started] = eventsOf(decoded, "tool.started");
    const [finished] = eventsOf(decoded, "tool.finished");
    expect(finished).toMatchObject({ toolId: started?.toolId, isError: false });
    expect(decoded.findIndex(isEvent("tool.started"))).toBeLessThan(
      decoded.findIndex(isEvent("tool.finished")),
    );
    expect(answerOf(decoded)).toBe(tool.answer);
  });

  test("a failed turn has a code of the closed list and the CLI's own words", () => {
    const [verdict] = verdicts(turn(newDecoder(given()), given().failed));

    const failed = verdict?.kind === "failed" ? verdict : null;
    expect(runErrorCodes).toContain(failed?.code as RunErrorCode);
    expect(failed?.message).not.toBe("");
  });

  test("a turn that we interrupted is aborted, not failed", () => {
    expect(verdicts(turn(newDecoder(given()), given().interrupted))).toEqual([{ kind: "aborted" }]);
  });

  test("the second turn of a process has its own answer, blocks and usage", () => {
    const decoder = newDecoder(given());
    turn(decoder, given().first.lines);

    const decoded = turn(decoder, given().second.lines);

    expect(answerOf(decoded)).toBe(given().second.answer);
    expect(eventsOf(decoded, "text")[0]?.block).toBe(0);
    expect(decoded.filter(({ kind }) => kind === "usage")).toHaveLength(1);
  });
}

function staleOutputIsKeptOut(given: () => AdapterSpecimens): void {
  test("output after the result is an anomaly and changes nothing", () => {
    const decoder = newDecoder(given());
    turn(decoder, given().first.lines);

    const late = feed(decoder, given().first.lines);

    expect(late.filter((one) => one.kind === "event" || one.kind === "turn.ended")).toEqual([]);
    expect(anomalyCodes(late)).toContain("output_after_result");
  });

  test("a second result is an anomaly and makes the process unfit for another turn", () => {
    const decoder = newDecoder(given());
    turn(decoder, given().first.lines);

    const late = feed(decoder, given().first.lines.slice(-1));

    expect(anomalyCodes(late)).toEqual(["duplicate_result"]);
    expect(late.some(({ kind }) => kind === "retire")).toBe(true);
  });

  test("what an earlier turn left in the pipe does not become the next turn's answer", () => {
    const decoder = newDecoder(given());
    turn(decoder, given().first.lines);
    decoder.beginTurn();

    const stale = feed(decoder, given().first.lines.slice(-3));
    const decoded = feed(decoder, given().second.lines);

    expect(stale.filter((one) => one.kind === "event" || one.kind === "turn.ended")).toEqual([]);
    expect(answerOf(decoded)).toBe(given().second.answer);
    expect(verdicts(decoded)).toHaveLength(1);
  });
}

function anyBytesAreSurvived(given: () => AdapterSpecimens): void {
  test("the edges of the chunks don't matter, down to single bytes", () => {
    const bytes = new TextEncoder().encode(`${given().tool.lines.join("\n")}\n`);
    const whole = framed(newDecoder(given()), bytes, () => bytes.length);

    expect(framed(newDecoder(given()), bytes, () => 1)).toEqual(whole);
    const sizes = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(sizes, (some) => {
        const decoded = framed(newDecoder(given()), bytes, (at) => some[at % some.length] ?? 1);
        expect(decoded).toEqual(whole);
      }),
      { numRuns: 50 },
    );
  });

  test("no line makes it throw: any text, any JSON, any damaged line of its own", () => {
    const own = fc.constantFrom(...given().tool.lines, ...given().failed, ...given().interrupted);
    const damaged = fc
      .tuple(own, fc.nat(), fc.nat({ max: 40 }), fc.string({ maxLength: 20 }))
      .map(([line, at, length, put]) => splice(line, at % line.length, length, put));
    const odd = fc
      .tuple(own, fc.nat(), fc.jsonValue())
      .map(([line, at, value]) => replaceValue(line, at, value));

    const lines = fc.array(fc.oneof(fc.string(), fc.json(), damaged, odd), { maxLength: 20 });
    fc.assert(
      fc.property(lines, (some) => {
        turn(newDecoder(given()), some);
      }),
      { numRuns: 500 },
    );
  });

  test("lines with prototype keys, brackets without end and numbers out of range do no harm", () => {
    const decoder = newDecoder(given());
    const hostile = [
      '{"__proto__":{"polluted":1},"type":"__proto__","constructor":{"prototype":{"polluted":1}}}',
      ...given().first.lines.map((line) => `{"__proto__":{"polluted":1},${line.slice(1)}`),
      "[".repeat(200_000) + "]".repeat(200_000),
      `{"type":"assistant","message":${'{"a":'.repeat(200_000)}1${"}".repeat(200_000)}}`,
      '{"type":"result","num_turns":1e400,"usage":{"input_tokens":-1,"output_tokens":9007199254740993}}',
    ];

    expect(() => turn(decoder, hostile)).not.toThrow();
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
}

function inputsAreSafe(given: () => AdapterSpecimens): void {
  test("any prompt is one line of input", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (prompt) => {
        const input = given().adapter.turnInput(prompt);
        expect(input.indexOf("\n")).toBe(input.length - 1);
        expect(JSON.stringify(JSON.parse(input))).toContain(JSON.stringify(prompt).slice(1, -1));
      }),
    );
  });

  test("a command names the session, as new or as resumed, and nothing that isn't in the spec", () => {
    const { adapter } = given();

    const begun = adapter.command(sessionSpec);
    const resumed = adapter.command({ ...sessionSpec, resume: true });

    expect(begun.file).toBe(sessionSpec.executable);
    expect(begun.args).toContain(sessionSpec.sessionId);
    expect(resumed.args).toContain(sessionSpec.sessionId);
    expect(resumed.args).not.toEqual(begun.args);
  });

  test("whatever way a process ended, there is a code and a message for it", () => {
    const exits = fc.record({
      exitCode: fc.option(fc.integer({ min: 0, max: 255 })),
      signal: fc.option(fc.constantFrom("SIGKILL", "SIGSEGV")),
      stderrTail: fc.string({ maxLength: 9000 }),
      printed: fc.boolean(),
    });
    fc.assert(
      fc.property(exits, (exit) => {
        const { code, message } = given().adapter.explainExit(exit);
        expect(runErrorCodes).toContain(code);
        expect(message.length > 0 && message.length <= 2000).toBe(true);
      }),
    );
  });
}

const sessionSpec: SessionSpec = {
  executable: "/opt/a-cli",
  sessionId: "5b0f8f0e-7a45-4b7e-9d0c-3f1d2c4b5a69",
  resume: false,
  model: null,
  permissionMode: "edit",
  mcpConfigPath: null,
};

function newDecoder({ adapter, sessionId }: AdapterSpecimens): Decoder {
  return adapter.decoder({ sessionId, permissionMode: "edit" });
}

function feed(decoder: Decoder, lines: readonly string[]): Decoded[] {
  return lines.flatMap((line) => decoder.decode(line));
}

function turn(decoder: Decoder, lines: readonly string[]): Decoded[] {
  decoder.beginTurn();
  return feed(decoder, lines);
}

function framed(decoder: Decoder, bytes: Uint8Array, sizeAt: (at: number) => number): Decoded[] {
  const framer = createLineFramer({ lineBytesMax: 1_048_576 });
  decoder.beginTurn();
  const decoded: Decoded[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = sizeAt(at);
    decoded.push(...feed(decoder, framer.push(bytes.slice(at, at + size)).lines));
    at += size;
  }
  return [...decoded, ...feed(decoder, framer.end().lines)];
}

export function eventsOf<T extends RunEventBody["type"]>(decoded: readonly Decoded[], type: T) {
  return decoded.flatMap((one) =>
    one.kind === "event" && one.event.type === type ? [one.event as Extract<RunEventBody, { type: T }>] : [],
  );
}

function isEvent(type: RunEventBody["type"]) {
  return (one: Decoded) => one.kind === "event" && one.event.type === type;
}

/** The answer as everybody else rebuilds it from the log. */
export function answerOf(decoded: readonly Decoded[]): string {
  const answer = emptyAnswer();
  for (const one of decoded) if (one.kind === "event") foldAnswer(answer, one.event);
  return finalText(answer);
}

export function verdicts(decoded: readonly Decoded[]): Verdict[] {
  return decoded.flatMap((one) => (one.kind === "turn.ended" ? [one.verdict] : []));
}

export function anomalyCodes(decoded: readonly Decoded[]): string[] {
  return decoded.flatMap((one) => (one.kind === "anomaly" ? [one.code] : []));
}

function splice(line: string, at: number, length: number, put: string): string {
  return line.slice(0, at) + put + line.slice(at + length);
}

/** Puts another JSON value in the place of one that the line holds. */
function replaceValue(line: string, at: number, value: unknown): string {
  let left = at % 40;
  return JSON.stringify(JSON.parse(line), (_key, was: unknown) => (left-- === 0 ? value : was)) ?? "null";
}
