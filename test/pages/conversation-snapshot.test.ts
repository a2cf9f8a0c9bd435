import { describe, expect, test } from "bun:test";
import type { Run } from "../../src/domain/run.ts";
import { cursorOf, entriesOf } from "../../src/routes/pages/conversation-snapshot.ts";
import { aRun, aTurn } from "../helpers/records.ts";

const runsById =
  (...runs: Run[]) =>
  (runId: string) =>
    runs.find(({ id }) => id === runId) ?? null;
const answerTurn = aTurn({ id: "turn_2", seq: 2, role: "assistant", content: "hi" });

describe("the entries of a conversation", () => {
  test("a settled run stands once, with its words", () => {
    const entries = entriesOf([aTurn(), answerTurn], runsById(aRun()));

    expect(entries.map(({ kind, key }) => [kind, key])).toEqual([
      ["user", "turn_1"],
      ["answer", "run_1"],
    ]);
  });

  test("a run that ended without a word stands after what was asked", () => {
    const entries = entriesOf([aTurn()], runsById(aRun({ state: "failed" })));

    expect(entries.at(-1)).toMatchObject({ kind: "answer", turn: null, run: { state: "failed" } });
  });

  test("a run in progress is live", () => {
    const entries = entriesOf([aTurn()], runsById(aRun({ state: "running" })));

    expect(entries.map(({ kind }) => kind)).toEqual(["user", "live"]);
  });

  test("a turn whose run is gone is still shown", () => {
    const entries = entriesOf([aTurn({ runId: null }), { ...answerTurn, runId: null }], runsById());

    expect(entries.map(({ kind, key }) => [kind, key])).toEqual([
      ["user", "turn_1"],
      ["answer", "turn_2"],
    ]);
  });
});

describe("the place of a page in its stream", () => {
  const place = { conversationId: "conv_1", lastSeq: 4, liveRun: null };

  test("differs as soon as the page would", () => {
    const cursors = [
      cursorOf(place),
      cursorOf({ ...place, lastSeq: 5 }),
      cursorOf({ ...place, conversationId: "conv_2" }),
      cursorOf({ ...place, liveRun: aRun({ state: "running" }) }),
    ];

    expect(new Set(cursors).size).toBe(cursors.length);
  });
});
