import { describe, expect, test } from "bun:test";
import type { RunEventBody } from "../../src/domain/event.ts";
import { answered, atMs, openTestStore, queued, running, settings, settlement } from "./fixture.ts";

const note = (message: string): RunEventBody => ({ type: "notice", code: "api_retry", message });
const word = (text: string): RunEventBody => ({ type: "text", block: 0, text });

describe("what the page of a run reads", () => {
  test("events of some types, or of all, after a seq", async () => {
    await using stage = openTestStore();
    const { store } = stage;
    await store.createAgent(settings());
    const { runId, fence } = await running(store);
    await store.append(runId, fence, [word("a"), note("b"), word("c"), note("d"), note("e")], atMs + 2);

    const notices = store.listEventsOfTypes(runId, ["notice"], 4, 10);
    const either = store.listEventsOfTypes(runId, ["notice", "text"], 0, 3);
    const all = store.listEventsOfTypes(runId, null, 0, 100);

    expect(notices.map(({ seq }) => seq)).toEqual([6, 7]);
    expect(either.map(({ seq }) => seq)).toEqual([3, 4, 5]);
    expect(all).toEqual(store.listEvents(runId, 0, 100));
  });

  test("where a window of so many events begins", async () => {
    await using stage = openTestStore();
    const { store } = stage;
    await store.createAgent(settings());
    const { runId, fence } = await running(store);
    await store.append(runId, fence, [word("a"), note("b"), word("c"), note("d"), note("e")], atMs + 2);

    const starts = [
      store.findWindowStart(runId, null, 1_000, 3),
      store.findWindowStart(runId, null, 6, 3),
      store.findWindowStart(runId, null, 1_000, 7),
      store.findWindowStart(runId, ["notice"], 1_000, 2),
      store.findWindowStart(runId, ["notice"], 7, 2),
      store.findWindowStart("run_none", null, 1_000, 0),
    ];

    expect(starts).toEqual([4, 2, 0, 4, 0, 0]);
  });

  test("which runs repeat it, oldest first", async () => {
    await using stage = openTestStore();
    const { store } = stage;
    await store.createAgent(settings());
    const first = await answered(store);
    const retries = [
      await answered(store, { retryOf: first.id }),
      await answered(store, { retryOf: first.id }),
      await queued(store, { retryOf: first.id }),
    ];

    expect(store.listRetries(first.id, 10)).toEqual(retries.map(({ id }) => id));
    expect(store.listRetries(first.id, 2)).toHaveLength(2);
    expect(store.listRetries(retries[0]!.id, 10)).toEqual([]);
  });

  test("where its message stands, once it stands somewhere", async () => {
    await using stage = openTestStore();
    const { store } = stage;
    await store.createAgent(settings());
    const done = await answered(store);
    const waiting = await queued(store);
    const withdrawn = await queued(store);
    await store.requestCancel(withdrawn.id, atMs + 5);

    const seqs = [done, waiting, withdrawn].map(({ id }) => store.findUserTurnSeq(id));

    expect(seqs).toEqual([1, null, null]);
  });

  test("the run itself without its answer, in every state", async () => {
    await using stage = openTestStore();
    const { store } = stage;
    await store.createAgent(settings());
    const claimed = await running(store);
    await store.append(claimed.runId, claimed.fence, [word("so far")], atMs + 2);

    for (const end of [false, true]) {
      if (end) await store.settle(settlement(claimed));
      const { content, ...whole } = store.getRun(claimed.runId)!;
      expect(content).not.toBe("");
      expect(store.findRunWithoutContent(claimed.runId)).toEqual(whole);
    }
    expect(store.findRunWithoutContent("run_none")).toBeNull();
  });
});
