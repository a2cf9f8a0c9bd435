import { Database } from "bun:sqlite";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Run } from "../../src/domain/run.ts";
import { expectJson } from "../helpers/http.ts";
import { startServer, type ServerOptions, type TestServer } from "../helpers/server-process.ts";
import { fakeClaude } from "../helpers/test-app.ts";
import { waitFor } from "../helpers/wait.ts";
import * as plays from "./state-plays.ts";

/** A real server on which some states of pages can be brought about, and what was seeded there. */
export interface Stage extends AsyncDisposable {
  server: TestServer;
  makeAgent(id: string, settings?: Record<string, unknown>): Promise<void>;
  /** Resolves with the run when it has ended. */
  execute(agentId: string, prompt: string): Promise<Run>;
  /** Resolves with the run when it is accepted. */
  start(agentId: string, prompt: string): Promise<Run>;
  /** The id of what was kept under that name. */
  idOf(name: string): string;
  keep(name: string, id: string): void;
}

const { shortTalk, longTalk, waitingMessages, longMessageRest, ...otherPlays } = plays;

/** Runs that are held in the middle are to stand as long as anybody looks at them. */
const patientEnv = { HEADWAY_MAX_RUNS: "20", HEADWAY_STALL_TIMEOUT_MS: "3600000" };

async function openStage(options: ServerOptions = {}): Promise<Stage> {
  const server = await startServer({ ...options, env: { ...patientEnv, ...options.env } });
  const folder = join(dirname(server.workspace), "tidewatch");
  mkdirSync(folder);
  const ids = new Map<string, string>();
  const execute = (agentId: string, prompt: string, prefer: string) =>
    server.fetch(`/api/agents/${agentId}/execute`, {
      method: "POST",
      headers: { "content-type": "application/json", prefer },
      body: JSON.stringify({ prompt }),
    });
  return {
    server,
    async makeAgent(id, settings = {}) {
      const body = { id, cli: "claude", cwd: folder, model: "sonnet", ...settings };
      await expectJson(server.fetch, 201, "POST", "/api/agents", { body });
    },
    execute: async (agentId, prompt) => (await execute(agentId, prompt, "")).json() as Promise<Run>,
    start: async (agentId, prompt) =>
      (await execute(agentId, prompt, "respond-async")).json() as Promise<Run>,
    idOf(name) {
      const id = ids.get(name);
      if (id === undefined) throw new Error(`Nothing was kept under the name "${name}".`);
      return id;
    },
    keep: (name, id) => void ids.set(name, id),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** The fake in a place where a CLI might be; all prompts of `plays` are played. */
async function openStageWithClaude(env: Record<string, string> = {}): Promise<Stage> {
  const stage = await openStage({ env: { HEADWAY_CLAUDE_PATH: fakeClaude, ...env } });
  const steps = Object.fromEntries([...Object.values(otherPlays), ...shortTalk, ...longTalk(exchanges)]);
  writeFileSync(join(dirname(stage.server.workspace), "tidewatch/.plays.json"), JSON.stringify(steps));
  return stage;
}

/** Nothing is as it should be: no CLI, and no sandbox. */
export function openBareStage(): Promise<Stage> {
  return openStage({ env: { PATH: "/usr/bin:/bin", HEADWAY_SANDBOX: "off" } });
}

/** As somebody finds it who has Claude Code; the only one on which the containment tests itself. */
export function openFirstStage(): Promise<Stage> {
  return openStageWithClaude({ HEADWAY_SELF_TEST: "auto" });
}

/** A few agents, each in another state. */
export async function openBoardStage(): Promise<Stage> {
  await using setting = new AsyncDisposableStack();
  const stage = setting.use(await openStageWithClaude());
  const { makeAgent, execute, start } = stage;
  await makeAgent("helper", { cli: "demo", model: null });
  for (const id of ["docs", "staging", "mail", "haunted", "planner", "charts"]) await makeAgent(id);
  await makeAgent("importer", { permissionMode: "read", model: "opus" });
  await execute("docs", shortTalk[2]![0]);
  await execute("staging", plays.failing[0]);
  await execute("mail", "error-401");
  for (const [agentId, [prompt]] of [
    ["charts", plays.toolRunning],
    ["planner", plays.streaming],
    ["importer", plays.streaming],
  ] as const) {
    await start(agentId, prompt);
  }
  for (const prompt of waitingMessages.slice(1)) await start("importer", prompt);
  quarantine(stage.server, "haunted");
  setting.move();
  return stage;
}

/** A process that no signal ends can't be had by the API; a job finds out that there is none, within half a minute. */
export function quarantine({ dataDir }: TestServer, agentId: string): void {
  using database = new Database(join(dataDir, "headway.db"));
  database.run("update agents set quarantined_at = 1 where id = ?", [agentId]);
}

/** Exchanges of the longest conversation: more than a page of turns has. */
const exchanges = 30;

/** Conversations and runs of all kinds, each agent with another one. */
export async function openTalksStage(): Promise<Stage> {
  // A stage that can't be set leaves no server behind.
  await using setting = new AsyncDisposableStack();
  const stage = setting.use(await openStageWithClaude());
  await seedEndedTalks(stage);
  await seedEndedRuns(stage);
  await seedLongTalks(stage);
  await seedHeldRuns(stage);
  setting.move();
  return stage;
}

async function seedEndedTalks({ server, makeAgent, execute, keep }: Stage): Promise<void> {
  await makeAgent("retired");
  keep("orphaned", (await execute("retired", shortTalk[0]![0])).conversationId);
  await server.fetch("/api/agents/retired", { method: "DELETE" });
  await makeAgent("talks");
  for (const [prompt] of shortTalk) keep("ended", (await execute("talks", prompt)).conversationId);
  await server.fetch("/api/agents/talks/end-session", { method: "POST" });
}

async function seedEndedRuns(stage: Stage): Promise<void> {
  const { server, makeAgent, execute, start, keep } = stage;
  const ended = { api: plays.tools, web: plays.edits, docs: plays.markdown, keeper: plays.thinking };
  for (const [agentId, [prompt]] of Object.entries({ ...ended, staging: plays.failing })) {
    await makeAgent(agentId);
    keep(agentId, (await execute(agentId, prompt)).id);
  }
  await makeAgent("logs");
  await execute("logs", plays.longMessage[0] + longMessageRest);
  await makeAgent("words");
  await execute("words", shortTalk[0]![0]);
  await expectJson(server.fetch, 200, "PATCH", "/api/agents/words", {
    body: { systemPrompt: "Answer in one sentence." },
  });
  await execute("words", plays.notices[0]);
  await makeAgent("almanac");
  keep("almanac", (await execute("almanac", plays.manyEvents[0])).id);
  await makeAgent("style");
  const { id } = await start("style", plays.stopped[0]);
  await waitForText(server, id, "strikes me is");
  await server.fetch(`/api/runs/${id}/cancel`, { method: "POST" });
  keep("style", id);
  await makeAgent("newcomer");
}

/** One that is longer than a page of turns, and one that is longer than a window. */
async function seedLongTalks({ makeAgent, execute, keep }: Stage): Promise<void> {
  for (const id of ["harbours", "coast"]) await makeAgent(id);
  for (const [prompt] of longTalk(exchanges)) {
    keep("long", (await execute("harbours", prompt)).conversationId);
  }
  for (const [prompt] of longTalk(10)) await execute("coast", prompt);
}

async function seedHeldRuns({ server, makeAgent, start, keep }: Stage): Promise<void> {
  for (const id of ["planner", "charts", "importer"]) await makeAgent(id);
  keep("planner", (await start("planner", plays.streaming[0])).id);
  keep("charts", (await start("charts", plays.toolRunning[0])).id);
  const held = await start("importer", plays.streaming[0]);
  for (const prompt of waitingMessages) keep("importer", (await start("importer", prompt)).id);
  await waitForText(server, held.id, "so far the importer has");
}

/** Resolves when the run has said that; a run that ends before it does is told of at once. */
async function waitForText(server: TestServer, runId: string, text: string): Promise<void> {
  const said = async () => {
    const { content, endedAt, error } = await expectJson<Run>(server.fetch, 200, "GET", `/api/runs/${runId}`);
    if (content.toLowerCase().includes(text)) return true;
    if (endedAt !== null) throw new Error(`The run ended before it said "${text}": ${error?.code}`);
    return false;
  };
  await waitFor(said, { what: `"${text}" to be said`, deadlineMs: 30_000 });
}
