import { expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { join } from "node:path";
import { answered, atMs, openTestStore, settings, type TestStore } from "./fixture.ts";

/** A store with one conversation, and its id. */
async function openTalk(at: TestStore): Promise<string> {
  await at.store.createAgent(settings());
  const { conversationId } = await answered(at.store);
  return conversationId;
}

function keysKept(at: TestStore): string[] {
  const reader = at.store.openReader();
  const rows = reader.query("select key from answer_html order by key").all() as { key: string }[];
  reader.close();
  return rows.map((row) => row.key);
}

test("HTML is found by the keys of its answers, and other keys are left out", async () => {
  await using at = openTestStore();
  const conversationId = await openTalk(at);
  const keep = (key: string) =>
    at.store.keepAnswerHtml({ key, conversationId, rendererVersion: 1, html: `<p>${key}</p>` });

  await Promise.all(["run_1", "run_2", "turn_3"].map(keep));

  const found = at.store.findAnswerHtml(["turn_3", "run_1", "run_9", "run_1"], 1);
  expect(Object.fromEntries(found)).toEqual({ run_1: "<p>run_1</p>", turn_3: "<p>turn_3</p>" });
  expect(at.store.findAnswerHtml([], 1).size).toBe(0);
});

test("any text comes back as it was, and survives a restart", async () => {
  await using at = openTestStore();
  const conversationId = await openTalk(at);
  const html = `<p>ä 🦊 ' " \\ \u2028 </p>\n`;

  await at.store.keepAnswerHtml({ key: "run_1", conversationId, rendererVersion: 1, html });
  await at.reopen();

  expect(at.store.findAnswerHtml(["run_1"], 1).get("run_1")).toBe(html);
});

test("what another version of the renderer made reads as missing, and is overwritten", async () => {
  await using at = openTestStore();
  const conversationId = await openTalk(at);
  const keep = (rendererVersion: number, html: string) =>
    at.store.keepAnswerHtml({ key: "run_1", conversationId, rendererVersion, html });
  await keep(1, "old");

  const missing = at.store.findAnswerHtml(["run_1"], 2);
  await keep(2, "new");

  expect(missing.size).toBe(0);
  expect(at.store.findAnswerHtml(["run_1"], 2).get("run_1")).toBe("new");
  expect(at.store.findAnswerHtml(["run_1"], 1).size).toBe(0);
});

test("each answer that is kept takes a few of older versions away", async () => {
  await using at = openTestStore();
  const conversationId = await openTalk(at);
  const keep = (key: string, rendererVersion: number) =>
    at.store.keepAnswerHtml({ key, conversationId, rendererVersion, html: "x" });
  for (let index = 0; index < 6; index += 1) await keep(`old_${index}`, 1);

  await keep("new_1", 2);
  const afterOne = keysKept(at);
  await keep("new_2", 2);

  expect(afterOne.filter((key) => key.startsWith("old_"))).toHaveLength(2);
  expect(keysKept(at)).toEqual(["new_1", "new_2"]);
});

test("an answer of more than 4 MiB isn't kept, and more than 16 MiB at once aren't either", async () => {
  await using at = openTestStore();
  const conversationId = await openTalk(at);
  const mib = 1024 * 1024;
  const keep = (key: string, bytes: number) =>
    at.store.keepAnswerHtml({ key, conversationId, rendererVersion: 1, html: "é".repeat(bytes / 2) });

  await keep("too-long", 4 * mib + 2);
  await Promise.all(["a", "b", "c", "d", "e"].map((key) => keep(key, 4 * mib)));
  await keep("f", 4 * mib);

  expect(keysKept(at)).toEqual(["a", "b", "c", "d", "f"]);
});

test("nothing is kept for a conversation that isn't there, or is being removed", async () => {
  await using at = openTestStore();
  const conversationId = await openTalk(at);
  const keep = (of: string) =>
    at.store.keepAnswerHtml({ key: `key_${of}`, conversationId: of, rendererVersion: 1, html: "x" });

  await keep("conv_unknown");
  await Promise.all([at.store.removeConversation(conversationId), keep(conversationId)]);

  expect(keysKept(at)).toEqual([]);
  expect(at.store.findConversation(conversationId)).toBeNull();
});

test("HTML goes with its conversation, however much there is of it", async () => {
  await using at = openTestStore();
  const gone = await openTalk(at);
  await at.store.endActiveConversation("ada", atMs);
  const { conversationId: stays } = await answered(at.store);
  const keep = (key: string, conversationId: string) =>
    at.store.keepAnswerHtml({ key, conversationId, rendererVersion: 1, html: "x" });
  await Promise.all(Array.from({ length: 50 }, (_, index) => keep(`gone_${index}`, gone)));
  await keep("stays", stays);

  await at.store.removeConversation(gone);

  expect(keysKept(at)).toEqual(["stays"]);
  expect(at.violations()).toEqual([]);
});

test("a store that can't write loses the HTML and nothing else, and says once that it fails", async () => {
  await using at = openTestStore();
  const conversationId = await openTalk(at);
  const blocker = new Database(join(at.dataDir, "headway.db"));
  blocker.run("begin immediate");

  const kept = await at.store.keepAnswerHtml({ key: "run_1", conversationId, rendererVersion: 1, html: "x" });
  blocker.run("rollback");
  blocker.close();

  expect(kept).toBeUndefined();
  expect(keysKept(at)).toEqual([]);
  expect(at.facts.filter((fact) => fact.type === "store.failed")).toHaveLength(1);
});
