import { statfsSync } from "node:fs";
import { type Config, settings } from "./config.ts";
import type { ContainmentReport } from "./domain/containment-report.ts";
import type { Fact } from "./domain/facts.ts";
import { configuredLimits } from "./routes/pages/health/configured-limits.ts";
import { type HealthReads, readConcerns } from "./routes/pages/health/health-reads.ts";
import type { RunnerService } from "./runner/runner.ts";
import type { Wakeups } from "./runner/runner-api.ts";
import { storageFailure } from "./store/failures.ts";
import type { Store } from "./store/store.ts";
import { countAttention } from "./views/health/health-facts.ts";

export interface HealthParts {
  config: Config;
  dataDir: string;
  store: Pick<Store, "health" | "listQueued">;
  runner: Pick<RunnerService, "counts" | "listBreakers" | "listQuarantined">;
  wakeups: Wakeups;
  subscribe(listener: (fact: Fact) => void): () => void;
  containment(): ContainmentReport;
  /** CLI processes that are coming up. */
  countStarting(): number;
  countStreams(): number;
  streamsMax: number;
  isDraining(): boolean;
}

/** Facts after which the health page may have something else to show, beside what happens to agents. */
const telling: ReadonlySet<string> = new Set<Fact["type"]>([
  "process.spawned",
  "process.ended",
  "warm.kept",
  "warm.reused",
  "warm.evicted",
  "stream.opened",
  "stream.closed",
  "containment.tested",
  "store.failed",
  "store.recovered",
  "server.draining",
]);

/** What the pages ask about Headway's own health, from those who know. */
export function composeHealth(parts: HealthParts): HealthReads {
  const { config, runner, wakeups } = parts;
  const concerns = {
    containment: parts.containment,
    breakers: () => runner.listBreakers(),
    quarantined: () => runner.listQuarantined(),
    store: () => readStore(parts),
  };
  return {
    ...concerns,
    attention: () => countConcerns(concerns),
    work: () => readWork(parts),
    limits: configuredLimits(config, settings),
    onChange(wake) {
      const leaveBus = parts.subscribe(({ type }) => {
        if (telling.has(type)) wake();
      });
      const leaveWakeups = wakeups.onAny(() => wake());
      return () => {
        leaveBus();
        leaveWakeups();
      };
    },
  };
}

/** A store that can't even be read is one thing that needs a person, and must not keep a page from saying so. */
function countConcerns(reads: Parameters<typeof readConcerns>[0]): number {
  try {
    return countAttention(readConcerns(reads));
  } catch (error) {
    if (storageFailure(error) === null) throw error;
    return 1;
  }
}

function readWork(parts: HealthParts) {
  const { active, warm } = parts.runner.counts();
  return {
    running: active,
    runsMax: parts.config.maxRuns,
    waiting: countByAgent(parts.store.listQueued()),
    warm,
    warmMax: parts.config.warmProcesses,
    starting: parts.countStarting(),
    startsMax: parts.config.maxStarts,
    streams: parts.countStreams(),
    streamsMax: parts.streamsMax,
    isDraining: parts.isDraining(),
  };
}

/** In the order of their oldest messages. */
function countByAgent(queued: readonly { agentId: string }[]) {
  const counts = new Map<string, number>();
  for (const { agentId } of queued) counts.set(agentId, (counts.get(agentId) ?? 0) + 1);
  return [...counts].map(([agentId, messages]) => ({ agentId, messages }));
}

function readStore({ store, dataDir }: HealthParts) {
  const health = store.health();
  return { failure: health.kind === "failed" ? health.message : null, freeBytes: freeBytesOf(dataDir) };
}

/** Null where the disk itself doesn't answer. */
function freeBytesOf(dataDir: string): number | null {
  try {
    const { bavail, bsize } = statfsSync(dataDir);
    return bavail * bsize;
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
    return null;
  }
}
