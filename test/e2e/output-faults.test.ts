import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import type { Run } from "../../src/domain/run.ts";
import { membersOf, openStage, type Stage } from "./stage.ts";

/** Q rows of the fault list: what a CLI can print, and what comes of it. */

type Expected = Partial<Omit<Run, "error">> & { state: Run["state"]; error?: unknown };

const failed = (errorCode: string, content: string): Expected => ({
  state: "failed",
  error: expect.objectContaining({ code: errorCode }),
  content,
  contentFinal: false,
});
const succeeded = (content: string, ...anomalies: [code: string, count: number][]): Expected => ({
  state: "succeeded",
  error: null,
  content,
  contentFinal: true,
  anomalies: anomalies.map(([code, count]) => ({ code, count })),
});
const said = (prompt: string, ...anomalies: [code: string, count: number][]) =>
  succeeded(`You said: ${prompt}`, ...anomalies);

/**
 * How much the server's memory may grow while three CLIs together print 570 MB: what is promised for one flood
 * (floods.long.ts). The lines' limit and the log's are small here.
 */
const growthMaxBytes = 64 * 1_048_576;

describe.each([
  ["warm", { HEADWAY_WARM_PROCESSES: "8" }],
  ["one-turn", { HEADWAY_WARM_PROCESSES: "0" }],
])("a CLI that prints oddly (%s)", (mode, modeEnv) => {
  let stage: Stage;

  beforeAll(async () => {
    stage = await openStage({
      ...modeEnv,
      HEADWAY_BREAKER_FAILURES: "0",
      HEADWAY_LINE_LIMIT_MB: "2",
      HEADWAY_LOG_LIMIT_MB: "1",
    });
  });
  afterEach(() => stage.tidy());
  afterAll(() => stage[Symbol.asyncDispose]());

  const warm = mode === "warm";
  const faults: [row: string, prompt: string, expected: Expected][] = [
    ["Q1 half a line at its end", "torn", failed("no_result", "Some text")],
    ["Q2 no newline at its end", "no-newline", said("no-newline")],
    [
      "Q3 bytes that aren't UTF-8",
      "invalid-utf8",
      { ...succeeded("bad � bytes"), anomalies: [{ code: "invalid_utf8", count: 1 }] },
    ],
    [
      "Q4 long words of four bytes a letter",
      `slow=1 ${"😀".repeat(3_000)}`,
      said(`slow=1 ${"😀".repeat(3_000)}`),
    ],
    ["Q6 control characters", "a\u001b[31mred\u0007 b\u0085c", succeeded("You said: ared bc")],
    [
      "Q8 events that nobody knows",
      "unknown-events=1000",
      said("unknown-events=1000", ["unknown_event", 1000]),
    ],
    ["Q9 two results", "double-result", { state: "succeeded", content: "You said: double-result" }],
    ["Q10 text after the result", "after-result", { state: "succeeded", content: "You said: after-result" }],
    ["Q11 no result, exit 0", "liar", failed("no_result", "Some text")],
    [
      "Q13 a result that is an error",
      "is-error=It broke",
      { state: "failed", error: expect.objectContaining({ code: "cli_error", message: "It broke" }) },
    ],
    ["Q14 a banner", "banner", said("banner", ["parse_error", 2])],
    ["Q18 another session's id", "session-mismatch", said("session-mismatch", ["session_mismatch", 1])],
    ["Q19 an empty answer", "empty", succeeded("")],
    [
      "the API's 401",
      "error-401",
      { state: "failed", error: expect.objectContaining({ code: "auth_required" }) },
    ],
    [
      "the API's 429",
      "error-429",
      { state: "failed", error: expect.objectContaining({ code: "rate_limited" }) },
    ],
    [
      "the API's 529",
      "error-529",
      { state: "failed", error: expect.objectContaining({ code: "overloaded" }) },
    ],
    ["a stream that broke off", "broken-stream", said("broken-stream")],
    ["a tool that was denied", "denied", { state: "succeeded", toolNames: ["Bash"] }],
  ];

  test("every fault has its outcome, leaves no process, and the agent's next turn succeeds", async () => {
    const agents = await Promise.all(faults.map(() => stage.agent()));

    const runs = await Promise.all(
      faults.map(async ([row, prompt, expected], at) => {
        const { body } = await agents[at]!.execute(prompt);
        const next = await agents[at]!.ask("recall");
        return { run: { row, ...membersOf(body, { survivors: 0, ...expected }) }, next };
      }),
    );

    expect(runs.map(({ run }) => run)).toEqual(
      faults.map(([row, , expected]) => ({ row, survivors: 0, ...expected })),
    );
    for (const { next } of runs) expect(next).toStartWith("Earlier you said: ");
  });

  test("Q12: an exit other than 0 right after the result spoils a one-turn process's answer only", async () => {
    const agent = await stage.agent();

    const { body } = await agent.execute("liar-exit=3");

    expect(body).toMatchObject(
      warm ? said("liar-exit=3") : failed("exit_nonzero_after_result", "You said: liar-exit=3"),
    );
    expect(await agent.ask("hello again")).toBe("You said: hello again");
  });

  test("a second result between turns is no turn's, and the agent's next turn is its own", async () => {
    const agent = await stage.agent();
    await agent.ask("late-result=1");

    const answers = [await agent.ask("first"), await agent.ask("second")];

    expect(answers).toEqual(["You said: first", "You said: second"]);
  });

  test("Q5, Q7, Q17: floods are bounded in the log, in the events and in the server's memory", async () => {
    const agents = await Promise.all([stage.agent(), stage.agent(), stage.agent()]);
    await Promise.all(agents.map((agent) => agent.ask("hello")));
    const before = residentBytes(stage.server.pid);
    const prompts = ["long-line=50", "stderr=500", "flood=100000"];

    const flooded = Promise.all(prompts.map((prompt, at) => agents[at]!.execute(prompt)));
    const peak = await peakWhile(stage.server.pid, flooded);
    const [line, stderr, events] = (await flooded).map(({ body }) => body);

    expect(line).toMatchObject(said("long-line=50", ["line_too_long", 1]));
    expect(stderr).toMatchObject({ state: "succeeded", content: "You said: stderr=500" });
    expect(events!.content).toBe("0 1 2 3 4 5 6 7 8 9 ".repeat(10_000));
    expect(peak - before).toBeLessThan(growthMaxBytes);
    const log = await (await stage.server.fetch(`/api/runs/${stderr!.id}/log`)).text();
    expect(log).toMatch(/… \d+ bytes dropped/);
    expect(log.length).toBeLessThan(2 * 1_048_576);
  });
});

test("Q17: beyond the limit of events only text and the end are kept, and the answer is whole", async () => {
  await using stage = await openStage({ HEADWAY_EVENT_LIMIT: "10" });
  const agent = await stage.agent();

  const { body } = await agent.execute("chatty=300 slow=1");
  const events = await stage.events(body.id);

  expect(body.content).toBe(Array.from({ length: 300 }, (_, at) => `w${at + 1}`).join(" "));
  expect(events.length).toBeLessThan(40);
  expect(events.at(-1)).toMatchObject({ type: "run.finished", state: "succeeded" });
});

function residentBytes(pid: number): number {
  const [, pages = "0"] = readFileSync(`/proc/${pid}/statm`, "utf8").split(" ");
  return Number(pages) * 4096;
}

async function peakWhile(pid: number, work: Promise<unknown>): Promise<number> {
  let over = false;
  void work.finally(() => (over = true));
  let peak = 0;
  while (!over) {
    peak = Math.max(peak, residentBytes(pid));
    await Bun.sleep(5);
  }
  return peak;
}
