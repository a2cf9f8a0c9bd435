import { describe, expect, test } from "bun:test";
import type { RunEventBody } from "../../src/domain/event.ts";
import { atMs } from "../store/fixture.ts";
import { openReader, readPage } from "./run-reader.ts";
import { openRunStage, type RunStage } from "./run-stage.ts";

/** Thoughts aren't joined by the store, as a recorder's would be. */
const pieces = (count: number, block = 0): RunEventBody[] =>
  Array.from({ length: count }, (_, index) => ({ type: "text", block, text: `word${index} ` }));

/** Lets a run of "ada" say more. */
async function say(stage: RunStage, runId: string, events: readonly RunEventBody[]): Promise<void> {
  await stage.store.append(runId, 1, events, atMs + 10);
  stage.dependencies.wakeups.announce({ runId, agentId: "ada" });
}

describe("the page of a run that goes on", () => {
  test.each([
    ["in one go", 1],
    ["over a reconnect after every update", 2],
  ])("becomes, %s, what the page is when it is loaded anew", async (_, mode) => {
    await using stage = await openRunStage();
    const { id } = await stage.submit("slow=2 tool=echo begun; sleep 0.2; echo done");
    const reader = await openReader(stage, `/runs/${id}`);

    await reader.followToEnd(mode === 1 ? undefined : reader.reconnect);

    const whole = readPage(await stage.page(`/runs/${id}?after=0`));
    const log = await stage.dependencies.readLogPiece(id, 0, 1_000_000);
    expect([...reader.rows]).toEqual([...whole.rows]);
    expect([...reader.steps]).toEqual([...whole.steps]);
    expect(reader.steps.size).toBe(5);
    expect(reader.log).toBe(log!.text);
    expect(reader.news).toEqual([{ agentId: "carl", runId: id, state: "succeeded" }]);
    expect(reader.places.get("timeline-drawing")).toContain('class="bar"');
    expect(reader.places.get("run-head")).toContain("Send it again");
    expect(reader.places.get("run-texts")).toContain("Tool said: begun");
  });

  test("shows what a CLI prints without saying anything by events", async () => {
    await using stage = await openRunStage();
    const run = await stage.record({ events: [] });
    let text = "so far\n";
    let grow = () => undefined as void;
    const openView = stage.openViewWith({
      onLogGrown: (_, wake) => {
        grow = wake;
        return () => undefined;
      },
      readLogPiece: async (_, from, max) => {
        const fromByte = from < 0 ? Math.max(0, text.length + from) : from;
        const piece = text.slice(fromByte, fromByte + max);
        return { text: piece, fromByte, nextByte: fromByte + piece.length, totalBytes: text.length };
      },
    });
    const reader = await openReader(stage, `/runs/${run.id}`, openView);
    await reader.look();
    expect(reader.log).toBe("so far\n");

    text += '[stderr] <b>careful</b> & "so"\n';
    grow();
    expect(await reader.look()).toBe(true);
    expect(reader.log).toBe(text);

    text += "x".repeat(100_000);
    grow();
    await reader.look();
    expect(reader.log).toBe(text.slice(-65_536));
    expect(reader.places.get("raw-log-size")).toBe("97.7 KiB, secrets masked; the last 64.0 KiB are shown.");

    for (let round = 0; round < 20; round++) {
      text += `${round} `.repeat(10_000);
      grow();
      await reader.look();
    }
    expect(text).toEndWith(reader.log);
    expect(reader.log.length).toBeLessThanOrEqual(262_144);
    reader.close();
  });

  test("begins again with the newest events when too many have come at once", async () => {
    await using stage = await openRunStage();
    const run = await stage.record({ events: [{ type: "thinking", text: "hm" }] });
    const reader = await openReader(stage, `/runs/${run.id}`);
    await reader.look();

    await say(stage, run.id, pieces(5_000));
    await reader.look();

    expect([...reader.rows.keys()]).toEqual(["4804"]);
    expect(reader.rows.get("4804")?.line).toStartWith("4804–5003");
    expect(reader.places.get("events-pager")).toContain("after=4603");
    expect(reader.places.get("events-total")).toBe("5,003 events in all");
    reader.close();
  });

  test("never has more than a bounded number of events, however long it is looked at", async () => {
    await using stage = await openRunStage();
    const run = await stage.record({ events: [] });
    const reader = await openReader(stage, `/runs/${run.id}`);
    await reader.look();
    let most = 0;

    for (let round = 0; round < 30; round++) {
      const notices = Array.from({ length: 50 }, () => ({
        type: "notice",
        code: "api_retry",
        message: "again",
      }));
      await say(stage, run.id, notices as RunEventBody[]);
      await reader.look();
      most = Math.max(most, reader.rows.size);
    }

    expect(most).toBeLessThanOrEqual(600);
    expect(reader.rows.has("1502")).toBe(true);
    reader.close();
  });

  test("with a filter grows by what it lets through", async () => {
    await using stage = await openRunStage();
    const run = await stage.record({
      events: [...pieces(3), { type: "notice", code: "api_retry", message: "one" }],
    });
    const reader = await openReader(stage, `/runs/${run.id}?type=notices`);
    await reader.look();

    await say(stage, run.id, [...pieces(3), { type: "notice", code: "compacted", message: "two" }]);
    await reader.look();
    reader.reconnect();
    await say(stage, run.id, [{ type: "notice", code: "compacted", message: "three" }]);
    await reader.look();

    const lines = [...reader.rows.values()].map(({ line }) => line.replace(/^\d+ \S+ \S+ /, ""));
    expect(lines).toEqual(["notice api_retry: one", "notice compacted: two", "notice compacted: three"]);
    reader.close();
  });

  test("with a filter that let nothing through has its first row when there is one", async () => {
    await using stage = await openRunStage();
    const run = await stage.record({ events: pieces(3) });
    const reader = await openReader(stage, `/runs/${run.id}?type=tools`);
    await reader.look();

    await say(stage, run.id, pieces(3));
    await reader.look();
    const still = reader.rows.size;
    await say(stage, run.id, [{ type: "tool.started", toolId: "t", name: "Bash", input: {} }]);
    await reader.look();

    expect(still).toBe(0);
    expect([...reader.rows.keys()]).toEqual(["9"]);
    expect(reader.places.get("events-pager")).toBe("");
    reader.close();
  });

  test("in an older window stands still and counts", async () => {
    await using stage = await openRunStage();
    const run = await stage.record({ events: pieces(500) });
    const reader = await openReader(stage, `/runs/${run.id}?after=10`);
    await reader.look();
    const before = structuredClone(reader.rows);

    await say(stage, run.id, pieces(300, 1));
    await reader.look();

    expect(reader.rows).toEqual(before);
    expect(reader.places.get("events-total")).toBe("802 events in all");
    reader.close();
  });

  test("takes a text's later pieces into the row that it has", async () => {
    await using stage = await openRunStage();
    const run = await stage.record({ events: pieces(2) });
    const reader = await openReader(stage, `/runs/${run.id}`);
    await reader.look();

    await say(stage, run.id, [...pieces(1), ...pieces(2, 1)]);
    await reader.look();

    expect([...reader.rows.keys()]).toEqual(["1", "2", "3", "6"]);
    expect(reader.rows.get("3")?.line).toContain("3–5");
    expect(reader.rows.get("3")?.body).toBe("word0 word1 word0 ");
    expect(reader.rows.get("6")?.body).toBe("word0 word1 ");
    reader.close();
  });
});
