import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type App, createApp } from "../../src/app.ts";
import { parseConfig } from "../../src/config.ts";
import type { Run } from "../../src/domain/run.ts";
import { collectEvents, expectJson, type Fetch, openEvents } from "../helpers/http.ts";
import { assertIntegrity } from "../helpers/integrity.ts";
import { makeTempFolder, type TempFolder } from "../helpers/temp.ts";
import { waitFor } from "../helpers/wait.ts";
import { openStreamsOf, readMetric } from "./raw-streams.ts";

/** In this process, because a server's own times are too long to wait for. */
const streamPingMs = 60;
const streamSlowMs = 400;

let folder: TempFolder;
let app: App;
let server: ReturnType<typeof listen>;
let runId: string;
const fetchApp: Fetch = (path, init = {}) => {
  const headers = new Headers(init.headers);
  headers.set("authorization", `Bearer ${app.token}`);
  return fetch(new URL(path, server.url), { keepalive: false, ...init, headers });
};

beforeAll(async () => {
  folder = makeTempFolder();
  for (const name of ["home", "work/project"]) mkdirSync(join(folder.path, name), { recursive: true });
  const environment = {
    PATH: process.env["PATH"],
    HOME: join(folder.path, "home"),
    HEADWAY_DATA_DIR: join(folder.path, "data"),
    HEADWAY_WORKSPACES: join(folder.path, "work"),
    HEADWAY_CLAUDE_PATH: join(import.meta.dir, "..", "fixtures", "bin", "fake-claude"),
    HEADWAY_DRAIN_MS: "0",
  };
  const parsed = parseConfig(environment);
  if (parsed.kind === "bad") throw new Error(parsed.message);
  app = createApp(parsed.config, { environment, streamPingMs, streamSlowMs, writeLine: () => undefined });
  server = listen();
  await app.start({ host: "127.0.0.1", port: server.port! });
  const agent = { id: "ada", cli: "claude", cwd: join(folder.path, "work/project") };
  await expectJson(fetchApp, 201, "POST", "/api/agents", { body: agent });
  runId = await begin("forever");
});

afterAll(async () => {
  await app.stop();
  await server.stop(true);
  assertIntegrity(join(folder.path, "data"));
  folder[Symbol.dispose]();
});

function listen() {
  return Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 60,
    fetch(request, bound) {
      const peer = bound.requestIP(request);
      return app.fetch(request, {
        peer: peer ? `${peer.address}:${peer.port}` : undefined,
        quietSeconds: (seconds) => bound.timeout(request, seconds),
      });
    },
  });
}

async function begin(prompt: string): Promise<string> {
  const options = { body: { prompt }, headers: { prefer: "respond-async" } };
  const run = await expectJson<Run>(fetchApp, 202, "POST", "/api/agents/ada/execute", options);
  const isHeard = async () =>
    (await (await fetchApp(`/api/runs/${run.id}/events`)).text()).includes("session");
  await waitFor(isHeard, { what: "the turn to run" });
  return run.id;
}

const place = () =>
  ({ server: { port: server.port!, token: app.token } }) as Parameters<typeof openStreamsOf>[0];
const metric = async (name: string) => readMetric(await (await fetchApp("/metrics")).text(), name);
/** A reason that hasn't occurred yet isn't among the metrics. */
const closed = (reason: string) => metric(`headway_streams_closed_total{reason="${reason}"}`).catch(() => 0);

/** The server's connections that it hasn't closed, as "local remote state": established, or half closed. */
function connections(): string[] {
  const port = server.port!.toString(16).toUpperCase().padStart(4, "0");
  const lines = readFileSync("/proc/net/tcp", "utf8").split("\n");
  const rows = lines.map((line) => line.trim().split(/\s+/));
  const live = rows.filter(
    ([, local, , state]) => local?.endsWith(`:${port}`) && /^0[18]$/.test(state ?? ""),
  );
  return live.map((row) => row.slice(1, 4).join(" "));
}

test("a silent stream is pinged, and its reader sees no event for it", async () => {
  await using stream = await openEvents(fetchApp, `/api/runs/${runId}/events`);
  const reading = collectEvents(stream);

  await waitFor(() => stream.comments >= 3, { what: "three pings" });
  const open = await metric("headway_streams_open");
  await stream.close();
  const events = await reading;

  expect(open).toBe(1);
  expect(events.map(({ event }) => event)).toEqual(["run.queued", "run.started", "session"]);
  await waitFor(async () => (await metric("headway_streams_open")) === 0, { what: "the stream to be over" });
});

test("a connection whose other side was closed is found and ended", async () => {
  const streams = await openStreamsOf(place(), runId, 10, { reads: true });

  streams.halfClose(0, 6);
  await waitFor(async () => (await metric("headway_streams_open")) === 4, {
    what: "six streams to be ended",
  });
  streams.end();
  await waitFor(async () => (await metric("headway_streams_open")) === 0, { what: "all streams to be over" });

  // One that the platform itself told of counts as gone; one more is the stream of the test before.
  expect((await closed("half_closed")) + (await closed("gone"))).toBe(11);
});

test("a reader that takes nothing is cut, its connection ended, and it can resume", async () => {
  await expectJson(fetchApp, 200, "POST", `/api/runs/${runId}/cancel`);
  const loud = await begin("tool=sleep 0.5; head -c 6000000 /dev/zero | tr '\\0' x");
  const streams = await openStreamsOf(place(), loud, 3, { reads: false });

  await waitFor(async () => (await closed("slow")) === 3, { what: "the readers to be cut" });
  const open = await metric("headway_streams_open");
  const whole = await collectEvents(await openEvents(fetchApp, `/api/runs/${loud}/events`));
  const resumed = await collectEvents(
    await openEvents(fetchApp, `/api/runs/${loud}/events`, { lastEventId: whole[3]!.id }),
  );

  expect(open).toBe(0);
  expect(resumed).toEqual(whole.slice(4));
  expect(whole.at(-1)!.event).toBe("run.finished");
  await waitFor(() => connections().length === 0, {
    deadlineMs: 20_000,
    what: "the connections to be ended",
  });
  streams.end();
});
