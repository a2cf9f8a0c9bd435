import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import type { RunEvent } from "../../src/domain/event.ts";
import type { Run } from "../../src/domain/run.ts";
import { expectJson } from "../helpers/http.ts";
import { openStage, type Stage, type StageAgent } from "../e2e/stage.ts";
import { expectAgentWorks } from "./agent-works.ts";
import {
  initLine,
  type RawStep,
  rawClaudePath,
  resultLine,
  say,
  sayBytes,
  scriptNext,
  textLine,
} from "./raw-claude.ts";

/** Q cases of the fault list: what a CLI can print. Each turn has a process of its own. */

let stage: Stage;

beforeAll(async () => {
  stage = await openStage({ HEADWAY_CLAUDE_PATH: rawClaudePath, HEADWAY_WARM_PROCESSES: "0" });
});
afterEach(() => stage.tidy());
afterAll(() => stage[Symbol.asyncDispose]());

/** A turn in which the CLI does these steps after it has read the prompt. */
async function turnOf(agent: StageAgent, ...steps: RawStep[]): Promise<Run> {
  scriptNext(agent, [{ read: true }, ...steps]);
  return (await agent.execute("go on")).body;
}

interface ShownTurn {
  role: string;
  content: string;
  final: boolean;
}

async function turnsOf({ id }: StageAgent): Promise<ShownTurn[]> {
  const path = `/api/agents/${id}/conversation`;
  const { turns } = await expectJson<{ turns: ShownTurn[] }>(stage.server.fetch, 200, "GET", path);
  return turns.map(({ role, content, final }) => ({ role, content, final }));
}

test("Q1: half a line at the end is counted, and is no result", async () => {
  const agent = await stage.agent();

  const run = await turnOf(agent, say(initLine, textLine("so far")), sayBytes('{"type":"result","resu'));

  expect(run).toMatchObject({ state: "failed", content: "so far", error: { code: "no_result" } });
  expect(run.anomalies).toEqual([{ code: "parse_error", count: 1 }]);
  expect(await turnsOf(agent)).toMatchObject([
    { role: "user" },
    { role: "assistant", content: "so far", final: false },
  ]);
  await expectAgentWorks(agent);
});

test("Q6: NULs, C1 controls and colours are left out of the answer, and the raw log keeps the line", async () => {
  const agent = await stage.agent();
  const line = textLine("a@b\u001b[31mred\u009bc").replace("@", "\0");

  const run = await turnOf(agent, say(initLine, line, resultLine("")));
  const log = await (await stage.server.fetch(`/api/runs/${run.id}/log`)).text();

  expect(run).toMatchObject({ state: "succeeded", content: "abredc" });
  expect(log).toContain("\\u001b[31mred");
  await expectAgentWorks(agent);
});

test("Q9, Q10: what comes after the first result is counted and changes nothing", async () => {
  const agent = await stage.agent();
  const first = [initLine, textLine("the answer"), resultLine("the answer")];

  const run = await turnOf(agent, say(...first, textLine("more"), resultLine("another")));

  expect(run).toMatchObject({ state: "succeeded", content: "the answer", contentFinal: true });
  expect(run.anomalies.map(({ code }) => code).toSorted()).toEqual([
    "duplicate_result",
    "output_after_result",
  ]);
  expect(await turnsOf(agent)).toMatchObject([
    { role: "user" },
    { role: "assistant", content: "the answer", final: true },
  ]);
  await expectAgentWorks(agent);
});

test("Q11: output that isn't the protocol's is never an answer", async () => {
  const agent = await stage.agent();

  const run = await turnOf(agent, say("Here is your answer: 42"));

  expect(run).toMatchObject({ state: "failed", content: "", error: { code: "no_result" } });
  expect(await turnsOf(agent)).toMatchObject([{ role: "user" }]);
  await expectAgentWorks(agent);
});

test("Q8: of a thousand unknown events the log keeps one notice for each type, and the count is whole", async () => {
  const agent = await stage.agent();

  const { body } = await agent.execute("unknown-events=1000");
  const notices = (await stage.events(body.id)).filter(isUnknown);
  const metrics = await (await stage.server.fetch("/metrics")).text();

  expect(body.anomalies).toEqual([{ code: "unknown_event", count: 1000 }]);
  expect(notices).toHaveLength(3);
  expect(metrics).toMatch(/^headway_anomalies_total\{.*code="unknown_event".*\} 1000$/m);
  await expectAgentWorks(agent);
});

function isUnknown(event: RunEvent): boolean {
  return event.type === "notice" && event.code === "unknown_event";
}

test("Q15: CRLF, a byte order mark and blank lines change nothing", async () => {
  const agent = await stage.agent();
  const lines = ["\ufeff" + initLine, "", textLine("fine"), "   ", resultLine("fine")];

  const run = await turnOf(agent, sayBytes(`${lines.join("\r\n")}\r\n\r\n`));

  expect(run).toMatchObject({ state: "succeeded", content: "fine", anomalies: [] });
  await expectAgentWorks(agent);
});

test("Q16: prototype keys, doubled keys and numbers beyond all bounds are read or passed over", async () => {
  const agent = await stage.agent();
  const odd = (line: string) =>
    `{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},${line.slice(1)}`;
  const numbers = resultLine("fine")
    .replace('"num_turns":1', '"num_turns":1e400')
    .replace('"input_tokens":1', '"input_tokens":9007199254740993')
    .replace('"total_cost_usd":0', '"total_cost_usd":-1e400,"total_cost_usd":"much"');

  const run = await turnOf(
    agent,
    say(odd(initLine), odd(textLine("not this")).replace('"type"', '"type":"novelty","type"')),
    say(odd(textLine("fine")).replace("msg_raw", "msg_two"), odd(numbers)),
  );
  const page = await stage.server.fetch(`/runs/${run.id}`);

  expect(run).toMatchObject({ state: "succeeded", contentFinal: true, error: null });
  expect(run.content).toEndWith("fine");
  expect(page.status).toBe(200);
  await expectAgentWorks(agent);
});

test("Q18: a session of another conversation isn't adopted from what a CLI says of itself", async () => {
  const [owner, agent] = [await stage.agent(), await stage.agent()];
  const { body: owned } = await owner.execute("mine");
  const theirs = (line: string) => line.replace("SESSION", owned.cliSessionId ?? "");

  const run = await turnOf(agent, say(...[initLine, textLine("hm"), resultLine("hm")].map(theirs)));
  const next = await owner.execute("recall");

  expect(run.anomalies.map(({ code }) => code)).toContain("session_mismatch");
  expect(run.cliSessionId).not.toBe(owned.cliSessionId);
  expect(next.body).toMatchObject({ content: "Earlier you said: mine", cliSessionId: owned.cliSessionId });
  await expectAgentWorks(agent);
});

test("Q19: an empty result is an answer of no words", async () => {
  const agent = await stage.agent();

  const run = await turnOf(agent, say(initLine, resultLine("")));

  expect(run).toMatchObject({ state: "succeeded", content: "", contentFinal: true });
  expect(await turnsOf(agent)).toEqual([
    { role: "user", content: "go on", final: true },
    { role: "assistant", content: "", final: true },
  ]);
  await expectAgentWorks(agent);
});

test("Q20: output that comes byte by byte is the same as at once", async () => {
  const agents = [await stage.agent(), await stage.agent()];
  const output = say(initLine, textLine("grüße 👩‍👩‍👧‍👦 und 日本語"), resultLine(""));

  const runs = await Promise.all([
    turnOf(agents[0]!, output),
    turnOf(agents[1]!, { ...output, single: true }),
  ]);

  const [whole, single] = runs.map(({ state, content, usage, anomalies }) => ({
    state,
    content,
    usage,
    anomalies,
  }));
  expect(single).toEqual(whole);
  expect(single).toMatchObject({ state: "succeeded", content: "grüße 👩‍👩‍👧‍👦 und 日本語", anomalies: [] });
  for (const agent of agents) await expectAgentWorks(agent);
});

test("Q21: a CLI that closes its output and lives on is waited for, and its exit counts", async () => {
  const [well, ill] = [await stage.agent(), await stage.agent()];
  const answer = say(initLine, textLine("done"), resultLine("done"));

  const succeeded = await turnOf(well, answer, { close: 1 }, { waitMs: 300 }, { exit: 0 });
  const failed = await turnOf(ill, say(initLine), { close: 1 }, { waitMs: 300 }, { exit: 4 });

  expect(succeeded).toMatchObject({ state: "succeeded", content: "done" });
  expect(failed).toMatchObject({ state: "failed", exitCode: 4, error: { code: "exit_nonzero" } });
  for (const agent of [well, ill]) await expectAgentWorks(agent);
});

test("Q21: one that closes its output and never ends is ended by the time limit", async () => {
  const agent = await stage.agent();
  scriptNext(agent, [{ read: true }, say(initLine), { close: 1 }, { waitMs: 600_000 }]);

  const { body } = await agent.execute("go on", { timeoutMs: 1_000 });

  expect(body).toMatchObject({ state: "timed_out", error: { code: "deadline" }, survivors: 0 });
  await expectAgentWorks(agent);
});
