import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import type { NoticeCode } from "../../src/domain/event.ts";
import type { Run } from "../../src/domain/run.ts";
import { descendantsOf } from "../helpers/survivors.ts";
import { membersOf, openStage, type Stage } from "./stage.ts";

/**
 * Every limit there is, each driven past by a CLI on the real server. How far memory is passed is measured in
 * test/runner/process/overshoot.test.ts; what else CLIs do wrong is in process-faults.test.ts and
 * output-faults.test.ts.
 */

type Expected = Partial<Omit<Run, "error">> & { state: Run["state"]; error?: unknown };

interface Limit {
  name: string;
  prompt: string;
  timeoutMs?: number;
  run: Expected;
  /** How the metrics tell of it. */
  metric: { name: string; label: string };
  /** The notice, where the run goes on without what was too much. */
  notice?: NoticeCode;
}

const ends = (state: Run["state"], code: string): Pick<Limit, "run" | "metric"> => ({
  run: { state, error: expect.objectContaining({ code }) },
  metric: { name: "headway_runs_total", label: `code="${code}"` },
});
const truncates = (prompt: string, content: string): Pick<Limit, "prompt" | "run"> => ({
  prompt,
  run: { state: "succeeded", error: null, content, contentFinal: true },
});
const words = (count: number) => Array.from({ length: count }, (_, at) => `w${at + 1}`).join(" ");

const limits: Limit[] = [
  { name: "deadline", prompt: "silent", timeoutMs: 1_000, ...ends("timed_out", "deadline") },
  { name: "first output", prompt: "silent", ...ends("timed_out", "stalled") },
  { name: "stall", prompt: "forever", ...ends("timed_out", "stalled") },
  { name: "output", prompt: "long-line=3", ...ends("failed", "output_limit") },
  { name: "memory", prompt: "memory=400", ...ends("failed", "memory_limit") },
  { name: "processes", prompt: "fork=80", ...ends("failed", "process_limit") },
  {
    name: "line",
    ...truncates("long-line=1.2", "You said: long-line=1.2"),
    metric: { name: "headway_anomalies_total", label: 'code="line_too_long"' },
    notice: "line_too_long",
  },
  {
    name: "events",
    ...truncates("chatty=300 slow=1", words(300)),
    metric: { name: "headway_runs_total", label: 'state="succeeded"' },
    notice: "events_truncated",
  },
  {
    name: "log",
    ...truncates("stderr=2", "You said: stderr=2"),
    metric: { name: "headway_runs_total", label: 'state="succeeded"' },
  },
  {
    name: "linger",
    ...truncates("lingerer hello", "You said: lingerer hello"),
    metric: { name: "headway_runs_total", label: 'state="succeeded"' },
  },
];

let stage: Stage;

beforeAll(async () => {
  stage = await openStage({
    HEADWAY_WARM_PROCESSES: "0",
    HEADWAY_KILL_GRACE_MS: "400",
    HEADWAY_LINGER_MS: "300",
    HEADWAY_PROCESS_LIMIT: "60",
    HEADWAY_FIRST_OUTPUT_MS: "2500",
    HEADWAY_STALL_TIMEOUT_MS: "3000",
    HEADWAY_OUTPUT_LIMIT_MB: "2",
    HEADWAY_LINE_LIMIT_MB: "1",
    HEADWAY_EVENT_LIMIT: "10",
    HEADWAY_LOG_LIMIT_MB: "1",
    HEADWAY_LOG_LEVEL: "debug",
  });
});
afterEach(() => stage.tidy());
afterAll(() => stage[Symbol.asyncDispose]());

test.each(limits)(
  "$name: has its outcome, is told, leaves no process, and the next run succeeds",
  async (limit) => {
    const agent = await stage.agent({ memoryLimitMb: 256 });
    const before = await sumOf(limit.metric);

    const { body } = await agent.execute(limit.prompt, limit.timeoutMs ? { timeoutMs: limit.timeoutMs } : {});
    const next = await agent.ask("recall");

    const expected = { survivors: 0, ...limit.run };
    expect(membersOf(body, expected)).toEqual(expected);
    expect(await noticesOf(body.id)).toEqual(expect.arrayContaining(limit.notice ? [limit.notice] : []));
    expect(await sumOf(limit.metric)).toBeGreaterThan(before);
    expect(factsOf("run.settled")).toContainEqual(expect.objectContaining({ runId: body.id, survivors: 0 }));
    expect(next).toStartWith("Earlier you said: ");
    expect(descendantsOf(stage.server.pid)).toEqual([]);
  },
);

test("what was dropped of a log is said where it is missing", async () => {
  const agent = await stage.agent();

  const run = await agent.execute("stderr=2");

  const log = await (await stage.server.fetch(`/api/runs/${run.body.id}/log`)).text();
  expect(log).toMatch(/… \d+ bytes dropped/);
});

/** Five hundred processes, each of which started two more. */
const bomb = "tool=bomb() { if [ $1 -gt 0 ]; then bomb $(($1-1)) & bomb $(($1-1)) & fi; sleep 60; }; bomb 8";

test("P9: the server answers while a fork bomb goes off, which is ended for its processes", async () => {
  const agent = await stage.agent();
  let isOver = false;
  const statuses = new Set<number>();

  const bombed = agent.execute(bomb).finally(() => (isOver = true));
  while (!isOver) statuses.add((await stage.server.fetch("/healthz")).status);
  const { body } = await bombed;

  expect([...statuses]).toEqual([200]);
  expect(body).toMatchObject({ state: "failed", error: { code: "process_limit" }, survivors: 0 });
  expect(await agent.ask("hello")).toBe("You said: hello");
});

async function noticesOf(runId: string): Promise<NoticeCode[]> {
  const events = await stage.events(runId);
  return events.flatMap((event) => (event.type === "notice" ? [event.code] : []));
}

async function sumOf({ name, label }: Limit["metric"]): Promise<number> {
  const text = await (await stage.server.fetch("/metrics")).text();
  const lines = text.split("\n").filter((line) => line.startsWith(`${name}{`) && line.includes(label));
  return lines.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}

function factsOf(type: string): Record<string, unknown>[] {
  return stage.server.logLines().filter(({ msg }) => msg === type);
}
