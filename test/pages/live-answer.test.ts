import { describe, expect, test } from "bun:test";
import type { RunEventBody } from "../../src/domain/event.ts";
import { loadMarkdown } from "../../src/routes/pages/chat/load-markdown.ts";
import { createLiveAnswer } from "../../src/routes/pages/chat/live-answer.tsx";
import { aRun, eventsOf } from "../helpers/records.ts";

const running: RunEventBody[] = [{ type: "run.queued" }, { type: "run.started" }];
const text = (words: string, block = 0): RunEventBody => ({ type: "text", block, text: words });

/** A live answer over a log that grows by `say`. */
async function answering() {
  const log: RunEventBody[] = [...running];
  const view = createLiveAnswer({
    run: aRun({ state: "starting" }),
    name: "helper",
    markdown: await loadMarkdown(),
    listEvents: (runId, after, limit) => eventsOf(runId, log).slice(after, after + limit),
  });
  const say = async (...events: RunEventBody[]) => {
    log.push(...events);
    await view.read();
    return view.changes();
  };
  await view.read();
  view.whole();
  return { view, say };
}

describe("a live answer", () => {
  test("adds a new part once and then only changes its end", async () => {
    const { say } = await answering();

    const first = await say(text("One **tw"));
    const second = await say(text("o**."));

    expect(first).toContain('hx-target="#run_1-parts" hx-swap="beforeend"');
    expect(first).toContain("<p>One <strong>tw</strong></p>");
    expect(second).toBe(
      '<hx-partial hx-target="#run_1-part-0-open" hx-swap="innerHTML"><p>One <strong>two</strong>.</p>\n</hx-partial>',
    );
  });

  test("says nothing when nothing has changed", async () => {
    const { say } = await answering();
    await say(text("words"));

    expect(await say()).toBe("");
  });

  test("leaves a tool call where it is and fills in what came of it", async () => {
    const { say } = await answering();
    await say({ type: "tool.started", toolId: "t1", name: "Bash", input: { command: "ls" } });

    const finished = await say({ type: "tool.finished", toolId: "t1", isError: false, output: "a.txt" });

    expect(finished).toContain('hx-target="#run_1-part-0" hx-swap="innerMorph"');
    expect(finished).toContain("a.txt");
  });

  test("takes a discarded text away and shows the new one", async () => {
    const { say } = await answering();
    await say(text("wrong"));

    const again = await say({ type: "text.discarded", block: 0 }, text("right"));

    expect(again).toContain('hx-target="#run_1-part-0" hx-swap="delete"');
    expect(again).toContain("<p>right</p>");
  });

  test("tells what it is doing", async () => {
    const { say } = await answering();

    const thinking = await say({ type: "thinking", text: "hm" });
    const using = await say({ type: "tool.started", toolId: "t1", name: "<Bash>", input: {} });

    expect(thinking).toContain("thinking …");
    expect(using).toContain("running &lt;Bash&gt; …");
  });

  test("shown whole, has everything that the changes brought", async () => {
    const { view, say } = await answering();
    await say(text("First.\n\nSecond"));
    await say(text(" half.\n\nThird"));

    const whole = view.whole();

    expect(whole.match(/<p>(?:First|Second half|Third)\.?<\/p>/g)).toEqual([
      "<p>First.</p>",
      "<p>Second half.</p>",
      "<p>Third</p>",
    ]);
    expect(whole).toContain('aria-busy="true"');
  });
});
