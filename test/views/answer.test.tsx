import { describe, expect, test } from "bun:test";
import { runErrors } from "../../src/domain/error-codes.ts";
import { Answer, type AnswerRun, LiveAnswer, PartView, RunProblem } from "../../src/views/chat/answer.tsx";
import type { AnswerPart, ToolPart } from "../../src/views/chat/answer-parts.ts";
import { Older, UserTurn, WaitingList } from "../../src/views/chat/conversation.tsx";
import { renderHtml } from "../../src/views/render.ts";
import { aTurn } from "../helpers/records.ts";

const hostile = `"><script>alert(1)</script><b a='`;
const escaped = "&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;b a=&#39;";
const at = "2026-11-22T10:00:00.000Z";

const aTool = (given: Partial<ToolPart> = {}): ToolPart => ({
  part: 0,
  kind: "tool",
  toolId: "t1",
  name: "Bash",
  input: { command: "ls" },
  startedAt: at,
  denied: false,
  result: null,
  ...given,
});
const result = (output: string, isError = false) => ({
  isError,
  output,
  outputChars: output.length,
  finishedAt: "2026-11-22T10:00:02.500Z",
});
const show = (part: AnswerPart) => renderHtml(<PartView runId="run_1" html="" part={part} />);

const anAnswerRun = (given: Partial<AnswerRun> = {}): AnswerRun => ({
  id: "run_1",
  cli: "claude",
  state: "succeeded",
  error: null,
  startedAt: at,
  endedAt: at,
  durationMs: 12_340,
  usage: { inputTokens: 100, outputTokens: 56, cacheReadTokens: 1_100, cacheWriteTokens: 34 },
  costUsd: 0.01234,
  model: "sonnet",
  hasPage: true,
  place: { conversationId: "conv_1", seq: 8, turnId: "turn_8" },
  ...given,
});

describe("foreign text in a conversation", () => {
  test.each([
    ["a prompt", <UserTurn turn={aTurn({ content: hostile })} />],
    ["a long prompt", <UserTurn turn={aTurn({ content: "x".repeat(5_000) + hostile })} />],
    ["a waiting prompt", <WaitingList waiting={[aTurn({ content: hostile, seq: null, pending: true })]} />],
    ["a tool's name", <PartView runId="run_1" html="" part={aTool({ name: hostile })} />],
    ["a tool's command", <PartView runId="run_1" html="" part={aTool({ input: { command: hostile } })} />],
    ["a tool's output", <PartView runId="run_1" html="" part={aTool({ result: result(hostile) })} />],
    ["a tool's failure", <PartView runId="run_1" html="" part={aTool({ result: result(hostile, true) })} />],
    [
      "a notice",
      <PartView runId="run_1" html="" part={{ part: 0, kind: "notice", code: "x", message: hostile }} />,
    ],
    ["a thought", <PartView runId="run_1" html="" part={{ part: 0, kind: "thinking", text: hostile }} />],
    ["a model's name", <Answer run={anAnswerRun({ model: hostile })} name="helper" />],
    [
      "an error",
      <RunProblem
        error={{ code: "cli_error", message: hostile, runbook: "/api/docs#error-cli_error" }}
        run={anAnswerRun()}
      />,
    ],
  ])("%s is text", (_, view) => {
    const html = renderHtml(view);

    expect(html).toContain(escaped);
    expect(html).not.toContain("<script>alert");
  });

  test("a tool call's id stays within its address", () => {
    const long = { ...result("x"), outputChars: 5_000 };

    const html = show(aTool({ toolId: '../"><b>?', result: long }));

    expect(html).toContain('href="/runs/run_1/tools/..%2F%22%3E%3Cb%3E%3F"');
  });
});

describe("a tool call", () => {
  test.each(["..", ".", "half \ud800"])("whose id %j can't be an address is shown without one", (toolId) => {
    const html = show(aTool({ toolId, input: undefined }));

    expect(html).not.toContain("href");
  });

  test("shows what it does without being opened, and its time once it is done", () => {
    const html = show(aTool({ result: result("a.txt") }));

    const summary = /<summary>(.*)<\/summary>/s.exec(html)?.[1] ?? "";
    expect(summary).toContain('<span class="tool-name">Bash</span> <code>ls</code>');
    expect(summary).toContain("2.5 s");
    expect(summary).not.toContain("a.txt");
  });

  test("counts its time while it runs", () => {
    expect(show(aTool())).toContain(`data-since="${at}"`);
  });

  test("that failed says why without being opened", () => {
    const html = show(aTool({ result: result("\nno such file\nmore", true) }));

    expect(html).toContain('<span class="tool-problem">no such file</span></summary>');
  });

  test("shows what can't be seen, and a terminal's text without its colours", () => {
    const html = show(
      aTool({ input: { command: "rm \u202etxt.a" }, result: result("\u001b[32mok\u001b[0m\u0007") }),
    );

    expect(html).not.toContain("\u202e");
    expect(html).toMatch(/<pre[^>]*>ok\u2407<\/pre>/);
  });

  test("that was denied says so", () => {
    expect(show(aTool({ denied: true, result: result("no", true) }))).toContain("not allowed");
  });

  test("offers the rest of what a card has no room for", () => {
    const short = show(aTool({ result: result("x") }));
    const long = show(aTool({ result: { ...result("x"), outputChars: 5_000 } }));
    const withoutInput = show(aTool({ input: undefined }));

    expect(short).not.toContain("Show all of it");
    expect(long).toContain("… and 4,999 characters more");
    expect(long).toContain("Show all of it");
    expect(withoutInput).toContain("Show all of it");
  });
});

describe("an answer", () => {
  const answer = (state: "cancelled" | "succeeded" | "interrupted") =>
    renderHtml(<Answer run={anAnswerRun({ state })} name="helper" />);

  test("that ended well says nothing of its state and offers nothing", () => {
    expect(answer("succeeded")).not.toContain("chip");
    expect(answer("succeeded")).not.toContain("Try again");
  });

  test("that was stopped or cut short says so and can be asked for again", () => {
    expect(answer("cancelled")).toContain("Stopped; what stands above is as far as it came.");
    expect(answer("interrupted")).toContain("This answer is incomplete");
    expect(answer("interrupted")).toContain('action="/runs/run_1/retry"');
  });

  test("says what it took", () => {
    const facts = ["12.3 s", "1,234 in (1,100 from cache), 56 out", "$0.0123", "sonnet"];

    expect(facts.filter((fact) => !answer("succeeded").includes(fact))).toEqual([]);
  });

  test("has a link that leads to it for good", () => {
    expect(answer("succeeded")).toContain('id="turn_8" href="/conversations/conv_1?at=8#turn_8"');
  });

  test("in progress tells what it does and since when, and can be stopped", () => {
    const html = renderHtml(
      <LiveAnswer run={anAnswerRun({ state: "running", place: null })} name="helper" activity="thinking …">
        {[]}
      </LiveAnswer>,
    );

    expect(html).toContain('aria-busy="true"');
    expect(html).toContain("thinking …");
    expect(html).toContain(`data-since="${at}"`);
    expect(html).toContain('action="/runs/run_1/cancel"');
  });

  test("that failed says what can be done", () => {
    const error = {
      code: "auth_required",
      message: "Not signed in.",
      runbook: "/api/docs#error-auth_required",
    };

    const html = renderHtml(<RunProblem error={error} run={anAnswerRun()} />);

    expect(html).toContain("Not signed in. Sign in to the CLI in a terminal");
    expect(html).toContain("<code>auth_required</code>");
  });
});

describe("an error whose words are known", () => {
  const problemOf = (code: string, message: string) =>
    renderHtml(
      <RunProblem error={{ code, message, runbook: `/api/docs#error-${code}` }} run={anAnswerRun()} />,
    ).replace(/<[^>]*>/g, "");

  test("is met with advice of its own", () => {
    expect(problemOf("cli_error", "Prompt is too long")).toContain("Begin a new conversation");
    expect(problemOf("cli_error", "Something else")).toContain("Read what it said");
  });

  test("is met with no more advice where its message ends with some", () => {
    const message = `Who are you? ${runErrors.auth_required.advice}`;

    expect(problemOf("auth_required", message)).toBe(`${message} auth_required`);
  });

  test("is met with its code's advice when that says something else than the words", () => {
    expect(problemOf("stalled", "Prompt is too long")).toContain(
      "Look at the run's log".replace("'", "&#39;"),
    );
  });

  test("says when a limit is over, as far as the CLI said it", () => {
    const limited = (message: string) => problemOf("rate_limited", message);

    expect(limited("You've hit your 5-hour limit · resets 6pm (UTC)")).toContain(
      "That is at 2026-11-22 18:00:00 UTC",
    );
    expect(limited("API Error: Request rejected (429)")).not.toContain("That is at");
    expect(problemOf("cli_error", "Try again in 20s")).not.toContain("That is at");
  });

  test("and a notice tell a time as people do, and once", () => {
    const iso = "2026-11-22T18:00:00.000Z";
    const message = `The provider limits the rate of requests, until ${iso}.`;

    const notice = show({ part: 0, kind: "notice", code: "rate_limit", message });
    const problem = problemOf("rate_limited", `Limits reset at ${iso}`);

    expect(notice).toContain(`until <time datetime="${iso}">2026-11-22 18:00:00 UTC</time>.`);
    expect(problem).toContain("Limits reset at 2026-11-22 18:00:00 UTC");
    expect(problem).not.toContain("That is at");
  });
});

describe("what a person wrote", () => {
  test("is folded when it is long, and told to be cut when it is very long", () => {
    const long = renderHtml(<UserTurn turn={aTurn({ content: "y".repeat(10_000) })} />);
    const endless = renderHtml(<UserTurn turn={aTurn({ content: "y".repeat(1_000_000) })} />);

    expect(long).toContain("<summary>7,000 characters more</summary>");
    expect(long).not.toContain("in the run");
    expect(endless.length).toBeLessThan(40_000);
    expect(endless).toContain('<a href="/runs/run_1">in the run</a>');
  });

  test("while it waits can be edited and taken back", () => {
    const html = renderHtml(<WaitingList waiting={[aTurn({ seq: null, pending: true })]} />);

    expect(html).toContain("waits, place 1");
    expect(html).toContain('action="/runs/run_1/edit"');
    expect(html).toContain('action="/runs/run_1/cancel"');
  });
});

describe("older turns", () => {
  test("are a link without scripts, and are put above with them", () => {
    const html = renderHtml(<Older older={{ conversationId: "conv_1", before: 41 }} />);

    expect(html).toContain('href="/conversations/conv_1?at=40"');
    expect(html).toContain('hx-get="/fragments/conversations/conv_1/turns?before=41"');
  });

  test("leave their place when there are none", () => {
    expect(renderHtml(<Older older={null} />)).toBe('<p id="older" class="older" hidden=""></p>');
  });
});
