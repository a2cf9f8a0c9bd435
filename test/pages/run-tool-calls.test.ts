import { describe, expect, test } from "bun:test";
import type { RunEventBody } from "../../src/domain/event.ts";
import { textOf } from "./run-reader.ts";
import { openRunStage } from "./run-stage.ts";

const shutdown = { code: "shutdown", message: "The server was shut down." } as const;
const call = (toolId: string, name: string, input: unknown, output?: string): RunEventBody[] => [
  { type: "tool.started", toolId, name, input },
  ...(output === undefined ? [] : [{ type: "tool.finished" as const, toolId, isError: false, output }]),
];

describe("the page of a tool call", () => {
  test("shows the whole of it, and leads back to the run", async () => {
    await using stage = await openRunStage();
    const output = `${"line\n".repeat(10_000)}the end`;
    const run = await stage.record({ events: call("t1", "Bash", { command: "make all" }, output), end: {} });

    const html = await stage.page(`/runs/${run.id}/tools/t1`);

    expect(html).toContain("<h1>Bash</h1>");
    expect(textOf(html)).toContain("make all");
    expect(textOf(html)).toContain(output);
    expect(html).toContain(`<a href="/runs/${run.id}">the run</a>`);
  });

  test("shows an edit as a diff, and any other input as JSON", async () => {
    await using stage = await openRunStage();
    const edit = { file_path: "/srv/a.ts", old_string: "let a = 1;", new_string: "let a = 2;" };
    const events = [
      ...call("t1", "Edit", edit, "done"),
      ...call("t2", "Search", { words: ["a", "b"] }, "none"),
    ];
    const run = await stage.record({ events, end: {} });

    const ofEdit = await stage.page(`/runs/${run.id}/tools/t1`);
    const ofSearch = await stage.page(`/runs/${run.id}/tools/t2`);

    expect(ofEdit).toContain('class="diff');
    expect(textOf(ofSearch)).toContain(JSON.stringify({ words: ["a", "b"] }, null, 2));
  });

  test("tells a call that runs, and one whose end was never told", async () => {
    await using stage = await openRunStage();
    const events = call("t1", "Bash", { command: "sleep 9" });
    const ended = await stage.record({ events, end: { state: "interrupted", error: shutdown } });
    const live = await stage.record({ events });

    const ofLive = await stage.page(`/runs/${live.id}/tools/t1`);
    const ofEnded = await stage.page(`/runs/${ended.id}/tools/t1`);

    expect(ofLive).toContain('<span class="chip state-running">running</span>');
    expect(ofEnded).toContain("ended with the run,");
    expect(ofLive + ofEnded).not.toContain("Output");
  });

  test("cuts an output of more than a megabyte and says so", async () => {
    await using stage = await openRunStage();
    const events = call("t1", "Bash", { command: "cat" }, "<".repeat(1_048_576 + 1_234));
    const run = await stage.record({ events, end: {} });

    const html = await stage.page(`/runs/${run.id}/tools/t1`);

    expect(html.split("&lt;")).toHaveLength(1_048_576 + 1);
    expect(html).toContain("… and 1,234 characters more");
    expect(html).toContain(`href="/runs/${run.id}?type=tools#events"`);
  });

  test("is for a card only what stands in it", async () => {
    await using stage = await openRunStage();
    const run = await stage.record({ events: call("t1", "Bash", { command: "ls" }, "a.ts"), end: {} });

    const answer = await stage.request(`/runs/${run.id}/tools/t1`, { headers: { "hx-request": "true" } });

    const html = await answer.text();
    expect(html).toStartWith('<div class="tool-whole">');
    expect(html).toEndWith("</div>");
    expect(textOf(html)).toContain("a.ts");
  });

  test.each(["t2", "..%2F..", "t1%00", "%ff"])("that isn't there (%s) says so", async (toolId) => {
    await using stage = await openRunStage();
    const run = await stage.record({ events: call("t1", "Bash", { command: "ls" }), end: {} });

    const [ofCall, ofRun, ofCard] = await Promise.all([
      stage.request(`/runs/${run.id}/tools/${toolId}`),
      stage.request(`/runs/run_none/tools/${toolId}`),
      stage.request(`/runs/${run.id}/tools/${toolId}`, { headers: { "hx-request": "true" } }),
    ]);

    expect([ofCall.status, ofRun.status, ofCard.status]).toEqual([404, 404, 404]);
    expect(await ofCall.text()).toContain("The run has no such tool call.");
    expect(await ofCard.text()).toBe('<p class="problem">The run has no such tool call.</p>');
  });

  test.each([
    "a/b",
    "../..",
    "a?b#c",
    "100%",
    "%2F",
    "<b>'\"",
    "é 漢 🚆",
    " ",
    "a\nb",
    "...",
    "x".repeat(500),
  ])("is where the timeline leads, whatever its id is (%j)", async (toolId) => {
    await using stage = await openRunStage();
    const run = await stage.record({
      events: call(toolId, "Bash", { command: "ls" }, "the output"),
      end: {},
    });

    const [, path = ""] =
      /<a href="([^"]*)"><span class="tool-name">/.exec(await stage.page(`/runs/${run.id}`)) ?? [];
    const html = await stage.page(new URL(textOf(path), "http://x").pathname);

    expect(textOf(html)).toContain("the output");
  });

  test.each(["", ".", "..", "\ud800", "x".repeat(501)])(
    "can't be led to by some ids (%j)",
    async (toolId) => {
      await using stage = await openRunStage();
      const run = await stage.record({ events: call(toolId, "Bash", { command: "ls" }, "out"), end: {} });

      const html = await stage.page(`/runs/${run.id}`);

      expect(html).toContain('<td><span class="tool-name">Bash</span>');
      expect(html).not.toContain("/tools/");
    },
  );
});

describe("the steps of a run", () => {
  const denied: RunEventBody[] = [
    { type: "tool.started", toolId: "t1", name: "Bash", input: { command: "rm it" } },
    { type: "tool.finished", toolId: "t1", isError: true, output: "denied" },
    { type: "notice", code: "permission_denied", message: 'Bash was not allowed in permission mode "read".' },
  ];

  test("tell a denied call as not allowed, not as failed", async () => {
    await using stage = await openRunStage();
    const run = await stage.record({ events: denied, end: {} });

    const html = await stage.page(`/runs/${run.id}`);

    expect(html).toContain('<span class="chip state-denied">not allowed</span>');
    expect(html).not.toContain("state-failed");
  });

  test.each([
    ["interrupted", "ended with the run"],
    ["failed", "ended with the run"],
    ["succeeded", "no end seen"],
  ] as const)("of one that %s say of a call whose end nobody told: %s", async (state, words) => {
    await using stage = await openRunStage();
    const error = state === "succeeded" ? null : shutdown;
    const run = await stage.record({
      events: call("t1", "Bash", { command: "sleep 9" }),
      end: { state, error },
    });

    const html = await stage.page(`/runs/${run.id}`);

    expect(html).toContain(`<td class="took">${words}</td>`);
  });
});
