import { expect, test } from "bun:test";
import { expectJson } from "../../helpers/http.ts";
import { startApp, type TestApp } from "../../helpers/test-app.ts";

interface Item {
  type: string;
  code?: string;
  text?: string;
}

/** All of them, page by page. */
async function eventsOf(app: TestApp, runId: string): Promise<Item[]> {
  const events: Item[] = [];
  for (;;) {
    const path = `/api/runs/${runId}/events?limit=500&after=${events.length}`;
    const { items } = await expectJson<{ items: Item[] }>(app.fetch, 200, "GET", path);
    events.push(...items);
    if (items.length < 500) return events;
  }
}

test("a run with too many events keeps its text and its end, says so once, and loses no text", async () => {
  await using app = await startApp({ env: { HEADWAY_EVENT_LIMIT: "20" } });
  const { id } = await app.makeAgent({ id: "a", cli: "claude" });

  const run = await app.run(id, "chatty=200 slow=1");
  const events = await eventsOf(app, run.id);

  const texts = events.flatMap((event) => (event.type === "text" ? [event.text ?? ""] : []));
  expect(run.state).toBe("succeeded");
  expect(events.filter(({ code }) => code === "events_truncated")).toHaveLength(1);
  expect(events.length).toBeLessThan(40);
  expect(texts.join("")).toBe(run.content);
  expect(run.content).toContain("w200");
  expect(events.at(-1)?.type).toBe("run.finished");
});

test("text that comes while a commit is under way is joined, and arrives whole and in order", async () => {
  await using app = await startApp();
  const { id } = await app.makeAgent({ id: "a", cli: "claude" });

  const run = await app.run(id, "chatty=3000");
  const events = await eventsOf(app, run.id);

  const texts = events.flatMap((event) => (event.type === "text" ? [event.text ?? ""] : []));
  expect(texts.length).toBeLessThan(2_000);
  expect(texts.join("")).toBe(run.content);
});
