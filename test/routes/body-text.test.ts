import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { problemLine } from "../helpers/problems.ts";
import { startApp, type TestApp } from "../helpers/test-app.ts";

let app: TestApp;

beforeAll(async () => {
  app = await startApp();
  await app.makeAgent({ id: "anna" });
});
afterAll(() => app[Symbol.asyncDispose]());

const executePath = "/api/agents/anna/execute";
const post = (path: string, body: BodyInit) =>
  app.fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body });
const runCount = async () =>
  ((await (await app.fetch("/api/runs?limit=500")).json()) as { items: unknown[] }).items.length;

describe("a body that isn't UTF-8", () => {
  const bytesOf = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));
  const spoilt = [
    ["bytes that no character has", "\xff\xfeabc"],
    ["half a character", "\xe2\x82"],
    ["one character in too many bytes", "\xc0\xaf"],
    ["a surrogate in three bytes", "\xed\xa0\x80"],
    ["Latin-1", "gr\xfc\xdfe"],
  ] as const;
  for (const [what, bytes] of spoilt) {
    test(`is malformed on every route: ${what}`, async () => {
      const body = bytesOf(`{"id":"spoilt","prompt":"${bytes}","displayName":"${bytes}"}`);
      const paths = [executePath, "/api/agents", "/api/agents/anna/cancel"];

      const lines = await Promise.all(paths.map(async (path) => problemLine(await post(path, body))));

      expect(lines).toEqual(paths.map(() => "400 malformed"));
    });
  }

  const halves = [
    ["the first", '{"prompt":"a\\ud83db"}', "prompt"],
    ["the second", '{"prompt":"\\uDE00"}', "prompt"],
    ["both in the wrong order", '{"prompt":"\\ude00\\ud83d"}', "prompt"],
    ["in a list", '{"prompt":"x","metadata":{"a":[1,"\\ud800"]}}', "metadata.a.1"],
    ["in a key", '{"prompt":"x","metadata":{"a":{"\\udfff":1}}}', "metadata.a.\ufffd"],
  ] as const;
  for (const [which, body, path] of halves) {
    test(`is refused, too, when it spells out half a character: ${which}`, async () => {
      expect(await problemLine(await post(executePath, body))).toBe(`422 invalid ${path}`);
    });
  }

  test("is told apart from one that spells out whole characters, or backslashes", async () => {
    const body = String.raw`{"prompt":"","metadata":{"smile":"\ud83d\ude00","path":"C:\\ud800"}}`;

    expect(await problemLine(await post(executePath, body))).toBe("422 invalid prompt");
  });

  test("leaves no trace", async () => {
    expect(await runCount()).toBe(0);
  });
});
