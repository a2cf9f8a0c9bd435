import { afterAll, beforeAll, expect, test } from "bun:test";
import { conversationHeadSchema, turnSchema } from "../../src/domain/conversation.ts";
import { problemLine } from "../helpers/problems.ts";
import { quickClaude, startApp, type TestApp } from "../helpers/test-app.ts";

const runs = 250;

let app: TestApp;
let path: string;
let conversationId: string;

beforeAll(async () => {
  app = await startApp({ env: { HEADWAY_CLAUDE_PATH: quickClaude, HEADWAY_QUEUE_LIMIT: String(runs) } });
  await app.makeAgent({ id: "anna" });
  const submitted = [];
  for (let i = 1; i <= runs; i++)
    submitted.push(await app.submit("anna", `# ${i}\n\n<b>“ünï” \u2028 🦊</b>`));
  const last = submitted.at(-1)!;
  await app.waitForState(last.id, "succeeded");
  conversationId = last.conversationId;
  path = `/api/conversations/${conversationId}/export`;
}, 30_000);
afterAll(() => app[Symbol.asyncDispose]());

const exported = async (format: string) => {
  const response = await app.fetch(`${path}?format=${format}`);
  return { response, text: await response.text() };
};
const seqsOf = (turns: unknown[]) => turns.map((turn) => turnSchema.strict().parse(turn).seq);
const allSeqs = Array.from({ length: runs * 2 }, (_, index) => index + 1);

test("JSON holds the head and all turns in order", async () => {
  const { response, text } = await exported("json");
  const { turns, ...head } = JSON.parse(text) as { turns: unknown[] };

  expect(response.headers.get("content-type")).toBe("application/json");
  expect(conversationHeadSchema.strict().parse(head)).toMatchObject({
    id: conversationId,
    turnCount: runs * 2,
  });
  expect(seqsOf(turns)).toEqual(allSeqs);
});

test("JSON lines hold a turn each", async () => {
  const { response, text } = await exported("jsonl");
  const turns = text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as unknown);

  expect(response.headers.get("content-type")).toBe("application/jsonl");
  expect(seqsOf(turns)).toEqual(allSeqs);
});

test("Markdown holds every message as it was written", async () => {
  const { response, text } = await exported("md");

  expect(response.headers.get("content-type")).toStartWith("text/markdown");
  expect(response.headers.get("content-disposition")).toBe(`attachment; filename="${conversationId}.md"`);
  expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  expect(text.match(/^## user, /gm)).toHaveLength(runs);
  expect(text.match(/^## assistant, /gm)).toHaveLength(runs);
  expect(text).toContain("# 250\n\n<b>“ünï” \u2028 🦊</b>");
  expect(text.indexOf("# 7\n")).toBeLessThan(text.indexOf("# 8\n"));
});

test("Markdown is what comes when nothing is said, and nothing else is known", async () => {
  const plain = await app.fetch(path);

  expect(plain.headers.get("content-type")).toStartWith("text/markdown");
  expect(await problemLine(await app.fetch(`${path}?format=html`))).toBe("422 invalid format");
  expect(await problemLine(await app.fetch("/api/conversations/conv_none/export"))).toBe(
    "404 conversation_not_found",
  );
});
