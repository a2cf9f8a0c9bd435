import { join } from "node:path";
import packageJson from "../package.json" with { type: "json" };
import type { Bound, Ground, StartOutcome } from "./app.ts";
import { readAssets } from "./assets.ts";
import { composeRunner, sha256 } from "./compose-runner.ts";
import { idMaker } from "./domain/ids.ts";
import { createHalfClosedFinder } from "./half-closed.ts";
import { createScheduler } from "./jobs/scheduler.ts";
import { sweeps } from "./jobs/sweeps.ts";
import { createNonce } from "./nonces.ts";
import { type OwnNames, ownNames } from "./routes/access.ts";
import { createApi, type Routes } from "./routes/api.ts";
import type { Bindings } from "./routes/environment.ts";
import { createEventStreams, type EventStreams } from "./routes/event-stream.ts";
import { createPages } from "./routes/pages/pages.tsx";
import type { Containment } from "./runner/process/containment.ts";
import { detectContainment } from "./runner/process/detect-containment.ts";
import { readBootId } from "./runner/process/tree.ts";
import { openStore, type Store } from "./store/store.ts";
import { createMetrics, type Metrics } from "./telemetry/metrics.ts";
import { rendererVersion } from "./views/chat/renderer-version.ts";

/** Event streams open at once; each costs a few kilobytes. */
const streamsMax = 2_000;
/** Looked at three times as often, so that no client is left without a word for 15 seconds. */
const streamPingMs = 10_000;
const streamSlowMs = 30_000;
const streamAgeMsMax = 3_600_000;

const { version } = packageJson;
const makeId = idMaker(Bun.randomUUIDv7);

/** A server that has its store and its runner. */
export interface Serving {
  fetch(request: Request, bindings: Bindings): Response | Promise<Response>;
  readonly loginUrl: string;
  readonly routes: Routes;
  stop(): Promise<void>;
  stopAtOnce(): Promise<void>;
}

export type ServingOutcome =
  { kind: "serving"; serving: Serving } | Exclude<StartOutcome, { kind: "started" }>;

type RunnerParts = ReturnType<typeof composeRunner>;

/** Opens the store, proves the processes of earlier servers dead, and only then takes requests. */
export async function composeServing(
  ground: Ground,
  bound: Bound,
  makeSecret: () => string,
): Promise<ServingOutcome> {
  const { config, clock, dataDir, facts } = ground;
  const begunMs = clock.monotonicMs();
  const containment = await detectContainment({
    sandbox: config.sandbox,
    hiddenPaths: [dataDir],
    path: ground.environment.PATH ?? "",
  });
  const opened = openStore({
    dataDir,
    migrationsDir: join(ground.installationDir, "migrations"),
    clock,
    publish: facts.publish,
    bootId: readBootId(),
    pid: process.pid,
  });
  if (opened.kind === "refused") return opened;
  const { store } = opened;
  const parts = composeRunner({
    ...ground,
    version,
    store,
    containment,
    makeId,
    publish: facts.publish,
    subscribe: facts.subscribe,
    onLogError: (error) =>
      ground.log.write("warn", "a raw log could not be written", { error: String(error) }),
  });
  await parts.runner.start();
  const serving = composeRoutes(ground, bound, makeSecret, { store, containment, parts });
  const startMs = clock.monotonicMs() - begunMs;
  facts.publish({ type: "server.started", epoch: store.epoch, containment: containment.rung, startMs });
  return { kind: "serving", serving };
}

interface Built {
  store: Store;
  containment: Containment;
  parts: RunnerParts;
}

function composeRoutes(ground: Ground, bound: Bound, makeSecret: () => string, built: Built): Serving {
  const { config, clock, facts, token } = ground;
  const { store, containment, parts } = built;
  const names = ownNames(bound, config.publicUrls);
  const nonce = createNonce(makeSecret(), clock);
  const assets = readAssets(join(ground.installationDir, "public"));
  const streams = composeStreams(ground, bound);
  const draining = { since: null as string | null };
  const readiness = () => readinessOf(built, draining.since);
  const metrics = composeMetrics(ground, built, streams, () => readiness().reasons.length === 0);
  const shown = {
    rung: containment.rung,
    degradedBecause: containment.degradedBecause,
    sandboxOff: config.sandbox === "off",
  };
  const frame = () => ({ assetUrl: assets.url, version, containment: shown });
  const tokenHash = sha256(token);
  const { app, routes } = createApi({
    ...parts,
    runs: store,
    conversations: store,
    logins: store,
    streams,
    token,
    version,
    clock,
    publish: facts.publish,
    assets,
    frame,
    readiness,
    metrics: metrics.render,
    names: () => names,
    hash: sha256,
    makeSecret,
    makeRequestId: () => Bun.randomUUIDv7(),
    redeemNonce: nonce.redeem,
    isHttps: (host) => isHttps(names, host),
    useLogin: (secret) => store.useLogin({ secretHash: sha256(secret), tokenHash, atMs: clock.wallMs() }),
    pages: createPages({
      ...parts,
      runs: store,
      conversations: store,
      answerHtml: store,
      glances: store,
      clock,
      containment: () => shown,
      version,
      assetUrl: assets.url,
      sse: streams.open,
      makeIdempotencyKey: () => Bun.randomUUIDv7(),
    }),
  });
  const { removeStrayLogs } = parts;
  const jobs = sweeps({ store, rendererVersion, wallMs: clock.wallMs, removeStrayLogs });
  const scheduler = createScheduler({ jobs, clock, publish: facts.publish });
  scheduler.start();

  async function close(): Promise<void> {
    streams.stop();
    await scheduler.stop();
    await store.close();
    facts.publish({ type: "server.stopped" });
  }
  return {
    routes,
    fetch: (request, bindings) => app.fetch(request, bindings),
    loginUrl: `${baseUrl(bound, config.publicUrls)}/login?nonce=${nonce.value}`,
    async stop() {
      draining.since = "stopping";
      facts.publish({ type: "server.draining", reason: "asked to stop" });
      await parts.runner.stop(config.drainMs);
      await close();
    },
    stopAtOnce: () => parts.runner.stopAtOnce(),
  };
}

function composeStreams({ overrides, clock, facts }: Ground, { port }: Bound): EventStreams {
  return createEventStreams({
    streamsMax,
    pingMs: overrides.streamPingMs ?? streamPingMs,
    slowMs: overrides.streamSlowMs ?? streamSlowMs,
    ageMsMax: streamAgeMsMax,
    clock,
    publish: facts.publish,
    findHalfClosed: createHalfClosedFinder(() => port),
  });
}

function composeMetrics(
  { facts }: Ground,
  built: Built,
  streams: EventStreams,
  ready: () => boolean,
): Metrics {
  const { runner } = built.parts;
  const metrics = createMetrics({
    active: () => runner.counts().active,
    queued: () => runner.counts().queued,
    warm: () => runner.counts().warm,
    streams: () => streams.count,
    ready,
    containment: () => built.containment.rung,
    version,
  });
  facts.subscribe(metrics.fact);
  return metrics;
}

function readinessOf({ store, containment }: Built, draining: string | null) {
  const health = store.health();
  const reasons: string[] = [];
  if (draining) reasons.push("draining");
  if (health.kind === "failed") reasons.push(`store_unavailable: ${health.message}`);
  const isDegraded = containment.rung === "process-group";
  return {
    reasons,
    containment: isDegraded ? ("degraded" as const) : ("full" as const),
    rung: containment.rung,
    notes: containment.degradedBecause ? [containment.degradedBecause] : [],
  };
}

function isHttps(names: OwnNames, host: string): boolean {
  return (names.origins.get(host) ?? []).some((origin) => origin.startsWith("https:"));
}

function baseUrl({ host, port }: Bound, publicUrls: readonly string[]): string {
  const name = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host;
  return publicUrls[0] ?? `http://${name}:${port}`;
}
