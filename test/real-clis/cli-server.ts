import type { RunEvent } from "../../src/domain/event.ts";
import type { Run } from "../../src/domain/run.ts";
import { type FakeModelApi, startFakeModelApi } from "../helpers/fake-model-api.ts";
import { expectJson, type JsonAnswer, openEvents, requestJson } from "../helpers/http.ts";
import { startServer, type TestServer } from "../helpers/server-process.ts";
import type { LiveProcess } from "../helpers/survivors.ts";
import { realCliPath, type RealCli } from "./install.ts";
import { setupOf } from "./cli-setup.ts";

/** The server with a real CLI, one agent named "ada", and a model API of ours behind it. */
export interface CliServer extends AsyncDisposable {
  server: TestServer;
  api: FakeModelApi;
  createAgent(settings: Record<string, unknown>): Promise<void>;
  patchAgent(settings: Record<string, unknown>): Promise<void>;
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

export interface CliServerOptions {
  env?: Record<string, string>;
  agent?: Record<string, unknown>;
  /** Files below the home folder, beside those that it needs. */
  homeFiles?: Record<string, string>;
}

export async function startCliServer(cli: RealCli, options: CliServerOptions = {}): Promise<CliServer> {
  await using started = new AsyncDisposableStack();
  const api = started.use(startFakeModelApi());
  const setup = setupOf(cli, api.url, realCliPath(cli) ?? "");
  const env = { ...setup.env, ...options.env };
  const homeFiles = { ...setup.homeFiles, ...options.homeFiles };
  const server = started.use(await startServer({ env, homeFiles, dataFiles: setup.dataFiles }));
  const driven = driveCli(server, api, { ...setup.agent, ...options.agent });
  await driven.createAgent({ id: "ada" });
  const running = started.move();
  return { ...driven, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

function driveCli(
  server: TestServer,
  api: FakeModelApi,
  defaults: Record<string, unknown>,
): Omit<CliServer, keyof AsyncDisposable> {
  const call = <T>(status: number, method: string, path: string, body?: unknown, headers = {}) =>
    expectJson<T>(server.fetch, status, method, path, { body, headers });
  return {
    server,
    api,
    async createAgent(settings) {
      await call(201, "POST", "/api/agents", { cwd: server.workspace, ...defaults, ...settings });
    },
    async patchAgent(settings) {
      await call(200, "PATCH", "/api/agents/ada", settings);
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
