import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { RunEvent } from "../../src/domain/event.ts";
import { waitFor } from "../helpers/wait.ts";
import { openStage, type Stage, type StageAgent } from "./stage.ts";

const fakeGemini = join(import.meta.dir, "..", "fixtures", "bin", "fake-gemini");
const env = {
  HEADWAY_GEMINI_PATH: fakeGemini,
  GEMINI_API_KEY: "made-up-key",
  HEADWAY_WARM_PROCESSES: "4",
  HEADWAY_KILL_GRACE_MS: "400",
  HEADWAY_DRAIN_MS: "0",
  // Half of it is what a protocol may take to be opened.
  HEADWAY_FIRST_OUTPUT_MS: "3000",
};

function notices(events: readonly RunEvent[]): { code: string; message: string }[] {
  return events.flatMap((event) =>
    event.type === "notice" ? [{ code: event.code, message: event.message }] : [],
  );
}

describe("a warm process in trouble before its turn", () => {
  let stage: Stage;

  beforeAll(async () => {
    stage = await openStage(env);
  });
  afterEach(() => stage.tidy());
  afterAll(() => stage[Symbol.asyncDispose]());

  /** The fake's ways to fail while the protocol is opened are chosen by the model's name. */
  const geminiOf = (model: string | null = null) => stage.agent({ cli: "gemini", model });
  const processes = () =>
    stage.server.survivors().filter(({ argv }) => argv.some((arg) => arg.includes("gemini")));

  test.each([
    ["refuses to be opened", "refused-handshake"],
    ["never answers when it is opened", "silent-handshake"],
    ["speaks another version of the protocol", "old-handshake"],
    ["dies while it is opened", "dying-handshake"],
    ["dies with its session open and no prompt sent", "dying-session"],
  ])("that %s, has the turn carried by a process of its own, and says so", async (_how, model) => {
    const agent = await geminiOf(model);

    const first = await agent.execute("my name is Ada");
    const second = await agent.execute("recall");

    for (const { body } of [first, second]) {
      const told = notices(await stage.events(body.id));
      expect(body).toMatchObject({ state: "succeeded", transport: { warm: false }, survivors: 0 });
      expect(told.map(({ code }) => code)).toEqual(["cold_start"]);
      expect(told[0]?.message).toContain("carried by a process of its own");
    }
    expect(second.body.content).toContain("my name is Ada");
    expect(second.body.cliSessionId).toBe(first.body.cliSessionId);
    expect(processes()).toEqual([]);
  });

  test("that was killed between two turns, is replaced once and goes on in its session", async () => {
    const agent = await geminiOf();
    const first = await agent.execute("my name is Ada");
    for (const { pid } of processes()) process.kill(pid, "SIGKILL");

    const second = await agent.execute("recall");

    expect(first.body.state).toBe("succeeded");
    expect(second.body).toMatchObject({ state: "succeeded", transport: { warm: false } });
    expect(second.body.content).toContain("my name is Ada");
    expect(second.body.cliSessionId).toBe(first.body.cliSessionId);
  });

  test("is not tried in another way when nobody is signed in: the run says what to do, and its page once", async () => {
    const agent = await geminiOf("signed-out");

    const { body } = await agent.execute("hello");
    const page = await (await stage.server.fetch(`/runs/${body.id}`)).text();
    const [problem = ""] = /<p class="problem">[^]*?<\/p>/.exec(page) ?? [];

    expect(body).toMatchObject({ state: "failed", error: { code: "auth_required" } });
    expect(body.error?.message).toEndWith("or start Headway with GEMINI_API_KEY; then send it again.");
    expect(problem.match(/in a terminal|send it again/g)).toEqual(["in a terminal", "send it again"]);
    expect(notices(await stage.events(body.id))).toEqual([]);
    await waitFor(() => processes().length === 0, { what: "the end of the process that is no use" });
  });

  test("whose session is lost, gets a fresh one that is told the conversation so far", async () => {
    const agent = await geminiOf();
    const first = await agent.execute("my name is Ada");
    await setModel(agent, "lost-session");

    const second = await agent.execute("what is my name?");

    const told = notices(await stage.events(second.body.id)).map(({ code }) => code);
    expect(second.body.state).toBe("succeeded");
    expect(told).toEqual(["session_lost"]);
    expect(second.body.cliSessionId).not.toBe(first.body.cliSessionId);
    expect(second.body.content).toContain("my name is Ada");
  });

  test("is ended at once when the run is cancelled while it is opened", async () => {
    const agent = await geminiOf("silent-handshake");
    const run = await agent.begin("hello");
    await stage.reached(run.id, "running");

    const reply = await stage.cancel(run.id);

    expect(reply).toMatchObject({ state: "cancelled", survivors: 0 });
    expect(processes()).toEqual([]);
  });

  async function setModel({ id }: StageAgent, model: string): Promise<void> {
    const response = await stage.server.fetch(`/api/agents/${id}`, {
      method: "PATCH",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model }),
    });
    expect(response.status).toBe(200);
  }
});

test("once the prompt was sent, a turn is not begun again: its tools may have done things", async () => {
  await using stage = await openStage(env);
  const agent = await stage.agent({ cli: "gemini" });

  const { body } = await agent.execute("exit-late=3 some words");

  expect(body).toMatchObject({ state: "failed", error: { code: "exit_nonzero" } });
  expect(notices(await stage.events(body.id)).map(({ code }) => code)).not.toContain("cold_start");
});

test("an agent whose CLI never comes up warm isn't made to wait for that again and again", async () => {
  await using stage = await openStage({ ...env, HEADWAY_FIRST_OUTPUT_MS: "1000" });
  const agent = await stage.agent({ cli: "gemini", model: "silent-handshake" });
  const told = async (prompt: string) => {
    const { body } = await agent.execute(prompt);
    expect(body.state).toBe("succeeded");
    return notices(await stage.events(body.id)).map(({ code }) => code);
  };

  const first = [await told("one"), await told("two"), await told("three")];
  const later = [await told("four"), await told("five")];

  expect(first).toEqual([["cold_start"], ["cold_start"], ["cold_start"]]);
  expect(later).toEqual([[], []]);
});

test("how a process ends is not explained by what an earlier turn said on its stderr", async () => {
  await using stage = await openStage(env);
  const agent = await stage.agent({ cli: "gemini" });
  const first = await agent.execute("retries=2 hello");

  const { body } = await agent.execute("liar");

  expect(first.body.state).toBe("succeeded");
  expect(body).toMatchObject({ state: "failed", error: { code: "no_result" } });
});

test("a prompt on which the CLI ends with a reason is given to two processes, and its session stays", async () => {
  await using stage = await openStage(env);
  const agent = await stage.agent();
  const first = await agent.execute("my name is Ada");

  const { body } = await agent.execute("exit=1 hello");
  const next = await agent.execute("recall");

  expect(body).toMatchObject({ state: "failed", error: { code: "exit_nonzero" } });
  expect(notices(await stage.events(body.id)).map(({ code }) => code)).toEqual(["cold_start"]);
  expect(next.body.cliSessionId).toBe(first.body.cliSessionId);
  expect(next.body.content).toContain("my name is Ada");
});
