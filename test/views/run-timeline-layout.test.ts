import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { RunEvent, RunEventBody } from "../../src/domain/event.ts";
import {
  type Bar,
  foldToolSpan,
  layOutTimeline,
  leftEdge,
  momentsOf,
  rightEdge,
  type RunMoments,
  type ToolSpan,
} from "../../src/views/runs/timeline-layout.ts";

const originMs = Date.parse("2026-11-22T10:00:00.000Z");
const iso = (offsetMs: number) => new Date(originMs + offsetMs).toISOString();
const at = (seq: number, offsetMs: number, body: RunEventBody): RunEvent => ({
  seq,
  runId: "run_1",
  at: iso(offsetMs),
  ...body,
});
const start = (seq: number, offsetMs: number, toolId: string, name = "Bash") =>
  at(seq, offsetMs, { type: "tool.started", toolId, name, input: { command: "ls" } });
const finish = (seq: number, offsetMs: number, toolId: string, isError = false) =>
  at(seq, offsetMs, { type: "tool.finished", toolId, isError, output: "" });

function spansOf(events: readonly RunEvent[]): ToolSpan[] {
  const spans: ToolSpan[] = [];
  for (const event of events) foldToolSpan(spans, event);
  return spans;
}

/** A run from 0 that waited a second, spoke after two and ended, or goes on, at `untilMs`. */
function moments(untilMs: number, ended = true): RunMoments {
  const run = { queuedAt: iso(0), startedAt: iso(1_000), firstOutputAt: iso(2_000), endedAt: iso(untilMs) };
  return momentsOf(ended ? run : { ...run, endedAt: null }, originMs + untilMs);
}

const deny = (seq: number, offsetMs: number, message: string) =>
  at(seq, offsetMs, { type: "notice", code: "permission_denied", message });

test("a denial is about the newest call of the tool that it names", () => {
  const told = [start(1, 0, "a"), start(2, 1, "b"), start(3, 2, "c", "BashOutput"), finish(4, 3, "b", true)];

  const spans = spansOf([...told, deny(5, 4, 'Bash was not allowed in permission mode "read".')]);

  expect(spans.map(({ toolId, isError, isDenied }) => [toolId, isError, isDenied])).toEqual([
    ["a", false, false],
    ["b", true, true],
    ["c", false, false],
  ]);
});

/** Starts and ends of calls in any order, at times that may jump backwards, some never told. */
const toolEvents = fc
  .array(
    fc.record({
      isStart: fc.boolean(),
      tool: fc.integer({ min: 0, max: 12 }),
      offsetMs: fc.integer({ min: -2_000, max: 70_000 }),
    }),
    { maxLength: 300 },
  )
  .map((moves) =>
    moves.map(({ isStart, tool, offsetMs }, index) =>
      (isStart ? start : finish)(index + 1, offsetMs, `tool_${tool}`),
    ),
  );
const ends = fc.integer({ min: 2_000, max: 60_000 });

describe("the layout of a timeline, whatever the run did,", () => {
  test("keeps all bars inside the range, and those of a lane apart and in order", () => {
    fc.assert(
      fc.property(toolEvents, ends, fc.boolean(), (events, untilMs, ended) => {
        const { bars, lanes } = layOutTimeline(moments(untilMs, ended), spansOf(events));

        for (let lane = 0; lane < lanes; lane++) expectApart(bars.filter((bar) => bar.lane === lane));
        expect(lanes).toBeLessThanOrEqual(6);
        expect(bars.every(({ lane }) => lane < lanes)).toBe(true);
      }),
    );
  });

  test("draws each call once, in a lane with none that ran at the same time while there are lanes left", () => {
    fc.assert(
      fc.property(toolEvents, ends, (events, untilMs) => {
        const spans = spansOf(events);

        const { bars } = layOutTimeline(moments(untilMs), spans);

        const drawn = bars.flatMap((bar) => bar.spans).map(({ startedSeq }) => startedSeq);
        expect(drawn.toSorted((a, b) => a - b)).toEqual(spans.map(({ startedSeq }) => startedSeq));
        for (const { lane, spans: shared } of bars) if (lane < 5) expectOneAfterAnother(shared, untilMs);
      }),
    );
  });

  test("has few ticks, in order and inside the range", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 * 86_400_000 }), (untilMs) => {
        const run = { queuedAt: iso(0), startedAt: null, firstOutputAt: null, endedAt: iso(untilMs) };

        const { ticks } = layOutTimeline(momentsOf(run, 0), []);

        expect(ticks.length).toBeLessThanOrEqual(5);
        expect(ticks[0]).toEqual({ x: leftEdge, offsetMs: 0 });
        for (const [index, { x, offsetMs }] of ticks.entries()) {
          expect(x).toBeLessThanOrEqual(rightEdge);
          expect(offsetMs).toBe(index * (ticks[1]?.offsetMs ?? 0));
        }
      }),
    );
  });

  test("has its moments in order, and the line without a gap between them", () => {
    const offset = fc.integer({ min: -5_000, max: 60_000 });
    fc.assert(
      fc.property(fc.tuple(offset, offset, offset), (offsets) => {
        const [startedAt, firstOutputAt, endedAt] = offsets.map(iso) as [string, string, string];
        const run = { queuedAt: iso(0), startedAt, firstOutputAt, endedAt };

        const { marks, segments } = layOutTimeline(momentsOf(run, 0), []);

        expect(marks.map(({ kind }) => kind)).toEqual(["queued", "started", "first output", "ended"]);
        expect(marks.map(({ x }) => x)).toEqual(marks.map(({ x }) => x).toSorted((a, b) => a - b));
        expect(segments.map(({ kind }) => kind)).toEqual(["waiting", "starting", "working"]);
        expect(segments.map(({ x }) => x)).toEqual(marks.slice(0, 3).map(({ x }) => x));
        expect(segments.map(({ toX }) => toX)).toEqual(marks.slice(1).map(({ x }) => x));
      }),
    );
  });
});

describe("the layout of a timeline", () => {
  test("is to scale, with the time of waiting in sight", () => {
    const run = { queuedAt: iso(0), startedAt: iso(8_000), firstOutputAt: iso(9_000), endedAt: iso(10_000) };

    const { segments } = layOutTimeline(momentsOf(run, 0), []);

    const shares = segments.map(({ x, toX }) => (toX - x) / (rightEdge - leftEdge));
    expect(shares.map((share) => share.toFixed(3))).toEqual(["0.800", "0.100", "0.100"]);
  });

  test("puts calls that run at once into lanes of their own, and later ones into the first free one", () => {
    const events = [
      start(1, 2_000, "outer", "Task"),
      start(2, 3_000, "inner"),
      finish(3, 4_000, "inner"),
      start(4, 5_000, "next"),
      finish(5, 8_000, "outer"),
      finish(6, 9_000, "next"),
      start(7, 9_000, "last"),
      finish(8, 10_000, "last"),
    ];

    const { bars, lanes } = layOutTimeline(moments(10_000), spansOf(events));

    expect(lanes).toBe(2);
    expect(bars.map(({ lane, spans }) => [spans[0]?.toolId, lane])).toEqual([
      ["outer", 0],
      ["inner", 1],
      ["next", 1],
      ["last", 0],
    ]);
  });

  test("draws calls that are too short to be told apart as one, which can be seen", () => {
    const events = Array.from({ length: 300 }, (_, index) => [
      start(2 * index + 1, 3_000 + index, `t${index}`),
      finish(2 * index + 2, 3_000 + index, `t${index}`, index === 7),
    ]).flat();

    const { bars, lanes } = layOutTimeline(moments(600_000), spansOf(events));

    expect(lanes).toBe(1);
    expect(bars).toHaveLength(1);
    expect(bars[0]?.spans).toHaveLength(300);
    expect(bars[0]!.toX - bars[0]!.x).toBeGreaterThanOrEqual(0.39);
  });

  test("draws a call whose end isn't told up to now, and its name where there is room", () => {
    const spans = spansOf([start(1, 5_000, "t", "Bash")]);

    const { bars } = layOutTimeline(moments(10_000, false), spans);

    expect(bars).toMatchObject([{ x: 50, toX: rightEdge, word: "Bash" }]);
  });

  test("of a run that waits has the line up to now and one station", () => {
    const run = { queuedAt: iso(0), startedAt: null, firstOutputAt: null, endedAt: null };

    const { segments, marks } = layOutTimeline(momentsOf(run, originMs + 5_000), []);

    expect(segments).toEqual([{ kind: "waiting", x: leftEdge, toX: rightEdge }]);
    expect(marks).toEqual([{ kind: "queued", x: leftEdge, hasWord: true }]);
  });

  test("has no words that run into one another", () => {
    const run = { queuedAt: iso(0), startedAt: iso(10), firstOutputAt: iso(5_000), endedAt: iso(5_500) };

    const { marks } = layOutTimeline(momentsOf(run, 0), []);

    const worded = marks.filter(({ hasWord }) => hasWord).map(({ kind }) => kind);
    expect(worded).toEqual(["queued", "ended"]);
  });
});

function expectApart(bars: readonly Bar[]): void {
  let freeFromX = leftEdge;
  let seq = 0;
  for (const { x, toX, spans } of bars) {
    expect(x).toBeGreaterThanOrEqual(freeFromX);
    expect(toX).toBeGreaterThan(x);
    expect(spans[0]!.startedSeq).toBeGreaterThan(seq);
    freeFromX = toX;
    seq = spans.at(-1)!.startedSeq;
  }
  expect(freeFromX).toBeLessThanOrEqual(rightEdge);
}

function expectOneAfterAnother(spans: readonly ToolSpan[], untilMs: number): void {
  for (const [index, next] of spans.entries()) {
    const before = spans[index - 1];
    if (before !== undefined) {
      expect(before.endedMs ?? originMs + untilMs).toBeLessThanOrEqual(next.startedMs);
    }
  }
}
