import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Hono } from "hono";
import { composeRunner } from "../../src/compose-runner.ts";
import { parseConfig } from "../../src/config.ts";
import { systemClock } from "../../src/domain/clock.ts";
import type { RunEventBody } from "../../src/domain/event.ts";
import { idMaker } from "../../src/domain/ids.ts";
import type { Settlement } from "../../src/domain/ports.ts";
import type { Run } from "../../src/domain/run.ts";
import type { RouteEnvironment } from "../../src/routes/environment.ts";
import type { PageDependencies } from "../../src/routes/pages/page-dependencies.ts";
import { addRunPages } from "../../src/routes/pages/runs/run-pages.tsx";
import { openRunView, type RunViewDependencies } from "../../src/routes/pages/runs/run-view.tsx";
import type { OpenLiveView } from "../../src/routes/pages/live/live-view.ts";
import { createRedactor } from "../../src/runner/policies/redaction.ts";
import { detectContainment } from "../../src/runner/process/detect-containment.ts";
import { createRunLogs, type RunLogs } from "../../src/runner/process/run-logs.ts";
import { survivorsWith } from "../helpers/survivors.ts";
import { fakeClaude } from "../helpers/test-app.ts";
import { waitFor } from "../helpers/wait.ts";
import { atMs, openTestStore, running, settings, settlement, type TestStore } from "../store/fixture.ts";

/** The pages of runs with a real store and a real runner behind them, without a server around them. */
export interface RunStage extends AsyncDisposable {
  store: TestStore["store"];
  runner: ReturnType<typeof composeRunner>["runner"];
  dependencies: PageDependencies;
  openView: OpenLiveView;
  /** The same with something else in place of what the stage has. */
  openViewWith(others: Partial<RunViewDependencies>): OpenLiveView;
  request(path: string, init?: RequestInit): Promise<Response>;
  /** The HTML of a page, which must be there. */
  page(path: string): Promise<string>;
  /** Gives an agent with the fake CLI something to do. */
  submit(prompt: string): Promise<Run>;
  /** A run of the agent "ada" as its log and its end tell; without an end it goes on. */
  record(run: { prompt?: string; events: readonly RunEventBody[]; end?: Partial<Settlement> }): Promise<Run>;
  openLog: RunLogs["open"];
}

const makeId = idMaker(Bun.randomUUIDv7);

export async function openRunStage(): Promise<RunStage> {
  const test = openTestStore();
  const { store } = test;
  const workspace = join(test.dataDir, "workspaces", "project");
  mkdirSync(workspace, { recursive: true });
  const parts = await composeParts(test);
  await parts.runner.start();
  for (const agent of [{ id: "ada" }, { id: "carl", cli: "claude" as const, cwd: workspace }]) {
    await store.createAgent(settings(agent));
  }
  const dependencies = {
    ...parts,
    runs: store,
    clock: systemClock,
    version: "1.2.3",
    assetUrl: (name: string) => `/assets/${name}`,
    containment: () => ({ rung: "bwrap", degradedBecause: null, sandboxOff: false }),
    health: { attention: () => 0 },
    // What pages of runs don't ask for isn't there.
  } as unknown as PageDependencies;
  const app = new Hono<RouteEnvironment>();
  addRunPages(app, dependencies);
  // Beside the runner's own, on the same folder.
  const logs = createRunLogs({
    folder: join(test.dataDir, "hidden", "logs"),
    bytesMax: 10_000_000,
    redactor: createRedactor({}),
    clock: systemClock,
    onError,
  });
  return {
    store,
    runner: parts.runner,
    dependencies,
    openView: openRunView(dependencies),
    openViewWith: (others) => openRunView({ ...dependencies, ...others }),
    request: async (path, init) => app.request(path, init),
    async page(path) {
      const response = await app.request(path);
      const html = await response.text();
      if (response.status !== 200) throw new Error(`${path}: ${response.status} ${html}`);
      return html;
    },
    async submit(prompt) {
      const outcome = await parts.runner.execute({ agentId: "carl", prompt, idempotencyKey: null });
      if (outcome.kind !== "accepted") throw new Error(JSON.stringify(outcome));
      return outcome.run;
    },
    async record({ prompt = "Say hello", events, end }) {
      const claimed = await running(store, { prompt });
      await store.append(claimed.runId, claimed.fence, events, atMs + 2);
      if (end !== undefined) await store.settle(settlement(claimed, end));
      return store.getRun(claimed.runId)!;
    },
    openLog: logs.open,
    async [Symbol.asyncDispose]() {
      await parts.runner.stop(0);
      await waitFor(() => survivorsWith(test.dataDir).length === 0, { what: "all processes to be gone" });
      await test[Symbol.asyncDispose]();
    },
  };
}

async function composeParts({ store, dataDir }: TestStore) {
  const environment = {
    PATH: process.env["PATH"] ?? "",
    HOME: join(dataDir, "home"),
    LANG: "C.UTF-8",
    TEST_MARKER: dataDir,
    HEADWAY_CLAUDE_PATH: fakeClaude,
    HEADWAY_WORKSPACES: join(dataDir, "workspaces"),
    HEADWAY_KILL_GRACE_MS: "200",
    HEADWAY_PASS_ENV: "TEST_MARKER",
  };
  mkdirSync(environment.HOME, { recursive: true });
  const parsed = parseConfig(environment);
  if (parsed.kind === "bad") throw new Error(parsed.message);
  return composeRunner({
    config: parsed.config,
    acpAgents: [],
    environment,
    version: "1.2.3",
    dataDir: join(dataDir, "hidden"),
    installationDir: join(import.meta.dir, "../.."),
    redactor: createRedactor(environment),
    store,
    containment: await detectContainment({ sandbox: "off", hiddenPaths: [], path: environment.PATH }),
    clock: systemClock,
    makeId,
    newSessionId: () => crypto.randomUUID(),
    publish: () => undefined,
    subscribe: () => undefined,
    onLogError: onError,
  });
}

function onError(error: Error): never {
  throw error;
}
