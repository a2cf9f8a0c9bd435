import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createRedactor } from "../../../src/runner/policies/redaction.ts";

const value = 'p/ss+"wörd"\\w&<th> 😀 ü=s~!';
const mask = "[redacted:A_SECRET]";
const redactor = createRedactor({ A_SECRET: value });

const percentOf = (character: string, isLower: boolean) => {
  const codes = [...Buffer.from(character)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
  return isLower ? codes : codes.toUpperCase();
};
const unicodeOf = (character: string, isLower: boolean) =>
  character
    .split("")
    .map((unit) => {
      const code = unit.charCodeAt(0).toString(16).padStart(4, "0");
      return `\\u${isLower ? code : code.toUpperCase()}`;
    })
    .join("");
const inJson = (text: string) => JSON.stringify(text).slice(1, -1);

/** Takes turns through these choices, one for each character: 0 keeps what may be kept. */
type Mix = (text: string, choices: readonly number[]) => string;

const percentMix: Mix = (text, choices) =>
  Array.from(text)
    .map((character, at) => {
      const choice = choices[at % choices.length]!;
      if (choice === 0) return character;
      return choice === 3 && character === " " ? "+" : percentOf(character, choice === 1);
    })
    .join("");
const jsonMix: Mix = (text, choices) =>
  Array.from(text)
    .map((character, at) => {
      const choice = choices[at % choices.length]!;
      if (choice === 0) return inJson(character);
      return choice === 3 && character === "/" ? "\\/" : unicodeOf(character, choice === 1);
    })
    .join("");

const mixes: Record<string, Mix> = {
  "in a URL": percentMix,
  "in JSON": jsonMix,
  "in a URL in JSON": (text, choices) => jsonMix(percentMix(text, choices), choices.slice(1).concat(0)),
  "in JSON in a URL": (text, choices) => percentMix(jsonMix(text, choices), choices.slice(1).concat(0)),
  "in JSON in JSON": (text, choices) => jsonMix(jsonMix(text, choices), choices.slice(1).concat(0)),
};

const quote = (text: string) => encodeURIComponent(text).replaceAll("%2F", "/");
const strict = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*~]/g, (character) => percentOf(character, false));
const ascii = (text: string) => text.replace(/[\u007f-\uffff]/g, (unit) => unicodeOf(unit, true));

describe("a value is masked as it is written by", () => {
  test.each([
    ["Python's quote", quote],
    [
      "Python's quote, in lower case",
      (text: string) => quote(text).replace(/%../g, (code) => code.toLowerCase()),
    ],
    ["strict RFC 3986", strict],
    [
      "who keeps what separates",
      (text: string) => strict(text).replace(/%(?:2F|26|3D)/g, decodeURIComponent),
    ],
    ["who keeps quotes", (text: string) => quote(text).replaceAll("%22", '"')],
    ["a query with pluses", (text: string) => quote(text).replaceAll("%20", "+")],
    ["PHP", (text: string) => ascii(inJson(text)).replaceAll("/", "\\/")],
    ["Go", (text: string) => inJson(text).replace(/[<>&]/g, (character) => unicodeOf(character, true))],
    ["Python's json", (text: string) => ascii(inJson(text))],
    [
      "Python's json, in upper case",
      (text: string) => inJson(text).replace(/[^ -~]/gu, (each) => unicodeOf(each, false)),
    ],
    ["Python's json in JSON", (text: string) => inJson(ascii(inJson(text)))],
    [
      "a query in .NET's JSON",
      (text: string) =>
        quote(text)
          .replaceAll("%20", "+")
          .replace(/[+&<>']/g, (each) => unicodeOf(each, false)),
    ],
    ["a query in a query", (text: string) => encodeURIComponent(quote(text).replaceAll("%20", "+"))],
    ["a URL in PHP's JSON", (text: string) => quote(text).replaceAll("/", "\\/")],
  ])("%s", (_name, encode) => {
    expect(redactor.text(`before ${encode(value)} after`)).toBe(`before ${mask} after`);
    expect(redactor.log(`before ${encode(value)} after`)).toBe(`before ${mask} after`);
  });
});

const breaks = ["\n", "\r\n", "\\n", "\\r\\n", "\\\\n"];

/** In lines as tools write them. */
function wrapped(base64: string, column: number, lineBreak: string): string {
  return base64.match(new RegExp(`.{1,${column}}`, "g"))!.join(lineBreak);
}

/** As who reads it puts it together again, with what was masked as what is in no base64. */
function unwrapped(shown: string): string {
  return shown.replaceAll(mask, "\0").replace(/\\+[rn]|[\r\n]/g, "");
}

/** The characters of base64 that hold bits of nothing but the secret. */
function coreOf(secret: string, offset: number): string {
  const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(secret)]);
  return bytes
    .toString("base64")
    .replace(/=+$/, "")
    .slice(Math.ceil((offset * 8) / 6), Math.floor((bytes.length * 8) / 6));
}

describe("a value in base64 in lines is masked", () => {
  const offsets = [0, 1, 2, 3, 11, 50, 55, 56];

  test.each(offsets)("%i bytes after the beginning, whatever the width and the break", (offset) => {
    for (const encoding of ["base64", "base64url"] as const) {
      const whole = Buffer.from(`${"u".repeat(offset)}${value}, and so on`).toString(encoding);
      const core = Buffer.from(coreOf(value, offset % 3), "base64")
        .toString(encoding)
        .slice(0, -4);
      expect(whole).toContain(core);
      for (const column of [1, 2, 3, 4, 19, 60, 64, 70, 76]) {
        for (const lineBreak of breaks) {
          const shown = unwrapped(redactor.text(wrapped(whole, column, lineBreak)));

          expect(shown).toContain("\0");
          expect(shown).not.toContain(core);
          expect(`${shown}\0`).not.toContain(core.slice(0, 12));
        }
      }
    }
  });

  test("over the edges of pieces, with nothing else lost", () => {
    const file = Buffer.from(`# settings\nOTHER=1\nA_SECRET=${value}\nMORE=2\n`).toString("base64");
    for (const column of [5, 60, 64, 76]) {
      for (const lineBreak of breaks) {
        const text = `it is:\n${wrapped(file, column, lineBreak)}\n.`;
        for (const size of [1, 2, 3, 7, 64]) {
          const stream = redactor.stream();
          let shown = "";
          for (let at = 0; at < text.length; at += size) shown += stream.push(text.slice(at, at + size));

          expect(shown + stream.end()).toBe(redactor.text(text));
          expect(shown).toContain(mask);
        }
      }
    }
  });

  test("but words in lines stay as they are, also when the value is one of them", () => {
    const words = createRedactor({ A_SECRET: "passwordpassword" });

    const text = ". password\npassword\r\npass\\nword .";

    expect(words.text(text)).toBe(text);
  });
});

const secrets = fc
  .string({
    unit: fc.oneof(
      fc.constantFrom(...Array.from('ab/\\"%+ &<é😀\n2')),
      fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 }),
    ),
    minLength: 8,
    maxLength: 30,
  })
  .filter((secret) => secret.trim().length >= 8);
const choices = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 7 });
const lengths = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 4 });
const around = fc.string({ unit: fc.constantFrom(...Array.from('ab/\\"%+ é\n2un4=.')), maxLength: 12 });

function piecesOf(text: string, sizes: readonly number[]): string[] {
  const pieces: string[] = [];
  for (let from = 0, at = 0; from < text.length; at += 1) {
    const to = from + sizes[at % sizes.length]!;
    pieces.push(text.slice(from, to));
    from = to;
  }
  return pieces;
}

function streamed(secret: string, text: string, sizes: readonly number[]): string {
  const stream = createRedactor({ A_SECRET: secret }).stream();
  return piecesOf(text, sizes)
    .map((piece) => stream.push(piece))
    .concat(stream.end())
    .join("");
}

const decodeUrl = (text: string) =>
  text.replace(/(?:%[0-9a-f]{2})+/gi, (codes) =>
    new TextDecoder("utf-8", { ignoreBOM: true }).decode(Buffer.from(codes.replaceAll("%", ""), "hex")),
  );
const decodeJson = (text: string) =>
  text.replace(/\\(?:u[0-9a-f]{4}|[^u])/gi, (code) => {
    try {
      return JSON.parse(`"${code}"`) as string;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return code;
    }
  });

/** What who reads it can make of it, up to two levels deep. */
function readingsOf(shown: string): string[] {
  const bare = shown.replaceAll(mask, "\0");
  const readers = [decodeUrl, decodeJson, (text: string) => decodeUrl(text.replaceAll("+", " "))];
  const once = readers.map((read) => read(bare));
  return [bare, ...once, ...once.flatMap((text) => readers.map((read) => read(text)))];
}

describe("any value, with any of its characters escaped,", () => {
  const anyCase = fc.record({
    secret: secrets,
    name: fc.constantFrom(...Object.keys(mixes)),
    before: around,
    after: around,
    choices,
    lengths,
  });

  test("can't be read out of what is shown, at once or in pieces", () => {
    fc.assert(
      fc.property(anyCase, ({ secret, name, before, after, ...mix }) => {
        const text = mixes[name]!(`${before}${secret}${after}`, mix.choices);

        const shown = createRedactor({ A_SECRET: secret }).text(text);
        const inPieces = streamed(secret, text, mix.lengths);

        for (const reading of [...readingsOf(shown), ...readingsOf(inPieces)])
          expect(reading.includes(secret)).toBe(false);
      }),
      { numRuns: 800 },
    );
  });

  test("is masked in the same places in pieces", () => {
    fc.assert(
      fc.property(anyCase, ({ secret, name, before, after, ...mix }) => {
        // Where a piece is cut behind a backslash, a stream may take that for a part of the value.
        const text = `.${mixes[name]!(`${before}.${secret}${after}`, mix.choices)}\t.`;

        expect(streamed(secret, text, mix.lengths)).toBe(createRedactor({ A_SECRET: secret }).text(text));
      }),
      { numRuns: 800 },
    );
  });

  test("is cut out of a prompt, which comes back as it was sent", () => {
    fc.assert(
      fc.property(anyCase, ({ secret, name, before, after, ...mix }) => {
        const owner = createRedactor({ A_SECRET: secret });
        const sent = mixes[name]!(`${before}${secret}${after}`, mix.choices);

        const { text, holes } = owner.prompt(sent);

        expect(owner.restore(text, JSON.parse(JSON.stringify(holes)))).toBe(sent);
        for (const reading of readingsOf(text)) expect(reading.includes(secret)).toBe(false);
        expect(JSON.stringify(holes).includes(inJson(secret))).toBe(false);
      }),
      { numRuns: 400 },
    );
  });
});

test("a prompt stays masked where the variable of a mixture has changed since", () => {
  const { text, holes } = redactor.prompt(`use ${percentMix(value, [1, 0, 0])} now`);

  expect(text).toBe(`use ${mask} now`);
  expect(createRedactor({ A_SECRET: "another one" }).restore(text, holes)).toBe(text);
  expect(createRedactor({}).restore(text, holes)).toBe(text);
});

test("what is no secret comes out byte for byte as it was", () => {
  const pieces = fc.constantFrom(
    ...Array.from("%\\\n\r+/=ua"),
    "%2F",
    "%c3",
    "%F0%9F%98",
    "\\u00e",
    "\\ud83d",
    "\\\\",
    "\\n",
    "p/ss%2b%22w",
    'p\\/ss+\\"w\\u00f6rd',
    Buffer.from(value).toString("base64").slice(0, 20),
    `${Buffer.from(value).toString("base64").slice(0, 9)}\n`,
    "word\nword",
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(pieces, fc.string()), { maxLength: 20 }), lengths, (parts, sizes) => {
      // The ends are no place where a value may have been cut.
      const text = `. ${parts.join("")} .`;
      // What happens to make the value up is another test's.
      fc.pre(readingsOf(text).every((reading) => !reading.includes(value)));
      fc.pre(!parts.join("").replace(/\s/g, "").includes(Buffer.from(value).toString("base64").slice(0, -4)));

      expect(redactor.text(text)).toBe(text);
      expect(streamed(value, text, sizes)).toBe(text);
    }),
    { numRuns: 800 },
  );
});

describe("a stream", () => {
  test("that ends amid an escaped value masks its beginning, and its rest in the next text", () => {
    const secret = "Hunter2/Hunter3/Hunter4";
    const stream = createRedactor({ A_SECRET: secret }).stream();
    const written = percentMix(secret, [1, 0, 0, 0]);

    const first = stream.push(`it is ${written.slice(0, 22)}`) + stream.end();
    const second = stream.push(`${written.slice(22)} indeed`) + stream.end();

    expect([first, second]).toEqual([`it is ${mask}`, `${mask} indeed`]);
  });

  test("that ends with a value which is the beginning of a longer one masks it", () => {
    const stream = createRedactor({ A_SECRET: "hunter", B_SECRET: "hunter22" }).stream();

    expect(stream.push("it is hunter") + stream.end()).toBe(`it is ${mask}`);
  });

  test("shows nothing of a value whose mask it has shown, while its end may begin another one", () => {
    const stream = createRedactor({ A_SECRET: "hunter22", B_SECRET: "22xyzabc" }).stream();

    const shown = ["it is hunter22", "x", "y", "!"].map((piece) => stream.push(piece));

    expect(shown.join("") + stream.end()).toBe(`it is ${mask}xy!`);
  });

  test("holds back no more of an escape than may belong to a value", () => {
    const stream = redactor.stream();

    expect(stream.push("50% of it\\")).toBe("50% of it");
    expect(stream.push(" and 60%")).toBe("\\ and 60");
    expect(stream.push(" too")).toBe("% too");
  });

  test("holds back a bounded part of a value that is escaped over and over", () => {
    const stream = redactor.stream();

    stream.push(`p${"%25".repeat(200_000)}`);
    const percents = stream.heldChars;
    stream.end();
    stream.push(`p${"\\".repeat(200_000)}`);

    expect(percents).toBeLessThan(64_000);
    expect(stream.heldChars).toBeLessThan(64_000);
  });
});

describe("takes time in proportion to a text", () => {
  const secret = "aaaaaaaa/aaaaaaaa";

  test.each([
    "a",
    "%",
    "%25",
    "%61",
    "\\",
    "\\u0061",
    "\\u005c",
    "\\\\u",
    "YWFh\n",
    "YWFh\\n",
    "Y\n",
    "aaaaaaaa%2F",
    "aaaaaaaa\\/",
    "\r",
    "\\n",
    "+",
  ])(
    "of nothing but %j",
    (piece) => {
      const owner = createRedactor({ A_SECRET: secret, B_SECRET: "a b c d e" });
      const text = piece.repeat(Math.ceil(1_000_000 / piece.length));
      const stream = owner.stream();
      const inPieces = owner.stream();
      let chars = 0;

      // In quadratic time this would take minutes, and the test's own limit would end it.
      const shown = stream.push(text) + stream.end();
      for (let at = 0; at < 100_000; at += 50) {
        chars += inPieces.push(text.slice(at, at + 50)).length;
      }

      expect(shown.length).toBeGreaterThan(0);
      expect(chars + inPieces.end().length).toBeGreaterThan(0);
      expect(owner.log(text).length).toBeGreaterThan(0);
    },
    20_000,
  );
});
