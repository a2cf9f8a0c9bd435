import { describe, expect, test } from "bun:test";
import type { Run } from "../../src/domain/run.ts";
import { cursorOf, entriesOf, olderThan } from "../../src/routes/pages/chat/conversation-snapshot.ts";
import { aConversation, aRun, aTurn } from "../helpers/records.ts";

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
    const entries = entriesOf([aTurn()], runsById(aRun({ state: "failed", content: "" })));

    expect(entries.at(-1)).toMatchObject({ kind: "answer", turn: null, runId: "run_1" });
  });

  test.each([
    ["succeeded", "hi"],
    ["succeeded", ""],
    ["interrupted", "so far"],
  ] as const)(
    "a %s run that said %j isn't told twice when its words are on the next page",
    (state, content) => {
      const entries = entriesOf([aTurn()], runsById(aRun({ state, content })));

      expect(entries.map(({ kind }) => kind)).toEqual(["user"]);
    },
  );

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

describe("what stands before a page", () => {
  test("is told by the oldest turn that is shown", () => {
    const turns = [aTurn({ seq: 7 }), { ...answerTurn, seq: 8 }];

    const older = olderThan(entriesOf(turns, runsById(aRun())));

    expect(older).toEqual({ conversationId: "conv_1", before: 7 });
  });

  test("is nothing when the first turn is shown", () => {
    expect(olderThan(entriesOf([aTurn(), answerTurn], runsById(aRun())))).toBeNull();
    expect(olderThan([])).toBeNull();
  });
});

describe("the place of a page in its stream", () => {
  const place = { conversation: aConversation(), lastSeq: 4, liveRun: null };

  test("differs as soon as the page would", () => {
    const cursors = [
      cursorOf(place),
      cursorOf({ ...place, lastSeq: 5 }),
      cursorOf({ ...place, conversation: aConversation({ id: "conv_2" }) }),
      cursorOf({ ...place, liveRun: aRun({ state: "running" }) }),
    ];

    expect(new Set(cursors).size).toBe(cursors.length);
  });
});
