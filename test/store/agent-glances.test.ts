import { expect, test } from "bun:test";
import type { RunEventBody } from "../../src/domain/event.ts";
import { lastLineOf } from "../../src/store/agent-glances.ts";
import { answered, atMs, openTestStore, queued, running, settings, settlement } from "./fixture.ts";

const failed = { state: "failed", error: { code: "cli_error", message: "no" }, contentFinal: false } as const;

test("an agent that has done nothing yet has nothing to show, and one that isn't there is left out", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  await at.store.createAgent(settings({ id: "bob" }));
  await at.store.removeAgent("bob", atMs);

  const glances = at.store.glancesOf(["ada", "bob", "nobody", "ada"]);

  expect([...glances]).toEqual([["ada", { active: null, lastRun: null, lastLine: null }]]);
});

test("a run in progress shows the newest event that tells what it does", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const claimed = await running(at.store);
  const glance = () => at.store.glancesOf(["ada"]).get("ada")!.active;
  const append = (...events: RunEventBody[]) =>
    at.store.append(claimed.runId, claimed.fence, events, atMs + 5);
  const quiet = glance();

  await append({ type: "tool.started", toolId: "t1", name: "Bash", input: { command: "ls" } });
  await append({ type: "notice", code: "api_retry", message: "again" });

  expect(quiet).toMatchObject({ runId: claimed.runId, state: "running", lastEvent: null });
  expect(glance()).toMatchObject({
    startedAt: "2027-01-15T08:00:00.000Z",
    lastEvent: { seq: 3, runId: claimed.runId, type: "tool.started", name: "Bash", input: { command: "ls" } },
  });
});

test("what a run did is forgotten when it has told only other things for long", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const { runId, fence } = await running(at.store);
  const notice: RunEventBody = { type: "notice", code: "api_retry", message: "again" };

  await at.store.append(runId, fence, [{ type: "text", text: "Hm", block: 0 }], atMs);
  await at.store.append(runId, fence, Array<RunEventBody>(199).fill(notice), atMs);
  const before = at.store.glancesOf(["ada"]).get("ada")!.active!.lastEvent;
  await at.store.append(runId, fence, [notice], atMs);

  expect(before).toMatchObject({ type: "text" });
  expect(at.store.glancesOf(["ada"]).get("ada")!.active!.lastEvent).toBeNull();
});

test("the last run is the one that ended last, and none that was taken back while it waited", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const first = await running(at.store);
  const takenBack = await queued(at.store);
  await at.store.requestCancel(takenBack.id, atMs + 9_000);
  await at.store.settle(settlement(first, failed));

  const { lastRun, active } = at.store.glancesOf(["ada"]).get("ada")!;

  expect(active).toBeNull();
  expect(lastRun).toEqual({
    runId: first.runId,
    state: "failed",
    errorCode: "cli_error",
    endedAt: "2027-01-15T08:00:01.000Z",
  });
});

test("the last line said stays when runs without a word follow, and goes with its conversation", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const { conversationId } = await answered(at.store, {}, { content: "First\nall is well" });
  await at.store.endActiveConversation("ada", atMs);
  await answered(at.store, { atMs: atMs + 5_000 }, { ...failed, content: "", endedAtMs: atMs + 6_000 });
  const lastLine = () => at.store.glancesOf(["ada"]).get("ada")!.lastLine;

  const said = lastLine();
  await at.store.removeConversation(conversationId);

  expect(said).toBe("all is well");
  expect(lastLine()).toBeNull();
});

test("the last line of a huge answer is found at its end, and a character cut in two does no harm", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  await answered(at.store, {}, { content: `${"é".repeat(500_001)}\nthe end` });
  const endOfLine = async (content: string) => {
    await answered(at.store, {}, { content });
    return at.store.glancesOf(["ada"]).get("ada")!.lastLine!;
  };

  const short = at.store.glancesOf(["ada"]).get("ada")!.lastLine;
  const long = await endOfLine("é".repeat(500_001));
  const longer = await endOfLine(`x${"é".repeat(500_001)}`);

  expect(short).toBe("the end");
  for (const line of [long, longer]) expect(line).toMatch(/^\ufffd?é+…$/);
  expect([long.length, longer.length]).toEqual([200, 200]);
});

test.each([
  ["one\ntwo\n\n", "two"],
  ["Done:\n\n```sh\nnpm test\n```\n", "npm test"],
  ["Done.\n~~~\n---\n***\n| --- | --- |", "Done."],
  ["## A heading ##", "A heading ##"],
  ["> - quoted item", "quoted item"],
  ["* **bold**\r\n", "**bold**"],
  ["-5 degrees", "-5 degrees"],
  ["完了しました", "完了しました"],
  ["\n \t\n", null],
  ["```\n```", null],
  ["", null],
])("the last line of %j is %j", (text, line) => {
  expect(lastLineOf(text)).toBe(line);
});
