import { describe, expect, test } from "bun:test";
import { atMs, queued, settlement } from "../store/fixture.ts";
import { openReader } from "./run-reader.ts";
import { openRunStage } from "./run-stage.ts";

describe("the live view of a run", () => {
  test("of one that waits tells its place when another leaves the queue, and its end when it is taken back", async () => {
    await using stage = await openRunStage();
    const first = await queued(stage.store);
    const second = await queued(stage.store);
    const reader = await openReader(stage, `/runs/${second.id}`);
    await reader.look();

    await stage.runner.cancelRun(first.id);
    await reader.look();
    const waiting = reader.places.get("run-head");
    await stage.runner.cancelRun(second.id);
    await reader.followToEnd();

    expect(waiting).toContain("waiting, place 1");
    expect(reader.places.get("run-head")).toContain("stopped");
    expect(reader.news).toEqual([{ agentId: "ada", runId: second.id, state: "cancelled" }]);
    expect([...reader.steps.keys()]).toEqual(["queued", "ended"]);
  });

  test("tells what the run becomes, step by step, and its end once", async () => {
    await using stage = await openRunStage();
    const run = await stage.record({ events: [] });
    const reader = await openReader(stage, `/runs/${run.id}`);
    const announce = () => stage.dependencies.wakeups.announce({ runId: run.id, agentId: "ada" });
    await reader.look();

    await stage.store.note(run.id, 1, { firstOutputAtMs: atMs + 5, model: "opus", cliVersion: "9.9.9" });
    announce();
    await reader.look();
    const facts = reader.places.get("run-facts");
    await stage.store.append(
      run.id,
      1,
      [{ type: "tool.started", toolId: "t", name: "Bash", input: { command: "ls" } }],
      atMs + 10,
    );
    announce();
    await reader.look();
    const open = reader.steps.get("3");
    await stage.store.append(
      run.id,
      1,
      [{ type: "tool.finished", toolId: "t", isError: false, output: "" }],
      atMs + 20,
    );
    announce();
    await reader.look();
    await stage.store.settle(settlement({ runId: run.id, fence: 1 }));
    announce();
    await reader.followToEnd();

    expect(facts).toContain("opus");
    expect(facts).toContain("9.9.9");
    expect(open).toContain("since 08:00:00 UTC");
    expect(reader.steps.get("3")).toBe("+10 msBash ls 10 ms");
    expect([...reader.steps.keys()]).toEqual(["queued", "started", "first-output", "3", "ended"]);
    expect(reader.news).toHaveLength(1);
  });

  test("of a cursor that it doesn't know shows everything anew, and tells no old news", async () => {
    await using stage = await openRunStage();
    const run = await stage.record({ events: [{ type: "thinking", text: "hm" }], end: {} });

    for (const cursor of ["", "all.grows.0.1.0", "toString.grows.0.0.0.0", "<script>", "-1"]) {
      const update = await stage.openView(run.id, cursor, () => undefined).update();

      expect(update).toMatchObject({ gone: true, news: [], cursor: "all.grows.0.4.0.0" });
      for (const id of ["run-head", "run-facts", "run-texts", "steps", "timeline-drawing", "event-list"]) {
        expect(update.html).toContain(`hx-target="#${id}"`);
      }
    }
  });

  test("of a run that isn't there, or is deleted meanwhile, says that it is gone", async () => {
    await using stage = await openRunStage();
    const run = await stage.record({ events: [] });
    const view = stage.openView(run.id, "", () => undefined);
    await view.update();
    await stage.store.settle(settlement({ runId: run.id, fence: 1 }));
    await stage.store.endActiveConversation("ada", atMs + 2_000);
    await stage.store.removeConversation(run.conversationId);
    stage.dependencies.wakeups.announce({ runId: run.id, agentId: "ada" });

    const updates = [
      await view.update(),
      await stage.openView(run.id, "", () => undefined).update(),
      await stage.openView("run_none", "all.grows.0.0.0.0", () => undefined).update(),
    ];

    for (const { html, gone } of updates) {
      expect(gone).toBe(true);
      expect(html).toContain("This run is gone");
    }
  });

  test("says nothing when nothing has changed, and rings no more when it is closed", async () => {
    await using stage = await openRunStage();
    const run = await stage.record({ events: [{ type: "thinking", text: "hm" }] });
    let rings = 0;
    const view = stage.openView(run.id, "", () => void rings++);
    const first = await view.update();

    const second = await view.update();
    stage.dependencies.wakeups.announce({ runId: run.id, agentId: "ada" });
    view.close();
    stage.dependencies.wakeups.announce({ runId: run.id, agentId: "ada" });

    expect(first.html).not.toBe("");
    expect(second).toEqual({ html: "", cursor: first.cursor, gone: false, news: [] });
    expect(rings).toBe(1);
  });

  test("keeps the newest tool calls of a run that has very many, in the table that there is", async () => {
    await using stage = await openRunStage();
    const start = (index: number) =>
      ({ type: "tool.started", toolId: `t${index}`, name: "Bash", input: { command: `${index}` } }) as const;
    const run = await stage.record({ events: Array.from({ length: 600 }, (_, index) => start(index)) });
    const reader = await openReader(stage, `/runs/${run.id}`);
    await reader.look();

    await stage.store.append(run.id, 1, [600, 601].map(start), atMs + 10);
    stage.dependencies.wakeups.announce({ runId: run.id, agentId: "ada" });
    const view = stage.openView(run.id, reader.cursor, () => undefined);
    await reader.look();
    await view.update();

    const calls = [...reader.steps.keys()].slice(2);
    expect(calls).toHaveLength(500);
    expect([calls[0], calls.at(-1)]).toEqual(["105", "604"]);
    expect(await stage.page(`/runs/${run.id}`)).toContain("Of its tool calls the newest 500;");
    for (const opened of [reader, view]) opened.close();
  });

  test("never folds the text of a run in progress, which may be very long", async () => {
    await using stage = await openRunStage();
    const run = await stage.record({ events: [] });
    let folds = 0;
    const getRun = (runId: string) => (folds++, stage.store.getRun(runId));
    const view = stage.openViewWith({ runs: { ...stage.store, getRun } })(run.id, "", () => undefined);
    await view.update();

    for (const text of ["one ", "two "]) {
      await stage.store.append(run.id, 1, [{ type: "text", block: 0, text }], atMs + 10);
      stage.dependencies.wakeups.announce({ runId: run.id, agentId: "ada" });
      expect((await view.update()).html).toContain(text);
    }
    const foldsWhileRunning = folds;
    await stage.store.settle(settlement({ runId: run.id, fence: 1 }));
    stage.dependencies.wakeups.announce({ runId: run.id, agentId: "ada" });
    const { html } = await view.update();

    expect(foldsWhileRunning).toBe(0);
    expect(html).toContain("Hello");
    view.close();
  });
});
