import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import type { Turn } from "../../src/domain/conversation.ts";
import type { TurnRange } from "../../src/domain/ports.ts";
import type { Entry } from "../../src/routes/pages/chat/conversation-snapshot.ts";
import { filterOf, searchValuesOf } from "../../src/routes/pages/conversations/search-input.ts";
import { rangeOf, readTurns } from "../../src/routes/pages/conversations/turn-range.ts";
import { renderAround } from "../../src/routes/pages/conversations/turns-around.ts";
import { aTurn } from "../helpers/records.ts";

const filterFrom = (query: Record<string, string>) => filterOf(searchValuesOf((field) => query[field]));

describe("what a search asks for", () => {
  test("is open where nothing is said", () => {
    expect(filterFrom({ q: "  ", agent: "" })).toEqual({
      kind: "ok",
      value: { agentId: null, words: null, cli: null, state: null, fromMs: null, toMs: null },
    });
  });

  test("is taken over as it is said, both days whole and in UTC", () => {
    const query = {
      q: " quick fox",
      agent: " anna ",
      cli: "demo",
      state: "failed",
      from: "2026-11-21",
      to: "2026-11-21",
    };

    expect(filterFrom(query)).toEqual({
      kind: "ok",
      value: {
        agentId: "anna",
        words: "quick fox",
        cli: "demo",
        state: "failed",
        fromMs: Date.UTC(2026, 10, 21),
        toMs: Date.UTC(2026, 10, 22),
      },
    });
  });

  test.each([
    ["q", { q: "x".repeat(501) }],
    ["agent", { agent: "<script>" }],
    ["agent", { agent: "Anna" }],
    ["cli", { cli: "constructor" }],
    ["state", { state: "__proto__" }],
    ["from", { from: "yesterday" }],
    ["from", { from: "2026-02-30" }],
    ["from", { from: "2026-13-01" }],
    ["to", { to: "2026-1-1" }],
    ["to", { to: "+010000-01-01" }],
    ["to", { from: "2026-11-22", to: "2026-11-21" }],
  ])("is told to be wrong at %s for %j", (field, query) => {
    const outcome = filterFrom(query);

    expect(outcome.kind === "problems" && Object.keys(outcome.problems)).toEqual([field]);
  });

  test("never throws, whatever is said", () => {
    const text = fc.string({ unit: "binary", maxLength: 20 });
    const query = fc.record({ q: text, agent: text, cli: text, state: text, from: text, to: text });

    fc.assert(fc.property(query, (given) => void filterFrom(given)));
  });
});

const none = { at: null, before: null, after: null };

describe("a page of turns", () => {
  test.each([
    ["the newest ones, when nothing is asked for", 100, none, [61, 100]],
    ["all of a short conversation", 7, none, [1, 7]],
    ["the asked one with its surroundings", 10_000, { ...none, at: 5_000 }, [4_980, 5_019]],
    ["a full page also around the first", 100, { ...none, at: 1 }, [1, 40]],
    ["a full page also around the last", 100, { ...none, at: 100 }, [61, 100]],
    ["the newest, when the asked one isn't there", 100, { ...none, at: 999_999_999_999_999 }, [61, 100]],
    ["those before", 100, { ...none, before: 61 }, [21, 60]],
    ["the first ones, when fewer are left", 100, { ...none, before: 21 }, [1, 20]],
    ["the first one, when none is before", 100, { ...none, before: 0 }, [1, 1]],
    ["those after", 100, { ...none, after: 20 }, [21, 60]],
    ["the last ones, when fewer are left", 100, { ...none, after: 90 }, [91, 100]],
    ["the last one, when none is after", 100, { ...none, after: 500 }, [100, 100]],
    ["none of an empty conversation", 0, { ...none, at: 3 }, [1, 0]],
    ["none before an empty conversation's end", 0, { ...none, before: 3 }, [1, 0]],
    ["none after an empty conversation's end", 0, { ...none, after: 3 }, [1, 0]],
  ])("is %s", (_, turnCount, asked, [from, to]) => {
    expect(rangeOf(turnCount, asked)).toEqual({ from: from!, to: to! });
  });
});

/** Turns of runs, user and assistant in turn, but for `alone`, whose runs have one turn only. */
function talk(count: number, alone: readonly number[] = []): Turn[] {
  let run = 0;
  let isAnswered = true;
  return Array.from({ length: count }, (_, index) => {
    const seq = index + 1;
    const isAnswer = !isAnswered && !alone.includes(seq - 1);
    if (!isAnswer) run++;
    isAnswered = isAnswer;
    return aTurn({ id: `turn_${seq}`, seq, runId: `run_${run}`, role: isAnswer ? "assistant" : "user" });
  });
}

function readSeqs(turns: readonly Turn[], from: number, to: number): (number | null)[] {
  const pageTurns = (_: string, range: TurnRange) => {
    const after = "after" in range ? range.after : 0;
    const waiting = aTurn({ id: "turn_waiting", seq: null, pending: true });
    const page = [...turns.filter(({ seq }) => seq! > after), waiting].slice(0, range.limit);
    return { turns: page, nextBefore: null, nextAfter: null };
  };
  return readTurns({ pageTurns }, "conv_1", { from, to }).map(({ seq }) => seq);
}

describe("reading a page of turns", () => {
  test("takes what is asked for and no message that waits", () => {
    expect(readSeqs(talk(4), 1, 4)).toEqual([1, 2, 3, 4]);
    expect(readSeqs([], 1, 0)).toEqual([]);
  });

  test("cuts no run in two at either end", () => {
    expect(readSeqs(talk(8), 4, 5)).toEqual([3, 4, 5, 6]);
    expect(readSeqs(talk(8), 3, 4)).toEqual([3, 4]);
  });

  test("leaves the neighbours of a run without an answer where they are", () => {
    expect(readSeqs(talk(6, [2, 3]), 3, 3)).toEqual([3]);
  });
});

describe("rendering around an entry", () => {
  const entries = Array.from({ length: 9 }, (_, index): Entry => ({
    kind: "user",
    key: `${index}`,
    turn: aTurn({ seq: index + 1 }),
  }));
  const renderer = (chars: number) => ({
    renderAll: async ([entry]: readonly Entry[]) => entry!.key.padStart(chars, "-"),
  });
  const shown = async (index: number, chars: number, charsMax: number) => {
    const around = await renderAround(renderer(chars), entries, index, charsMax);
    expect(around.html).toBe(around.entries.map(({ key }) => key.padStart(chars, "-")).join(""));
    return around.entries.map(({ key }) => key).join("");
  };

  test("takes all that fits on a page", async () => {
    expect(await shown(4, 1, 100)).toBe("012345678");
    expect(await shown(8, 1, 100)).toBe("012345678");
    expect(await shown(0, 1, 100)).toBe("012345678");
  });

  test("keeps those nearest to it when they become too much", async () => {
    expect(await shown(4, 10, 40)).toBe("2345");
    expect(await shown(8, 10, 40)).toBe("5678");
    expect(await shown(0, 10, 40)).toBe("0123");
  });

  test("takes the entry itself however large it is", async () => {
    expect(await shown(4, 1_000, 40)).toBe("4");
  });
});
