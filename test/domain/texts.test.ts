import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { agentInputSchema, agentPatchSchema, metadataSchema } from "../../src/domain/agent.ts";
import { isoTime, isoTimeOrNull, systemClock } from "../../src/domain/clock.ts";
import { titleOf } from "../../src/domain/conversation.ts";
import { problems, runbookOf, runErrorCodes } from "../../src/domain/error-codes.ts";
import { createFactBus, type Fact } from "../../src/domain/facts.ts";
import { agentIdPattern, idMaker } from "../../src/domain/ids.ts";
import { limitSchema } from "../../src/domain/page.ts";
import { executeInputSchema, preview, previewChars, promptSchema, utf8Bytes } from "../../src/domain/run.ts";

const anyText = fc.string({ unit: "binary", maxLength: 500 });

describe("a preview", () => {
  test("of a short text is the text", () => {
    expect(preview("x".repeat(200))).toBe("x".repeat(200));
  });

  test("of a long text is its beginning and an ellipsis, 200 characters in all", () => {
    expect(preview("x".repeat(201))).toBe(`${"x".repeat(199)}…`);
  });

  test("never is longer than allowed, and never cuts a character in two", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const shown = preview(text);
        const isBeginning = text === shown || text.startsWith(shown.slice(0, -1));
        return shown.length <= previewChars && isBeginning && (shown.isWellFormed() || !text.isWellFormed());
      }),
      { examples: [["🦊".repeat(150)], [`x${"🦊".repeat(150)}`]] },
    );
  });
});

describe("a title", () => {
  const titles: [prompt: string, title: string][] = [
    ["hello", "hello"],
    ["\n\n  first line  \nsecond", "first line"],
    ["a\r\nb", "a"],
    ["x".repeat(80), "x".repeat(80)],
    ["x".repeat(81), `${"x".repeat(79)}…`],
    [" \n ", ""],
  ];
  for (const [prompt, title] of titles) {
    test(`of ${JSON.stringify(prompt.slice(0, 20))} is its first line`, () => {
      expect(titleOf(prompt)).toBe(title);
    });
  }

  test("is one short line of whole characters, whatever the prompt", () => {
    fc.assert(
      fc.property(anyText, (prompt) => {
        const title = titleOf(prompt);
        return (
          title.length <= 80 && !title.includes("\n") && (title.isWellFormed() || !prompt.isWellFormed())
        );
      }),
      { examples: [["🦊".repeat(50)], [`x${"🦊".repeat(50)}`]] },
    );
  });
});

describe("ids", () => {
  test("have their prefix, and sort in the order in which they were made", () => {
    const makeId = idMaker(Bun.randomUUIDv7);

    const made = Array.from({ length: 500 }, () => makeId("run"));

    expect(made.every((id) => /^run_[0-9a-f]{32}$/.test(id))).toBe(true);
    expect(made.toSorted()).toEqual(made);
    expect(new Set(made).size).toBe(500);
  });

  test("of agents are short names in lower case", () => {
    const good = ["a", "0", "a_b-c", "a".repeat(63)];
    const bad = ["", "A", "-a", "_a", "a.b", "a b", "a\n", "ä", "a".repeat(64), "a/b", ".."];

    expect(good.filter((id) => !agentIdPattern.test(id))).toEqual([]);
    expect(bad.filter((id) => agentIdPattern.test(id))).toEqual([]);
  });
});

describe("a limit", () => {
  const limits: [given: unknown, limit: number | null][] = [
    [undefined, 50],
    ["1", 1],
    ["500", 500],
    ["501", 500],
    ["0", 1],
    ["-3", 1],
    ["1e9", 500],
    ["2.9", 2],
    ["", 1],
    ["x", null],
    ["Infinity", null],
    [["1", "2"], null],
  ];
  for (const [given, limit] of limits) {
    test(`of ${JSON.stringify(given)} is ${limit === null ? "refused" : limit}`, () => {
      const parsed = limitSchema.safeParse(given);

      expect(parsed.success ? parsed.data : null).toBe(limit);
    });
  }
});

describe("what is taken in", () => {
  test("a prompt of any text but NUL and nothing", () => {
    fc.assert(
      fc.property(
        anyText,
        (text) => promptSchema.safeParse(text).success === (text !== "" && !text.includes("\0")),
      ),
    );
  });

  test("bytes are those of UTF-8", () => {
    expect([utf8Bytes("a"), utf8Bytes("ä"), utf8Bytes("東"), utf8Bytes("🦊")]).toEqual([1, 2, 3, 4]);
  });

  test("metadata of any JSON object that is neither too large nor too deep", () => {
    const nested = (depth: number): unknown => (depth === 0 ? 1 : { a: nested(depth - 1) });
    const sized = (length: number) => ({ a: "x".repeat(length - '{"a":""}'.length) });

    expect(metadataSchema.safeParse({ a: [1, "x", null, { b: true }] }).success).toBe(true);
    expect(metadataSchema.safeParse(nested(64)).success).toBe(true);
    expect(metadataSchema.safeParse(nested(65)).success).toBe(false);
    expect(metadataSchema.safeParse(nested(5_000)).success).toBe(false);
    expect(metadataSchema.safeParse(sized(16_384)).success).toBe(true);
    expect(metadataSchema.safeParse(sized(16_385)).success).toBe(false);
  });

  test("reading never throws, whatever comes", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        for (const schema of [agentInputSchema, agentPatchSchema, executeInputSchema])
          schema.safeParse(value);
      }),
    );
  });

  test("no name of a model can be taken for an option", () => {
    const model = agentPatchSchema.shape.model;

    fc.assert(
      fc.property(anyText, (text) => !model.safeParse(text).success || /^[A-Za-z0-9]\S*$/.test(text)),
    );
  });
});

describe("codes", () => {
  test("of refusals have a status of their kind and a title", () => {
    for (const { status, title } of Object.values(problems)) {
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(600);
      expect(title).not.toBe("");
    }
  });

  test("of runs are all those of the contract", () => {
    const wanted = (
      "cli_not_found cli_too_old cwd_missing spawn_error exit_before_output exit_nonzero exit_nonzero_after_result " +
      "signal no_result cli_error auth_required rate_limited overloaded session_lost stalled deadline memory_limit " +
      "process_limit output_limit store_error server_restart shutdown tmux_gone pane_dead"
    ).split(" ");

    expect(wanted.filter((code) => !(runErrorCodes as string[]).includes(code))).toEqual([]);
    expect(runbookOf("stalled")).toBe("/api/docs#error-stalled");
  });
});

describe("times", () => {
  test("are ISO 8601 in UTC with milliseconds, or null", () => {
    expect(isoTime(0)).toBe("1970-01-01T00:00:00.000Z");
    expect(isoTimeOrNull(null)).toBeNull();
    expect(isoTimeOrNull(1)).toBe("1970-01-01T00:00:00.001Z");
  });

  test("of the monotonic clock never run backwards", () => {
    const read = Array.from({ length: 1_000 }, () => systemClock.monotonicMs());

    expect(read.toSorted((a, b) => a - b)).toEqual(read);
  });
});

describe("the bus of facts", () => {
  const fact: Fact = { type: "stream.opened" };

  test("delivers in order, at once, to everybody who still listens", () => {
    const heard: string[] = [];
    const bus = createFactBus(() => {});
    const leave = bus.subscribe(() => heard.push("first"));
    bus.subscribe(() => heard.push("second"));

    bus.publish(fact);
    leave();
    bus.publish(fact);

    expect(heard).toEqual(["first", "second", "second"]);
  });

  test("tells of a listener that throws, and delivers to the others", () => {
    const errors: unknown[] = [];
    const heard: Fact[] = [];
    const bus = createFactBus((error) => errors.push(error));
    bus.subscribe(() => {
      throw new Error("a bug");
    });
    bus.subscribe((one) => heard.push(one));

    bus.publish(fact);

    expect(errors).toEqual([new Error("a bug")]);
    expect(heard).toEqual([fact]);
  });
});
