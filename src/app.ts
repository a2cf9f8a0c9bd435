import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { acpAgentVariables, readAcpAgents } from "./acp-agents.ts";
import type { Config } from "./config.ts";
import { composeServing, type Serving, type ServingOutcome } from "./compose-serving.ts";
import type { AcpAgentConfig } from "./domain/acp-agent.ts";
import { type Clock, systemClock } from "./domain/clock.ts";
import { problems } from "./domain/error-codes.ts";
import { createFactBus, type FactBus } from "./domain/facts.ts";
import type { Routes } from "./routes/api.ts";
import type { Bindings } from "./routes/environment.ts";
import { createRedactor, type Redactor } from "./runner/policies/redaction.ts";
import { isOpenToOthers } from "./store/data-dir-modes.ts";
import { makeDataDir } from "./store/database.ts";
import { adviceOn, refusalOfOpening } from "./store/opening-refusal.ts";
import { createLog, type Log, type LogLevel } from "./telemetry/log.ts";
import { readOrMakeToken, type TokenOutcome } from "./token-file.ts";

export const installationDir = fileURLToPath(new URL("..", import.meta.url));

/** What differs between production and a test. */
export interface Overrides {
  /** The CLIs' environment is made from it, and its secrets are masked; the settings have been read already. */
  environment?: Readonly<Record<string, string | undefined>>;
  clock?: Clock;
  writeLine?: (line: string) => void;
  streamPingMs?: number;
  streamSlowMs?: number;
}

export interface Bound {
  host: string;
  port: number;
}

export type StartOutcome = { kind: "started" } | { kind: "refused"; exitCode: 64 | 75 | 78; message: string };

export interface App {
  fetch(request: Request, bindings?: Bindings): Response | Promise<Response>;
  /** Takes the data directory and ends what an earlier server left there. */
  start(bound: Bound): Promise<StartOutcome>;
  /** Where a person logs in without typing the token; works once. */
  loginUrl(): string;
  /** Takes nothing new, lets running turns finish for the drain time, then ends everything. Idempotent. */
  stop(): Promise<void>;
  /** Ends every process at once, then the rest. */
  stopAtOnce(): Promise<void>;
  log(level: LogLevel, msg: string, fields?: Record<string, unknown>): void;
  /** The text without secrets, as the log would print it. */
  redact(text: string): string;
  readonly dataDir: string;
  readonly token: string;
  /** What is served; nothing before `start`. */
  readonly routes: Routes;
}

/** What everything else is built on. */
export interface Ground {
  config: Config;
  /** ACP agents that the data directory names. */
  acpAgents: readonly AcpAgentConfig[];
  overrides: Overrides;
  environment: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  dataDir: string;
  installationDir: string;
  token: string;
  redactor: Redactor;
  facts: FactBus;
  log: Log;
}

/** The composition root, for production and tests alike. Nothing is opened before `start`. */
export function createApp(config: Config, overrides: Overrides = {}): App {
  const dataDir = config.dataDir ?? join(installationDir, "data");
  const given = prepareDataDir(dataDir, config.token);
  const named = readAcpAgents(dataDir);
  const acpAgents = named.kind === "ok" ? named.agents : [];
  const ground = layGround(config, overrides, dataDir, given.kind === "ok" ? given.token : "", acpAgents);
  let serving: Serving | null = null;
  let stopping: Promise<void> | null = null;
  return {
    dataDir,
    token: ground.token,
    get routes() {
      return serving?.routes ?? { specs: [], paths: [] };
    },
    log: ground.log.write,
    redact: ground.redactor.log,
    loginUrl: () => serving?.loginUrl ?? "",
    fetch: (request, bindings = {}) => serving?.fetch(request, bindings) ?? starting(),
    async start(bound) {
      for (const outcome of [given, named]) {
        if (outcome.kind === "bad") return { kind: "refused", exitCode: 64, message: outcome.message };
      }
      const outcome = await composeOrRefuse(ground, bound);
      if (outcome.kind === "refused") return outcome;
      serving = outcome.serving;
      if (isOpenToOthers(dataDir)) warnOfOpenDataDir(ground);
      return { kind: "started" };
    },
    stop: () => (stopping ??= serving?.stop() ?? Promise.resolve()),
    async stopAtOnce() {
      await serving?.stopAtOnce();
    },
  };
}

/** A data directory that can't be made or written is a setting to be mended, not a bug. */
function prepareDataDir(dataDir: string, token: string | undefined): TokenOutcome {
  try {
    makeDataDir(dataDir);
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
    return token ? { kind: "ok", token } : readOrMakeToken(dataDir, makeSecret);
  } catch (error) {
    const { code, syscall, path = dataDir } = error as NodeJS.ErrnoException;
    if (code === undefined || syscall === undefined) throw error;
    const advice = adviceOn(code) ?? "it must be a folder of this user's on a disk that takes writes";
    const place = path.startsWith(join(dataDir, "/")) ? `${path} can't be used` : unwritable(dataDir);
    const message = `${place} (${code}): ${advice}`;
    return { kind: "bad", message };
  }
}

/** Whatever is met while the data directory is opened, by whichever part of the server. */
async function composeOrRefuse(ground: Ground, bound: Bound): Promise<ServingOutcome> {
  try {
    return await composeServing(ground, bound, makeSecret);
  } catch (error) {
    const refusal = refusalOfOpening(error, ground.dataDir);
    if (refusal === null) throw error;
    return { kind: "refused", ...refusal };
  }
}

function warnOfOpenDataDir({ log, dataDir }: Ground): void {
  const todo = `chmod 700 ${dataDir}`;
  log.write("warn", "other users of this machine can reach into the data directory", { dataDir, todo });
}

function unwritable(dataDir: string): string {
  return `HEADWAY_DATA_DIR is ${dataDir}, which can't be written`;
}

function layGround(
  config: Config,
  overrides: Overrides,
  dataDir: string,
  token: string,
  acpAgents: readonly AcpAgentConfig[],
): Ground {
  const { environment = {}, clock = systemClock, writeLine = createPrinter() } = overrides;
  const redactor = createRedactor({
    ...environment,
    ...acpAgentVariables(acpAgents),
    HEADWAY_TOKEN: token,
  });
  const log = createLog({ level: config.logLevel, clock, redact: redactor.log, writeLine });
  const facts = createFactBus((error) =>
    log.write("error", "a listener of facts failed", { error: String(error) }),
  );
  facts.subscribe(log.fact);
  const laid = { clock, dataDir, installationDir, token, redactor, facts, log };
  return { config, acpAgents, overrides, environment, ...laid };
}

/**
 * Prints a line at once. Not by `process.stdout`: its streams would be 8 ms and 3 MB of every start, and
 * their error, when the reader of the log goes away, would be the end of the server.
 */
function createPrinter(): (line: string) => void {
  const sink = Bun.stdout.writer();
  return (line) => {
    try {
      void unlessNobodyReads(sink.write(`${line}\n`));
      void unlessNobodyReads(sink.flush());
    } catch (error) {
      ignoreLostOutput(error);
    }
  };
}

/** What is printed where nobody reads, or where there is no room, is lost, and no reason to end. */
export async function unlessNobodyReads(written: number | Promise<number>): Promise<void> {
  if (typeof written === "number") return;
  await written.catch(ignoreLostOutput);
}

const lostOutputCodes = new Set(["EPIPE", "EIO", "ENOSPC", "EBADF"]);

export function ignoreLostOutput(error: unknown): void {
  if (!lostOutputCodes.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
}

/** Nothing is composed yet that could say it; clients that reconnect during a restart meet this. */
function starting(): Response {
  const code = "store_unavailable";
  const requestId = Bun.randomUUIDv7();
  const type = `/api/docs#problem-${code}`;
  const body = { type, ...problems[code], detail: "The server is starting.", code, requestId };
  return new Response(JSON.stringify(body), {
    status: 503,
    headers: {
      "Content-Type": "application/problem+json",
      "Cache-Control": "no-store",
      "Retry-After": "1",
      "X-Request-Id": requestId,
    },
  });
}

function makeSecret(): string {
  return crypto.getRandomValues(new Uint8Array(32)).toBase64({ alphabet: "base64url", omitPadding: true });
}
