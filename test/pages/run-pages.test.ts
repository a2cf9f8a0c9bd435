import { describe, expect, test } from "bun:test";
import type { RunErrorCode } from "../../src/domain/error-codes.ts";
import type { RunEventBody } from "../../src/domain/event.ts";
import type { Settlement } from "../../src/domain/ports.ts";
import { queued, starting } from "../store/fixture.ts";
import { readPage, textOf } from "./run-reader.ts";
import { openRunStage } from "./run-stage.ts";

const error = (code: RunErrorCode, message: string) => ({ code, message });
const notices = (count: number): RunEventBody[] =>
  Array.from({ length: count }, (_, index) => ({
    type: "notice",
    code: "api_retry",
    message: `no ${index}`,
  }));

describe("the page of a run", () => {
  const ends: [string, Partial<Settlement>, string[]][] = [
    ["succeeded", { state: "succeeded" }, ["done", "Send it again"]],
    [
      "failed",
      { state: "failed", error: error("auth_required", "Not signed in.") },
      ["failed", "Not signed in.", "Sign in to the CLI", 'href="/api/docs#error-auth_required"', "Try again"],
    ],
    ["timed out", { state: "timed_out", error: error("stalled", "Silent.") }, ["timed out", "Silent."]],
    [
      "interrupted",
      { state: "interrupted", error: error("server_restart", "Gone.") },
      ["interrupted", "Gone.", "The answer, as far as it came"],
    ],
  ];

  test.each(ends)("that %s tells how, and what to do", async (_, end, parts) => {
    await using stage = await openRunStage();
    const contentFinal = end.state === "succeeded";
    const run = await stage.record({
      prompt: "\n First line \nsecond",
      events: [],
      end: { contentFinal, ...end },
    });

    const html = await stage.page(`/runs/${run.id}`);

    for (const part of [...parts, "<h1>First line</h1>", `action="/runs/${run.id}/retry"`]) {
      expect(html).toContain(part);
    }
    expect(html).not.toContain("data-view");
    expect(html).not.toContain("without-script");
  });

  test("that waits tells its place and can be taken back", async () => {
    await using stage = await openRunStage();
    await queued(stage.store);
    const run = await queued(stage.store);

    const html = await stage.page(`/runs/${run.id}`);

    expect(html).toContain('<span class="chip state-queued">waiting, place 2</span>');
    expect(html).toContain("Take back");
    expect(html).not.toContain("In its conversation");
    expect(html).toContain(`data-view="run/${run.id}"`);
  });

  test.each(["starting", "running"] as const)("that is %s can be stopped and is followed", async (state) => {
    await using stage = await openRunStage();
    const id =
      state === "starting" ? (await starting(stage.store)).runId : (await stage.record({ events: [] })).id;

    const html = await stage.page(`/runs/${id}`);

    expect(html).toContain(`<span class="chip state-${state}">${state}</span>`);
    expect(html).toContain(`action="/runs/${id}/cancel"`);
    expect(html).toContain('class="hint without-script"');
    expect(html).toMatch(new RegExp(`data-view="run/${id}" data-cursor="all\\.grows\\.0\\.\\d+\\.0\\.0"`));
  });

  test("that was taken back keeps what was asked", async () => {
    await using stage = await openRunStage();
    const run = await queued(stage.store, { prompt: "Never mind" });
    await stage.runner.cancelRun(run.id);

    const html = await stage.page(`/runs/${run.id}`);

    expect(html).toContain("<h1>Never mind</h1>");
    expect(html).toContain('<span class="chip state-cancelled">stopped</span>');
  });

  test("leads to its turn, to the run that it repeats and to those that repeat it", async () => {
    await using stage = await openRunStage();
    const first = await stage.record({ events: [], end: {} });
    const second = await queued(stage.store, { retryOf: first.id });

    const ofFirst = await stage.page(`/runs/${first.id}`);
    const ofSecond = await stage.page(`/runs/${second.id}`);

    expect(ofFirst).toContain(`href="/conversations/${first.conversationId}?at=1#${first.userTurnId}"`);
    expect(ofFirst).toContain(`<a href="/runs/${second.id}">Repeated</a>`);
    expect(ofSecond).toContain(`<a href="/runs/${first.id}">Repeats an earlier run</a>`);
  });

  test("tells in words what was measured and what was odd", async () => {
    await using stage = await openRunStage();
    const usage = { inputTokens: 12_345, outputTokens: 67, cacheReadTokens: 8, cacheWriteTokens: 9 };
    const end: Partial<Settlement> = {
      usage,
      costUsd: 0.0123,
      toolNames: ["Bash", "Read"],
      anomalies: [{ code: "line_too_long", count: 2 }],
      exitCode: 0,
      peakRssBytes: 104_857_600,
      cpuMs: 1_500,
      survivors: 0,
      durationMs: 65_000,
    };
    const run = await stage.record({ events: [], end });

    const html = await stage.page(`/runs/${run.id}`);

    const facts = [...html.matchAll(/<dt>(.*?)<\/dt><dd>(.*?)<\/dd>/g)].map(([, name, value]) => [
      name,
      value,
    ]);
    expect(Object.fromEntries(facts)).toMatchObject({
      Tokens: "12,345 in, 67 out",
      Cache: "8 read, 9 written",
      Cost: "$0.0123",
      Tools: "Bash, Read",
      Memory: "100.0 MiB",
      CPU: "1.5 s",
      Took: "1 min 5 s",
      Exit: "code 0",
      Survivors: "0",
      Anomalies: "2 × a line too long to keep",
    });
  });

  test("that isn't there says so", async () => {
    await using stage = await openRunStage();

    const answer = await stage.request("/runs/run_none");

    expect(answer.status).toBe(404);
    expect(await answer.text()).toContain("There is no such run");
  });

  test("holds the log's end, and a bound on everything when there is much of it", async () => {
    await using stage = await openRunStage();
    const big = "y".repeat(3_000_000);
    const events: RunEventBody[] = Array.from({ length: 150 }, (_, index) => [
      { type: "text" as const, block: 0, text: big.slice(0, 20_000) },
      {
        type: "tool.started" as const,
        toolId: `t${index}`,
        name: big.slice(0, 5_000),
        input: { file: big.slice(0, 20_000) },
      },
      { type: "tool.finished" as const, toolId: `t${index}`, isError: false, output: big.slice(0, 20_000) },
    ]).flat();
    const run = await stage.record({ prompt: big.slice(0, 900_000), events, end: { content: big } });
    const log = stage.openLog(run.id);
    log.line(`the beginning${big}`.slice(0, 900_000));
    log.stderr("the end");
    await log.close();

    const html = await stage.page(`/runs/${run.id}`);

    expect(html.length).toBeLessThan(2_000_000);
    expect(readPage(html).log).toEndWith("the end");
    expect(readPage(html).log).toHaveLength(65_536);
    expect(textOf(html)).toContain("878.9 KiB, secrets masked; the last 64.0 KiB are shown.");
  });

  test.each([
    "after=-1",
    "after=abc",
    "after=99999999999999999999",
    "type=constructor",
    "type=",
    "after=1&after=2",
  ])("with an address that says %s is a page all the same", async (query) => {
    await using stage = await openRunStage();
    const run = await stage.record({ events: notices(3), end: {} });

    const html = await stage.page(`/runs/${run.id}?${query}`);

    expect(html).toContain('aria-current="true">all</a>');
  });
});

describe("the events of a run", () => {
  const seqsOf = (html: string) =>
    [...readPage(html).rows.values()].flatMap(({ line }) => {
      const [, from = "", to = from] = /^(\d+)(?:–(\d+))?/.exec(line) ?? [];
      return Array.from({ length: Number(to) - Number(from) + 1 }, (_, index) => Number(from) + index);
    });
  const linkIn = (html: string, text: string) =>
    new RegExp(`<a href="([^"]+)">${text}</a>`).exec(html)?.[1]?.replaceAll("&amp;", "&");

  test("are all there, page by page, from the first to the newest", async () => {
    await using stage = await openRunStage();
    const run = await stage.record({ events: notices(1_000), end: {} });
    const seen: number[] = [];

    for (let path: string | undefined = `/runs/${run.id}?after=0`; path !== undefined;) {
      const html = await stage.page(path);
      const seqs = seqsOf(html);
      expect(seqs.length).toBeLessThanOrEqual(200);
      seen.push(...seqs);
      path = linkIn(html, "Newer events");
    }

    expect(seen).toEqual(Array.from({ length: 1_003 }, (_, index) => index + 1));
  });

  test("begin with the newest, and lead back to the first", async () => {
    await using stage = await openRunStage();
    const run = await stage.record({ events: notices(1_000), end: {} });

    const newest = await stage.page(`/runs/${run.id}`);
    const older = await stage.page(linkIn(newest, "Older events")!);
    const back = await stage.page(linkIn(older, "The newest")!);

    expect(seqsOf(newest)).toEqual(Array.from({ length: 200 }, (_, index) => index + 804));
    expect(seqsOf(older)).toEqual(Array.from({ length: 200 }, (_, index) => index + 604));
    expect(seqsOf(back)).toEqual(seqsOf(newest));
  });

  test("of one type can be looked at alone", async () => {
    await using stage = await openRunStage();
    const mixed: RunEventBody[] = Array.from({ length: 300 }, (_, index) => [
      { type: "text" as const, block: index, text: "a" },
      { type: "notice" as const, code: "compacted" as const, message: "b" },
    ]).flat();
    const run = await stage.record({ events: mixed, end: {} });

    const newest = await stage.page(`/runs/${run.id}?type=text`);
    const older = await stage.page(linkIn(newest, "Older events")!);

    expect(seqsOf(newest)).toEqual(Array.from({ length: 200 }, (_, index) => 203 + 2 * index));
    expect(seqsOf(older)).toEqual(Array.from({ length: 200 }, (_, index) => 3 + 2 * index).slice(0, 200));
    expect(linkIn(older, "Newer events")).toContain("type=text&after=401");
  });

  test("have an address each, also within a text that came in pieces", async () => {
    await using stage = await openRunStage();
    const words = ["one ", "two ", "three"].map((text) => ({ type: "text" as const, block: 0, text }));
    const run = await stage.record({ events: words, end: {} });

    const html = await stage.page(`/runs/${run.id}`);

    for (const seq of [1, 2, 3, 4, 5, 6]) expect(html.split(`id="event-${seq}"`)).toHaveLength(2);
    expect(html).toContain(`href="/runs/${run.id}?after=2#event-3"`);
    expect(readPage(html).rows.get("3")).toEqual({
      line: "3–5 +2 ms text one two three",
      body: "one two three",
    });
  });

  test("that are long are cut, and lead to the whole", async () => {
    await using stage = await openRunStage();
    const run = await stage.record({
      events: [{ type: "tool.finished", toolId: "t", isError: false, output: "z".repeat(100_000) }],
      end: {},
    });

    const html = await stage.page(`/runs/${run.id}`);

    expect(html.length).toBeLessThan(20_000);
    expect(html).toContain("… (98,000 more)");
    expect(html).toContain(
      `<a href="/api/runs/${run.id}/events?after=2&amp;limit=1">the whole event as JSON</a>`,
    );
  });
});
