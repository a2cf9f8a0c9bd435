import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createRedactor } from "../../../src/runner/policies/redaction.ts";

const key = 'sk-ant-api03-Zq8+/x"y\\z end';
const environment = { ANTHROPIC_API_KEY: key, DB_PASSWORD: "hunter22", PATH: "/usr/bin", PIN_TOKEN: "123" };
const redactor = createRedactor(environment);

describe("what is masked", () => {
  test.each([
    ["as itself", key],
    ["inside JSON", JSON.stringify({ key })],
    ["inside a URL", `https://x.test/?k=${encodeURIComponent(key)}`],
    ["as base64", Buffer.from(key).toString("base64")],
    ["as base64url", Buffer.from(key).toString("base64url")],
  ])("a secret %s", (_form, text) => {
    const masked = redactor.text(`before ${text} after`);

    expect(masked).toContain("[redacted:ANTHROPIC_API_KEY]");
    expect(masked).not.toContain("Zq8");
  });

  test("the values of variables that name no secret, and short ones, are left alone", () => {
    expect(redactor.text("/usr/bin and 123")).toBe("/usr/bin and 123");
  });

  test("logs also lose what only looks like a key", () => {
    const text = "found sk-live0123456789abcdef0123 here";

    expect(redactor.log(text)).toBe("found [redacted] here");
    expect(redactor.text(text)).toBe(text);
  });

  test("every string in a JSON value, keys included, and numbers that are a secret", () => {
    const digits = createRedactor({ LOCK_PASSWORD: "12345678" });

    expect(redactor.json({ a: ["hunter22"], hunter22: 1 })).toEqual({
      a: ["[redacted:DB_PASSWORD]"],
      "[redacted:DB_PASSWORD]": 1,
    });
    expect(digits.json({ pin: 12345678, other: 1 })).toEqual({ pin: null, other: 1 });
  });
});

describe("prompts", () => {
  test("are stored masked and restored as they were sent", () => {
    const sent = `use hunter22 twice: hunter22, and ${key}`;

    const { text, holes } = redactor.prompt(sent);

    expect(text).not.toContain("hunter22");
    expect(text).not.toContain(key);
    expect(redactor.restore(text, holes)).toBe(sent);
  });

  test("whose variable has changed since stay masked", () => {
    const { text, holes } = redactor.prompt("use hunter22");

    const later = createRedactor({ ...environment, DB_PASSWORD: "another1" });

    expect(later.restore(text, holes)).toBe("use [redacted:DB_PASSWORD]");
  });

  test("that only quote a mask are delivered as they are", () => {
    const sent = "what does [redacted:DB_PASSWORD] mean?";

    const { text, holes } = redactor.prompt(sent);

    expect(redactor.restore(text, holes)).toBe(sent);
  });

  test("of any text come back whole", () => {
    const piece = fc.oneof(fc.string(), fc.constantFrom("hunter22", key, "[redacted:DB_PASSWORD]"));

    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const sent = pieces.join("");
        const { text, holes } = redactor.prompt(sent);

        expect(redactor.restore(text, holes)).toBe(sent);
        expect(text).not.toContain("hunter22");
      }),
    );
  });
});

describe("streams", () => {
  test("mask a secret however it is split, and lose nothing else", () => {
    const texts = fc.array(fc.oneof(fc.string(), fc.constantFrom("hunter22", "hunter2", key)), {
      maxLength: 6,
    });

    fc.assert(
      fc.property(texts, fc.integer({ min: 1, max: 5 }), (parts, size) => {
        const text = parts.join("");
        const stream = redactor.stream();
        let shown = "";
        for (let at = 0; at < text.length; at += size) shown += stream.push(text.slice(at, at + size));
        shown += stream.end();

        expect(shown).toBe(redactor.text(text));
      }),
    );
  });

  test("let text that holds no beginning of a secret through at once", () => {
    const stream = redactor.stream();

    expect(stream.push("nothing to see ")).toBe("nothing to see ");
    expect(stream.push("here, hunt")).toBe("here, ");
    expect(stream.push("ing season")).toBe("hunting season");
  });

  test("without any secret nothing is held back", () => {
    expect(createRedactor({}).stream().push("hunt")).toBe("hunt");
  });
});
