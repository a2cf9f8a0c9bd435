import { describe, expect, test } from "bun:test";
import type { RunEventBody } from "../../src/domain/event.ts";
import {
  answered,
  atMs,
  errorOf,
  openTestStore,
  reapStrays,
  running,
  settings,
  settlement,
  type TestStore,
} from "./fixture.ts";

const dayMs = 86_400_000;
const endedAtMs = atMs + 1_000;

function eventsOf(at: TestStore): Record<string, number> {
  const reader = at.store.openReader();
  const rows = reader
    .query<{ id: string; n: number }, []>(
      `select run_id as id, count(*) as n from run_events group by run_id`,
    )
    .all();
  reader.close();
  return Object.fromEntries(rows.map(({ id, n }) => [id, n]));
}

async function withMany(at: TestStore, count: number) {
  const claimed = await running(at.store);
  const events = Array.from({ length: count }, (): RunEventBody => ({ type: "thinking", text: "hm" }));
  await at.store.append(claimed.runId, claimed.fence, events, atMs + 2);
  await at.store.settle(settlement(claimed));
  return claimed.runId;
}

describe("events", () => {
  test("go a while after the end of their run; the run, its message and its answer stay", async () => {
    await using at = openTestStore();
    await at.store.createAgent(settings());
    const run = await answered(at.store);
    const { conversationId, id } = run;
    await at.store.keepAnswerHtml({ key: id, conversationId, rendererVersion: 1, html: "<p>tool</p>" });
    const turns = at.store.pageTurns(conversationId, { limit: 10, before: null });

    const early = await at.store.sweepEvents(endedAtMs, endedAtMs + dayMs);
    const late = await at.store.sweepEvents(endedAtMs + 1, endedAtMs + dayMs);
    const again = await at.store.sweepEvents(endedAtMs + 1, endedAtMs + dayMs);

    expect([early, late, again]).toEqual([0, 3, 0]);
    expect(at.store.getRun(id)).toEqual({
      ...run,
      eventsRemovedAt: new Date(endedAtMs + dayMs).toISOString(),
    });
    expect(at.store.pageTurns(conversationId, { limit: 10, before: null })).toEqual(turns);
    expect(at.store.listEvents(id, 0, 10)).toEqual([]);
    expect(at.store.findAnswerHtml([id], 1).size).toBe(0);
    expect(at.violations()).toEqual([]);
  });

  test("of a run with very many go in batches, and the rules hold between any two of them", async () => {
    await using at = openTestStore();
    await at.store.createAgent(settings());
    const runId = await withMany(at, 2_500);

    const first = await at.store.sweepEvents(endedAtMs + 1, endedAtMs + dayMs);
    const left = eventsOf(at)[runId];
    const violations = at.violations();
    // As if a crash had come between them.
    await at.reopen();
    await reapStrays(at.store);
    const rest = [2, 3].map(() => at.store.sweepEvents(endedAtMs + 1, endedAtMs + 2 * dayMs));

    expect([first, left]).toEqual([1_000, 1_503]);
    expect(violations).toEqual([]);
    expect(await Promise.all(rest)).toEqual([1_000, 503]);
    expect(at.store.getRun(runId)?.eventsRemovedAt).toBe(new Date(endedAtMs + dayMs).toISOString());
    expect(eventsOf(at)).toEqual({});
    expect(at.violations()).toEqual([]);
  });

  test("of runs in progress stay, and so do those of a conversation that is being removed until it is", async () => {
    await using at = openTestStore();
    await at.store.createAgent(settings());
    const { runId } = await running(at.store);

    const removed = await at.store.sweepEvents(atMs + 100 * dayMs, atMs + 200 * dayMs);

    expect(removed).toBe(0);
    expect(eventsOf(at)[runId]).toBe(2);
  });

  test("that are gone don't stand in the way of removing the conversation", async () => {
    await using at = openTestStore();
    await at.store.createAgent(settings());
    const run = await answered(at.store);
    await at.store.sweepEvents(endedAtMs + 1, endedAtMs + dayMs);
    await at.store.endActiveConversation("ada", atMs);

    expect(await at.store.removeConversation(run.conversationId)).toEqual({ runIds: [run.id] });

    await at.reopen();
    await reapStrays(at.store);
    expect(at.store.getRun(run.id)).toBeNull();
    expect(at.violations()).toEqual([]);
  });
});

describe("raw logs", () => {
  test("are noted as removed once, of runs that have ended", async () => {
    await using at = openTestStore();
    await at.store.createAgent(settings());
    const run = await answered(at.store);
    const { runId: active } = await running(at.store);

    await at.store.noteLogsRemoved([run.id, "run_gone"], endedAtMs + 5);
    await at.store.noteLogsRemoved([run.id], endedAtMs + 9);

    expect(at.store.endsOf([run.id, active, "run_gone"])).toEqual(new Map([[run.id, endedAtMs]]));
    expect(at.store.getRun(run.id)?.logRemovedAt).toBe(new Date(endedAtMs + 5).toISOString());
    expect(String(await errorOf(at.store.noteLogsRemoved([active], atMs)))).toContain(
      "after the end of its run",
    );
  });
});
