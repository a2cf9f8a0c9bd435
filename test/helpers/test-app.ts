import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type App, createApp, type Overrides } from "../../src/app.ts";
import { parseConfig } from "../../src/config.ts";
import type { Agent } from "../../src/domain/agent.ts";
import type { Clock } from "../../src/domain/clock.ts";
import { systemClock } from "../../src/domain/clock.ts";
import type { Run } from "../../src/domain/run.ts";
import type { Bindings } from "../../src/routes/environment.ts";
import { expectJson, type Fetch } from "./http.ts";
import { assertIntegrity } from "./integrity.ts";
import { survivorsWith } from "./survivors.ts";
import { makeTempFolder } from "./temp.ts";
import { waitFor } from "./wait.ts";

/** The port under which an app in this process believes to be served; nothing is bound. */
export const appPort = 4270;
export const appHost = `127.0.0.1:${appPort}`;
export const appOrigin = `http://${appHost}`;

export const fakeClaude = join(import.meta.dir, "../fixtures/bin/fake-claude");
/** Answers "ok" and costs next to nothing. */
export const quickClaude = join(import.meta.dir, "../fixtures/bin/fake-claude-sh");

export interface TestAppOptions {
  env?: Record<string, string>;
  /** What the data directory's file of ACP agents holds; there is none without it. */
  acpAgents?: Record<string, unknown>;
  clock?: Clock;
  overrides?: Pick<Overrides, "streamPingMs" | "streamSlowMs">;
}

/** A whole app in this process: the same `createApp` as production, without a socket. */
export interface TestApp extends AsyncDisposable {
  readonly token: string;
  readonly dataDir: string;
  readonly home: string;
  /** An empty folder in which agents may work. */
  readonly workspace: string;
  readonly loginUrl: string;
  /** What the app wrote to its log, a line each. */
  readonly lines: string[];
  readonly routes: App["routes"];
  /** With the token, unless `init` has an authorization of its own. */
  readonly fetch: Fetch;
  /** As it is: no token, and the Host header only when `headers` has none. */
  send(path: string, init?: RequestInit, bindings?: Bindings): Promise<Response>;
  makeAgent(settings?: Record<string, unknown>): Promise<Agent>;
  /** Executes and waits for the end. */
  run(agentId: string, prompt: string, more?: Record<string, unknown>): Promise<Run>;
  /** Executes with respond-async. */
  submit(agentId: string, prompt: string, more?: Record<string, unknown>): Promise<Run>;
  waitForState(runId: string, state: Run["state"]): Promise<Run>;
  /** Stops it and starts another one on the same data directory. */
  restart(env?: Record<string, string>): Promise<void>;
}

export async function startApp(options: TestAppOptions = {}): Promise<TestApp> {
  const folder = makeTempFolder();
  const place = makePlace(folder.path, options);
  if (options.acpAgents) {
    mkdirSync(place.dataDir);
    writeFileSync(join(place.dataDir, "acp-agents.json"), JSON.stringify(options.acpAgents));
  }
  const lines: string[] = [];
  let app = await launch(place, options, lines);

  const send: TestApp["send"] = async (path, init = {}, bindings) => {
    const headers = new Headers(init.headers);
    if (!headers.has("host")) headers.set("host", appHost);
    return app.fetch(new Request(`${appOrigin}${path}`, { ...init, headers }), bindings);
  };
  const authorized: Fetch = (path, init = {}) => {
    const headers = new Headers(init.headers);
    if (!headers.has("authorization")) headers.set("authorization", `Bearer ${app.token}`);
    return send(path, { ...init, headers });
  };
  const execute = (agentId: string, prompt: string, more = {}) => ({
    path: `/api/agents/${agentId}/execute`,
    body: { prompt, ...more },
  });

  return {
    get token() {
      return app.token;
    },
    get loginUrl() {
      return app.loginUrl();
    },
    get routes() {
      return app.routes;
    },
    dataDir: place.dataDir,
    home: place.home,
    workspace: place.workspace,
    lines,
    fetch: authorized,
    send,
    makeAgent: (settings = {}) =>
      expectJson<Agent>(authorized, 201, "POST", "/api/agents", {
        body: { id: "anna", cli: "claude", cwd: place.workspace, ...settings },
      }),
    async run(agentId, prompt, more) {
      const { path, body } = execute(agentId, prompt, more);
      return (await authorized(path, jsonInit("POST", body))).json() as Promise<Run>;
    },
    submit(agentId, prompt, more) {
      const { path, body } = execute(agentId, prompt, more);
      return expectJson<Run>(authorized, 202, "POST", path, { body, headers: { prefer: "respond-async" } });
    },
    waitForState: (runId, state) =>
      waitFor(
        async () => {
          const run = (await (await authorized(`/api/runs/${runId}`)).json()) as Run;
          return run.state === state && run;
        },
        { what: `${runId} to be ${state}` },
      ),
    async restart(env = {}) {
      await app.stop();
      app = await launch(
        makePlace(folder.path, { ...options, env: { ...options.env, ...env } }),
        options,
        lines,
      );
    },
    async [Symbol.asyncDispose]() {
      try {
        await app.stop();
        await waitFor(() => survivorsWith(place.marker).length === 0, { what: "all processes to be gone" });
        assertIntegrity(place.dataDir);
      } finally {
        folder[Symbol.dispose]();
      }
    },
  };
}

export function jsonInit(method: string, body: unknown, headers: Record<string, string> = {}): RequestInit {
  return {
    method,
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  };
}

/** A clock that stands where the system's does, moved forward by hand. */
export function adjustableClock(): Clock & { advance(ms: number): void } {
  let aheadMs = 0;
  return {
    wallMs: () => systemClock.wallMs() + aheadMs,
    monotonicMs: () => systemClock.monotonicMs() + aheadMs,
    after: systemClock.after,
    advance: (ms) => void (aheadMs += ms),
  };
}

function makePlace(root: string, options: TestAppOptions) {
  const inside = (name: string) => join(root, name);
  const workspace = inside("workspaces/project");
  for (const path of [inside("home"), inside("tmp"), workspace]) mkdirSync(path, { recursive: true });
  const marker = root;
  const environment = {
    PATH: process.env["PATH"] ?? "",
    HOME: inside("home"),
    TMPDIR: inside("tmp"),
    LANG: "C.UTF-8",
    TEST_MARKER: marker,
    HEADWAY_DATA_DIR: inside("data"),
    HEADWAY_WORKSPACES: inside("workspaces"),
    HEADWAY_CLAUDE_PATH: fakeClaude,
    HEADWAY_DRAIN_MS: "0",
    HEADWAY_SELF_TEST: "off",
    HEADWAY_KILL_GRACE_MS: "200",
    HEADWAY_LOG_LEVEL: "debug",
    ...options.env,
    HEADWAY_PASS_ENV: ["TEST_MARKER", options.env?.["HEADWAY_PASS_ENV"] ?? ""].filter(Boolean).join(","),
  };
  return { dataDir: inside("data"), home: inside("home"), workspace, marker, environment };
}

async function launch(
  { environment }: ReturnType<typeof makePlace>,
  { clock, overrides }: TestAppOptions,
  lines: string[],
): Promise<App> {
  const parsed = parseConfig(environment);
  if (parsed.kind === "bad") throw new Error(parsed.message);
  const writeLine = (line: string) => void lines.push(line);
  const app = createApp(parsed.config, { environment, writeLine, ...(clock && { clock }), ...overrides });
  const outcome = await app.start({ host: "127.0.0.1", port: appPort });
  if (outcome.kind === "refused") throw new Error(outcome.message);
  return app;
}
