import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { diffLines, rowsMax } from "../../src/views/chat/line-diff.ts";

const numbered = (count: number, word: string) =>
  Array.from({ length: count }, (_, line) => `${word} ${line}\n`).join("");

/** One side of a diff, put together again from its rows. */
function sideOf(rows: ReturnType<typeof diffLines>["rows"], sign: "+" | "-"): string[] {
  return rows.filter((row) => row.sign === sign || row.sign === " ").map(({ text }) => text);
}

describe("a diff of two texts", () => {
  test("keeps a few unchanged lines around a change and counts the others", () => {
    const before = numbered(20, "line");

    const { rows, added, removed } = diffLines(before, before.replace("line 10\n", "line ten\n"));

    expect(rows.map(({ sign, text }) => `${sign} ${text}`)).toEqual([
      "gap 7 unchanged lines",
      "  line 7",
      "  line 8",
      "  line 9",
      "- line 10",
      "+ line ten",
      "  line 11",
      "  line 12",
      "  line 13",
      "gap 6 unchanged lines",
    ]);
    expect({ added, removed }).toEqual({ added: 1, removed: 1 });
  });

  test("marks what has changed within a line", () => {
    const { rows } = diffLines("const count = 1;", "const total = 1;");

    expect(rows).toEqual([
      { sign: "-", text: "const count = 1;", changed: { from: 6, to: 11 } },
      { sign: "+", text: "const total = 1;", changed: { from: 6, to: 11 } },
    ]);
  });

  test("doesn't halve a character where it marks", () => {
    const { rows } = diffLines("a long enough line 😀", "a long enough line 😁");

    const [row] = rows;
    const { from, to } = (row?.sign === "-" && row.changed) || { from: 0, to: 0 };
    expect(row?.text.slice(from, to)).toBe("😀");
  });

  test("shows line ends where they change, and only there", () => {
    const changed = diffLines("a\r\nb\r\n", "a\nb\n");
    const same = diffLines("a\r\nb\r\n", "a\r\nc\r\n");

    expect(changed.rows.map(({ text }) => text)).toEqual(["a\r", "b\r", "a", "b"]);
    expect(same.rows.map(({ text }) => text)).toEqual(["a", "b", "c"]);
  });

  test("is the whole of both when they have too little in common", () => {
    const { rows, leftOut, added, removed } = diffLines(numbered(900, "old"), numbered(700, "new"));

    expect({ added, removed }).toEqual({ added: 700, removed: 900 });
    expect(rows).toHaveLength(rowsMax);
    expect(leftOut).toBe(1_600 - rowsMax);
  });

  test("tells both texts, line by line", () => {
    const text = fc.array(fc.constantFrom("a", "b", "c", "", " a", "b\t"), { maxLength: 4 });
    const ended = (lines: string[]) => lines.map((line) => `${line}\n`).join("");

    fc.assert(
      fc.property(text, text, (before, after) => {
        fc.pre(ended(before) !== ended(after));

        const { rows } = diffLines(ended(before), ended(after));

        expect(sideOf(rows, "-")).toEqual(before);
        expect(sideOf(rows, "+")).toEqual(after);
      }),
    );
  });
});
