import { describe, expect, test } from "bun:test";
import { tmpdir } from "node:os";
import { composeHealth, type HealthParts } from "../src/compose-health.ts";
import { parseConfig } from "../src/config.ts";
import type { Fact } from "../src/domain/facts.ts";
import { StoreUnavailable } from "../src/domain/ports.ts";
import { createWakeups } from "../src/runner/wakeups.ts";
import { aContainmentReport, anOpenBreaker } from "./helpers/health-records.ts";

/** A server that is well, but for what is given. */
function someParts(given: Partial<HealthParts> = {}) {
  const parsed = parseConfig({ HEADWAY_MAX_RUNS: "3", HEADWAY_EVENT_KEEP_DAYS: "0" });
  if (parsed.kind === "bad") throw new Error(parsed.message);
  const listeners = new Set<(fact: Fact) => void>();
  const wakeups = createWakeups();
  const counts = { active: 1, queued: 3, warm: 2, quarantined: 0, breakersOpen: 0, breakersHalfOpen: 0 };
  const parts: HealthParts = {
    config: parsed.config,
    dataDir: tmpdir(),
    store: {
      health: () => ({ kind: "ok" }),
      listQueued: () => ["ben", "anna", "ben"].map((agentId, index) => ({ runId: `run_${index}`, agentId })),
    },
    runner: { counts: () => counts, listBreakers: () => [anOpenBreaker()], listQuarantined: () => [] },
    wakeups,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    containment: () => aContainmentReport(),
    countStarting: () => 1,
    countStreams: () => 5,
    streamsMax: 10,
    isDraining: () => false,
    ...given,
  };
  const tell = (fact: Fact) => {
    for (const listener of listeners) listener(fact);
  };
  return { parts, wakeups, tell, listeners };
}

describe("what the pages are told of Headway's health", () => {
  test("is who waits for what, in the order of the oldest messages", () => {
    const health = composeHealth(someParts().parts);

    expect(health.work()).toEqual({
      running: 1,
      runsMax: 3,
      waiting: [
        { agentId: "ben", messages: 2 },
        { agentId: "anna", messages: 1 },
      ],
      warm: 2,
      warmMax: 4,
      starting: 1,
      startsMax: 4,
      streams: 5,
      streamsMax: 10,
      isDraining: false,
    });
  });

  test("is why the store takes no writes, without the room on a disk that doesn't answer", () => {
    const store = {
      health: () => ({ kind: "failed" as const, code: "SQLITE_FULL", message: "the disk is full" }),
      listQueued: () => [],
    };

    const health = composeHealth(someParts({ store, dataDir: "/nowhere/at/all" }).parts);

    expect(health.store()).toEqual({ failure: "the disk is full", freeBytes: null });
    expect(health.attention()).toBe(2);
  });

  test("is that something is the matter where the store can't even be read; a bug is no such thing", () => {
    const failing = (error: Error) => {
      const { parts } = someParts();
      const listBreakers = () => {
        throw error;
      };
      return composeHealth({ ...parts, runner: { ...parts.runner, listBreakers } });
    };

    expect(failing(new StoreUnavailable("SQLITE_IOERR", "the disk reported an error")).attention()).toBe(1);
    expect(() => failing(new TypeError("a bug")).attention()).toThrow("a bug");
  });

  test("is every limit with its setting, its unit and no Markdown", () => {
    const limits = composeHealth(someParts().parts).limits.flatMap((group) => group.limits);

    const values = Object.fromEntries(limits.map(({ variable, value }) => [variable, value]));
    expect(values).toMatchObject({
      HEADWAY_MAX_RUNS: "3",
      HEADWAY_RUN_TIMEOUT_MS: "30 min",
      HEADWAY_MEMORY_LIMIT_MB: "2,048 MiB",
      HEADWAY_LOG_KEEP_DAYS: "30 days",
      HEADWAY_EVENT_KEEP_DAYS: "0",
    });
    expect(limits.filter(({ meaning }) => meaning.includes("`"))).toEqual([]);
  });

  test("wakes its readers by what happens to agents and by the facts that show, until they leave", () => {
    const { parts, wakeups, tell, listeners } = someParts();
    const wakes: string[] = [];
    const leave = composeHealth(parts).onChange(() => void wakes.push("wake"));

    wakeups.announce({ runId: "", agentId: "anna" });
    tell({ type: "stream.opened" });
    tell({ type: "login.made" });
    leave();
    wakeups.announce({ runId: "", agentId: "anna" });

    expect(wakes).toHaveLength(2);
    expect(listeners.size).toBe(0);
  });
});
