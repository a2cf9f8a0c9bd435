import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { atMost, type Figure, measured, median } from "../figures.ts";
import { rssMbOf } from "../machine.ts";
import type { Stage } from "../stage.ts";

const startAimMs = 250;
const rssAimMb = 60;
/** How long a server has had nothing to do when its memory is read. */
const idleMs = 1_000;
const pollMs = 1;
const deadlineMs = 15_000;

const root = join(import.meta.dir, "..", "..");
const bareServer = join(import.meta.dir, "..", "programs", "bare-server.ts");
const serverProgram = join(root, "src", "server.ts");

/** From the spawn to the first 200, on a fresh data directory and on one that is there; and the memory then. */
export async function measureStart(stage: Stage): Promise<Figure[]> {
  const existing = stage.newDataDir();
  const fresh: number[] = [];
  const again: number[] = [];
  const floor: number[] = [];
  const first = await startOnce(stage, serverProgram, existing);
  for (let round = 0; round < stage.times(12, 4); round++) {
    fresh.push((await startOnce(stage, serverProgram, stage.newDataDir())).tookMs);
    again.push((await startOnce(stage, serverProgram, existing)).tookMs);
    floor.push((await startOnce(stage, bareServer, existing)).tookMs);
  }
  const rss = await startOnce(stage, serverProgram, existing, { idleMs });
  const bareRss = await startOnce(stage, bareServer, existing, { idleMs });
  const startFigure = (name: string, values: number[], note: string): Figure => ({
    name,
    unit: "ms",
    headway: measured(values),
    floor: measured(floor),
    judged: atMost(median(values), startAimMs, "ms"),
    note,
  });
  return [
    startFigure("start to first 200, fresh", fresh, "floor: a Bun server that does nothing else"),
    startFigure("start to first 200, existing", again, ""),
    {
      ...startFigure(
        "the same, first in this home",
        [first.tookMs],
        "Bun keeps what it has transpiled there",
      ),
      judged: null,
    },
    {
      name: "RSS idle after start",
      unit: "MB",
      headway: { p50: rss.rssMb, p99: null },
      floor: { p50: bareRss.rssMb, p99: null },
      judged: atMost(rss.rssMb, rssAimMb, "MB"),
      note: `VmRSS after ${idleMs} ms without a request; floor as above`,
    },
  ];
}

async function startOnce(stage: Stage, program: string, dataDir: string, idle?: { idleMs: number }) {
  mkdirSync(dataDir, { recursive: true });
  const port = freePort();
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: stage.home,
    HEADWAY_DATA_DIR: dataDir,
    HEADWAY_PORT: String(port),
  };
  const begunMs = performance.now();
  const child = Bun.spawn([process.execPath, program], {
    cwd: root,
    env,
    stdio: ["ignore", "ignore", "ignore"],
  });
  await using _ = { [Symbol.asyncDispose]: () => endServer(child) };
  stage.use({ [Symbol.asyncDispose]: () => endServer(child) });
  await untilAnswered(`http://127.0.0.1:${port}/healthz`, child);
  const tookMs = performance.now() - begunMs;
  if (idle) await Bun.sleep(idle.idleMs);
  return { tookMs, rssMb: rssMbOf(child.pid) };
}

async function endServer(child: Bun.Subprocess): Promise<void> {
  child.kill("SIGTERM");
  await child.exited;
}

function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = listener;
  listener.stop(true);
  return port;
}

async function untilAnswered(url: string, child: Bun.Subprocess): Promise<void> {
  const endsAtMs = performance.now() + deadlineMs;
  while ((await statusOf(url)) !== 200) {
    if (performance.now() > endsAtMs || child.exitCode !== null) throw new Error("The server didn't start.");
    await Bun.sleep(pollMs);
  }
}

/** Null while nobody listens. */
async function statusOf(url: string): Promise<number | null> {
  try {
    return (await fetch(url, { keepalive: false })).status;
  } catch (error) {
    if ((error as { code?: string }).code === "ECONNREFUSED") return null;
    throw error;
  }
}
