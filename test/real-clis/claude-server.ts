import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RunEvent } from "../../src/domain/event.ts";
import type { Run } from "../../src/domain/run.ts";
import { type FakeModelApi, startFakeModelApi } from "../helpers/fake-model-api.ts";
import { expectJson, type JsonAnswer, openEvents, requestJson } from "../helpers/http.ts";
import { startServer, type TestServer } from "../helpers/server-process.ts";
import type { LiveProcess } from "../helpers/survivors.ts";
import { realClaudePath } from "./install.ts";

/** The server with the real Claude Code, one agent named "ada", and a model API of ours behind it. */
export interface ClaudeServer extends AsyncDisposable {
  server: TestServer;
  api: FakeModelApi;
  createAgent(settings: Record<string, unknown>): Promise<void>;
  /** Waits for the end of the run. */
  execute(prompt: string, agentId?: string): Promise<JsonAnswer<Run>>;
  /** Resolves once the run is accepted. */
  begin(prompt: string, agentId?: string): Promise<Run>;
  getRun(runId: string): Promise<Run>;
  /** Reads the run's events from the first on, until one is the one wanted; resolves with all so far. */
  readUntil(runId: string, wanted: (event: RunEvent) => boolean): Promise<RunEvent[]>;
  listEvents(runId: string): Promise<RunEvent[]>;
  cancel(runId: string): Promise<{ state: string; alreadyFinished: boolean; survivors: number }>;
  /** Live processes of the server whose program has this name. */
  processesNamed(name: string): LiveProcess[];
}

/** False on a machine without the CLI; where a person's work is judged (CI=true) that's a failure. */
export function claudeIsInstalled(): boolean {
  const installed = realClaudePath() !== null;
  if (!installed && process.env["CI"] === "true") {
    throw new Error("Claude Code isn't installed: run `npm run clis:install`.");
  }
  return installed;
}

export async function startClaudeServer(
  options: { env?: Record<string, string>; allow?: readonly string[]; agent?: Record<string, unknown> } = {},
): Promise<ClaudeServer> {
  await using started = new AsyncDisposableStack();
  const api = started.use(startFakeModelApi());
  const quiet = ["CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "DISABLE_TELEMETRY", "DISABLE_ERROR_REPORTING"];
  const env = {
    HEADWAY_CLAUDE_PATH: realClaudePath() ?? "",
    ANTHROPIC_BASE_URL: api.url,
    ANTHROPIC_API_KEY: "made-up-key",
    ...Object.fromEntries(quiet.map((name) => [name, "1"])),
    HEADWAY_PASS_ENV: quiet.join(","),
    ...options.env,
  };
  const server = started.use(await startServer({ env }));
  const claude = driveClaude(server, api);
  if (options.allow) allowTools(server.home, options.allow);
  await claude.createAgent({ id: "ada", ...options.agent });
  const running = started.move();
  return { ...claude, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

function driveClaude(server: TestServer, api: FakeModelApi): Omit<ClaudeServer, keyof AsyncDisposable> {
  const call = <T>(status: number, method: string, path: string, body?: unknown, headers = {}) =>
    expectJson<T>(server.fetch, status, method, path, { body, headers });
  return {
    server,
    api,
    async createAgent(settings) {
      await call(201, "POST", "/api/agents", { cli: "claude", cwd: server.workspace, ...settings });
    },
    execute: (prompt, agentId = "ada") =>
      requestJson(server.fetch, "POST", `/api/agents/${agentId}/execute`, { body: { prompt } }),
    begin: (prompt, agentId = "ada") =>
      call(202, "POST", `/api/agents/${agentId}/execute`, { prompt }, { prefer: "respond-async" }),
    getRun: (runId) => call(200, "GET", `/api/runs/${runId}`),
    readUntil: (runId, wanted) => readUntil(server, runId, wanted),
    async listEvents(runId) {
      const { items } = await call<{ items: RunEvent[] }>(200, "GET", `/api/runs/${runId}/events?limit=500`);
      return items;
    },
    cancel: (runId) => call(200, "POST", `/api/runs/${runId}/cancel`),
    processesNamed: (name) =>
      server.survivors().filter(({ argv }) => argv[0] === name || argv[0]?.endsWith(`/${name}`)),
  };
}

async function readUntil(
  server: TestServer,
  runId: string,
  wanted: (event: RunEvent) => boolean,
): Promise<RunEvent[]> {
  await using stream = await openEvents(server.fetch, `/api/runs/${runId}/events`);
  const events: RunEvent[] = [];
  for await (const { data } of stream) {
    const event = JSON.parse(data) as RunEvent;
    events.push(event);
    if (wanted(event)) return events;
  }
  throw new Error(`The stream ended without the event wanted: ${JSON.stringify(events)}`);
}

/** In acceptEdits mode Claude Code denies most shell commands; its own settings can allow them. */
function allowTools(home: string, allow: readonly string[]): void {
  mkdirSync(join(home, ".claude"));
  writeFileSync(join(home, ".claude", "settings.json"), JSON.stringify({ permissions: { allow } }));
}
