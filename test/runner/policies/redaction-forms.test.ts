import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createRedactor } from "../../../src/runner/policies/redaction.ts";
import { formsOf } from "../../../src/runner/policies/secret-forms.ts";

const inJson = (text: string) => JSON.stringify(text).slice(1, -1);
const inBase64 = (text: string) => Buffer.from(text).toString("base64");
const percent = (text: string) => encodeURIComponent(text);

const secret = 'pa/ss+"wörd"\\with ümlauts & signs';

/** Each takes a value as it stands in a longer text to that text as a tool prints it. */
const encodings: [name: string, encode: (text: string) => string][] = [
  ["as itself", (text) => text],
  ["in JSON", inJson],
  ["in JSON in JSON", (text) => inJson(inJson(text))],
  ["in JSON in JSON in JSON", (text) => inJson(inJson(inJson(text)))],
  ["in a URL", percent],
  ["in a URL, in lower case", (text) => percent(text).replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())],
  ["in a form", (text) => new URLSearchParams({ a: text }).toString().slice(2)],
  ["in hex", (text) => Buffer.from(text).toString("hex")],
  ["in hex, in upper case", (text) => Buffer.from(text).toString("hex").toUpperCase()],
  ["in base64", inBase64],
  ["in base64url", (text) => Buffer.from(text).toString("base64url")],
  ["in base64 without its padding", (text) => inBase64(text).replace(/=+$/, "")],
  ["in base64 in lines", (text) => inBase64(text).replace(/.{76}/g, "$&\n")],
  ["in base64 in lines in JSON", (text) => inJson(inBase64(text).replace(/.{64}/g, "$&\n"))],
];

describe("a value is masked", () => {
  test.each(encodings)("%s", (_name, encode) => {
    const { text } = createRedactor({ A_SECRET: secret });

    const masked = text(`before ${encode(secret)} after`);

    expect(masked).toStartWith("before [redacted:A_SECRET]");
    expect(masked).toEndWith(" after");
    expect(masked.length).toBeLessThan(45);
  });

  test.each([0, 1, 2, 3, 4, 5])("in the midst of base64, %i characters after its beginning", (before) => {
    const { text } = createRedactor({ A_SECRET: secret });

    const masked = text(inBase64(`${"u".repeat(before)}${secret}and so on`));

    expect(masked).toContain("[redacted:A_SECRET]");
    expect(Buffer.from(masked.replace("[redacted:A_SECRET]", ""), "base64").toString("latin1")).not.toContain(
      "ith",
    );
  });

  test.each(["REDIS_URL", "http_proxy", "ANYTHING"])("when it is the password in the address %s", (name) => {
    const { text } = createRedactor({ [name]: "https://anna:s3cret%2Fword@db.test:5432/x?y=1" });

    expect(text("it is s3cret%2Fword, or s3cret/word")).toBe(
      `it is [redacted:${name}], or [redacted:${name}]`,
    );
    expect(text("https://db.test:5432/x")).toBe("https://db.test:5432/x");
  });

  test.each(["DB_PASS", "GITHUB_PAT", "MY_PASSPHRASE", "NPM_AUTH", "session_cookie", "api_key"])(
    "when its variable is called %s",
    (name) => {
      expect(createRedactor({ [name]: "hunter22" }).text("hunter22")).toBe(`[redacted:${name}]`);
    },
  );

  test.each(["PWD", "OLDPWD", "PATH", "SSH_AUTH_SOCK", "GIT_ASKPASS"])("but not that of %s", (name) => {
    expect(createRedactor({ [name]: "/home/anna/work" }).text("/home/anna/work")).toBe("/home/anna/work");
  });

  test("also without the line end that came with it into the environment", () => {
    expect(createRedactor({ A_TOKEN: "hunter22\n" }).text("is hunter22.")).toBe("is [redacted:A_TOKEN].");
  });

  test("together with one that it overlaps, so that nothing of either is left", () => {
    const { text } = createRedactor({ A_TOKEN: "abcdefgh", B_TOKEN: "efghijkl" });

    expect(text("-abcdefghijkl-")).toBe("-[redacted:A_TOKEN]-");
  });
});

/** Printable, blank and any other characters, and quotes that need escapes. */
const anySecret = fc
  .string({ unit: "grapheme", minLength: 6, maxLength: 80 })
  .filter((text) => text.length >= 6);
const anyEncoding = fc.constantFrom(...encodings.map(([, encode]) => encode));

/** Cuts the text into pieces of these lengths, over and over. */
function piecesOf(text: string, lengths: readonly number[]): string[] {
  const pieces: string[] = [];
  for (let from = 0, at = 0; from < text.length; at += 1) {
    const to = from + (lengths[at % lengths.length] ?? 1);
    pieces.push(text.slice(from, to));
    from = to;
  }
  return pieces;
}

describe("of any secrets, in any encodings, in any pieces,", () => {
  const anyCase = fc.record({
    secrets: fc.array(anySecret, { minLength: 1, maxLength: 3 }),
    parts: fc.array(fc.tuple(fc.string(), fc.nat(2), anyEncoding), { minLength: 1, maxLength: 5 }),
    lengths: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 4 }),
  });

  function printed({
    secrets,
    parts,
  }: {
    secrets: string[];
    parts: [string, number, (text: string) => string][];
  }) {
    // Between words, since a secret may go on in what comes after it.
    return parts
      .map(([before, at, encode]) => `${before}\t${encode(secrets[at % secrets.length]!)}\t`)
      .join("");
  }

  function redactorOf(secrets: readonly string[]) {
    return createRedactor(Object.fromEntries(secrets.map((value, at) => [`A_TOKEN_${at}`, value])));
  }

  /** Without our masks: a secret may be a part of their words. */
  function formsLeft(shown: string, secrets: readonly string[]): string[] {
    const bare = shown.replaceAll(/\[redacted(?::A_TOKEN_\d)?\]/g, "\0");
    return secrets.flatMap(formsOf).filter((form) => bare.includes(form));
  }

  test("a stream shows none", () => {
    fc.assert(
      fc.property(anyCase, ({ secrets, parts, lengths }) => {
        const stream = redactorOf(secrets).stream();

        const shown = piecesOf(printed({ secrets, parts }), lengths).map((piece) => stream.push(piece));

        expect(formsLeft(shown.join("") + stream.end(), secrets)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  test("a stream shows what the whole text would", () => {
    fc.assert(
      fc.property(anyCase, ({ secrets, parts, lengths }) => {
        const redactor = redactorOf(secrets);
        const stream = redactor.stream();
        const text = `.${printed({ secrets, parts })}`;

        const shown = piecesOf(text, lengths).map((piece) => stream.push(piece));

        expect(shown.join("") + stream.end()).toBe(redactor.text(text));
      }),
      { numRuns: 500 },
    );
  });

  test("a log shows none, neither at once nor in pieces", () => {
    fc.assert(
      fc.property(anyCase, ({ secrets, parts, lengths }) => {
        const redactor = redactorOf(secrets);
        const stream = redactor.logStream();
        const text = printed({ secrets, parts });

        const shown = piecesOf(text, lengths).map((piece) => stream.push(piece));

        expect(formsLeft(shown.join("") + stream.end(), secrets)).toEqual([]);
        expect(formsLeft(redactor.log(text), secrets)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  test("a prompt is kept without any, and comes back as it was sent", () => {
    fc.assert(
      fc.property(anyCase, ({ secrets, parts }) => {
        const redactor = redactorOf(secrets);
        const sent = printed({ secrets, parts });

        const { text, holes } = redactor.prompt(sent);

        expect(redactor.restore(text, holes)).toBe(sent);
      }),
      { numRuns: 300 },
    );
  });
});

describe("a value in pieces that other words stand between", () => {
  const value = "Hunter2Hunter3Hunter4";
  const redactor = createRedactor({ DB_PASSWORD: value });
  const mask = "[redacted:DB_PASSWORD]";

  test("is masked where one text ends with its beginning, and where the next begins with its rest", () => {
    const stream = redactor.stream();

    const first = stream.push("it is Hunter2Hun") + stream.end();
    const second = stream.push("ter3Hun") + stream.end();
    const third = stream.push("ter4 indeed") + stream.end();

    expect([first, second, third]).toEqual([`it is ${mask}`, `ter3Hun`, `${mask} indeed`]);
  });

  test("is masked at the ends of lines and of quoted texts of a log", () => {
    expect(redactor.log(`a Hunter2Hun\nter3Hunter4 b`)).toBe(`a ${mask}\n${mask} b`);
    expect(redactor.log(`{"piece":"Hunter2Hun"}`)).toBe(`{"piece":"${mask}"}`);
    expect(redactor.log(`{"piece":"ter3Hunter4"}`)).toBe(`{"piece":"${mask}"}`);
    expect(redactor.log(`{"piece":"nter2Hunter3"}`)).toBe(`{"piece":"${mask}"}`);
    expect(redactor.log(`{"piece":"nter2Hunter3 and"}`)).toBe(`{"piece":"nter2Hunter3 and"}`);
    expect(redactor.log(String.raw`{"piece":"{\"a\":\"ter3Hunter4\""}`)).toBe(
      String.raw`{"piece":"{\"a\":\"${mask}\""}`,
    );
  });

  test("is masked where a bound of ours has cut it", () => {
    expect(redactor.text("out: Hunter2Hunter… 4096 bytes more")).toBe(`out: ${mask}… 4096 bytes more`);
  });

  test("and the word that is a part of it is left alone in the midst of a text", () => {
    expect(redactor.text("Hunter2Hunter is no value, nor is ter3Hunter4.")).toBe(
      "Hunter2Hunter is no value, nor is ter3Hunter4.",
    );
  });

  test("isn't shown in part where something of it was left out", () => {
    const stream = redactor.logStream();

    const before = stream.push("one Hunter2Hunter3");
    stream.gap();
    const after =
      stream.push("Hunter4 and the rest of a line that is long enough\nnext line\n") + stream.end();

    expect(before).toBe("one ");
    expect(after).toEndWith("\nnext line\n");
    expect(after).not.toContain("Hunter");
  });
});

describe("what looks like a key", () => {
  const { log, text } = createRedactor({});
  const letters = "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789";

  test.each([
    [`sk-ant-api03-${letters}`, "[redacted]"],
    [`fk-${letters}`, "[redacted]"],
    [`ghp_${letters}`, "[redacted]"],
    [`github_pat_${letters}_${letters}`, "[redacted]"],
    [`glpat-${letters}`, "[redacted]"],
    [`npm_${letters}`, "[redacted]"],
    [`AIza${letters}`, "[redacted]"],
    [`ya29.${letters}`, "[redacted]"],
    ["xoxb-1234567890-abcdef", "[redacted]"],
    ["AKIAIOSFODNN7EXAMPLE", "[redacted]"],
    [`eyJhbGciOi.${letters}.${letters}`, "[redacted]"],
    [`Authorization: Bearer ${letters}`, "Authorization: Bearer [redacted]"],
    ["authorization: Basic YW5uYTpzM2NyZXQ=", "authorization: Basic [redacted]"],
    ["https://anna:s3cret@db.test/x", "https://anna:[redacted]@db.test/x"],
    [`-----BEGIN RSA PRIVATE KEY-----\nMII${letters}\n-----END RSA PRIVATE KEY-----`, "[redacted]"],
    [String.raw`-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----`, "[redacted]"],
  ])("is masked in a log: %s", (key, masked) => {
    const stream = createRedactor({}).logStream();

    const inPieces = piecesOf(`it is ${key} here\n`, [7]).map((piece) => stream.push(piece));

    expect(log(`it is ${key}`)).toBe(`it is ${masked}`);
    expect(log(String.raw`{"text":"it is\n${key}"}`)).toBe(String.raw`{"text":"it is\n${masked}"}`);
    expect(inPieces.join("") + stream.end()).toBe(`it is ${masked} here\n`);
  });

  test("stays as it was said in a conversation", () => {
    expect(text(`sk-ant-api03-${letters}`)).toBe(`sk-ant-api03-${letters}`);
  });

  test.each([
    "a task-oriented-and-rather-long-name",
    "bearer of bad news",
    "Basic understanding of the matter",
    "https://x.test:8080/path",
    "see https://x.test/a:b@c",
    "-----BEGIN CERTIFICATE-----",
    "eyJust.a.word",
  ])("is none of these: %s", (words) => {
    expect(log(words)).toBe(words);
  });

  test.each(["a", ":", "-", "@", " ", "\n", "eyJ", "sk-", "://a:", "-----BEGIN PRIVATE KEY-----", "Bearer "])(
    "takes time in proportion to a text, also of nothing but %j",
    (piece) => {
      const stream = createRedactor({ A_TOKEN: `${piece}${piece}${piece}secret` }).logStream();
      const words = piece.repeat(400_000 / piece.length);

      // In quadratic time this would take minutes, and the test's own limit would end it.
      const shown = stream.push(words) + stream.end();

      expect(shown.length).toBeGreaterThan(0);
    },
    5_000,
  );
});

test("a value whose spaces are escaped pluses, and nothing else of it is escaped, is masked, in pieces too", () => {
  const words = createRedactor({ A_SECRET: "correct horse battery" });
  for (const code of ["%2B", "\\u002b", "\\\\u002B", "%5Cu002b"]) {
    const text = `say correct${code}horse${code}battery.`;
    const stream = words.stream();

    const inPieces = Array.from(text, (character) => stream.push(character)).join("") + stream.end();

    expect([words.text(text), inPieces]).toEqual([`say [redacted:A_SECRET].`, `say [redacted:A_SECRET].`]);
  }
});
