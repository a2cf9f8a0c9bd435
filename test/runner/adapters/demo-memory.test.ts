import { expect, test } from "bun:test";
import { randomUUID } from "node:crypto";
import { readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openMemory } from "../../../src/runner/adapters/demo-cli/memory.ts";
import { makeTempFolder } from "../../helpers/temp.ts";

test("a session is remembered by whoever opens the memory later, up to its last 50 prompts", () => {
  using folder = makeTempFolder();
  const sessionId = randomUUID();
  const memory = openMemory(folder.path);

  for (let prompt = 1; prompt <= 60; prompt += 1) memory.remember(sessionId, `prompt ${prompt}`);

  const recalled = openMemory(folder.path).recall(sessionId);
  expect(recalled).toHaveLength(50);
  expect(recalled.at(-1)).toBe("prompt 60");
  expect(openMemory(folder.path).has(randomUUID())).toBe(false);
});

test("only the beginning of a long prompt is remembered", () => {
  using folder = makeTempFolder();
  const memory = openMemory(folder.path);

  memory.remember("a", "x".repeat(1000));

  expect(memory.recall("a")).toEqual(["x".repeat(500)]);
});

test("a session id that isn't a UUID names no file", () => {
  using folder = makeTempFolder();
  const memory = openMemory(join(folder.path, "sessions"));

  memory.remember("../escaped", "hello");

  expect(memory.recall("../escaped")).toEqual(["hello"]);
  expect(readdirSync(folder.path)).toEqual([]);
});

test("the oldest sessions are forgotten", () => {
  using folder = makeTempFolder();
  const old = randomUUID();
  for (const sessionId of [old, ...Array.from({ length: 199 }, randomUUID)]) {
    writeFileSync(join(folder.path, `${sessionId}.json`), "[]");
  }
  utimesSync(join(folder.path, `${old}.json`), 1, 1);

  openMemory(folder.path).remember(randomUUID(), "one more");

  expect(readdirSync(folder.path)).toHaveLength(200);
  expect(openMemory(folder.path).has(old)).toBe(false);
});

test("where nothing can be written, and after a half-written file, the session lives in the process", () => {
  using folder = makeTempFolder();
  const sessionId = randomUUID();
  writeFileSync(join(folder.path, "a-file"), "");
  writeFileSync(join(folder.path, `${sessionId}.json`), '["torn');

  const memory = openMemory(join(folder.path, "a-file"));
  memory.remember(sessionId, "hello");

  expect(memory.recall(sessionId)).toEqual(["hello"]);
  expect(openMemory(folder.path).recall(sessionId)).toEqual([]);
});
