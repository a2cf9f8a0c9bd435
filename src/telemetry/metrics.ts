import type { Registry as MetricRegistry } from "prom-client";
import type { Cli } from "../domain/agent.ts";
import type { Fact } from "../domain/facts.ts";
import { Counter, Gauge, Histogram, loadCollectDefaultMetrics, Registry } from "./prom-client.ts";

/** What is asked at each scrape instead of being counted. */
export interface Gauges {
  active(): number;
  queued(): number;
  warm(): number;
  quarantined(): number;
  breakersOpen(): number;
  breakersHalfOpen(): number;
  streams(): number;
  rawLogBytes(): number;
  ready(): boolean;
  containment(): string;
  version: string;
}

export interface Metrics {
  /** Counts a fact. Labels are closed sets: never an id, never text. */
  fact(fact: Fact): void;
  render(): Promise<{ contentType: string; text: string }>;
  /** What there is to scrape, for the documentation. */
  describe(): Promise<MetricDescription[]>;
}

export interface MetricDescription {
  name: string;
  type: string;
  help: string;
  labels: readonly string[];
}

/** The library's 10 ms would wake an idle server a hundred times a second. */
const loopPrecisionMs = 100;

const secondsBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];
const quickBuckets = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5];

export function createMetrics(gauges: Gauges): Metrics {
  const registry = new Registry();
  addGauges(registry, gauges);
  const instruments = { ...createInstruments(registry), versionLabel: createVersionLabel() };
  return {
    fact: (fact) => count(instruments, fact),
    async render() {
      addProcessMetrics(registry);
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
    describe: () => describe(registry),
  };
}

/** From the first scrape on: a server that nobody scrapes doesn't pay for them. */
function addProcessMetrics(register: MetricRegistry): void {
  if (register.getSingleMetric("headway_process_start_time_seconds")) return;
  const collectDefaultMetrics = loadCollectDefaultMetrics();
  collectDefaultMetrics({ register, prefix: "headway_", eventLoopMonitoringPrecision: loopPrecisionMs });
  // promtool objects to gauges whose names end in _total.
  for (const name of ["active_handles", "active_requests", "active_resources"]) {
    register.removeSingleMetric(`headway_nodejs_${name}_total`);
  }
}

async function describe(registry: MetricRegistry): Promise<MetricDescription[]> {
  const metrics = await registry.getMetricsAsJSON();
  return metrics.map(({ name, type, help }) => ({
    name,
    type: String(type),
    help,
    labels: labelsOf(registry, name),
  }));
}

/** Its types leave the names out, but every metric has them. */
function labelsOf(registry: MetricRegistry, name: string): readonly string[] {
  return (registry.getSingleMetric(name) as unknown as { labelNames: readonly string[] }).labelNames;
}

function addGauges(registry: MetricRegistry, gauges: Gauges): void {
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  gauge("headway_runs_active", "Runs in progress", gauges.active);
  gauge("headway_runs_queued", "Runs that wait", gauges.queued);
  gauge("headway_warm_processes", "Idle CLI processes kept warm", gauges.warm);
  gauge("headway_agents_quarantined", "Agents whose processes could not be ended", gauges.quarantined);
  gauge("headway_streams_open", "Event streams open", gauges.streams);
  gauge(
    "headway_raw_log_bytes",
    "Raw logs of all runs, as counted by the last sweep and written since",
    gauges.rawLogBytes,
  );
  gauge("headway_ready", "1 when the server is ready to take work", () => (gauges.ready() ? 1 : 0));
  new Gauge({
    name: "headway_breakers",
    help: "Circuit breakers of agents that aren't closed, by state",
    labelNames: ["state"],
    registers: [registry],
    collect() {
      this.set({ state: "open" }, gauges.breakersOpen());
      this.set({ state: "half_open" }, gauges.breakersHalfOpen());
    },
  });
  new Gauge({
    name: "headway_build_info",
    help: "Always 1; the labels tell version and containment",
    labelNames: ["version", "containment"],
    registers: [registry],
    collect() {
      this.set({ version: gauges.version, containment: gauges.containment() }, 1);
    },
  });
}

type Instruments = ReturnType<typeof createInstruments> & { versionLabel: VersionLabel };

type VersionLabel = (cli: Cli, cliVersion: string | null) => string;

/** A CLI names its version itself, and a hostile one could name another at each start. */
const versionsMax = 8;

/** The versions that were seen first are told apart, of each CLI; any further one is "other". */
function createVersionLabel(): VersionLabel {
  const seen = new Map<Cli, Set<string>>();
  return (cli, cliVersion) => {
    if (cliVersion === null) return "unknown";
    const versions = seen.get(cli) ?? new Set();
    seen.set(cli, versions);
    if (versions.size < versionsMax) versions.add(cliVersion);
    return versions.has(cliVersion) ? cliVersion : "other";
  };
}

function createInstruments(registry: MetricRegistry) {
  const registers = [registry];
  const counter = <const L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter<L>({ name, help, labelNames, registers });
  const histogram = <const L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[] = [],
    buckets = secondsBuckets,
  ) => new Histogram<L>({ name, help, labelNames, buckets, registers });
  return {
    runs: counter("headway_runs_total", "Runs settled, by outcome", ["cli", "mode", "state", "code", "warm"]),
    refused: counter("headway_runs_refused_total", "Executes refused, by code", ["code"]),
    duration: histogram("headway_run_duration_seconds", "From start to settlement", ["cli", "state"]),
    overhead: histogram(
      "headway_run_overhead_seconds",
      "What Headway itself adds to a run",
      ["cli", "warm"],
      quickBuckets,
    ),
    queue: histogram("headway_run_queue_seconds", "From admission to start", ["cli"]),
    firstOutput: histogram("headway_run_first_output_seconds", "From start to the CLI's first output", [
      "cli",
    ]),
    containment: new Gauge({
      name: "headway_containment_status",
      help: "Always 1, once the self-test has ended; the labels tell its verdict",
      labelNames: ["rung", "status"],
      registers,
    }),
    cancel: histogram("headway_cancel_seconds", "From the request to proven death"),
    breakers: counter("headway_breaker_changes_total", "Moves of circuit breakers", ["to", "reason"]),
    survivors: counter("headway_survivors_total", "Processes that outlived their run", ["cli"]),
    spawned: counter("headway_processes_spawned_total", "CLI processes started", ["cli", "containment"]),
    startWait: histogram("headway_start_wait_seconds", "Time that starts of CLI processes had to wait", [
      "cli",
      "reason",
      "outcome",
    ]),
    evicted: counter("headway_warm_evictions_total", "Warm processes ended, by reason", ["cli", "reason"]),
    reused: counter("headway_warm_reuses_total", "Turns carried by a warm process", ["cli"]),
    anomalies: counter("headway_anomalies_total", "Oddities in what CLIs print", ["cli", "version", "code"]),
    commit: histogram("headway_commit_seconds", "Time of a commit", ["durable"], quickBuckets),
    commitJobs: histogram("headway_commit_jobs", "Jobs in a commit", [], [1, 2, 4, 8, 16, 32, 64]),
    storeFailures: counter("headway_store_failures_total", "Writes that the disk refused", ["code"]),
    swept: counter("headway_job_removed_total", "What jobs did away with because nobody needs it", ["job"]),
    jobs: histogram("headway_job_seconds", "Time of a job", ["job"]),
    jobFailures: counter("headway_job_failures_total", "Jobs that failed; they come again", ["job"]),
    streamsClosed: counter("headway_streams_closed_total", "Event streams ended, by reason", ["reason"]),
    logins: counter("headway_logins_total", "Logins, by outcome", ["outcome"]),
    requests: histogram(
      "headway_http_request_seconds",
      "HTTP requests",
      ["method", "route", "status"],
      quickBuckets,
    ),
    failures: counter("headway_http_failures_total", "Requests that failed by a bug of ours", ["route"]),
    interrupted: counter("headway_runs_recovered_total", "Runs of earlier servers settled at a start", []),
  };
}

function count(m: Instruments, fact: Fact): void {
  switch (fact.type) {
    case "run.settled":
      return countSettled(m, fact);
    case "run.refused":
      return m.refused.inc({ code: fact.code });
    case "run.started":
      return m.queue.observe({ cli: fact.cli }, fact.queueMs / 1000);
    case "run.first_output":
      return m.firstOutput.observe({ cli: fact.cli }, fact.tookMs / 1000);
    case "cancel.done":
      return m.cancel.observe(fact.tookMs / 1000);
    case "breaker.changed":
      return m.breakers.inc({ to: fact.to, reason: fact.reason });
    case "process.spawned":
      return m.spawned.inc({ cli: fact.cli, containment: fact.containment });
    case "start.waited":
      return observeStartWait(m, fact);
    case "warm.evicted":
      return m.evicted.inc({ cli: fact.cli, reason: fact.reason });
    case "warm.reused":
      return m.reused.inc({ cli: fact.cli });
    case "anomaly.seen":
      return m.anomalies.inc(
        { cli: fact.cli, version: m.versionLabel(fact.cli, fact.cliVersion), code: fact.code },
        fact.count,
      );
    case "commit.done":
      m.commit.observe({ durable: String(fact.durable) }, fact.tookMs / 1000);
      return m.commitJobs.observe(fact.jobs);
    case "store.failed":
      return m.storeFailures.inc({ code: fact.code });
    case "job.done":
      m.jobs.observe({ job: fact.job }, fact.tookMs / 1000);
      return m.swept.inc({ job: fact.job }, fact.removed);
    case "job.failed":
      return m.jobFailures.inc({ job: fact.job });
    case "stream.closed":
      return m.streamsClosed.inc({ reason: fact.reason });
    case "login.made":
      return m.logins.inc({ outcome: "made" });
    case "login.refused":
      return m.logins.inc({ outcome: "refused" });
    case "request.done":
      return countRequest(m, fact);
    case "request.failed":
      return m.failures.inc({ route: fact.route });
    case "recovery.done":
      return m.interrupted.inc(fact.interrupted);
    case "containment.tested":
      m.containment.reset();
      return m.containment.set({ rung: fact.rung, status: fact.status }, 1);
    // What the log tells, a gauge shows, or another fact counts.
    case "server.started":
    case "server.draining":
    case "server.stopped":
    case "agent.created":
    case "agent.changed":
    case "agent.deleted":
    case "agent.quarantined":
    case "agent.released":
    case "run.admitted":
    case "process.ended":
    case "process.survived":
    case "warm.kept":
    case "store.recovered":
    case "stream.opened":
      return;
  }
}

function observeStartWait(m: Instruments, fact: Extract<Fact, { type: "start.waited" }>): void {
  const { cli, reason, outcome } = fact;
  m.startWait.observe({ cli, reason, outcome }, fact.tookMs / 1000);
}

function countSettled(m: Instruments, fact: Extract<Fact, { type: "run.settled" }>): void {
  const { cli, mode, state } = fact;
  const warm = String(fact.warm);
  m.runs.inc({ cli, mode, state, code: fact.code ?? "none", warm });
  m.duration.observe({ cli, state }, fact.durationMs / 1000);
  m.overhead.observe({ cli, warm }, fact.overheadMs / 1000);
  if (fact.survivors > 0) m.survivors.inc({ cli }, fact.survivors);
}

function countRequest(m: Instruments, fact: Extract<Fact, { type: "request.done" }>): void {
  const { method, route } = fact;
  m.requests.observe({ method, route, status: String(fact.status) }, fact.tookMs / 1000);
}
