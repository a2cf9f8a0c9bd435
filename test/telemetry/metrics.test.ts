import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Fact, FactType } from "../../src/domain/facts.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { jsonInit, startApp, type TestApp } from "../helpers/test-app.ts";

let app: TestApp;
/** Words that only the users' data holds. */
const words = ["zebrafish", "quokka", "axolotl"] as const;
const used: string[] = [...words];

beforeAll(async () => {
  app = await startApp();
  await app.makeAgent({ id: words[0], metadata: { note: words[1] } });
  const good = await app.run(words[0], `${words[2]} hello`);
  const bad = await app.run(words[0], `is-error=${words[2]}`);
  const stopped = await app.submit(words[0], "forever");
  await app.fetch(`/api/runs/${stopped.id}/cancel`, { method: "POST" });
  await app
    .fetch(`/api/runs/${good.id}/events`, { headers: { accept: "text/event-stream" } })
    .then((r) => r.text());
  await app.fetch(`/api/agents/${words[0]}/execute`, jsonInit("POST", { prompt: "" }));
  await app.fetch(`/api/agents/${words[1]}/execute`, jsonInit("POST", { prompt: "x" }));
  await app.fetch(`/${words[1]}/${words[2]}?q=${words[0]}`);
  await app.send("/login", { method: "POST", body: new URLSearchParams({ token: words[1] }) });
  used.push(good.id, bad.id, stopped.id, good.conversationId, good.cliSessionId ?? "?", app.token);
});
afterAll(() => app[Symbol.asyncDispose]());

const scrape = async () => (await app.fetch("/metrics")).text();

interface Sample {
  name: string;
  labels: string;
  value: number;
}
function samplesOf(text: string): Sample[] {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return lines.map((line) => {
    const [, name = "", labels = "", value = ""] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    return { name, labels, value: Number(value) };
  });
}

describe("the metrics", () => {
  test("come in Prometheus's text format", async () => {
    const response = await app.fetch("/metrics");

    expect(response.headers.get("content-type")).toStartWith("text/plain; version=0.0.4");
    expect(samplesOf(await response.text()).every(({ name }) => name !== "")).toBe(true);
  });

  test("all have names that begin with headway_", async () => {
    const foreign = samplesOf(await scrape()).filter(({ name }) => !name.startsWith("headway_"));

    expect(foreign).toEqual([]);
  });

  test("have help and a type each", async () => {
    const text = await scrape();
    const described = (word: string) =>
      new Set([...text.matchAll(new RegExp(`^# ${word} (\\S+) `, "gm"))].map((m) => m[1]));
    const [help, type] = [described("HELP"), described("TYPE")];

    const undescribed = samplesOf(text).filter(({ name }) => {
      const base = name.replace(/_(bucket|sum|count)$/, "");
      return ![name, base].some((known) => help.has(known) && type.has(known));
    });

    expect(undescribed).toEqual([]);
  });

  const promtool = Bun.which("promtool");
  test.if(promtool !== null || process.env["CI"] === "true")("pass promtool's own check", async () => {
    const child = Bun.spawn([promtool ?? "promtool", "check", "metrics"], {
      stdin: new Blob([await scrape()]),
      stdout: "pipe",
      stderr: "pipe",
    });

    const said = (
      await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
    ).join("");

    expect(said).toBe("");
    expect(await child.exited).toBe(0);
  });

  test("hold no id, no name and no text of anybody", async () => {
    const text = await scrape();

    const labels = samplesOf(text).map((sample) => sample.labels);
    expect(used.filter((word) => text.includes(word))).toEqual([]);
    expect(labels.filter((label) => /[0-9a-f]{12,}/.test(label))).toEqual([]);
  });

  test("have the same series however many agents there are and whatever is asked for", async () => {
    const seriesOf = async () => samplesOf(await scrape()).map(({ name, labels }) => `${name}{${labels}}`);
    await app.fetch("/nothing/0");
    const before = await seriesOf();

    for (let i = 1; i <= 20; i++) {
      await app.makeAgent({ id: `agent-${i}` });
      for (const path of [`/api/agents/agent-${i}`, `/nothing/${i}`, `/api/runs/run_${i}`])
        await app.fetch(path);
    }
    const after = await seriesOf();

    const added = after.filter((series) => !before.includes(series));
    expect(
      added.filter((series) => /\d{1,2}["/]/.test(series.replace(/(?:le|status|version)="[^"]*"/g, ""))),
    ).toEqual([]);
    expect(added.length).toBeLessThan(80);
  });

  test("count what happened", async () => {
    const samples = samplesOf(await scrape());
    const sum = (name: string, label = "") =>
      samples
        .filter((sample) => sample.name === name && sample.labels.includes(label))
        .reduce((total, { value }) => total + value, 0);

    expect(sum("headway_runs_total", 'state="succeeded"')).toBe(1);
    expect(sum("headway_runs_total", 'state="failed"')).toBe(1);
    expect(sum("headway_runs_total", 'state="cancelled"')).toBe(1);
    expect(sum("headway_runs_total", 'code="cli_error"')).toBe(1);
    expect(sum("headway_run_duration_seconds_count")).toBe(3);
    expect(sum("headway_run_overhead_seconds_count")).toBe(3);
    expect(sum("headway_run_queue_seconds_count")).toBe(3);
    expect(sum("headway_cancel_seconds_count")).toBe(1);
    expect(sum("headway_runs_refused_total", 'code="agent_not_found"')).toBe(1);
    expect(sum("headway_logins_total", 'outcome="refused"')).toBe(1);
    expect(sum("headway_streams_closed_total", 'reason="ended"')).toBe(1);
    expect(sum("headway_streams_open")).toBe(0);
    expect(sum("headway_runs_active")).toBe(0);
    expect(sum("headway_runs_queued")).toBe(0);
    expect(sum("headway_warm_processes")).toBe(1);
    expect(sum("headway_ready")).toBe(1);
    expect(sum("headway_commit_seconds_count")).toBeGreaterThan(3);
  });
});

describe("every fact", () => {
  const cli = "claude" as const;
  const ids = { runId: "run_1", agentId: "zebrafish", conversationId: "conv_1", processId: "proc_1" };
  const facts: Record<FactType, Record<string, unknown>> = {
    "server.started": { epoch: 1, containment: "bwrap", startMs: 1 },
    "containment.tested": {
      rung: "bwrap",
      status: "degraded",
      because: "zebrafish",
      survivors: 1,
      cached: false,
      tookMs: 1,
    },
    "server.draining": { reason: "asked to stop" },
    "server.stopped": {},
    "recovery.done": { interrupted: 2, reaped: 1, quarantined: 0, queued: 3, tookMs: 4 },
    "agent.created": ids,
    "agent.changed": ids,
    "agent.deleted": ids,
    "agent.quarantined": { ...ids, survivors: 1 },
    "agent.released": ids,
    "breaker.changed": { ...ids, from: "closed", to: "open", reason: "failures", code: "cli_error" },
    "run.admitted": { ...ids, cli, mode: "headless" },
    "run.refused": { ...ids, code: "queue_full" },
    "run.started": { ...ids, cli, queueMs: 1 },
    "run.first_output": { ...ids, cli, tookMs: 1 },
    "run.settled": {
      ...ids,
      cli,
      mode: "headless",
      warm: true,
      state: "failed",
      code: "cli_error",
      durationMs: 1,
      overheadMs: 1,
      survivors: 1,
      peakRssBytes: 1,
      cpuMs: 1,
    },
    "cancel.done": { ...ids, tookMs: 1, survivors: 0 },
    "process.spawned": { ...ids, cli, pid: 1, containment: "bwrap", tookMs: 1 },
    "process.ended": { ...ids, cli, reason: "done", exitCode: 0, signal: null },
    "process.survived": { ...ids, cli, count: 1 },
    "warm.kept": { ...ids, cli },
    "warm.reused": { ...ids, cli },
    "warm.evicted": { ...ids, cli, reason: "idle" },
    "start.waited": { ...ids, cli, reason: "memory", outcome: "entered", tookMs: 1 },
    "anomaly.seen": { cli, cliVersion: "2.1.330", code: "parse_error", detail: "zebrafish", count: 2 },
    "commit.done": { durable: true, jobs: 1, tookMs: 1 },
    "store.failed": { code: "SQLITE_FULL", message: "zebrafish" },
    "store.recovered": {},
    "job.done": { job: "processes", removed: 3, tookMs: 1 },
    "job.failed": { job: "raw_logs", error: "zebrafish" },
    "stream.opened": {},
    "stream.closed": { reason: "slow" },
    "login.made": {},
    "login.refused": {},
    "request.done": { method: "GET", route: "/api/agents/:agentId", status: 200, tookMs: 1 },
    "request.failed": { route: "/", requestId: "r", error: "zebrafish" },
  };
  const metricsOf = () =>
    createMetrics({
      active: () => 0,
      queued: () => 0,
      warm: () => 0,
      quarantined: () => 2,
      breakersOpen: () => 3,
      breakersHalfOpen: () => 1,
      streams: () => 0,
      rawLogBytes: () => 0,
      ready: () => true,
      containment: () => "bwrap",
      version: "0.0.0",
    });

  test("is counted without its ids and texts", async () => {
    const metrics = metricsOf();

    for (const [type, fields] of Object.entries(facts)) metrics.fact({ type, ...fields } as unknown as Fact);
    const { text } = await metrics.render();

    expect(/zebrafish|run_1|conv_1|proc_1/.exec(text)).toBeNull();
    expect(text).toContain('headway_anomalies_total{cli="claude",version="2.1.330",code="parse_error"} 2');
    expect(text).toContain('headway_warm_evictions_total{cli="claude",reason="idle"} 1');
    expect(text).toContain('headway_store_failures_total{code="SQLITE_FULL"} 1');
    expect(text).toContain("headway_runs_recovered_total 2");
    expect(text).toContain('headway_breaker_changes_total{to="open",reason="failures"} 1');
    expect(text).toContain('headway_breakers{state="open"} 3');
    expect(text).toContain('headway_breakers{state="half_open"} 1');
    expect(text).toContain("headway_agents_quarantined 2");
  });

  test("is counted by eight versions of a CLI, and whatever else it calls itself is one more", async () => {
    const metrics = metricsOf();
    const seen = { type: "anomaly.seen", code: "parse_error", detail: "", count: 1 } as const;

    for (let at = 0; at < 30; at += 1) metrics.fact({ ...seen, cli: "acp", cliVersion: `v${at}` });
    metrics.fact({ ...seen, cli: "acp", cliVersion: "v3" });
    metrics.fact({ ...seen, cli: "acp", cliVersion: null });
    metrics.fact({ ...seen, cli, cliVersion: "v29" });
    const { text } = await metrics.render();

    const counted = samplesOf(text).filter(({ name }) => name === "headway_anomalies_total");
    const ofAcp = counted.filter(({ labels }) => labels.includes('cli="acp"'));
    expect(ofAcp.map(({ labels, value }) => [/version="(.*?)"/.exec(labels)?.[1], value])).toEqual([
      ["v0", 1],
      ["v1", 1],
      ["v2", 1],
      ["v3", 2],
      ["v4", 1],
      ["v5", 1],
      ["v6", 1],
      ["v7", 1],
      ["other", 22],
      ["unknown", 1],
    ]);
    expect(counted.filter(({ labels }) => labels.includes('version="v29"'))).toHaveLength(1);
  });
});
