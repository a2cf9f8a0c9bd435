import { join } from "node:path";
import packageJson from "../package.json" with { type: "json" };
import type { Bound, Ground, StartOutcome } from "./app.ts";
import { readAssets } from "./assets.ts";
import { composeContainment } from "./compose-containment.ts";
import { composeHealth } from "./compose-health.ts";
import { composeRunner, sha256 } from "./compose-runner.ts";
import { idMaker } from "./domain/ids.ts";
import type { ContainmentRung } from "./domain/process.ts";
import { createHalfClosedFinder } from "./half-closed.ts";
import { damageLook } from "./jobs/damage-look.ts";
import { quarantineJob } from "./jobs/quarantine.ts";
import { createScheduler } from "./jobs/scheduler.ts";
import { sweeps } from "./jobs/sweeps.ts";
import { createNonce } from "./nonces.ts";
import { type OwnNames, ownNames } from "./routes/access.ts";
import { createApi, type Routes } from "./routes/api.ts";
import type { Bindings } from "./routes/environment.ts";
import { createEventStreams, type EventStreams } from "./routes/event-stream.ts";
import type { HealthReads } from "./routes/pages/health/health-reads.ts";
import { frameOf } from "./routes/pages/page-dependencies.ts";
import { createPages } from "./routes/pages/pages.tsx";
import type { ContainmentDesk } from "./runner/containment-desk.ts";
import type { Containment } from "./runner/process/containment.ts";
import type { RunnerCounts } from "./runner/runner.ts";
import { detectContainment } from "./runner/process/detect-containment.ts";
import { openCgroups } from "./runner/process/open-cgroups.ts";
import { findHomeTrouble } from "./runner/process/home-folder.ts";
import { readBootId } from "./runner/process/tree.ts";
import { isOpenToOthers } from "./store/data-dir-modes.ts";
import { openStore, type Store } from "./store/store.ts";
import { createMetrics, type Metrics } from "./telemetry/metrics.ts";
import { rendererVersion } from "./views/chat/renderer-version.ts";

/** Event streams open at once; each costs a few kilobytes. */
const streamsMax = 2_000;
/** Looked at three times as often, so that no client is left without a word for 15 seconds. */
const streamPingMs = 10_000;
const streamSlowMs = 30_000;
const streamAgeMsMax = 3_600_000;

/** What a server that died has left of control groups harms nobody, and waits until the first page is there. */
const sweepDelayMs = 1_000;

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
  // What is tried there is waited for when the store is open.
  const openingCgroups = openCgroups({ setting: config.cgroup, containment, clock });
  const opened = openStore({
    dataDir,
    migrationsDir: join(ground.installationDir, "migrations"),
    clock,
    publish: facts.publish,
    bootId: readBootId(),
    pid: process.pid,
  });
  const cgroups = await openingCgroups;
  if (opened.kind === "refused") return opened;
  const { store } = opened;
  if (cgroups.kind === "bad") {
    await store.close();
    return { kind: "refused", exitCode: 64, message: cgroups.message };
  }
  const parts = composeRunner({
    ...ground,
    version,
    store,
    containment,
    cgroups: cgroups.kind === "found" ? cgroups.cgroups : null,
    makeId,
    newSessionId: () => crypto.randomUUID(),
    publish: facts.publish,
    subscribe: facts.subscribe,
    onLogError: (error) =>
      ground.log.write("warn", "a raw log could not be written", { error: String(error) }),
  });
  await parts.runner.start();
  const homeTrouble = await findHomeTrouble(ground.environment.HOME);
  if (homeTrouble !== null) ground.log.write("warn", "no CLI can be started", { why: homeTrouble });
  const containmentDesk = composeContainment(ground, containment, cgroups, store, version);
  const serving = composeRoutes(ground, bound, makeSecret, { store, containment, containmentDesk, parts });
  const startMs = clock.monotonicMs() - begunMs;
  facts.publish({ type: "server.started", epoch: store.epoch, containment: containment.rung, startMs });
  if (config.selfTest === "auto") containmentDesk.begin();
  if (cgroups.kind === "found") clock.after(sweepDelayMs, cgroups.sweep);
  return { kind: "serving", serving };
}

interface Built {
  store: Store;
  containment: Containment;
  containmentDesk: ContainmentDesk;
  parts: RunnerParts;
}

function composeRoutes(ground: Ground, bound: Bound, makeSecret: () => string, built: Built): Serving {
  const { config, clock, facts, token } = ground;
  const { store, containmentDesk, parts } = built;
  const names = ownNames(bound, config.publicUrls);
  const nonce = createNonce(makeSecret(), clock);
  const assets = readAssets(join(ground.installationDir, "public"));
  const streams = composeStreams(ground, bound);
  const draining = { since: null as string | null };
  const readiness = () => readinessOf(built, draining.since, dataDirNotes(ground.dataDir));
  const metrics = composeMetrics(ground, built, streams, () => readiness().reasons.length === 0);
  const shown = () => bannerOf(containmentDesk);
  const health = composeHealthReads(ground, built, streams, () => draining.since !== null);
  const frame = () => frameOf({ assetUrl: assets.url, version, containment: shown, health });
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
    containmentReport: containmentDesk.report,
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
      containment: shown,
      health,
      version,
      assetUrl: assets.url,
      sse: streams.open,
      makeIdempotencyKey: () => Bun.randomUUIDv7(),
    }),
  });
  const swept = sweeps({ ...config, ...parts, store, rendererVersion, wallMs: clock.wallMs });
  const jobs = [...swept, quarantineJob(parts.runner.recheckAll), damageLook(store.lookForDamage)];
  const scheduler = createScheduler({ jobs, clock, publish: facts.publish });
  scheduler.start();

  async function close(): Promise<void> {
    streams.stop();
    await containmentDesk.stop();
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

function composeHealthReads(
  { config, dataDir, facts }: Ground,
  { store, parts, containmentDesk }: Built,
  streams: EventStreams,
  isDraining: () => boolean,
): HealthReads {
  return composeHealth({
    ...parts,
    config,
    dataDir,
    store,
    subscribe: facts.subscribe,
    containment: containmentDesk.report,
    countStreams: () => streams.count,
    streamsMax,
    isDraining,
  });
}

function bannerOf({ report }: ContainmentDesk) {
  const { rung, status, because, sandboxOff } = report();
  return { rung, degradedBecause: status === "degraded" ? because : null, sandboxOff };
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
    quarantined: () => runner.counts().quarantined,
    breakersOpen: () => runner.counts().breakersOpen,
    breakersHalfOpen: () => runner.counts().breakersHalfOpen,
    streams: () => streams.count,
    rawLogBytes: built.parts.countLogBytes,
    ready,
    containment: () => built.containment.rung,
    version,
  });
  facts.subscribe(metrics.fact);
  return metrics;
}

function readinessOf(
  { store, containmentDesk, parts }: Built,
  draining: string | null,
  dirNotes: readonly string[],
) {
  const health = store.health();
  const reasons: string[] = [];
  if (draining) reasons.push("draining");
  if (health.kind === "failed") reasons.push(`store_unavailable: ${health.message}`);
  const { rung, status, because } = containmentDesk.report();
  return {
    reasons,
    containment: status === "unknown" ? promiseOf(rung) : status,
    rung,
    notes: [...(because === null ? [] : [because]), ...agentNotes(parts.runner.counts()), ...dirNotes],
  };
}

/** Until the self-test has told what the machine keeps of it. */
function promiseOf(rung: ContainmentRung): "full" | "degraded" {
  return rung === "process-group" ? "degraded" : "full";
}

/** Whoever may ask for readiness needs no token, so no agent is named. */
function agentNotes({ quarantined, breakersOpen }: RunnerCounts): string[] {
  const agents = (count: number) => (count === 1 ? "1 agent" : `${count} agents`);
  return [
    ...(quarantined > 0 ? [`Processes of ${agents(quarantined)} could not be ended.`] : []),
    ...(breakersOpen > 0 ? [`The circuit breaker of ${agents(breakersOpen)} is open.`] : []),
  ];
}

/** Without its path, which may name a user. */
function dataDirNotes(dataDir: string): string[] {
  if (!isOpenToOthers(dataDir)) return [];
  return [
    "Other users of this machine can reach into the data directory: run chmod 700 on it. The log names it.",
  ];
}

function isHttps(names: OwnNames, host: string): boolean {
  return (names.origins.get(host) ?? []).some((origin) => origin.startsWith("https:"));
}

function baseUrl({ host, port }: Bound, publicUrls: readonly string[]): string {
  const name = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host;
  return publicUrls[0] ?? `http://${name}:${port}`;
}
