import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import type { RunEvent } from "../../src/domain/event.ts";
import type { Run } from "../../src/domain/run.ts";
import { expectJson, type JsonAnswer, requestJson } from "../helpers/http.ts";
import { assertIntegrity } from "../helpers/integrity.ts";
import { startServer, type TestServer } from "../helpers/server-process.ts";
import { makeTempFolder } from "../helpers/temp.ts";
import { waitFor } from "../helpers/wait.ts";

const fakeClaudePath = join(import.meta.dir, "..", "fixtures", "bin", "fake-claude");

/** One line of the scripted CLI's own diary. */
export interface FakeLogEntry {
  event: string;
  pid: number;
  sessionId: string;
  /** Its first 80 characters. */
  prompt: string;
  /** Its last 80 characters: where a session was lost, the conversation so far stands before them. */
  promptEnd: string;
  monotonicMs: number;
}

/** An agent as a script sees it. */
export interface StageAgent {
  readonly id: string;
  /** Its folder. */
  readonly cwd: string;
  /** Gives it a prompt and waits for the end of the run. */
  execute(prompt: string, more?: ExecuteMore): Promise<JsonAnswer<Run>>;
  /** Gives it a prompt and resolves once it is accepted, with the run as it was then. */
  begin(prompt: string, more?: ExecuteMore): Promise<Run>;
  /** As `execute`, for a turn that must succeed; resolves with its answer. */
  ask(prompt: string, more?: ExecuteMore): Promise<string>;
  endSession(): Promise<void>;
}

export interface ExecuteMore {
  timeoutMs?: number;
  conversationId?: string;
  key?: string;
  headers?: Record<string, string>;
}

export interface CancelAnswer {
  runId: string;
  state: Run["state"];
  alreadyFinished: boolean;
  survivors: number;
  tookMs: number;
}

/** The real server with the scripted CLI behind it. */
export interface Stage extends AsyncDisposable {
  readonly server: TestServer;
  /** Where the server looks for the CLI: a link to the scripted one, which a test may take away. */
  readonly cliPath: string;
  linkCli(): void;
  agent(settings?: Record<string, unknown>): Promise<StageAgent>;
  getRun(runId: string): Promise<Run>;
  /** Resolves with the run once it is in one of these states. */
  reached(runId: string, ...states: Run["state"][]): Promise<Run>;
  settled(runId: string): Promise<Run>;
  cancel(runId: string): Promise<CancelAnswer>;
  events(runId: string): Promise<RunEvent[]>;
  /** Resolves once the run's log has an event that pleases. */
  eventSeen(runId: string, pleases: (event: RunEvent) => boolean): Promise<RunEvent>;
  fakeLog(): FakeLogEntry[];
  /** Ends all sessions, then throws when a process is left or the data breaks its rules. */
  tidy(): Promise<void>;
}

/** Starts the server, on a data directory of its own unless one is given. */
export async function openStage(env: Record<string, string> = {}, dataDir?: string): Promise<Stage> {
  await using opened = new AsyncDisposableStack();
  const folder = opened.use(makeTempFolder());
  const cliPath = join(folder.path, "claude");
  const logPath = join(folder.path, "fake-log.jsonl");
  const linkCli = () => {
    rmSync(cliPath, { force: true });
    symlinkSync(fakeClaudePath, cliPath);
  };
  linkCli();
  const passed = ["FAKE_LOG", ...(env["HEADWAY_PASS_ENV"]?.split(",") ?? [])].join(",");
  const server = opened.use(
    await startServer({
      ...(dataDir === undefined ? {} : { dataDir }),
      env: { HEADWAY_CLAUDE_PATH: cliPath, FAKE_LOG: logPath, ...env, HEADWAY_PASS_ENV: passed },
    }),
  );
  const driven = drive(server);
  const running = opened.move();
  return {
    ...driven,
    server,
    cliPath,
    linkCli,
    fakeLog: () => readLines(logPath),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

function drive(server: TestServer) {
  const agents: StageAgent[] = [];
  let named = 0;
  const { fetch } = server;
  const getRun = (runId: string) => expectJson<Run>(fetch, 200, "GET", `/api/runs/${runId}`);
  const reached = (runId: string, ...states: Run["state"][]) =>
    waitFor(
      async () => {
        const run = await getRun(runId);
        return states.includes(run.state) ? run : null;
      },
      { what: `${runId} to be ${states.join(" or ")}`, deadlineMs: 25_000 },
    );
  const events = async (runId: string) => {
    const path = `/api/runs/${runId}/events?limit=500`;
    return (await expectJson<{ items: RunEvent[] }>(fetch, 200, "GET", path)).items;
  };
  return {
    getRun,
    reached,
    events,
    settled: (runId: string) =>
      reached(runId, "succeeded", "failed", "cancelled", "timed_out", "interrupted"),
    cancel: (runId: string) => expectJson<CancelAnswer>(fetch, 200, "POST", `/api/runs/${runId}/cancel`),
    eventSeen: (runId: string, pleases: (event: RunEvent) => boolean) =>
      waitFor(async () => (await events(runId)).find(pleases), { what: `an event of ${runId}` }),
    async agent(settings: Record<string, unknown> = {}) {
      const id = `agent${++named}`;
      const cwd = join(server.workspace, id);
      mkdirSync(cwd);
      await expectJson(fetch, 201, "POST", "/api/agents", { body: { id, cli: "claude", cwd, ...settings } });
      const agent = driveAgent(server, id, cwd);
      agents.push(agent);
      return agent;
    },
    async tidy() {
      for (const agent of agents) await agent.endSession();
      await waitFor(() => server.survivors().length === 0, {
        deadlineMs: 3_000,
        what: "the end of all processes",
      });
      assertIntegrity(server.dataDir);
    },
  };
}

function driveAgent({ fetch }: TestServer, id: string, cwd: string): StageAgent {
  const path = `/api/agents/${id}/execute`;
  const send = (prompt: string, more: ExecuteMore, prefer: Record<string, string>) => {
    const { key, headers, ...rest } = more;
    const all = { ...prefer, ...headers, ...(key === undefined ? {} : { "idempotency-key": key }) };
    return requestJson<Run>(fetch, "POST", path, { body: { prompt, ...rest }, headers: all });
  };
  return {
    id,
    cwd,
    execute: (prompt, more = {}) => send(prompt, more, {}),
    async begin(prompt, more = {}) {
      const answer = await send(prompt, more, { prefer: "respond-async" });
      if (answer.status !== 202) throw new Error(`Not accepted: ${JSON.stringify(answer)}`);
      return answer.body;
    },
    async ask(prompt, more = {}) {
      const { status, body } = await send(prompt, more, {});
      if (status !== 200) throw new Error(`The turn did not succeed: ${status} ${JSON.stringify(body)}`);
      return body.content;
    },
    endSession: () => expectJson(fetch, 200, "POST", `/api/agents/${id}/end-session?force=true`),
  };
}

function readLines(path: string): FakeLogEntry[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n").filter(Boolean);
  return lines.map((line) => JSON.parse(line) as FakeLogEntry);
}

/** The longest number of turns that ran at the same moment, by the CLI's own diary. */
export function overlapOf(entries: readonly FakeLogEntry[]): number {
  const steps = entries.filter(({ event }) => event === "start" || event === "end");
  let running = 0;
  let most = 0;
  for (const { event } of steps.toSorted((a, b) => a.monotonicMs - b.monotonicMs)) {
    running += event === "start" ? 1 : -1;
    most = Math.max(most, running);
  }
  return most;
}

/** The ends of the prompts, in the order in which their turns started. */
export function startedPrompts(entries: readonly FakeLogEntry[]): string[] {
  return entries.filter(({ event }) => event === "start").map(({ promptEnd }) => promptEnd);
}

/** The members of `whole` that `wanted` has: short to read where a comparison fails. */
export function membersOf(whole: object, wanted: object): Record<string, unknown> {
  const all = Object.entries(whole);
  return Object.fromEntries(all.filter(([name]) => Object.hasOwn(wanted, name)));
}
