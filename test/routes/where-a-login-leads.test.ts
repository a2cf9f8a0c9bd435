import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ownPath } from "../../src/routes/login.tsx";
import { appOrigin, startApp } from "../helpers/test-app.ts";

describe("where a login leads", () => {
  const hostile = [
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\\/evil.example",
    "https://evil.example",
    "https:evil.example",
    "http:/evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/a\r\nSet-Cookie: x=y",
    " //evil.example",
    "/.//evil.example",
    "/..//evil.example",
    "/%2e//evil.example",
    "/a/..//evil.example",
    "/./\\evil.example",
    "/@evil.example\\",
    "",
    "?next=//evil.example",
  ];
  for (const next of hostile) {
    test(`is never elsewhere, as with ${JSON.stringify(next)}`, async () => {
      const path = ownPath(next);

      expect(new URL(path, appOrigin).origin).toBe(appOrigin);
      expect(path.startsWith("//")).toBe(false);
    });
  }

  test("is never elsewhere, also when the address comes encoded twice", async () => {
    await using app = await startApp();
    const encoded = [
      "%2f%2fevil.example",
      "%252f%252fevil.example",
      "/%2f%2fevil.example",
      "/%5cevil.example",
    ];

    const locations = await Promise.all(
      encoded.map(async (next) => {
        const response = await app.send("/login", {
          method: "POST",
          headers: { "content-type": "application/x-www-form-urlencoded" },
          body: `token=${encodeURIComponent(app.token)}&next=${next}`,
        });
        return new URL(response.headers.get("location") ?? "", appOrigin).origin;
      }),
    );

    expect(locations).toEqual(encoded.map(() => appOrigin));
  });

  test("is a path of ours, with its query", () => {
    const paths = ["/", "/agents/anna", "/runs/run_1?after=3", "/api/docs"];

    expect(paths.map(ownPath)).toEqual(paths);
  });

  test("is a path of ours for any text at all", () => {
    const piece = fc.constantFrom(
      "/",
      "\\",
      ".",
      "..",
      "@",
      ":",
      "//",
      "%2f",
      "%5c",
      "evil.example",
      "\t",
      "https:",
      "?",
    );
    const text = fc.oneof(
      fc.string(),
      fc.array(piece, { maxLength: 8 }).map((pieces) => `/${pieces.join("")}`),
    );

    fc.assert(
      fc.property(text, (next) => {
        const path = ownPath(next);
        return /^\/(?![/\\])/.test(path) && new URL(path, appOrigin).origin === appOrigin;
      }),
      { numRuns: 2_000 },
    );
  });
});
