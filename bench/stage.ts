import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Run } from "../src/domain/run.ts";
import type { Containment } from "../src/runner/process/containment.ts";
import { detectContainment } from "../src/runner/process/detect-containment.ts";
import { type ServerOptions, startServer, type TestServer } from "../test/helpers/server-process.ts";
import { cpuMsOf } from "./machine.ts";
import { type SeededData, seederOf } from "./seeded.ts";

/** What all measures share. */
export interface Ground {
  /** A fake CLI that takes no time of its own. */
  fakeCli: string;
  containment: Containment;
  /**
   * A path for a data directory, which stays until the bench is over: on ext4 without a journal each file
   * that is made in the minute after thousands were removed takes milliseconds.
   */
  newDataDir(): string;
  /** The same with long conversations in it. */
  seededDataDir(): Promise<SeededData>;
  /** A home for servers, in which Bun keeps what it has transpiled, as it does in a person's home. */
  home: string;
}

/** What every measure gets; what it uses is ended with the measure, also when the bench is interrupted. */
export interface Stage extends Ground {
  isQuick: boolean;
  /** Takes the first number, or the second one when time is short. */
  times(full: number, quick: number): number;
  /** Ends it with the measure. */
  use<T extends AsyncDisposable | Disposable>(resource: T): T;
}

const fixtures = join(import.meta.dir, "..", "test", "fixtures", "bin");

/** @param folder an empty one, removed by its owner when the bench is over */
export async function layGround(folder: string): Promise<Ground> {
  const containment = await detectContainment({
    sandbox: "auto",
    hiddenPaths: [folder],
    path: process.env["PATH"] ?? "",
  });
  const home = join(folder, "home");
  mkdirSync(home);
  let dataDirs = 0;
  const newDataDir = () => join(folder, `data-${++dataDirs}`);
  return {
    fakeCli: await makeFakeCli(folder),
    containment,
    newDataDir,
    seededDataDir: seederOf(newDataDir),
    home,
  };
}

export function setStage(ground: Ground, isQuick: boolean, ends: AsyncDisposableStack): Stage {
  return {
    ...ground,
    isQuick,
    times: (full, quick) => (isQuick ? quick : full),
    use: (resource) => ends.use(resource),
  };
}

/** Compiled where there is a compiler; otherwise the script, whose start-up is a part of the figures. */
async function makeFakeCli(folder: string): Promise<string> {
  const compiler = Bun.which("gcc") ?? Bun.which("cc");
  if (compiler === null) return join(fixtures, "instant-claude.js");
  const program = join(folder, "instant-claude");
  const source = join(fixtures, "instant-claude.c");
  const compiling = Bun.spawn([compiler, "-O2", "-o", program, source], { stderr: "inherit" });
  if ((await compiling.exited) !== 0) throw new Error(`${source} doesn't compile.`);
  return program;
}

/** A server and the agents that work for it. */
export interface Arena {
  server: TestServer;
  agentIds: string[];
  /** Waits for the run's end; throws unless it succeeded. */
  execute(agentId: string, prompt: string): Promise<Run>;
  /** Gives every agent one turn, so that its process is warm and the server's code is compiled. */
  warmUp(rounds: number): Promise<void>;
  /** CPU time of the server, without its children, per `count` operations, from now to the call. */
  startCpuClock(): (count: number) => string;
}

/** Starts a server with so many agents, called agent-1, agent-2 and so on. */
export async function openArena(
  stage: Stage,
  options: ServerOptions & { agents: number; agent?: Record<string, unknown> },
): Promise<Arena> {
  const env = { HEADWAY_CLAUDE_PATH: stage.fakeCli, ...options.env };
  const server = stage.use(await startServer({ dataDir: stage.newDataDir(), ...options, env }));
  const agentIds = Array.from({ length: options.agents }, (_, index) => `agent-${index + 1}`);
  for (const id of agentIds) await createAgent(server, { id, cli: "claude", ...options.agent });
  const execute = (agentId: string, prompt: string) => executeTurn(server, agentId, prompt);
  return {
    server,
    agentIds,
    execute,
    async warmUp(rounds) {
      for (let round = 0; round < rounds; round++)
        await Promise.all(agentIds.map((agentId) => execute(agentId, "warm up")));
    },
    startCpuClock() {
      const beforeMs = cpuMsOf(server.pid);
      return (count) => `${((cpuMsOf(server.pid) - beforeMs) / count).toFixed(2)} ms`;
    },
  };
}

async function createAgent(server: TestServer, agent: Record<string, unknown>): Promise<void> {
  const response = await post(server, "/api/agents", { cwd: server.workspace, ...agent });
  const text = await response.text();
  if (response.status !== 201) throw new Error(`${String(agent["id"])} could not be created: ${text}`);
}

async function executeTurn(server: TestServer, agentId: string, prompt: string): Promise<Run> {
  const response = await post(server, `/api/agents/${agentId}/execute`, { prompt });
  const run = (await response.json()) as Run;
  if (response.status !== 200) throw new Error(`A run ended otherwise: ${JSON.stringify(run)}`);
  return run;
}

/** With kept connections, as a script's client would. */
export function post(
  server: TestServer,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  const all = { authorization: `Bearer ${server.token}`, "content-type": "application/json", ...headers };
  return fetch(new URL(path, server.url), { method: "POST", headers: all, body: JSON.stringify(body) });
}

/** Runs one of the bench's own programs, which print what they have found as JSON on their last line. */
export function runProgram(stage: Stage, name: string, args: readonly string[]) {
  const path = join(import.meta.dir, "programs", `${name}.ts`);
  const child = Bun.spawn([process.execPath, path, ...args], {
    cwd: dirname(import.meta.dir),
    stdio: ["pipe", "pipe", "inherit"],
  });
  stage.use({ [Symbol.asyncDispose]: async () => (child.kill("SIGKILL"), void (await child.exited)) });
  return child;
}
