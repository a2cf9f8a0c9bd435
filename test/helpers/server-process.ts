import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Fetch } from "./http.ts";
import { assertIntegrity } from "./integrity.ts";
import { type LiveProcess, survivorsWith } from "./survivors.ts";
import { makeTempFolder, writeFiles } from "./temp.ts";
import { waitFor } from "./wait.ts";

const projectRoot = join(import.meta.dir, "..", "..");
const startDeadlineMs = 15_000;
const stopDeadlineMs = 30_000;
const crashSeenMs = 200;
const outputLinesMax = 20_000;

export interface ServerOptions {
  /** Variables beside the ones that every test server gets; HEADWAY_PASS_ENV is added to. */
  env?: Record<string, string>;
  /** Files that are there before its first start, by their paths below the home folder and the data directory. */
  homeFiles?: Record<string, string>;
  dataFiles?: Record<string, string>;
  /** An existing data directory; without it the server gets a fresh one that goes away with it. */
  dataDir?: string;
  /** 0, which is the default, picks a free one; a restart keeps what was picked. */
  port?: number;
  /** Stands before the server's command, to have another user run it; only for servers that refuse. */
  prefix?: readonly string[];
}

/** The real server as a child process, with a home, a workspace and a data directory of its own. */
export interface TestServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly token: string;
  /** The single-use link that the server printed for a person. */
  readonly loginUrl: string;
  readonly dataDir: string;
  readonly home: string;
  /** An empty folder in which agents may work. */
  readonly workspace: string;
  /** In the environment of the server and of every process that it starts. */
  readonly marker: string;
  /** With the bearer token, unless `init` has an authorization of its own; redirects aren't followed. */
  readonly fetch: Fetch;
  /** Sends the signal and resolves with the exit code. */
  stop(signal?: "SIGTERM" | "SIGINT"): Promise<number>;
  /** kill -9; resolves when the server is dead. */
  kill(): Promise<void>;
  /** Starts it anew on the same data directory and port; it must have been stopped or killed. */
  restart(env?: Record<string, string>): Promise<void>;
  /** The JSON lines on stdout, of all starts. */
  logLines(): Record<string, unknown>[];
  /** The text on stderr, of all starts. */
  stderr(): string;
  /** Live processes that the server started, itself left out. */
  survivors(): LiveProcess[];
  /** Stops it, and throws when a process is left or the data breaks its rules. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Resolves once the server has said that it listens; rejects with its output when it ends before. */
export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const place = makePlace(options);
  let running = await launch(place.env).catch((error) => {
    place.remove();
    throw error;
  });
  const starts = [running];
  const token = place.env["HEADWAY_TOKEN"] ?? readFileSync(join(place.dataDir, "token"), "utf8").trim();
  const survivors = () => survivorsWith(place.marker).filter(({ pid }) => pid !== running.child.pid);

  async function stop(signal: "SIGTERM" | "SIGINT" | "SIGKILL" = "SIGTERM"): Promise<number> {
    running.child.kill(signal);
    await waitFor(() => hasEnded(running.child), {
      deadlineMs: stopDeadlineMs,
      what: `the server's end after ${signal}`,
    });
    return running.child.exited;
  }

  return {
    get url() {
      return running.url;
    },
    get port() {
      return Number(new URL(running.url).port);
    },
    get pid() {
      return running.child.pid;
    },
    get loginUrl() {
      return running.loginUrl;
    },
    token,
    dataDir: place.dataDir,
    home: place.home,
    workspace: place.workspace,
    marker: place.marker,
    fetch: (path, init = {}) => authorizedFetch(running, token, path, init),
    stop,
    kill: async () => void (await stop("SIGKILL")),
    async restart(env = {}) {
      const port = new URL(running.url).port;
      running = await launch({ ...place.env, ...env, HEADWAY_PORT: port });
      starts.push(running);
    },
    logLines: () => starts.flatMap(({ output }) => output.lines.flatMap(parseLogLine)),
    stderr: () => starts.map(({ output }) => output.stderr).join(""),
    survivors,
    async [Symbol.asyncDispose]() {
      try {
        const exitCode = await stop();
        await expectNoSurvivors(survivors);
        assertIntegrity(place.dataDir, { recovered: exitCode === 0 });
      } finally {
        survivors().forEach(killIfAlive);
        place.remove();
      }
    },
  };
}

/** Starts a server that is expected to refuse, and resolves when it has ended. */
export async function runRefusedServer(
  options: ServerOptions,
): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  const place = makePlace(options);
  try {
    const child = spawnServer(place.env, options.prefix);
    const texts = [new Response(child.stdout).text(), new Response(child.stderr).text()] as const;
    const timer = setTimeout(() => child.kill("SIGKILL"), startDeadlineMs);
    const [stdout, stderr] = await Promise.all(texts);
    clearTimeout(timer);
    return { exitCode: await child.exited, stdout, stderr };
  } finally {
    place.remove();
  }
}

interface Place {
  dataDir: string;
  home: string;
  workspace: string;
  marker: string;
  env: Record<string, string>;
  remove(): void;
}

/** Folders and environment; nothing of the environment that the tests run in but PATH is handed on. */
function makePlace(options: ServerOptions): Place {
  const folder = makeTempFolder();
  const inside = (name: string) => join(folder.path, name);
  const dataDir = options.dataDir ?? inside("data");
  const workspace = inside("workspaces/project");
  for (const path of [inside("home"), inside("tmp"), workspace]) mkdirSync(path, { recursive: true });
  writeFiles(inside("home"), options.homeFiles ?? {});
  writeFiles(dataDir, options.dataFiles ?? {});
  const marker = crypto.randomUUID();
  const passed = ["TEST_MARKER", ...(options.env?.["HEADWAY_PASS_ENV"]?.split(",") ?? [])];
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: inside("home"),
    TMPDIR: inside("tmp"),
    LANG: "C.UTF-8",
    TERM: "dumb",
    TEST_MARKER: marker,
    HEADWAY_DRAIN_MS: "1000",
    // Every server would pay for it anew, on its fresh data directory; tests of it switch it on.
    HEADWAY_SELF_TEST: "off",
    HEADWAY_PORT: String(options.port ?? 0),
    HEADWAY_DATA_DIR: dataDir,
    HEADWAY_WORKSPACES: inside("workspaces"),
    ...options.env,
    HEADWAY_PASS_ENV: passed.join(","),
  };
  return { dataDir, home: inside("home"), workspace, marker, env, remove: () => folder[Symbol.dispose]() };
}

function spawnServer(env: Record<string, string>, prefix: readonly string[] = []) {
  return Bun.spawn([...prefix, process.execPath, "--no-env-file", "src/server.ts"], {
    cwd: projectRoot,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
}

interface Output {
  /** The newest lines of stdout. */
  lines: string[];
  stderr: string;
}

interface Running {
  child: ReturnType<typeof spawnServer>;
  output: Output;
  url: string;
  loginUrl: string;
}

async function launch(env: Record<string, string>): Promise<Running> {
  const child = spawnServer(env);
  const output: Output = { lines: [], stderr: "" };
  const drained = Promise.all([readStdout(child.stdout, output), readStderr(child.stderr, output)]);
  const said = () => ({
    url: output.lines.flatMap(parseLogLine).find((line) => line["msg"] === "listening")?.["url"],
    loginUrl: /\S+\/login\?nonce=\S+/.exec(output.stderr)?.[0],
  });
  const answered = () => (said().url && said().loginUrl) || hasEnded(child);
  await waitFor(answered, {
    deadlineMs: startDeadlineMs,
    what: "the server's listening line and login link",
  }).catch((error) => {
    child.kill("SIGKILL");
    throw error;
  });
  const { url, loginUrl } = said();
  if (typeof url === "string" && loginUrl !== undefined) return { child, output, url, loginUrl };
  await drained;
  throw new Error(`The server ended with ${child.exitCode}:\n${output.lines.join("\n")}\n${output.stderr}`);
}

function hasEnded(child: ReturnType<typeof spawnServer>): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function readStdout(stream: ReadableStream<Uint8Array>, output: Output): Promise<void> {
  const decoder = new TextDecoder();
  let pending = "";
  for await (const chunk of stream) {
    const lines = (pending + decoder.decode(chunk, { stream: true })).split("\n");
    pending = lines.pop() ?? "";
    output.lines.push(...lines);
    output.lines.splice(0, output.lines.length - outputLinesMax);
  }
}

async function readStderr(stream: ReadableStream<Uint8Array>, output: Output): Promise<void> {
  const decoder = new TextDecoder();
  for await (const chunk of stream) output.stderr += decoder.decode(chunk, { stream: true });
}

function parseLogLine(line: string): Record<string, unknown>[] {
  return line.startsWith("{") ? [JSON.parse(line) as Record<string, unknown>] : [];
}

async function authorizedFetch(
  { url, child, output }: Running,
  token: string,
  path: string,
  init: RequestInit,
): Promise<Response> {
  const headers = new Headers(init.headers);
  if (!headers.has("authorization")) headers.set("authorization", `Bearer ${token}`);
  try {
    // Without pooled connections, a restarted server isn't met by the sockets of the one before.
    return await fetch(new URL(path, url), { redirect: "manual", keepalive: false, ...init, headers });
  } catch (cause) {
    // A server that crashed takes a moment to be seen dead; its last words say more than a closed socket.
    const crashed = await Promise.race([
      child.exited.then(() => true),
      Bun.sleep(crashSeenMs).then(() => false),
    ]);
    if (!crashed) throw cause;
    throw new Error(`${path}: the server has ended with ${child.exitCode}:\n${output.stderr}`, { cause });
  }
}

function killIfAlive({ pid }: LiveProcess): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

/** What dies with a killed server dies a little after it; what lives on for five seconds survives. */
async function expectNoSurvivors(survivors: () => LiveProcess[]): Promise<void> {
  const ended = waitFor(() => survivors().length === 0, {
    deadlineMs: 2_000,
    what: "the end of all processes",
  });
  await ended.catch((error: Error) => {
    const shown = survivors().map(({ pid, argv }) => `${pid} ${argv.join(" ").slice(0, 200)}`);
    throw new Error(`${error.message}\n${shown.join("\n")}`);
  });
}
